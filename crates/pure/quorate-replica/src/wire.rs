//! Messages as bytes: Protocol Buffers by prost, frames beside them as they stand.

mod forward;
mod roster;

use crate::messages::{Heartbeat, HeartbeatReply, Message, NotMaster, RequestId};
use alloc::vec::Vec;
use bytes::Bytes;
use core::time::Duration;
use forward::WireForward;
use prost::Message as _;
use quorate_core::{EntryId, GroupUuid, Incarnation, NodeId, Packet, Term, TermTable, Vlsn};
use quorate_election::{ElectionMessage, Promise};
use quorate_stream::{StreamId, StreamMessage, SyncupAnswer};
use roster::WireRoster;
pub use roster::{decode_roster, encode_roster};

/// A message with the group that its sender belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The group's identity, once the sender has formed or learned it.
    pub uuid: Option<GroupUuid>,
    /// The message.
    pub message: Message,
}

/// Why bytes from a peer are no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The bytes are not in the format of a message.
    #[error("the bytes are no message")]
    Malformed,
    /// A required part is missing.
    #[error("the message lacks its {part}")]
    Missing {
        /// What is missing.
        part: &'static str,
    },
    /// A part has a value that no correct peer sends.
    #[error("the message's {part} is impossible")]
    Invalid {
        /// What is wrong.
        part: &'static str,
    },
}

impl Envelope {
    /// The message as it is sent.
    #[must_use]
    pub fn encode(self) -> Packet {
        let (kind, body) = encode_message(self.message);
        let wire = Wire { uuid: self.uuid.map(|uuid| uuid.0.to_le_bytes().to_vec()), kind: Some(kind) };
        Packet { head: Bytes::from(wire.encode_to_vec()), body }
    }

    /// A message that was received.
    ///
    /// # Errors
    /// [`WireError`] if the bytes are none: the peer is broken, or no peer.
    pub fn decode(packet: Packet) -> Result<Self, WireError> {
        let wire = Wire::decode(packet.head).map_err(|_| WireError::Malformed)?;
        let uuid = wire.uuid.map(|uuid| number128(&uuid, "group identity").map(GroupUuid)).transpose()?;
        let kind = wire.kind.ok_or(WireError::Missing { part: "kind" })?;
        Ok(Self { uuid, message: decode_message(kind, packet.body)? })
    }
}

