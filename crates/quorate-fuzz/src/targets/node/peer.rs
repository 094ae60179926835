use super::subject::{Subject, roster};
use crate::input::Input;
use bytes::Bytes;
use quorate_codec::Encoder;
use quorate_core::{EntryId, EntryKind, Incarnation, NodeId, Requirement, Term, TermTable, Vlsn};
use quorate_policy::CommitDurability;
use quorate_replica::{
    ElectionMessage, ForwardedWrite, Heartbeat, HeartbeatReply, Message, Promise, RequestId, StreamId,
    StreamMessage, SyncupAnswer,
};
use std::time::Duration;

/// A peer whose messages the input spells.
pub(super) struct Peer {
    id: NodeId,
    /// The stream on which it wants to be fed.
    stream: u64,
}

/// What a peer can say.
pub(super) mod kind {
    pub(in super::super) const CANVASS: u8 = 0;
    pub(in super::super) const CANVASS_REPLY: u8 = 1;
    pub(in super::super) const PREPARE: u8 = 2;
    pub(in super::super) const PROMISE: u8 = 3;
    pub(in super::super) const REFUSAL: u8 = 4;
    pub(in super::super) const NOMINATION: u8 = 5;
    pub(in super::super) const HEARTBEAT: u8 = 6;
    pub(in super::super) const HEARTBEAT_REPLY: u8 = 7;
    pub(in super::super) const SYNCUP: u8 = 8;
    pub(in super::super) const SYNCUP_REPLY: u8 = 9;
    pub(in super::super) const APPEND: u8 = 10;
    pub(in super::super) const ACK: u8 = 11;
    pub(in super::super) const READ_INDEX: u8 = 12;
    pub(in super::super) const READ_INDEX_REPLY: u8 = 13;
    pub(in super::super) const REPAIR_REQUEST: u8 = 14;
    pub(in super::super) const REPAIR: u8 = 15;
    pub(in super::super) const INTRODUCE: u8 = 16;
    pub(in super::super) const FORWARD: u8 = 17;
    pub(in super::super) const LEASE_RELEASE: u8 = 18;
    pub(in super::super) const KINDS: u8 = 20;
}

impl Peer {
    pub(super) const fn new(id: NodeId) -> Self {
        Self { id, stream: 0 }
    }

    pub(super) const fn id(&self) -> NodeId {
        self.id
    }
}

/// The next message of a peer: mostly what an honest one could say now, in any field something else.
pub(super) fn message_of(peer: &mut Peer, subject: &Subject, input: &mut Input<'_>) -> Message {
    let mut words = Words { subject, input };
    match words.input.below(kind::KINDS) {
        kind::READ_INDEX => Message::ReadIndex { read: words.small() },
        kind::READ_INDEX_REPLY => words.read_index_reply(),
        kind::REPAIR_REQUEST => Message::RepairRequest { first: words.vlsn(), last: words.vlsn() },
        kind::REPAIR => words.repair(),
        kind::INTRODUCE => words.introduce(peer.id),
        kind::FORWARD => words.forward(),
        kind::LEASE_RELEASE => Message::LeaseRelease { term: words.term(), sequence: words.small() },
        kind::HEARTBEAT => words.heartbeat(),
        kind::HEARTBEAT_REPLY => words.heartbeat_reply(),
        kind @ kind::SYNCUP..=kind::ACK => Message::Stream(words.stream_message(kind, peer)),
        kind @ ..=kind::NOMINATION => Message::Election(words.election(kind, peer.id)),
        _ => Message::ForwardReply { request: RequestId(words.small()), outcome: Bytes::new() },
    }
}

/// Spells fields of messages.
struct Words<'a, 'b> {
    subject: &'a Subject,
    input: &'a mut Input<'b>,
}

impl Words<'_, '_> {
    fn small(&mut self) -> u64 {
        u64::from(self.input.byte())
    }

