//! Panics that somebody catches. In a process of its own: a panic of any thread counts for the trial at hand.

use quorate_fuzz::{Limits, Signature, Target, Trial, Verdict, hush_panics};
use std::panic;
use std::thread;

fn hide_panic(input: &[u8]) -> Signature {
    let nested = || assert!(input.is_empty(), "deep down");
    match input {
        b"elsewhere" => drop(thread::scope(|scope| scope.spawn(nested).join().is_err())),
        _ => drop(panic::catch_unwind(nested)),
    }
    Signature::new()
}

static TARGET: Target = Target { name: "hides", about: "", run: hide_panic, mend: |_| {}, seeds: Vec::new };

#[test]
fn a_panic_counts_whoever_catches_it_and_on_whichever_thread_it_is() {
    hush_panics();
    let trial = Trial::new(&TARGET, Limits::default(), None);
    for input in [&b"here"[..], b"elsewhere"] {
        let Verdict::Panicked { message } = trial.run(input) else { panic!("it survived") };
        assert!(message.contains("deep down"), "{message}");
    }
    assert!(matches!(trial.run(b""), Verdict::Survived(_)));
}
