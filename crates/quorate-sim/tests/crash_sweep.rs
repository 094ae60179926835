//! A sample of the crash sweep.

use quorate_sim::sweep::{CrashReport, sweep_life};

#[test]
fn a_node_turned_off_at_any_operation_has_everything_that_it_acknowledged_and_goes_on() {
    let mut report = CrashReport::default();
    for seed in 0..3 {
        report.add(sweep_life(seed, seed, 5));
    }
    assert!(report.failures.is_empty(), "{:#?}", report.failures);
    assert!(report.tally.total() >= 2_000, "{}", report.tally.total());
    assert_eq!(report.tally.missing(), [""; 0]);
}
