//! One run of one node: production code, and in the places of its threads queues that somebody else turns.

mod clients;
mod forwarding;

use crate::SimTime;
use crate::apply_worker::{ApplyJob, ApplyWorker};
use crate::checker::{Checker, Violation};
use crate::log_writer::{LogJob, LogWriter};
use crate::network::letter;
use crate::operation::{OperationId, ReadTicket, Reply, WriteTicket};
use crate::sim_time::LocalClock;
use crate::words::{EventInWords, TermName};
use bytes::Bytes;
use forwarding::{FORWARDING_PATIENCE, lost_stream};
use quorate_core::{
    Batch, EntryKind, GroupUuid, LogError, LogReader, NodeId, NodeState, Packet, Service, StateStore, Time,
    Vlsn,
};
use quorate_env::kv::KvReader;
use quorate_env::{CommitWaiters, Conflicts, Forwards, ReadWaiters};
use quorate_log::HardStateFile;
use quorate_replica::{
    Envelope, Event, ForwardedWrite, Halt, Input, LogReadFor, Message, Node, Output, PeerProgress,
};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// Why a process cannot go on.
#[derive(Debug)]
pub(crate) enum Stop {
    /// A planned crash between two outputs.
    Crash,
    /// The log, the hard state or the engine failed.
    Failed(String),
    /// The disk has no room for the log.
    DiskFull,
    /// What is on the disk cannot be used any more, or is not enough: it is to be filled anew.
    Unusable(String),
    /// The node halted by itself.
    Halted(Halt),
    /// The history is broken.
    Violation(Violation),
}

impl Stop {
    pub(crate) fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

/// What a thread of the process reports to its node.
#[derive(Debug)]
pub(crate) struct Completion {
    pub(crate) input: Input,
    /// What the engine said of entries, from a position on.
    pub(crate) results: Option<(Vlsn, Vec<Bytes>)>,
}

impl From<Input> for Completion {
    fn from(input: Input) -> Self {
        Self { input, results: None }
    }
}

/// A read of the log for somebody.
#[derive(Debug)]
pub(crate) struct LogReading {
    reader: LogReadFor,
    from: Vlsn,
    through: Vlsn,
    bytes_max: usize,
}

/// What a process wants to happen outside of it, in order.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    pub(crate) sends: Vec<Sending>,
    pub(crate) replies: Vec<(OperationId, Reply)>,
    pub(crate) notes: Vec<String>,
    /// How many engines were refused as damaged.
    pub(crate) engines_refused: u64,
    /// How many writes were passed on.
    pub(crate) forwarded: u64,
}

/// A message that leaves a node.
#[derive(Debug)]
pub(crate) struct Sending {
    pub(crate) to: NodeId,
    pub(crate) service: Service,
    pub(crate) message: Message,
    pub(crate) packet: Packet,
}

/// The parts that a process is made of.
pub(crate) struct Parts {
    pub(crate) node: Node,
    pub(crate) clock: LocalClock,
    pub(crate) state: HardStateFile,
    pub(crate) log: LogWriter,
    pub(crate) log_reader: Arc<dyn LogReader>,
    pub(crate) apply: ApplyWorker,
    pub(crate) kv: KvReader,
    /// As a replica it passes writes on.
    pub(crate) forwards_writes: bool,
}

pub(crate) struct Process {
    me: NodeId,
    life: u64,
    node: Node,
    pub(crate) clock: LocalClock,
    state: HardStateFile,
    pub(crate) log: LogWriter,
    log_reader: Arc<dyn LogReader>,
    readings: VecDeque<LogReading>,
    pub(crate) apply: ApplyWorker,
    kv: KvReader,
    commits: CommitWaiters<WriteTicket>,
    reads: ReadWaiters<ReadTicket>,
    /// What the latest entries have written, while this node leads.
    conflicts: Option<Conflicts>,
    /// As a replica it passes writes on.
    forwards_writes: bool,
    /// The writes that it has passed on.
    forwards: Forwards<OperationId>,
    /// What replicas ask for, to be proposed in its turn.
    asked: VecDeque<(NodeId, ForwardedWrite)>,
    /// Replicas were answered since the node was asked last what it wants.
    has_answered: bool,
    /// What the wall clock showed when a client came last, in microseconds.
    wall_micros: u64,
    wins: u64,
    uuid: Option<GroupUuid>,
    /// After so many outputs more the process ends.
    crash_after: Option<u64>,
}

