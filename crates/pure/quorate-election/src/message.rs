use alloc::vec::Vec;
use quorate_core::{EntryId, NodeId, Term};

/// What the voters of a group say to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ElectionMessage {
    /// "I suspect the master; do you?" It changes nothing at the receiver.
    Canvass {
        /// Names this canvass among those of its sender.
        nonce: u64,
    },
    /// The answer to a canvass.
    CanvassReply {
        /// The canvass that is answered.
        nonce: u64,
        /// The sender does not hear a master either.
        agrees: bool,
        /// What the sender has promised.
        promised: Term,
        /// The sender may have lost entries that it acknowledged: its promise would count in no quorum.
        recovering: bool,
    },
    /// "Promise me this term."
    Prepare {
        /// The term proposed; its proposer is the sender.
        term: Term,
    },
    /// The promise asked for: durable at its sender.
    Promise(Promise),
    /// "I have promised more than that."
    Refusal {
        /// What was refused.
        refused: Term,
        /// What the sender has promised.
        promised: Term,
    },
    /// "Lead this term": sent to one node, once, by the term's proposer.
    Nomination {
        /// The term to lead.
        term: Term,
        /// The promises on which the nomination rests.
        certificate: Vec<Promise>,
    },
}

/// One voter's promise: nothing below `term` is accepted by it any more, and this is what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Who promised.
    pub voter: NodeId,
    /// What was promised.
    pub term: Term,
    /// The last entry that it had handed to its log writer.
    pub rank: Option<EntryId>,
    /// Its priority, at least 1.
    pub priority: u32,
    /// It has links to a write quorum.
    pub reaches_write_quorum: bool,
    /// It may have lost entries that it acknowledged: its promise counts in no quorum.
    pub recovering: bool,
    /// It cannot read some of its entries: its promise counts, and it cannot lead.
    pub damaged: bool,
}
