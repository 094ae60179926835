use crate::admission::{self, Admission};
use crate::clock::Clock;
use crate::commit::Commit;
use crate::kill_switch::KillSwitch;
use crate::kv::{DatabaseSnapshot, KvReader, SCHEMA_VERSION};
use crate::payloads::{self, Payloads};
use crate::read::PendingRead;
use crate::read_lease::ReadLease;
use crate::role::Role;
use crate::session_pool::SessionPool;
use crate::shell::event::{Event, Inspection, ReadRequest, Write};
use crate::shell::mailbox::Mailbox;
use crate::slot::{self, Slot};
use crate::snapshot::Snapshot;
use crate::tally::Tally;
use crate::write_queue::WriteQueue;
use crate::write_ticket::WriteTicket;
use crate::{
    GroupStatus, MasterAddress, MemberStatus, OpenSession, ReadError, ReplicaStatus, WriteError, WriteRequest,
};
use bytes::Bytes;
use quorate_codec::{Envelope, PayloadKind, ReadSet, Session, WriteBatch};
use quorate_core::{EngineError, GroupUuid, Member, MemberList, NodeId, Time, Vlsn};
use quorate_policy::{CommitDurability, ConsistencyPolicy, ReplicaAckPolicy};
use quorate_replica::{Node, PeerProgress, ProposeError};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

/// What the handles of an environment and its event loop have in common.
pub(crate) struct Core {
    pub(crate) clock: Clock,
    pub(crate) tally: Arc<Tally>,
    pub(crate) role: Role,
    pub(crate) writes: WriteQueue,
    pub(crate) events: Mailbox,
    pub(crate) limits: Limits,
    pub(crate) group: String,
    pub(crate) node: String,
    pub(crate) members: MemberList,
    /// How many electable nodes commit a write.
    pub(crate) write_quorum: usize,
    pub(crate) durability: CommitDurability,
    pub(crate) consistency: ConsistencyPolicy,
    /// Writes are passed on to the master where this node does not lead.
    pub(crate) forwards_writes: bool,
    pub(crate) payloads: Payloads,
    pub(crate) kill_switch: KillSwitch,
    pub(crate) read_lease: ReadLease,
    /// `None` in it where the engine is the application's own.
    reader: RwLock<Result<Option<KvReader>, End>>,
    reads_waiting: AtomicUsize,
    /// Clients are counted from a number drawn at random.
    first_client: u128,
    sessions_opened: AtomicU64,
    /// For this environment's own transactions.
    pub(crate) sessions: SessionPool,
    /// The last word on the node, once its event loop serves nobody any more.
    last: Mutex<Option<Inspection>>,
}

/// What is asked of every write before it is begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) ack_timeout: Duration,
    pub(crate) value_bytes_max: usize,
    pub(crate) write_bytes_max: usize,
}

/// Why an environment serves nobody any more.
#[derive(Clone, Debug)]
pub(crate) enum End {
    Closed,
    Halted { reason: String },
}

/// What tells environments of different nodes and settings apart.
pub(crate) struct Identity {
    pub(crate) group: String,
    pub(crate) node: String,
    pub(crate) members: MemberList,
    pub(crate) write_quorum: usize,
    pub(crate) durability: CommitDurability,
    pub(crate) consistency: ConsistencyPolicy,
    pub(crate) limits: Limits,
    pub(crate) forwards_writes: bool,
    pub(crate) first_client: u128,
}

/// Reads that may wait at a time.
const READS_WAITING_MAX: usize = 65_536;

impl Core {
    pub(crate) fn new(
        identity: Identity,
        clock: Clock,
        tally: Arc<Tally>,
        reader: Option<KvReader>,
        writes: WriteQueue,
        events: Mailbox,
    ) -> Self {
        let Identity {
            group,
            node,
            members,
            write_quorum,
            durability,
            consistency,
            limits,
            first_client,
            forwards_writes,
        } = identity;
        Self {
            clock,
            tally,
            role: Role::new(),
            writes,
            events,
            limits,
            group,
            node,
            members,
            write_quorum,
            durability,
            consistency,
            forwards_writes,
            payloads: if reader.is_some() { Payloads::KeyValue } else { Payloads::Opaque },
            kill_switch: KillSwitch::default(),
            read_lease: ReadLease::default(),
            reader: RwLock::new(Ok(reader)),
            reads_waiting: AtomicUsize::new(0),
            first_client,
            sessions_opened: AtomicU64::new(0),
            sessions: SessionPool::default(),
            last: Mutex::new(None),
        }
    }

    /// Hands a plain write to the event loop. Its limits have been checked.
    pub(crate) fn submit(&self, batch: &WriteBatch, durability: CommitDurability) -> Commit {
        let payload = encode(PayloadKind::WriteBatch, None, batch.encoded());
        self.send(payload, Bytes::new(), durability)
    }

