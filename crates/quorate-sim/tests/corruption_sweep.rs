//! A sample of the corruption sweep.

use quorate_sim::sweep::{Corruption, CorruptionReport, Outcome, Part};

/// How many damages are drawn for each group; a few are drawn twice.
const NUMBERS: u64 = 750;

#[test]
fn a_damaged_file_is_harmless_or_repaired_or_refused_by_name_and_never_accepted_in_silence() {
    let groups = [0, 1].map(Corruption::new);
    let mut report = CorruptionReport::default();
    std::thread::scope(|scope| {
        let sweeps = groups.each_ref().map(|group| scope.spawn(|| group.sweep(0..NUMBERS)));
        sweeps.into_iter().for_each(|sweep| report.add(sweep.join().expect("the sweep of a group")));
    });
    assert!(report.failures.is_empty(), "{:#?}", report.failures);
    assert!(report.total() >= 1_000, "{}", report.total());
    assert_eq!(report.missing(), [""; 0]);
    for part in [Part::GroupHeader, Part::FrameHeader, Part::Payload] {
        assert_eq!(report.count(part, Outcome::Refused), 0, "{}: a good copy exists", part.name());
        assert!(report.count(part, Outcome::Repaired) > 0, "{}", part.name());
    }
    assert!(report.count(Part::EngineFile, Outcome::Refused) > 0, "an engine says that it is damaged");
}
