use crate::group::contains;
use crate::{Action, Step, Stride};
use quorate_core::NodeId;
use std::fmt;

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Step(step) => step.fmt(f),
            Self::Stride(stride) => stride.fmt(f),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Propose(node) => write!(f, "n{node} proposes a ballot"),
            Self::Promise(node, term) => write!(f, "n{node} promises {term}"),
            Self::Nominate(node, voters, winner) => {
                write!(f, "n{node} nominates n{winner}, whom {} elect", Voters(*voters))
            }
            Self::TakeNomination(place) => write!(f, "nomination {} is taken", place + 1),
            Self::Write(node) => write!(f, "n{node} writes an entry"),
            Self::Match(node, term) => {
                write!(f, "n{node} cuts its log to what it shares with the master of {term}")
            }
            Self::Append(node, term) => {
                write!(f, "n{node} takes in or acknowledges an entry of the master of {term}")
            }
            Self::Commit(node) => write!(f, "n{node} commits"),
            Self::Crash(node) => write!(f, "n{node} crashes and starts again"),
        }
    }
}

impl fmt::Display for Stride {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elect(voters, winner) => write!(f, "{} elect n{winner}", Voters(*voters)),
            Self::Write(node) => write!(f, "n{node} writes an entry"),
            Self::Accept(node, term, length) => {
                write!(f, "n{node} holds {length} entries of the master of {term}, which commits what it can")
            }
            Self::Crash(node) => write!(f, "n{node} crashes and starts again"),
        }
    }
}

/// A bit for each node at the place of its number.
struct Voters(u8);

impl fmt::Display for Voters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes = (0..8).map(NodeId::new).filter(|node| contains(self.0, *node));
        let names: Vec<String> = nodes.map(|node| format!("n{node}")).collect();
        f.write_str(&names.join(" and "))
    }
}