/// How often a read may be asked for anew, or replicas be answered, within one step.
const QUESTIONS_MAX: usize = 64;
/// How long a write waits for its acknowledgements.
const ACK_TIMEOUT: Duration = Duration::from_secs(3);
/// How many bytes of writes may be passed on and not answered yet: few, so that some find no room.
const FORWARDED_BYTES_MAX: usize = 4 << 10;

impl Process {
    pub(crate) fn new(me: NodeId, life: u64, parts: Parts) -> Self {
        let Parts { node, clock, state, log, log_reader, apply, kv, forwards_writes } = parts;
        Self {
            me,
            life,
            node,
            clock,
            state,
            log,
            log_reader,
            readings: VecDeque::new(),
            apply,
            kv,
            commits: CommitWaiters::new(),
            reads: ReadWaiters::new(),
            conflicts: None,
            forwards_writes,
            forwards: Forwards::new(FORWARDED_BYTES_MAX),
            asked: VecDeque::new(),
            has_answered: false,
            wall_micros: 0,
            wins: 0,
            uuid: None,
            crash_after: None,
        }
    }

    pub(crate) const fn life(&self) -> u64 {
        self.life
    }

    pub(crate) const fn node(&self) -> &Node {
        &self.node
    }

    /// The node is to look at its clock no later than then.
    pub(crate) fn deadline(&self) -> Option<SimTime> {
        let waiting = [self.commits.deadline(), self.reads.deadline(), self.forwards.deadline()];
        waiting
            .into_iter()
            .chain([self.node.deadline()])
            .flatten()
            .min()
            .map(|local| self.clock.global(local))
    }

    /// Lets the process end between two outputs, `outputs` from now.
    pub(crate) const fn crash_after(&mut self, outputs: u64) {
        self.crash_after = Some(outputs);
    }

    /// Carries out what a node wants that was just made.
    pub(crate) fn begin(
        &mut self,
        now: SimTime,
        checker: &mut Checker,
        effects: &mut Effects,
    ) -> Result<(), Stop> {
        self.drain(self.clock.local(now), checker, effects)
    }

    pub(crate) fn handle(
        &mut self,
        now: SimTime,
        completion: Completion,
        checker: &mut Checker,
        effects: &mut Effects,
    ) -> Result<(), Stop> {
        let now = self.clock.local(now);
        if let Some((first, results)) = &completion.results {
            // The engine's word on entries counts once their commit is known to the waiters.
            self.resolve(now, checker, effects)?;
            self.commits.applied(*first, results);
        }
        let lost = lost_stream(&completion.input);
        self.node.handle(now, completion.input);
        self.drain(now, checker, effects)?;
        if let Some(peer) = lost {
            self.forward_link_lost(peer, checker, effects)?;
        }
        self.propose_asked(now, checker, effects)?;
        self.expire(now, effects);
        if self.has_answered { self.drain(now, checker, effects) } else { Ok(()) }
    }

    /// A packet arrived.
    pub(crate) fn receive(
        &mut self,
        now: SimTime,
        from: NodeId,
        packet: Packet,
        checker: &mut Checker,
        effects: &mut Effects,
    ) -> Result<(), Stop> {
        let envelope = Envelope::decode(packet).map_err(Stop::failed)?;
        let input = Input::Receive { from, uuid: envelope.uuid, message: envelope.message };
        self.handle(now, input.into(), checker, effects)
    }

    /// Whether a read of the log is waiting.
    pub(crate) fn has_reading(&self) -> bool {
        !self.readings.is_empty()
    }

    /// Carries out the oldest read of the log. One that meets damage is told by the log writer, who knows
    /// how far it reaches.
    pub(crate) fn read_log(&mut self) -> Option<Completion> {
        let LogReading { reader, from, through, bytes_max } = self.readings.pop_front()?;
        let result = self.log_reader.read(from, through, bytes_max);
        let is_damaged = matches!(result, Err(LogError::Damaged { .. }));
        let read = Input::LogRead { reader, result };
        if is_damaged {
            self.log.push(LogJob::TellDamage { read });
            return None;
        }
        Some(read.into())
    }

    /// Proposes a ballot at once.
    pub(crate) fn call_ballot(
        &mut self,
        now: SimTime,
        checker: &mut Checker,
        effects: &mut Effects,
    ) -> Result<(), Stop> {
        let now = self.clock.local(now);
        self.node.call_ballot(now);
        self.drain(now, checker, effects)
    }