    /// Opens a session for a client that nobody else is.
    pub(crate) fn open_session(&self) -> OpenSession {
        let number = self.sessions_opened.fetch_add(1, Ordering::Relaxed);
        let client = self.first_client.wrapping_add(number.into());
        let session = Some(Session { client, sequence: 0 });
        let payload = encode(PayloadKind::OpenSession, session, &[]);
        OpenSession::new(client, self.send(payload, Bytes::new(), self.durability_with_result()))
    }

    /// A write whose result is wanted is waited for until it is applied.
    pub(crate) const fn durability_with_result(&self) -> CommitDurability {
        with_result(self.durability)
    }

    /// Hands a write to the event loop. Its limits have been checked, but for those of what was read.
    pub(crate) fn submit_request(&self, request: &WriteRequest) -> Commit {
        let reads = request.reads.as_ref().filter(|reads| !reads.is_empty());
        let reads = reads.map_or_else(Bytes::new, |reads| Bytes::from(reads.encode()));
        if reads.len() > ReadSet::BYTES_MAX {
            let (bytes, limit) = (reads.len(), ReadSet::BYTES_MAX);
            return Commit::refused(WriteError::ReadsTooLong { bytes, limit });
        }
        let durability = request.durability.unwrap_or(self.durability);
        let payload = encode(PayloadKind::WriteBatch, request.session, request.batch.encoded());
        self.send(payload, reads, durability)
    }

    /// Hands an entry for the application's own engine to the event loop.
    pub(crate) fn propose(&self, body: &[u8], durability: CommitDurability) -> Commit {
        let (bytes, limit) = (body.len(), self.limits.write_bytes_max);
        if bytes > limit {
            return Commit::refused(WriteError::BatchTooLong { bytes, limit });
        }
        self.send(payloads::seal(body), Bytes::new(), durability)
    }

    /// Queues a write for the event loop.
    fn send(&self, payload: Bytes, reads: Bytes, durability: CommitDurability) -> Commit {
        let (slot, ticket) = slot::slot();
        let ticket = WriteTicket::Caller(ticket);
        let deadline = self.clock.now() + self.limits.ack_timeout;
        let waits_for_nobody = durability.acks == ReplicaAckPolicy::None;
        match self.writes.send(Write { payload, reads, durability, deadline, ticket }) {
            Ok(()) => {
                if waits_for_nobody || self.writes.is_called() {
                    self.events.help();
                }
                Commit::new(slot)
            }
            Err(error) => {
                self.tally.writes_refused.increment();
                Commit::refused(self.ended().map_or(error, WriteError::from))
            }
        }
    }

    /// Begins a read.
    pub(crate) fn begin_read(self: &Arc<Self>, policy: ConsistencyPolicy) -> PendingRead {
        PendingRead::new(self.admit(policy))
    }

    /// Begins to wait for what a policy asks for.
    pub(crate) fn admit(self: &Arc<Self>, policy: ConsistencyPolicy) -> Admission {
        let count = match policy {
            ConsistencyPolicy::CommitPointConsistency { .. } => &self.tally.reads_commit_point,
            ConsistencyPolicy::TimeConsistency { .. } => &self.tally.reads_time,
            ConsistencyPolicy::Linearizable { .. } => &self.tally.reads_linearizable,
            _ => &self.tally.reads_any,
        };
        count.increment();
        Admission::begin(self, policy)
    }

    /// Asks the event loop for a read that has to wait.
    pub(crate) fn ask_for_read(
        self: &Arc<Self>,
        policy: ConsistencyPolicy,
        deadline: Time,
    ) -> Slot<admission::Answer> {
        let permit = match Permit::take(self) {
            Ok(permit) => permit,
            Err(error) => return slot::answered(Err(error)),
        };
        let (slot, ticket) = slot::slot();
        // A loop that has ended drops the ticket, which says as much.
        let _ = self.events.send(Event::Read(ReadRequest { policy, deadline, ticket, permit }));
        slot
    }

    /// Lets time pass. The slot is answered early if the event loop ends.
    pub(crate) fn pause(&self, duration: Duration) -> Slot<()> {
        let (slot, ticket) = slot::slot();
        let until = self.clock.now() + duration;
        let _ = self.events.send(Event::Pause { until, ticket });
        slot
    }

