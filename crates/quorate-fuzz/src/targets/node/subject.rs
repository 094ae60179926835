use super::super::log_files;
use crate::Signature;
use bytes::Bytes;
use quorate_codec::frames;
use quorate_core::{
    BootId, EntryId, GroupUuid, HardState, Incarnation, LogError, LogStore, Member, MemberList, NodeId,
    NodeType, QuorumPolicy, Roster, RosterMember, Term, Time, Vlsn,
};
use quorate_log::Log;
use quorate_log::vfs::{MemoryVfs, Retain, Vfs};
use quorate_policy::CommitDurability;
use quorate_replica::{
    Halt, Input, LeaseTerms, Message, Node, NodeConfig, Opened, Output, Proposal, ReadId, StreamId,
    StreamMessage,
};
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

/// The node that is tried, over a log on a disk in memory and with an engine that keeps only its position.
pub(super) struct Subject {
    node: Node,
    disk: MemoryVfs,
    log: Option<Log>,
    now: Time,
    boot: BootId,
    /// The hard state on the disk.
    stored: HardState,
    /// The last entry handed to the engine.
    engine: Option<EntryId>,
    /// What the shell has done and not told yet.
    completions: VecDeque<Completion>,
    /// Why the node has stopped.
    halted: Option<Halt>,
    heard: Heard,
    /// Everything that has happened, by signature and once.
    seen: BTreeSet<u128>,
}

/// What peers could have learned from the node's messages.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Heard {
    /// The stream that the node has asked for last.
    pub(super) stream: Option<StreamId>,
    /// The node's last canvass.
    pub(super) nonce: u64,
    /// The last read that the node has passed on.
    pub(super) read: u64,
    /// The last heartbeat.
    pub(super) sequence: u64,
    /// The first entry that the node wants again.
    pub(super) wanted: Option<Vlsn>,
}

enum Completion {
    Told(Input),
    Sync { epoch: u64 },
}

const ME: NodeId = NodeId::new(1);

impl Subject {
    pub(super) fn new(is_founded: bool) -> Self {
        let disk = MemoryVfs::new();
        let log = log_files::open(&disk).expect("an empty log");
        let stored = hard_state(is_founded);
        let boot = BootId(1);
        let node = open(&log, &stored, boot, None, Time::ZERO);
        let mut subject = Self {
            node,
            disk,
            log: Some(log),
            now: Time::ZERO,
            boot,
            stored,
            engine: None,
            completions: VecDeque::new(),
            halted: None,
            heard: Heard::default(),
            seen: BTreeSet::new(),
        };
        subject.carry_out();
        subject
    }

    /// False once its log cannot be opened any more.
    pub(super) const fn is_usable(&self) -> bool {
        self.log.is_some()
    }

    pub(super) const fn node(&self) -> &Node {
        &self.node
    }

    pub(super) const fn heard(&self) -> Heard {
        self.heard
    }

    pub(super) fn uuid(&self) -> Option<GroupUuid> {
        self.node.identity()
    }

    /// Header checksum of the log's last frame.
    pub(super) fn chain(&self) -> u32 {
        self.log.as_ref().map_or(0, |log| log.summary().chain)
    }

    pub(super) fn handle(&mut self, input: Input) {
        self.node.handle(self.now, input);
        self.carry_out();
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.now += time;
        self.handle(Input::Tick);
    }

    /// Lets time pass up to the next deadline, if there is one.
    pub(super) fn expire(&mut self) {
        self.now = self.now.max(self.node.deadline().unwrap_or(self.now));
        self.handle(Input::Tick);
    }

    /// Tells the node what was done of what it asked for.
    pub(super) fn complete(&mut self, count: usize) {
        for _ in 0..count {
            let Some(completion) = self.completions.pop_front() else { return };
            let told = match completion {
                Completion::Told(input) => Some(input),
                Completion::Sync { epoch } => self.sync(epoch),
            };
            if let Some(input) = told {
                self.handle(input);
            }
        }
    }

    pub(super) fn propose(&mut self, count: u8, bytes: usize) {
        let proposal =
            Proposal { payload: vec![count; bytes].into(), durability: CommitDurability::default() };
        let proposals = vec![proposal; count.into()];
        let answer = self.node.propose(self.now, 1_700_000_000_000_000, &proposals);
        self.note(|signature| signature.shape(&answer));
        self.carry_out();
    }

    pub(super) fn read(&mut self, number: u64) {
        self.node.read(self.now, ReadId(number));
        self.carry_out();
    }

    pub(super) fn forward(&mut self) {
        let proposal =
            Proposal { payload: Bytes::from_static(b"a write"), durability: CommitDurability::default() };
        let sent = self.node.forward(self.now, proposal, Bytes::new(), Duration::from_secs(1));
        self.note(|signature| signature.shape(&sent.is_some()));
        self.carry_out();
    }

    pub(super) fn call_ballot(&mut self) {
        self.node.call_ballot(self.now);
        self.carry_out();
    }