    fn drain(&mut self, now: Time, checker: &mut Checker, effects: &mut Effects) -> Result<(), Stop> {
        for _ in 0..QUESTIONS_MAX {
            self.check_progress(checker)?;
            while let Some(output) = self.node.poll() {
                self.count_down()?;
                self.carry_out(output, now, checker, effects)?;
            }
            self.resolve(now, checker, effects)?;
            let has_answered = std::mem::take(&mut self.has_answered);
            let questions = self.reads.take_questions(now, self.node.retry_interval());
            if questions.is_empty() && !has_answered {
                break;
            }
            for read in questions {
                self.node.read(now, read);
            }
        }
        Ok(())
    }

    fn check_progress(&self, checker: &mut Checker) -> Result<(), Violation> {
        let progress = self.node.progress();
        if progress.state == NodeState::Detached {
            // It has halted, claims nothing any more, and is about to say why.
            return Ok(());
        }
        checker.progressed(self.me, &progress)?;
        let peers: Vec<PeerProgress> = self.node.peers().collect();
        checker.recounted(self.me, self.life, &progress, &peers)
    }

    fn count_down(&mut self) -> Result<(), Stop> {
        match &mut self.crash_after {
            Some(0) => Err(Stop::Crash),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn carry_out(
        &mut self,
        output: Output,
        now: Time,
        checker: &mut Checker,
        effects: &mut Effects,
    ) -> Result<(), Stop> {
        match output {
            Output::StoreHardState(state) => {
                self.state.store(&state)?;
                checker.stored(self.me, &state);
            }
            Output::Append { batch, sync, epoch } => {
                let leads = self.leads(&batch);
                checker.handed(self.me, self.life, &batch, leads)?;
                if leads {
                    effects.notes.push(format!("leads {}", TermName(batch.last().term)));
                }
                self.log.push(LogJob::Append { batch, sync, epoch });
            }
            Output::Sync { epoch } => self.log.push(LogJob::Sync { epoch }),
            Output::Truncate { keep, epoch } => {
                checker.cut(self.me, keep)?;
                self.log.push(LogJob::Truncate { keep, epoch });
            }
            Output::Repair { batch } => self.log.push(LogJob::Repair { batch }),
            Output::Trim { through } => self.log.push(LogJob::Trim { through }),
            Output::ReadLog { reader, from, through, bytes_max } => {
                self.readings.push_back(LogReading { reader, from, through, bytes_max });
            }
            Output::Send { to, message } => self.send(to, message, checker, effects),
            Output::Apply { batch } => self.apply.push(ApplyJob::Apply(batch)),
            Output::FlushEngine => self.apply.push(ApplyJob::Flush),
            Output::State { state, term, master } => {
                self.reads.state_changed(now);
                if state != NodeState::Master {
                    self.conflicts = None;
                }
                if let Some(master) = master {
                    self.forwards.master_changed(master, now + FORWARDING_PATIENCE);
                }
                let (term, master) = (TermName(term), master.map_or('-', letter));
                effects.notes.push(format!("is {state} in {term}, master {master}"));
            }
            Output::ReadReady { read, at } => self.reads.ready(read, at),
            // The read waits on, and the node is asked again.
            Output::ReadFailed { .. } => {}
            Output::WriteAsked { from, write } => self.asked.push_back((from, write)),
            Output::WriteAnswered { from, request, outcome } => {
                self.write_answered(from, request, outcome, checker, effects)?;
            }
            Output::Event(Event::RestoreNeeded { base }) => {
                return Err(Stop::Unusable(format!("the others hold nothing up to {base} any more")));
            }
            Output::Event(event) => effects.notes.push(EventInWords(&event).to_string()),
            Output::Halt(halt) => return Err(Stop::Halted(halt)),
        }
        Ok(())
    }

    /// Whether this is the first entry of a term that this node has just won.
    fn leads(&mut self, batch: &Batch) -> bool {
        let wins = self.node.counters().wins;
        let won = wins > self.wins && batch.runs().iter().any(|run| run.kind == EntryKind::TermStart);
        if won {
            self.wins = wins;
        }
        won
    }

    fn send(&mut self, to: NodeId, message: Message, checker: &mut Checker, effects: &mut Effects) {
        checker.sent(self.me, &message);
        let uuid = self.node.identity();
        let packet = Envelope { uuid, message: message.clone() }.encode();
        effects.sends.push(Sending { to, service: message.service(), message, packet });
    }

    /// The group that the node has stored that it belongs to; it never changes.
    fn group(&mut self) -> Option<GroupUuid> {
        self.uuid = self.uuid.or_else(|| self.node.uuid());
        self.uuid
    }
}
