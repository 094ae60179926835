//! Every kept input, and a little invention: what the long runs do for hours.

use quorate_fuzz::{Corpus, Fuzzer, Limits, TARGETS, Trial, hush_panics};

/// Inputs invented for each target; all of them together take about two seconds.
const RUNS: usize = 400;

#[test]
fn every_target_survives_its_corpus_and_some_invention() {
    hush_panics();
    for target in TARGETS {
        let trial = Trial::new(target, Limits::default(), None);
        let mut fuzzer = Fuzzer::new(target, trial, 1);
        let corpus = Corpus::committed().load(target).expect("the corpus is readable");
        assert!(!corpus.is_empty(), "{} has no corpus", target.name);
        let finding = fuzzer.begin_with(corpus).or_else(|| (0..RUNS).find_map(|_| fuzzer.step()));
        if let Some(finding) = finding {
            panic!("{finding}: the input is {:02x?}", finding.input);
        }
        // A damaged index is made anew from its segment, so that whoever opens the log sees no difference.
        let is_healed = target.name == "index-file";
        let signatures = fuzzer.statistics().signatures;
        assert!(is_healed || signatures > 1, "{} does the same whatever it is given", target.name);
    }
}

#[test]
fn the_corpus_holds_what_production_encoders_make() {
    for target in TARGETS {
        let corpus = Corpus::committed().load(target).expect("the corpus is readable");
        for seed in (target.seeds)() {
            assert!(
                corpus.contains(&seed),
                "{}/{} is out of date: run cargo xtask fuzz --seed-corpus",
                target.name,
                seed.name
            );
        }
    }
}