#[derive(Clone, PartialEq, prost::Message)]
struct Wire {
    #[prost(bytes = "vec", optional, tag = "1")]
    uuid: Option<Vec<u8>>,
    #[prost(oneof = "Kind", tags = "2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20")]
    kind: Option<Kind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Kind {
    #[prost(message, tag = "2")]
    Introduce(WireIntroduce),
    #[prost(uint64, tag = "3")]
    Canvass(u64),
    #[prost(message, tag = "4")]
    CanvassReply(WireCanvassReply),
    #[prost(uint64, tag = "5")]
    Prepare(u64),
    #[prost(message, tag = "6")]
    Promise(WirePromise),
    #[prost(message, tag = "7")]
    Refusal(WireRefusal),
    #[prost(message, tag = "8")]
    Nomination(WireNomination),
    #[prost(message, tag = "9")]
    Heartbeat(WireHeartbeat),
    #[prost(message, tag = "10")]
    HeartbeatReply(WireHeartbeatReply),
    #[prost(message, tag = "11")]
    Syncup(WireSyncup),
    #[prost(message, tag = "12")]
    SyncupReply(WireSyncupReply),
    #[prost(message, tag = "13")]
    Append(WireAppend),
    #[prost(message, tag = "14")]
    Ack(WireAck),
    #[prost(uint64, tag = "15")]
    ReadIndex(u64),
    #[prost(message, tag = "16")]
    ReadIndexReply(WireReadIndexReply),
    #[prost(message, tag = "17")]
    Repair(WireRepair),
    #[prost(message, tag = "18")]
    Forward(WireForward),
    /// The body says what became of the write.
    #[prost(uint64, tag = "19")]
    ForwardReply(u64),
    #[prost(message, tag = "20")]
    LeaseRelease(WireLeaseRelease),
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireIntroduce {
    #[prost(bytes = "vec", tag = "1")]
    incarnation: Vec<u8>,
    #[prost(message, optional, tag = "2")]
    roster: Option<WireRoster>,
    #[prost(bool, tag = "3")]
    wants_answer: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireCanvassReply {
    #[prost(uint64, tag = "1")]
    nonce: u64,
    #[prost(bool, tag = "2")]
    agrees: bool,
    #[prost(uint64, tag = "3")]
    promised: u64,
    #[prost(bool, tag = "4")]
    recovering: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WirePromise {
    #[prost(uint32, tag = "1")]
    voter: u32,
    #[prost(uint64, tag = "2")]
    term: u64,
    #[prost(uint64, tag = "3")]
    rank_term: u64,
    #[prost(uint64, tag = "4")]
    rank_vlsn: u64,
    #[prost(uint32, tag = "5")]
    priority: u32,
    #[prost(bool, tag = "6")]
    reaches_write_quorum: bool,
    #[prost(bool, tag = "7")]
    recovering: bool,
    #[prost(bool, tag = "8")]
    damaged: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireRefusal {
    #[prost(uint64, tag = "1")]
    refused: u64,
    #[prost(uint64, tag = "2")]
    promised: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireNomination {
    #[prost(uint64, tag = "1")]
    term: u64,
    #[prost(message, repeated, tag = "2")]
    certificate: Vec<WirePromise>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireHeartbeat {
    #[prost(uint64, tag = "1")]
    term: u64,
    #[prost(uint64, tag = "2")]
    sequence: u64,
    #[prost(uint64, tag = "3")]
    committed: u64,
    #[prost(uint64, optional, tag = "4")]
    stream: Option<u64>,
    #[prost(uint64, tag = "5")]
    sent: u64,
    #[prost(uint64, tag = "6")]
    trim: u64,
    /// 0 asks for no lease.
    #[prost(uint64, tag = "7")]
    lease_nanos: u64,
    #[prost(uint64, tag = "8")]
    round_trip_nanos: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireHeartbeatReply {
    #[prost(uint64, tag = "1")]
    term: u64,
    #[prost(uint64, tag = "2")]
    sequence: u64,
    #[prost(uint64, tag = "3")]
    applied: u64,
    #[prost(uint64, tag = "4")]
    engine_durable: u64,
    #[prost(bool, tag = "5")]
    granted: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireLeaseRelease {
    #[prost(uint64, tag = "1")]
    term: u64,
    #[prost(uint64, tag = "2")]
    sequence: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireTermTable {
    #[prost(uint64, tag = "1")]
    base_term: u64,
    #[prost(uint64, tag = "2")]
    base_vlsn: u64,
    #[prost(uint64, repeated, tag = "3")]
    terms: Vec<u64>,
    #[prost(uint64, repeated, tag = "4")]
    firsts: Vec<u64>,
    #[prost(uint64, tag = "5")]
    last: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireSyncup {
    #[prost(uint64, tag = "1")]
    term: u64,
    #[prost(uint64, tag = "2")]
    stream: u64,
    #[prost(message, optional, tag = "3")]
    table: Option<WireTermTable>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireSyncupReply {
    #[prost(uint64, tag = "1")]
    term: u64,
    #[prost(uint64, tag = "2")]
    stream: u64,
    /// The matchpoint, or the base of the trimmed log.
    #[prost(uint64, tag = "3")]
    entry_term: u64,
    #[prost(uint64, tag = "4")]
    entry_vlsn: u64,
    #[prost(bool, tag = "5")]
    trimmed: bool,
    #[prost(uint64, tag = "6")]
    written: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireAppend {
    #[prost(uint64, tag = "1")]
    term: u64,
    #[prost(uint64, tag = "2")]
    stream: u64,
    #[prost(uint64, tag = "3")]
    committed: u64,
    #[prost(uint64, tag = "4")]
    first: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireAck {
    #[prost(uint64, tag = "1")]
    term: u64,
    #[prost(uint64, tag = "2")]
    stream: u64,
    #[prost(uint64, tag = "3")]
    written: u64,
    #[prost(uint64, tag = "4")]
    durable: u64,
    #[prost(bool, tag = "5")]
    counts: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireReadIndexReply {
    #[prost(uint64, tag = "1")]
    read: u64,
    #[prost(bool, tag = "2")]
    leads: bool,
    #[prost(uint64, tag = "3")]
    at: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireRepair {
    #[prost(uint64, tag = "1")]
    first: u64,
    /// Set in a request, 0 in an answer.
    #[prost(uint64, tag = "2")]
    last: u64,
}

fn encode_message(message: Message) -> (Kind, Bytes) {
    match message {
        Message::Introduce { incarnation, roster, wants_answer } => {
            let incarnation = incarnation.0.to_le_bytes().to_vec();
            let roster = roster.as_ref().map(WireRoster::from);
            (Kind::Introduce(WireIntroduce { incarnation, roster, wants_answer }), Bytes::new())
        }
        Message::Election(message) => (encode_election(message), Bytes::new()),
        Message::Heartbeat(heartbeat) => (Kind::Heartbeat(heartbeat.into()), Bytes::new()),
        Message::HeartbeatReply(reply) => (Kind::HeartbeatReply(reply.into()), Bytes::new()),
        Message::LeaseRelease { term, sequence } => {
            (Kind::LeaseRelease(WireLeaseRelease { term: term.as_u64(), sequence }), Bytes::new())
        }
        Message::Stream(message) => encode_stream(message),
        Message::ReadIndex { read } => (Kind::ReadIndex(read), Bytes::new()),
        Message::ReadIndexReply { read, at } => {
            let reply = WireReadIndexReply { read, leads: at.is_ok(), at: at.map_or(0, Vlsn::number) };
            (Kind::ReadIndexReply(reply), Bytes::new())
        }
        Message::RepairRequest { first, last } => {
            (Kind::Repair(WireRepair { first: first.as_u64(), last: last.as_u64() }), Bytes::new())
        }
        Message::Repair { first, frames } => {
            (Kind::Repair(WireRepair { first: first.as_u64(), last: 0 }), frames)
        }
        Message::Forward(write) => {
            let payload = write.payload.clone();
            (Kind::Forward(write.into()), payload)
        }
        Message::ForwardReply { request, outcome } => (Kind::ForwardReply(request.0), outcome),
    }
}

fn encode_election(message: ElectionMessage) -> Kind {
    match message {
        ElectionMessage::Canvass { nonce } => Kind::Canvass(nonce),
        ElectionMessage::CanvassReply { nonce, agrees, promised, recovering } => {
            Kind::CanvassReply(WireCanvassReply { nonce, agrees, promised: promised.as_u64(), recovering })
        }
        ElectionMessage::Prepare { term } => Kind::Prepare(term.as_u64()),
        ElectionMessage::Promise(promise) => Kind::Promise(promise.into()),
        ElectionMessage::Refusal { refused, promised } => {
            Kind::Refusal(WireRefusal { refused: refused.as_u64(), promised: promised.as_u64() })
        }
        ElectionMessage::Nomination { term, certificate } => {
            let certificate = certificate.into_iter().map(WirePromise::from).collect();
            Kind::Nomination(WireNomination { term: term.as_u64(), certificate })
        }
    }
}

fn encode_stream(message: StreamMessage) -> (Kind, Bytes) {
    match message {
        StreamMessage::Syncup { term, stream, table } => {
            let syncup = WireSyncup { term: term.as_u64(), stream: stream.0, table: Some((&table).into()) };
            (Kind::Syncup(syncup), Bytes::new())
        }
        StreamMessage::SyncupReply { term, stream, answer, written } => {
            let (entry, trimmed) = match answer {
                SyncupAnswer::Matchpoint(matchpoint) => (matchpoint, false),
                SyncupAnswer::Trimmed { base } => (Some(base), true),
            };
            let (entry_term, entry_vlsn) = entry_numbers(entry);
            let written = Vlsn::number(written);
            let (term, stream) = (term.as_u64(), stream.0);
            (
                Kind::SyncupReply(WireSyncupReply { term, stream, entry_term, entry_vlsn, trimmed, written }),
                Bytes::new(),
            )
        }
        StreamMessage::Append { term, stream, committed, first, frames } => {
            let (committed, first) = (Vlsn::number(committed), Vlsn::number(first));
            (Kind::Append(WireAppend { term: term.as_u64(), stream: stream.0, committed, first }), frames)
        }
        StreamMessage::Ack { term, stream, written, durable, counts } => {
            let (written, durable) = (Vlsn::number(written), Vlsn::number(durable));
            (
                Kind::Ack(WireAck { term: term.as_u64(), stream: stream.0, written, durable, counts }),
                Bytes::new(),
            )
        }
    }
}

fn decode_message(kind: Kind, body: Bytes) -> Result<Message, WireError> {
    Ok(match kind {
        Kind::Introduce(wire) => Message::Introduce {
            incarnation: Incarnation(number128(&wire.incarnation, "incarnation")?),
            roster: wire.roster.map(WireRoster::into_roster).transpose()?,
            wants_answer: wire.wants_answer,
        },
        Kind::Canvass(nonce) => Message::Election(ElectionMessage::Canvass { nonce }),
        Kind::CanvassReply(WireCanvassReply { nonce, agrees, promised, recovering }) => {
            let promised = Term::from_u64(promised);
            Message::Election(ElectionMessage::CanvassReply { nonce, agrees, promised, recovering })
        }
        Kind::Prepare(term) => Message::Election(ElectionMessage::Prepare { term: Term::from_u64(term) }),
        Kind::Promise(promise) => Message::Election(ElectionMessage::Promise(promise.into_promise()?)),
        Kind::Refusal(wire) => {
            let (refused, promised) = (Term::from_u64(wire.refused), Term::from_u64(wire.promised));
            Message::Election(ElectionMessage::Refusal { refused, promised })
        }
        Kind::Nomination(wire) => {
            let certificate: Result<_, _> =
                wire.certificate.into_iter().map(WirePromise::into_promise).collect();
            Message::Election(ElectionMessage::Nomination {
                term: Term::from_u64(wire.term),
                certificate: certificate?,
            })
        }
        Kind::Heartbeat(wire) => Message::Heartbeat(wire.into()),
        Kind::HeartbeatReply(wire) => Message::HeartbeatReply(wire.into()),
        Kind::Syncup(wire) => Message::Stream(StreamMessage::Syncup {
            term: Term::from_u64(wire.term),
            stream: StreamId(wire.stream),
            table: wire.table.ok_or(WireError::Missing { part: "term table" })?.into_table()?,
        }),
        Kind::SyncupReply(wire) => Message::Stream(wire.into_reply()?),
        Kind::Append(wire) => Message::Stream(StreamMessage::Append {
            term: Term::from_u64(wire.term),
            stream: StreamId(wire.stream),
            committed: Vlsn::new(wire.committed),
            first: Vlsn::new(wire.first),
            frames: body,
        }),
        Kind::Ack(wire) => Message::Stream(StreamMessage::Ack {
            term: Term::from_u64(wire.term),
            stream: StreamId(wire.stream),
            written: Vlsn::new(wire.written),
            durable: Vlsn::new(wire.durable),
            counts: wire.counts,
        }),
        Kind::ReadIndex(read) => Message::ReadIndex { read },
        Kind::ReadIndexReply(wire) => {
            let at = if wire.leads { Ok(Vlsn::new(wire.at)) } else { Err(NotMaster) };
            Message::ReadIndexReply { read: wire.read, at }
        }
        Kind::Repair(wire) => {
            let first = Vlsn::new(wire.first).ok_or(WireError::Missing { part: "first entry" })?;
            match Vlsn::new(wire.last) {
                Some(last) => Message::RepairRequest { first, last },
                None => Message::Repair { first, frames: body },
            }
        }
        Kind::Forward(wire) => Message::Forward(wire.into_write(body)?),
        Kind::LeaseRelease(WireLeaseRelease { term, sequence }) => {
            Message::LeaseRelease { term: Term::from_u64(term), sequence }
        }
        Kind::ForwardReply(request) => Message::ForwardReply { request: RequestId(request), outcome: body },
    })
}

fn entry_numbers(entry: Option<EntryId>) -> (u64, u64) {
    entry.map_or((0, 0), |entry| (entry.term.as_u64(), entry.vlsn.as_u64()))
}

fn entry(term: u64, vlsn: u64) -> Option<EntryId> {
    Vlsn::new(vlsn).map(|vlsn| EntryId { term: Term::from_u64(term), vlsn })
}

fn number128(bytes: &[u8], part: &'static str) -> Result<u128, WireError> {
    Ok(u128::from_le_bytes(bytes.try_into().map_err(|_| WireError::Invalid { part })?))
}

fn node_id(number: u32) -> Result<NodeId, WireError> {
    u16::try_from(number).map(NodeId::new).map_err(|_| WireError::Invalid { part: "node number" })
}

impl From<Promise> for WirePromise {
    fn from(promise: Promise) -> Self {
        let (rank_term, rank_vlsn) = entry_numbers(promise.rank);
        Self {
            voter: u32::from(promise.voter.as_u16()),
            term: promise.term.as_u64(),
            rank_term,
            rank_vlsn,
            priority: promise.priority,
            reaches_write_quorum: promise.reaches_write_quorum,
            recovering: promise.recovering,
            damaged: promise.damaged,
        }
    }
}

impl WirePromise {
    fn into_promise(self) -> Result<Promise, WireError> {
        Ok(Promise {
            voter: node_id(self.voter)?,
            term: Term::from_u64(self.term),
            rank: entry(self.rank_term, self.rank_vlsn),
            priority: self.priority,
            reaches_write_quorum: self.reaches_write_quorum,
            recovering: self.recovering,
            damaged: self.damaged,
        })
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

impl From<Heartbeat> for WireHeartbeat {
    fn from(heartbeat: Heartbeat) -> Self {
        Self {
            term: heartbeat.term.as_u64(),
            sequence: heartbeat.sequence,
            committed: Vlsn::number(heartbeat.committed),
            stream: heartbeat.stream.map(|stream| stream.0),
            sent: Vlsn::number(heartbeat.sent),
            trim: Vlsn::number(heartbeat.trim),
            lease_nanos: heartbeat.lease.map_or(0, nanos),
            round_trip_nanos: nanos(heartbeat.round_trip),
        }
    }
}

impl From<WireHeartbeat> for Heartbeat {
    fn from(wire: WireHeartbeat) -> Self {
        Self {
            term: Term::from_u64(wire.term),
            sequence: wire.sequence,
            committed: Vlsn::new(wire.committed),
            stream: wire.stream.map(StreamId),
            sent: Vlsn::new(wire.sent),
            trim: Vlsn::new(wire.trim),
            lease: (wire.lease_nanos > 0).then(|| Duration::from_nanos(wire.lease_nanos)),
            round_trip: Duration::from_nanos(wire.round_trip_nanos),
        }
    }
}

impl From<HeartbeatReply> for WireHeartbeatReply {
    fn from(reply: HeartbeatReply) -> Self {
        Self {
            term: reply.term.as_u64(),
            sequence: reply.sequence,
            applied: Vlsn::number(reply.applied),
            engine_durable: Vlsn::number(reply.engine_durable),
            granted: reply.granted,
        }
    }
}

impl From<WireHeartbeatReply> for HeartbeatReply {
    fn from(wire: WireHeartbeatReply) -> Self {
        Self {
            term: Term::from_u64(wire.term),
            sequence: wire.sequence,
            applied: Vlsn::new(wire.applied),
            engine_durable: Vlsn::new(wire.engine_durable),
            granted: wire.granted,
        }
    }
}

impl From<&TermTable> for WireTermTable {
    fn from(table: &TermTable) -> Self {
        let (base_term, base_vlsn) = entry_numbers(table.base());
        let (terms, firsts) =
            table.starts().iter().map(|(term, first)| (term.as_u64(), first.as_u64())).unzip();
        Self { base_term, base_vlsn, terms, firsts, last: Vlsn::number(table.last_vlsn()) }
    }
}

impl WireTermTable {
    fn into_table(self) -> Result<TermTable, WireError> {
        let invalid = WireError::Invalid { part: "term table" };
        if self.terms.len() != self.firsts.len() {
            return Err(invalid);
        }
        let row = |(term, first): (u64, u64)| Vlsn::new(first).map(|first| (Term::from_u64(term), first));
        let starts: Option<Vec<_>> = self.terms.into_iter().zip(self.firsts).map(row).collect();
        let base = entry(self.base_term, self.base_vlsn);
        starts.and_then(|starts| TermTable::from_parts(base, starts, Vlsn::new(self.last))).ok_or(invalid)
    }
}

impl WireSyncupReply {
    fn into_reply(self) -> Result<StreamMessage, WireError> {
        let entry = entry(self.entry_term, self.entry_vlsn);
        let answer = match entry {
            Some(base) if self.trimmed => SyncupAnswer::Trimmed { base },
            None if self.trimmed => return Err(WireError::Missing { part: "base" }),
            matchpoint => SyncupAnswer::Matchpoint(matchpoint),
        };
        let (term, stream) = (Term::from_u64(self.term), StreamId(self.stream));
        Ok(StreamMessage::SyncupReply { term, stream, answer, written: Vlsn::new(self.written) })
    }
}
