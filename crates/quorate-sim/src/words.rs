//! Messages and events in words, as traces and scripts show them.

use crate::network::letter;
use quorate_core::{EntryId, Term, Vlsn};
use quorate_election::Promise;
use quorate_replica::{ElectionEvent, ElectionMessage, Event, Message, StreamMessage, SyncupAnswer};
use std::fmt;

/// A message in one line.
pub(crate) struct InWords<'a>(pub(crate) &'a Message);

/// What a node tells its operator, behind the node's name.
pub(crate) struct EventInWords<'a>(pub(crate) &'a Event);

/// A term by its proposer's letter: `3.B`.
pub(crate) struct TermName(pub(crate) Term);

/// An entry, `4@3.B`, or `-` for none.
pub(crate) struct EntryName(pub(crate) Option<EntryId>);

impl fmt::Display for TermName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Term::ZERO => f.write_str("0"),
            term => write!(f, "{}.{}", term.round(), letter(term.proposer())),
        }
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(entry) => write!(f, "{}@{}", entry.vlsn, TermName(entry.term)),
            None => f.write_str("-"),
        }
    }
}

impl fmt::Display for InWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Message::Introduce { roster, wants_answer, .. } => {
                let founded = if roster.is_some() { "founded" } else { "not founded" };
                write!(f, "Introduce {founded}{}", if *wants_answer { ", and you?" } else { "" })
            }
            Message::Election(message) => election(message, f),
            Message::Heartbeat(beat) => {
                write!(
                    f,
                    "Heartbeat t={} #{} commit={}",
                    TermName(beat.term),
                    beat.sequence,
                    number(beat.committed)
                )?;
                if beat.lease.is_some() { f.write_str(" lease?") } else { Ok(()) }
            }
            Message::HeartbeatReply(reply) => {
                write!(f, "HeartbeatReply t={} #{}", TermName(reply.term), reply.sequence)?;
                if reply.granted { f.write_str(" lease") } else { Ok(()) }
            }
            Message::LeaseRelease { term, sequence } => {
                write!(f, "LeaseRelease t={} #{sequence}", TermName(*term))
            }
            Message::Stream(message) => stream(message, f),
            Message::ReadIndex { read } => write!(f, "ReadIndex #{}", within_run(*read)),
            Message::ReadIndexReply { read, at } => match at {
                Ok(at) => write!(f, "ReadIndexReply #{} at={}", within_run(*read), number(*at)),
                Err(_) => write!(f, "ReadIndexReply #{} not master", within_run(*read)),
            },
            Message::RepairRequest { first, last } => write!(f, "RepairRequest {first}..={last}"),
            Message::Repair { first, frames } => write!(f, "Repair from {first}, {} B", frames.len()),
            Message::Forward(write) => {
                write!(f, "Forward #{}, {} B", within_run(write.request.0), write.payload.len())
            }
            Message::ForwardReply { request, outcome } => {
                write!(f, "ForwardReply #{}, {} B", within_run(request.0), outcome.len())
            }
        }
    }
}

/// What a node numbers without the number of its run, which stands above.
const fn within_run(numbered: u64) -> u64 {
    numbered & ((1 << 40) - 1)
}

fn election(message: &ElectionMessage, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match message {
        ElectionMessage::Canvass { nonce } => write!(f, "Canvass #{nonce}"),
        ElectionMessage::CanvassReply { nonce, agrees, promised, .. } => {
            let word = if *agrees { "agrees" } else { "disagrees" };
            write!(f, "CanvassReply #{nonce} {word} promised={}", TermName(*promised))
        }
        ElectionMessage::Prepare { term } => write!(f, "Prepare t={}", TermName(*term)),
        ElectionMessage::Promise(promise) => {
            write!(
                f,
                "Promise t={} rank={}{}",
                TermName(promise.term),
                EntryName(promise.rank),
                flags(promise)
            )
        }
        ElectionMessage::Refusal { refused, promised } => {
            write!(f, "Refusal t={} promised={}", TermName(*refused), TermName(*promised))
        }
        ElectionMessage::Nomination { term, certificate } => {
            let voters: String = certificate.iter().map(|promise| letter(promise.voter)).collect();
            write!(f, "Nominate t={} promisers={voters}", TermName(*term))
        }
    }
}

const fn flags(promise: &Promise) -> &'static str {
    match (promise.recovering, promise.damaged) {
        (true, true) => " recovering damaged",
        (true, false) => " recovering",
        (false, true) => " damaged",
        (false, false) => "",
    }
}

fn stream(message: &StreamMessage, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match message {
        StreamMessage::Syncup { term, stream, table } => {
            write!(f, "Syncup t={} s={} last={}", TermName(*term), stream.0, EntryName(table.last()))
        }
        StreamMessage::SyncupReply { term, stream, answer, .. } => match answer {
            SyncupAnswer::Matchpoint(entry) => {
                write!(f, "SyncupReply t={} s={} matchpoint={}", TermName(*term), stream.0, EntryName(*entry))
            }
            SyncupAnswer::Trimmed { base } => {
                write!(
                    f,
                    "SyncupReply t={} s={} trimmed={}",
                    TermName(*term),
                    stream.0,
                    EntryName(Some(*base))
                )
            }
        },
        StreamMessage::Append { term, committed, first, frames, .. } => match first {
            Some(first) => {
                let (term, committed) = (TermName(*term), number(*committed));
                write!(f, "Append t={term} from={first} {} B commit={committed}", frames.len())
            }
            None => write!(f, "Append t={} commit={}", TermName(*term), number(*committed)),
        },
        StreamMessage::Ack { term, written, durable, counts, .. } => {
            let note = if *counts { "" } else { " does not count" };
            write!(f, "Ack t={} w={} d={}{note}", TermName(*term), number(*written), number(*durable))
        }
    }
}

fn number(position: Option<Vlsn>) -> u64 {
    Vlsn::number(position)
}

impl fmt::Display for EventInWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Event::Election(ElectionEvent::CanvassBegan) => f.write_str("canvasses"),
            Event::Election(ElectionEvent::BallotBegan { term }) => write!(f, "proposes {}", TermName(*term)),
            Event::Election(ElectionEvent::Nominated { term, node }) => {
                write!(f, "nominates {} for {}", letter(*node), TermName(*term))
            }
            Event::Deposed { promised } => write!(f, "is deposed: {} was promised", TermName(*promised)),
            Event::RolledBack(truncated) => write!(f, "rolls back {} entries", truncated.count),
            Event::Founded(_) => f.write_str("belongs to the group"),
            event => write!(f, "says {event:?}"),
        }
    }
}
