//! A sample of the corruption sweep.

use quorate_sim::sweep::{Corruption, CorruptionReport, Outcome, Part};

#[test]
fn a_damaged_file_is_harmless_or_repaired_or_refused_by_name_and_never_accepted_in_silence() {
    let corruption = Corruption::new(0);
    let mut report = CorruptionReport::default();
    std::thread::scope(|scope| {
        let halves = [(0..1_000).step_by(2), (1..1_000).step_by(2)];
        let halves = halves.map(|numbers| scope.spawn(|| corruption.sweep(numbers)));
        halves.into_iter().for_each(|half| report.add(half.join().expect("a half of the sweep")));
    });
    assert!(report.failures.is_empty(), "{:#?}", report.failures);
    assert!(report.total() >= 900, "{}", report.total());
    assert_eq!(report.missing(), [""; 0]);
    for part in [Part::GroupHeader, Part::FrameHeader, Part::Payload] {
        assert_eq!(report.count(part, Outcome::Refused), 0, "{}: a good copy exists", part.name());
        assert!(report.count(part, Outcome::Repaired) > 0, "{}", part.name());
    }
}
