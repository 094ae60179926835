//! Words that people and programs write: durabilities, consistencies, lengths of time and commit tokens.

use crate::{Seed, Signature, Target};
use quorate_core::{EntryId, GroupUuid, NodeId, Term, Vlsn};
use quorate_policy::{CommitDurability, CommitToken};
use quorate_server::client::ReadConsistency;
use quorate_server::parse_duration;
use std::time::Duration;

pub(super) const WORDS: Target = Target::plain(
    "words",
    "durabilities, consistencies, times and tokens in text; what is read prints as what is read the same",
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
    let consistency = text.parse::<ReadConsistency>();
    if let Ok(consistency) = consistency {
        assert_eq!(consistency.to_string().parse(), Ok(consistency));
    }
    let duration = parse_duration(&text);
    if let Ok(duration) = duration {
        assert_eq!(parse_duration(&format!("{}ms", duration.as_millis())), Ok(duration));
    }
    let read = [durability.is_ok(), consistency.is_ok(), duration.is_ok()];
    Signature::new().shape(&read).shape(&token)
}

fn seeds() -> Vec<Seed> {
    let id = EntryId { term: Term::new(3, NodeId::new(2)), vlsn: Vlsn::FIRST.advance(41) };
    let token = CommitToken::new(GroupUuid(0xfeed << 64), id);
    vec![
        Seed::new("token", token.to_string()),
        Seed::new("durability", CommitDurability::default().to_string()),
        Seed::new("consistency", ReadConsistency::Token(token).to_string()),
        Seed::new("time", ReadConsistency::Time(Duration::from_secs(2)).to_string()),
    ]
}