    /// The process dies and starts again.
    pub(super) fn kill(&mut self) {
        self.log = None;
        self.disk.kill();
        self.start();
    }

    /// The machine loses its power: what was not synced may be gone.
    pub(super) fn lose_power(&mut self, seed: u64) {
        self.log = None;
        self.disk.lose_power(Retain::Random(seed));
        self.boot = BootId(self.boot.0 + 1);
        self.engine = None;
        self.start();
    }

    /// A bit of the log rots.
    pub(super) fn corrupt(&self, place: u64, bit: u8) {
        let names = self.disk.list(log_files::DIRECTORY.as_ref()).unwrap_or_default();
        let segments: Vec<_> = names.iter().filter(|name| name.starts_with("segment-")).collect();
        if let Some(name) = segments.get(place as usize % segments.len().max(1)) {
            self.disk.flip_bit(&log_files::path(name), (place >> 8) % 4096, bit % 8);
        }
    }

    /// All of the log is read.
    pub(super) fn find_damage(&mut self) {
        if let Some(damaged) = self.log.as_ref().and_then(|log| log.verify().ok()) {
            self.handle(Input::Damaged { damaged });
        }
    }

    /// What must hold at any time, whatever the peers say.
    pub(super) fn assert_sound(&mut self) {
        let progress = self.node.progress();
        match self.halted {
            Some(Halt::EngineBehind { applied, base }) => {
                assert!((applied, self.node.deadline()) == (self.engine, None), "it stops as it was found");
                assert!(progress.watermarks.applied < Some(base.vlsn), "the engine is said to hold more");
            }
            _ => progress.watermarks.assert_ordered(),
        }
        assert!(self.node.hard_state().promised >= progress.term, "a term is led or followed once promised");
        assert_eq!(self.node.hard_state(), &self.stored, "what is to be stored was handed out");
        let written = progress.watermarks.written;
        let magnitude = (Vlsn::number(progress.watermarks.committed), Vlsn::number(written));
        self.note(|signature| signature.shape(&progress.state).magnitude(magnitude.0).magnitude(magnitude.1));
    }

    /// All that has happened, in whatever order.
    pub(super) fn signature(self) -> Signature {
        self.seen.iter().fold(Signature::new(), |signature, seen| signature.word(&seen.to_string()))
    }

    fn note(&mut self, add: impl FnOnce(Signature) -> Signature) {
        let word = add(Signature::new());
        self.seen.insert(word.finish());
    }

    fn start(&mut self) {
        self.completions.clear();
        self.halted = None;
        self.heard = Heard::default();
        let Ok(log) = log_files::open(&self.disk) else { return };
        self.stored.open_count += 1;
        self.node = open(&log, &self.stored, self.boot, self.engine, self.now);
        self.log = Some(log);
        self.carry_out();
    }

    fn sync(&mut self, epoch: u64) -> Option<Input> {
        let last = self.log.as_mut()?.sync().ok()??;
        Some(Input::Durable { epoch, last })
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.node.poll() {
            self.carry_out_one(output);
        }
    }

    fn carry_out_one(&mut self, output: Output) {
        let Some(log) = &mut self.log else { return };
        let told = match output {
            Output::StoreHardState(state) => return self.store(state),
            Output::Append { batch, sync, epoch } => {
                let last = batch.last().vlsn;
                log.append(&[batch]).expect("the node appends what follows");
                self.completions.push_back(Completion::Told(Input::Written { epoch, last }));
                if sync {
                    self.completions.push_back(Completion::Sync { epoch });
                }
                return;
            }
            Output::Sync { epoch } => return self.completions.push_back(Completion::Sync { epoch }),
            Output::Truncate { keep, epoch } => {
                assert!(keep >= self.node.progress().watermarks.committed, "nothing committed is cut off");
                match log.truncate_after(keep) {
                    Err(LogError::Damaged { .. }) => {
                        log.sync().expect("the disk in memory does not fail");
                        Input::NotTruncated { epoch, log: log.summary() }
                    }
                    truncated => {
                        let truncated = truncated.expect("the disk in memory does not fail");
                        Input::Truncated { epoch, truncated, log: log.summary() }
                    }
                }
            }
            Output::Repair { batch } => {
                let repaired = log.repair(&batch);
                self.seen.insert(Signature::new().shape(&repaired).finish());
                Input::Repaired { damaged: log.summary().damaged }
            }
            Output::Trim { through } => {
                log.trim_through(through).expect("the disk in memory does not fail");
                let summary = log.summary();
                Input::Trimmed { base: summary.terms.base(), damaged: summary.damaged }
            }
            Output::ReadLog { reader, from, through, bytes_max } => {
                Input::LogRead { reader, result: log.reader().read(from, through, bytes_max) }
            }
            Output::Apply { batch } => {
                let next = Vlsn::after(self.engine.map(|last| last.vlsn));
                assert_eq!(batch.first(), next, "entries are applied in order, each once");
                let committed = self.node.progress().watermarks.committed;
                assert!(Some(batch.last().vlsn) <= committed, "only committed entries are applied");
                assert_eq!(frames(&batch).count(), batch.count());
                self.engine = Some(batch.last());
                Input::Applied { last: batch.last().vlsn, bytes: batch.bytes() }
            }
            Output::FlushEngine => Input::EngineFlushed { durable: self.engine.map(|last| last.vlsn) },
            Output::Send { message, .. } => return self.sent(&message),
            Output::WriteAsked { from, write } => {
                self.node.answer_write(from, write.request, Bytes::from_static(b"\x18\x01"));
                return;
            }
            Output::Event(event) => return self.note(|signature| signature.shape(&event)),
            Output::Halt(halt) => {
                self.note(|signature| signature.shape(&halt));
                self.halted = Some(halt);
                return;
            }
            Output::State { state, .. } => return self.note(|signature| signature.shape(&state)),
            Output::ReadReady { .. } => return self.note(|signature| signature.word("read")),
            Output::ReadFailed { failure, .. } => return self.note(|signature| signature.shape(&failure)),
            Output::WriteAnswered { .. } => return self.note(|signature| signature.word("answered")),
        };
        self.completions.push_back(Completion::Told(told));
    }

