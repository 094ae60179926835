//! Every entry point that bytes from a disk, a peer, a user or a client come in by.

mod codec;
mod forwards;
mod frames;
mod hard_state;
mod indexes;
mod keys;
mod link;
mod log;
mod log_files;
mod memory;
mod messages;
mod node;
mod requests;
mod rows;
mod scripts;
mod settings;
mod texts;

use crate::target::Target;

/// All targets, from the lowest layer to the highest.
pub static TARGETS: &[Target] = &[
    frames::FRAMES,
    codec::ENVELOPE,
    codec::OPERATIONS,
    codec::READ_SET,
    indexes::DENSE_INDEX,
    indexes::BUCKET_INDEX,
    hard_state::HARD_STATE,
    log::SEGMENT,
    log::SEALED_SEGMENT,
    log::INDEX_FILE,
    messages::MESSAGE,
    messages::ROSTER,
    texts::WORDS,
    node::NODE,
    link::CALL,
    link::PACKED,
    link::ANSWER,
    forwards::FORWARD,
    forwards::OUTCOME,
    keys::KEY,
    settings::SETTINGS,
    scripts::SCRIPT,
    rows::ROWS,
    requests::REQUEST,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Trial, Verdict};

    #[test]
    fn every_target_has_a_name_of_its_own_and_survives_its_seeds() {
        for (index, target) in TARGETS.iter().enumerate() {
            assert!(TARGETS[..index].iter().all(|other| other.name != target.name), "{}", target.name);
            let seeds = (target.seeds)();
            assert!(!seeds.is_empty(), "{} has nothing to begin with", target.name);
            for seed in seeds {
                let verdict = Trial::new(target, Limits::default(), None).run(&seed.bytes);
                assert!(
                    matches!(verdict, Verdict::Survived(_)),
                    "{} {}: {verdict:?}",
                    target.name,
                    seed.name
                );
            }
        }
    }

    #[test]
    fn mending_leaves_what_production_encoders_write_as_it_is() {
        for target in TARGETS {
            for seed in (target.seeds)() {
                let mut mended = seed.bytes.clone();
                (target.mend)(&mut mended);
                assert_eq!(mended, seed.bytes, "{} {}", target.name, seed.name);
            }
        }
    }
}
