//! Words that people and programs write: durabilities and commit tokens.

use crate::{Seed, Signature, Target};
use quorate_core::{EntryId, GroupUuid, NodeId, Term, Vlsn};
use quorate_policy::{CommitDurability, CommitToken};

pub(super) const WORDS: Target = Target::plain(
    "words",
    "durabilities and commit tokens in text; what is read prints as a text that is read the same",
    run,
    seeds,
);

fn run(input: &[u8]) -> Signature {
    let text = String::from_utf8_lossy(input);
    let durability = text.parse::<CommitDurability>();
    if let Ok(durability) = durability {
        assert_eq!(durability.to_string().parse(), Ok(durability));
    }
    let token = text.parse::<CommitToken>();
    if let Ok(token) = &token {
        assert_eq!(token.to_string().parse().as_ref(), Ok(token));
    }
    Signature::new().shape(&durability.is_ok()).shape(&token)
}

fn seeds() -> Vec<Seed> {
    let id = EntryId { term: Term::new(3, NodeId::new(2)), vlsn: Vlsn::FIRST.advance(41) };
    let token = CommitToken::new(GroupUuid(0xfeed << 64), id);
    vec![
        Seed::new("token", token.to_string()),
        Seed::new("durability", CommitDurability::default().to_string()),
    ]
}