    fn store(&mut self, state: HardState) {
        assert!(state.promised >= self.stored.promised, "a promise is never taken back");
        assert_eq!((state.id, state.incarnation), (self.stored.id, self.stored.incarnation));
        self.stored = state;
    }

    /// What is told to others rests on what is on the disk.
    fn sent(&mut self, message: &Message) {
        use quorate_replica::ElectionMessage as Election;
        let promised = self.stored.promised;
        let term = match message {
            Message::Election(Election::Promise(promise)) => promise.term,
            Message::Election(Election::Prepare { term } | Election::Nomination { term, .. }) => *term,
            Message::Stream(StreamMessage::Ack { term, .. } | StreamMessage::Append { term, .. }) => *term,
            Message::HeartbeatReply(reply) => reply.term,
            Message::Heartbeat(heartbeat) => heartbeat.term,
            _ => Term::ZERO,
        };
        assert!(term <= promised, "term {term} was told before it was promised on disk: {promised}");
        match message {
            Message::Election(Election::Canvass { nonce }) => self.heard.nonce = *nonce,
            Message::Stream(StreamMessage::Syncup { stream, .. }) => self.heard.stream = Some(*stream),
            Message::Stream(StreamMessage::Ack { written, durable, .. }) => {
                let log = self.log.as_ref().map(LogStore::summary).unwrap_or_default();
                assert!(
                    *written <= log.terms.last_vlsn() && *durable <= *written,
                    "no ack precedes its entry"
                );
            }
            Message::ReadIndex { read } => self.heard.read = *read,
            Message::Heartbeat(heartbeat) => self.heard.sequence = heartbeat.sequence,
            Message::RepairRequest { first, .. } => self.heard.wanted = Some(*first),
            _ => {}
        }
        let shape = Signature::new().word("sent").shape(&std::mem::discriminant(message));
        self.seen.insert(shape.finish());
    }
}

fn open(log: &Log, stored: &HardState, boot: BootId, engine_applied: Option<EntryId>, now: Time) -> Node {
    let config = NodeConfig {
        window_bytes_max: 8 << 10,
        batch_bytes_max: 2 << 10,
        apply_lag_bytes_max: 8 << 10,
        seed: 7,
        lease: Some(LeaseTerms { span: Duration::from_millis(500), drift_per_mille: 100 }),
        ..NodeConfig::default()
    };
    let opened = Opened { hard_state: stored.clone(), boot, log: log.summary(), engine_applied };
    Node::new(config, opened, members(), now)
}

fn members() -> MemberList {
    let member = |name: &str| Member {
        id: NodeId::default(),
        name: name.to_owned(),
        address: format!("{name}:7000"),
        node_type: NodeType::Electable,
        priority: 1,
    };
    MemberList::found(["ant", "bee", "cat"].map(member).to_vec(), QuorumPolicy::SimpleMajority)
        .expect("a member list")
}

/// The roster of a group that was founded long ago.
pub(super) fn roster() -> Roster {
    let incarnations = (1..=3)
        .map(|number| RosterMember { id: NodeId::new(number), incarnation: Incarnation(number.into()) });
    Roster { group: "orders".to_owned(), list: members(), incarnations: incarnations.collect() }
}

fn hard_state(is_founded: bool) -> HardState {
    HardState {
        group: "orders".to_owned(),
        node: "ant".to_owned(),
        id: ME,
        incarnation: Incarnation(1),
        open_count: 1,
        promised: Term::ZERO,
        roster: is_founded.then(roster),
        unsynced_mark: None,
        recovering: false,
        lease_granted: Duration::ZERO,
    }
}