    /// A term: of the present master or ballot, a little above, or any other.
    fn term(&mut self) -> Term {
        let present = self.subject.node().progress().term;
        match self.input.below(8) {
            0..=2 => present,
            3 => present.above(NodeId::new(2)).unwrap_or(present),
            4 => present.above(NodeId::new(3)).unwrap_or(present),
            5 => present.above(NodeId::new(1)).unwrap_or(present),
            6 => Term::new(self.small(), NodeId::new(2)),
            _ => Term::from_u64(self.input.number()),
        }
    }

    /// A position: an end of something, one beside it, or any other.
    fn position(&mut self) -> Option<Vlsn> {
        let marks = self.subject.node().progress().watermarks;
        let last = self.subject.node().terms().last_vlsn();
        match self.input.below(8) {
            0 | 1 => last,
            2 => Some(Vlsn::after(last)),
            3 => marks.committed,
            4 => last.and_then(Vlsn::previous),
            5 => Vlsn::new(self.small()),
            6 => None,
            _ => Vlsn::new(self.input.number()),
        }
    }

    fn vlsn(&mut self) -> Vlsn {
        self.position().unwrap_or(Vlsn::FIRST)
    }

    fn entry(&mut self) -> Option<EntryId> {
        match self.input.below(4) {
            0 | 1 => self.subject.node().terms().last(),
            2 => {
                let vlsn = self.position()?;
                self.subject.node().terms().entry_at(vlsn)
            }
            _ => Some(EntryId { term: self.term(), vlsn: self.vlsn() }),
        }
    }

    /// The stream that the node has asked for, or another.
    fn stream(&mut self) -> StreamId {
        let number = if self.input.once_in(8) { Some(StreamId(self.input.number())) } else { None };
        number.or(self.subject.heard().stream).unwrap_or(StreamId(1))
    }

    fn election(&mut self, kind: u8, peer: NodeId) -> ElectionMessage {
        match kind {
            kind::CANVASS => ElectionMessage::Canvass { nonce: self.small() },
            kind::CANVASS_REPLY => ElectionMessage::CanvassReply {
                nonce: self.subject.heard().nonce,
                agrees: !self.input.once_in(4),
                promised: self.term(),
                recovering: self.input.once_in(8),
            },
            kind::PREPARE => ElectionMessage::Prepare { term: self.term() },
            kind::PROMISE => ElectionMessage::Promise(self.promise(peer)),
            kind::REFUSAL => ElectionMessage::Refusal { refused: self.term(), promised: self.term() },
            _ => {
                let (term, mine, theirs) = (self.term(), self.promise(NodeId::new(1)), self.promise(peer));
                ElectionMessage::Nomination { term, certificate: vec![mine, theirs] }
            }
        }
    }

    fn promise(&mut self, voter: NodeId) -> Promise {
        let flags = self.input.byte();
        Promise {
            voter,
            term: self.term(),
            rank: self.entry(),
            priority: 1,
            reaches_write_quorum: flags & 1 == 0,
            recovering: flags & 6 == 6,
            damaged: flags & 24 == 24,
        }
    }

    fn heartbeat(&mut self) -> Message {
        let (term, sequence) = (self.term(), self.small());
        Message::Heartbeat(Heartbeat {
            term,
            sequence,
            lease: (sequence % 4 == 3).then(|| Duration::from_millis(100 * sequence)),
            committed: self.position(),
            stream: Some(self.stream()),
            sent: self.position(),
            trim: self.position(),
            round_trip: Duration::from_millis(if sequence % 8 == 5 { 100 * sequence } else { 0 }),
        })
    }

    fn heartbeat_reply(&mut self) -> Message {
        let sequence =
            if self.input.once_in(8) { self.input.number() } else { self.subject.heard().sequence };
        let (term, applied, engine_durable) = (self.term(), self.position(), self.position());
        let granted = sequence % 2 == 1;
        Message::HeartbeatReply(HeartbeatReply { term, sequence, applied, engine_durable, granted })
    }