    /// The databases as they are now, and their position.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, ReadError> {
        Snapshot::new(self.databases()?)
    }

    /// The databases as they are now.
    pub(crate) fn databases(&self) -> Result<DatabaseSnapshot, ReadError> {
        match &*self.reader.read().unwrap_or_else(PoisonError::into_inner) {
            Ok(Some(reader)) => Ok(reader.snapshot()?),
            Ok(None) => {
                let detail = "it has no databases".to_owned();
                Err(EngineError::Storage { engine: "application's own", detail }.into())
            }
            Err(end) => Err(end.clone().into()),
        }
    }

    /// From now on nobody is served, and the store is let go of.
    pub(crate) fn end(&self, end: End) {
        *self.reader.write().unwrap_or_else(PoisonError::into_inner) = Err(end);
    }

    /// Why nobody is served any more, if so.
    pub(crate) fn ended(&self) -> Option<End> {
        self.reader.read().unwrap_or_else(PoisonError::into_inner).as_ref().err().cloned()
    }

    /// How the node is now; after its end, how it was then.
    pub(crate) fn inspect(&self) -> Option<Inspection> {
        let (mut slot, ticket) = slot::slot();
        let asked = self.events.send(Event::Inspect(ticket)).is_ok();
        let answer = if asked { slot.wait() } else { None };
        answer.or_else(|| self.last.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Leaves the last word on the node behind.
    pub(crate) fn leave(&self, last: Inspection) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(last);
    }

    pub(crate) fn master_address(&self, master: NodeId) -> Option<MasterAddress> {
        let member = self.members.member(master)?;
        Some(MasterAddress { node: member.name.clone(), address: member.address.clone() })
    }

    /// Whether another attempt may succeed where one has failed like this.
    pub(crate) fn may_pass(&self, error: &WriteError) -> bool {
        match error {
            WriteError::NotMaster { master } => master.is_none() || self.forwards_writes,
            WriteError::Conflict { .. }
            | WriteError::SnapshotTooOld { .. }
            | WriteError::Busy
            | WriteError::InsufficientReplicas { .. }
            | WriteError::RolledBack { .. }
            | WriteError::SessionExpired
            | WriteError::StaleSequence
            | WriteError::InsufficientAcks { .. }
            | WriteError::Interrupted { .. } => true,
            _ => false,
        }
    }

    pub(crate) fn propose_error(&self, error: ProposeError) -> WriteError {
        match error {
            ProposeError::NotMaster { master } => {
                WriteError::NotMaster { master: master.and_then(|master| self.master_address(master)) }
            }
            ProposeError::InsufficientReplicas { needed, available } => {
                WriteError::InsufficientReplicas { needed, available }
            }
            ProposeError::Busy => WriteError::Busy,
        }
    }

    pub(crate) fn status_of(
        &self,
        node: &Node,
        uuid: Option<GroupUuid>,
        halted: Option<String>,
    ) -> GroupStatus {
        let progress = node.progress();
        let replicas: Vec<PeerProgress> = node.peers().collect();
        let last = node.terms().last_vlsn();
        let status = |member: &Member| {
            let replica = replicas.iter().find(|replica| replica.node == member.id);
            MemberStatus {
                member: member.clone(),
                replica: replica.map(|replica| replica_status(replica, last)),
            }
        };
        GroupStatus {
            group: self.group.clone(),
            uuid,
            node: self.node.clone(),
            state: self.role.now().state,
            term: progress.term,
            master: progress.master.and_then(|master| self.master_address(master)),
            watermarks: progress.watermarks,
            tail_bytes: node.tail_bytes(),
            round_trip: Some(node.timing().round_trip()).filter(|measured| !measured.is_zero()),
            is_recovering: progress.recovering,
            is_damaged: progress.damaged,
            restore_needed: progress.restore_needed,
            halted,
            members: self.members.members().iter().map(status).collect(),
        }
    }
}

fn replica_status(replica: &PeerProgress, last: Option<Vlsn>) -> ReplicaStatus {
    ReplicaStatus {
        is_connected: replica.connected,
        written: replica.holds.written,
        durable: replica.holds.durable,
        applied: replica.applied,
        engine_durable: replica.engine_durable,
        lag_entries: Vlsn::number(last).saturating_sub(Vlsn::number(replica.holds.written)),
        in_flight_bytes: replica.in_flight_bytes,
    }
}

fn encode(kind: PayloadKind, session: Option<Session>, body: &[u8]) -> Bytes {
    let envelope = Envelope { kind, schema_version: SCHEMA_VERSION, session, body };
    let mut payload = Vec::with_capacity(envelope.bytes());
    envelope.encode_into(&mut payload);
    Bytes::from(payload)
}

/// The same, but that a master's own copy alone is not enough.
pub(crate) const fn with_result(durability: CommitDurability) -> CommitDurability {
    match durability.acks {
        ReplicaAckPolicy::None => CommitDurability { acks: ReplicaAckPolicy::SimpleMajority, ..durability },
        ReplicaAckPolicy::All | ReplicaAckPolicy::SimpleMajority => durability,
    }
}

impl From<End> for WriteError {
    fn from(end: End) -> Self {
        match end {
            End::Closed => Self::Closed,
            End::Halted { reason } => Self::Halted { reason },
        }
    }
}

impl From<End> for ReadError {
    fn from(end: End) -> Self {
        match end {
            End::Closed => Self::Closed,
            End::Halted { reason } => Self::Halted { reason },
        }
    }
}

/// The right of one read to wait; given back when dropped.
pub(crate) struct Permit(Arc<Core>);

impl Permit {
    fn take(core: &Arc<Core>) -> Result<Self, ReadError> {
        let permit = Self(Arc::clone(core));
        let waiting = core.reads_waiting.fetch_add(1, Ordering::Relaxed);
        if waiting < READS_WAITING_MAX {
            Ok(permit)
        } else {
            Err(ReadError::Busy { limit: READS_WAITING_MAX })
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.reads_waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
