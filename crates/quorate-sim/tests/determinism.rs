//! One seed is one history.

use quorate_sim::{Profile, run_seed, trace_of};
use std::time::Duration;

#[test]
fn the_same_seed_plays_the_same_history_byte_for_byte() {
    for seed in 0..20 {
        let mut profile = Profile::drawn(seed);
        profile.duration = Duration::from_secs(20);
        profile.operations_min = 0;
        profile.faults_min = 0;
        let first = trace_of(seed, profile.clone());
        assert!(first.lines().count() > 500, "seed {seed} tells a whole history");
        assert!(first == trace_of(seed, profile), "seed {seed} played twice differs");
    }
}

#[test]
fn different_seeds_play_different_histories() {
    assert_ne!(run_seed(1, false).trace_hash, run_seed(2, false).trace_hash);
}