    fn stream_message(&mut self, kind: u8, peer: &mut Peer) -> StreamMessage {
        let term = self.term();
        match kind {
            kind::SYNCUP => {
                peer.stream += 1;
                StreamMessage::Syncup { term, stream: StreamId(peer.stream), table: self.table() }
            }
            kind::SYNCUP_REPLY => {
                let (stream, answer, written) = (self.stream(), self.answer(), self.position());
                StreamMessage::SyncupReply { term, stream, answer, written }
            }
            kind::APPEND => {
                let (stream, committed) = (self.stream(), self.position());
                let first = if self.input.once_in(4) { None } else { self.first() };
                let frames = first.map_or_else(Bytes::new, |first| self.frames(term, first));
                StreamMessage::Append { term, stream, committed, first, frames }
            }
            _ => {
                let (written, durable) = (self.position(), self.position());
                let counts = !self.input.once_in(4);
                StreamMessage::Ack { term, stream: StreamId(peer.stream), written, durable, counts }
            }
        }
    }

    /// A log: the node's own, a part of it, or another.
    fn table(&mut self) -> TermTable {
        let mut table = self.subject.node().terms().clone();
        match self.input.below(4) {
            0 => table,
            1 => {
                table.truncate_after(self.position().max(table.base().map(|base| base.vlsn)));
                table
            }
            2 => TermTable::new(self.entry()),
            _ => {
                let starts = vec![(self.term(), Vlsn::FIRST)];
                TermTable::from_parts(None, starts, self.position()).unwrap_or_default()
            }
        }
    }

    fn answer(&mut self) -> SyncupAnswer {
        let entry = self.entry();
        match entry {
            Some(base) if self.input.once_in(8) => SyncupAnswer::Trimmed { base },
            matchpoint => SyncupAnswer::Matchpoint(matchpoint),
        }
    }

    fn first(&mut self) -> Option<Vlsn> {
        let next = Vlsn::after(self.subject.node().terms().last_vlsn());
        if self.input.once_in(8) { self.position() } else { Some(next) }
    }

    /// A few frames behind the node's last one.
    fn frames(&mut self, term: Term, first: Vlsn) -> Bytes {
        let chain = if self.input.once_in(16) { self.small() as u32 } else { self.subject.chain() };
        let term = if self.input.once_in(16) { self.term() } else { term };
        if term == Term::ZERO || first.as_u64() > u64::MAX - 8 {
            return Bytes::copy_from_slice(self.input.rest());
        }
        let mut encoder = Encoder::new(chain);
        for index in 0..1 + u64::from(self.input.below(3)) {
            let (choice, length) = (self.input.byte(), usize::from(self.input.byte()) * 4);
            let kind = if choice & 1 == 0 { EntryKind::Data } else { EntryKind::TermStart };
            let requirement = Requirement { local_sync: choice & 2 == 0, replica_sync: choice & 4 == 0 };
            let id = EntryId { term, vlsn: first.advance(index) };
            encoder.push(id, kind, requirement, 0, &vec![choice; length]);
        }
        encoder.finish().map_or_else(Bytes::new, |batch| batch.frames().clone())
    }

    fn repair(&mut self) -> Message {
        let first = self.subject.heard().wanted.filter(|_| !self.input.once_in(8)).unwrap_or(Vlsn::FIRST);
        let term = self.subject.node().terms().term_at(first).unwrap_or_default();
        Message::Repair { first, frames: self.frames(term, first) }
    }

    fn read_index_reply(&mut self) -> Message {
        let read = if self.input.once_in(8) { self.input.number() } else { self.subject.heard().read };
        Message::ReadIndexReply { read, at: Ok(self.position()) }
    }

    fn introduce(&mut self, peer: NodeId) -> Message {
        let choice = self.input.byte();
        let mut roster = roster();
        if choice & 4 != 0 {
            roster.incarnations[0].incarnation = Incarnation(9);
        }
        Message::Introduce {
            incarnation: Incarnation(u128::from(peer.as_u16()) + u128::from(choice >> 6)),
            roster: (choice & 1 != 0).then_some(roster),
            wants_answer: choice & 2 != 0,
        }
    }

    fn forward(&mut self) -> Message {
        Message::Forward(ForwardedWrite {
            request: RequestId(self.small()),
            payload: Bytes::copy_from_slice(self.input.take(8)),
            reads: Bytes::new(),
            durability: CommitDurability::default(),
            timeout: Duration::from_millis(self.small()),
        })
    }
}
