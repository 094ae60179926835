use super::apply_thread::ApplyCommand;
use super::combiner::{Machine, Turn};
use super::event::{Event, Inspection, ReadRequest, Write};
use super::inbox::Budget;
use super::listeners::ListenerCommand;
use super::log_reader::LogRead;
use super::log_writer::LogCommand;
use super::pace::Pace;
use super::propose::Gathered;
use crate::admission::Answer;
use crate::core::{Core, Permit};
use crate::forwards::Forwards;
use crate::metrics::Instruments;
use crate::pauses::Pauses;
use crate::slot::Ticket;
use crate::write_ticket::WriteTicket;
use crate::{CommitWaiters, Conflicts, ReadError, ReadWaiters};
use crossbeam_channel::{Receiver, Sender};
use quorate_core::{
    DownReason, EngineError, GroupUuid, Hello, LogError, PeerEvent, Service, StateStore, Time, Transport,
};
use quorate_log::DirectoryLock;
use quorate_policy::ConsistencyPolicy;
use quorate_replica::{Input, Node, Output};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What owns a node's protocol. Everything else talks to it through queues, and one thread at a time runs it.
///
/// Each turn takes in what has happened, carries out what the node asks for, answers whom that concerns,
/// and proposes what callers want written: all in batches.
pub(crate) struct EventLoop {
    pub(super) core: Arc<Core>,
    pub(super) node: Node,
    pub(super) events: Receiver<Event>,
    pub(super) writes: Receiver<Write>,
    pub(super) gathered: Gathered,
    pub(super) pace: Pace,
    /// What the latest entries have written, while this node leads and since it was asked to write.
    pub(super) conflicts: Option<Conflicts>,
    pub(super) commits: CommitWaiters<WriteTicket>,
    pub(super) reads: ReadWaiters<WaitingRead>,
    pub(super) forwards: Forwards<WriteTicket>,
    /// Where this node does not lead, it hands writes to the master.
    pub(super) passes_writes_on: bool,
    pub(super) pauses: Pauses,
    pub(super) state: Box<dyn StateStore>,
    /// Keeps others out of the data directory until all is done.
    pub(super) directory: DirectoryLock,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) budget: Arc<Budget>,
    pub(super) hello: Arc<Mutex<Hello>>,
    pub(super) workers: Workers,
    pub(super) listeners: Sender<ListenerCommand>,
    pub(super) instruments: Instruments,
    /// The group's identity; it never changes once the node has stored it.
    pub(super) uuid: Option<GroupUuid>,
    /// The hello says what it will say for good.
    pub(super) hello_is_final: bool,
    /// This turn is on a lent thread, which must not block.
    pub(super) is_lent: bool,
    /// What the node asked for on a lent thread and only the owner carries out. Nothing behind it may leave,
    /// and nobody may be answered, before it is done.
    pub(super) held: Option<Output>,
    /// The loop was asked to end.
    pub(super) has_ended: bool,
    /// The hard state could not be stored: nothing that relies on it may leave.
    pub(super) is_broken: bool,
    /// Why the node has stopped serving, if it has.
    pub(super) halted: Option<String>,
}

/// The threads that carry out what takes time, and their queues.
pub(crate) struct Workers {
    pub(super) log: Sender<LogCommand>,
    pub(super) log_thread: JoinHandle<Result<(), LogError>>,
    pub(super) log_reads: Sender<LogRead>,
    pub(super) log_reads_thread: JoinHandle<()>,
    pub(super) engine: Sender<ApplyCommand>,
    pub(super) engine_thread: JoinHandle<Result<(), EngineError>>,
}

/// A read that waits until this node may serve it.
pub(super) struct WaitingRead {
    pub(super) policy: ConsistencyPolicy,
    pub(super) ticket: Ticket<Answer>,
    /// Counts the read among those that wait.
    pub(super) _permit: Permit,
}

/// Events that are taken in before anybody is answered.
const EVENTS_PER_TURN: usize = 256;

impl Machine for EventLoop {
    fn turn(&mut self, lent: bool) -> Turn {
        self.is_lent = lent;
        self.has_ended = self.has_ended || self.see_to_news().is_break();
        if self.has_ended {
            return Turn::Ended;
        }
        if self.waits_for_owner() {
            return Turn::NeedsOwner;
        }
        if !lent {
            self.publish_metrics();
        }
        if self.events.is_empty() && !self.core.writes.is_called() { Turn::Idle } else { Turn::More }
    }

    fn deadline(&self) -> Option<Time> {
        self.next_deadline().into_iter().chain([self.instruments.deadline()]).min()
    }
}

impl EventLoop {
    fn take_in(&mut self) -> ControlFlow<()> {
        for _ in 0..EVENTS_PER_TURN {
            if self.waits_for_owner() {
                break;
            }
            let Ok(event) = self.events.try_recv() else { break };
            self.handle(event)?;
        }
        ControlFlow::Continue(())
    }

    /// Sees to what has come, as far as this thread may.
    fn see_to_news(&mut self) -> ControlFlow<()> {
        if self.core.kill_switch.is_pulled() {
            return ControlFlow::Break(());
        }
        self.carry_out();
        if self.next_deadline().is_some_and(|deadline| deadline <= self.core.clock.now()) {
            self.feed(Input::Tick);
        }
        self.take_in()?;
        self.settle();
        self.propose();
        self.settle();
        ControlFlow::Continue(())
    }

    fn next_deadline(&self) -> Option<Time> {
        let deadlines = [
            self.node.deadline(),
            self.commits.deadline(),
            self.reads.deadline(),
            self.forwards.deadline(),
            self.gathered.deadline(),
            self.pace.deadline(),
            self.pauses.deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// Whether what the node has asked for is held until the owner goes on.
    pub(super) const fn waits_for_owner(&self) -> bool {
        self.is_lent && self.held.is_some()
    }

    fn handle(&mut self, event: Event) -> ControlFlow<()> {
        match event {
            Event::Packet { from, envelope, bytes } => {
                self.budget.release(bytes);
                self.feed(Input::Receive { from, uuid: envelope.uuid, message: envelope.message });
            }
            Event::Peer(event) => self.peer_changed(event),
            Event::Completed(input) => self.feed(input),
            Event::Applied { applied, bytes } => {
                if let Some(first) = applied.first {
                    self.commits.applied(first, &applied.results);
                }
                self.feed(Input::Applied { last: applied.last.vlsn, bytes });
            }
            Event::Read(request) => self.begin_read(request),
            Event::Answer { to, request, result } => self.answer_replica(to, request, result),
            Event::Pause { until, ticket } => self.pauses.begin(until, ticket),
            Event::Inspect(ticket) => {
                let inspection = self.inspect();
                ticket.resolve(inspection);
            }
            Event::Close => return ControlFlow::Break(()),
        }
        ControlFlow::Continue(())
    }

    /// Hands an input to the node and carries out what it asks for.
    pub(super) fn feed(&mut self, input: Input) {
        self.node.set_wall_clock(self.core.clock.wall_micros());
        self.node.handle(self.core.clock.now(), input);
        self.carry_out();
    }

    fn peer_changed(&mut self, event: PeerEvent) {
        let tally = &self.core.tally;
        match event {
            PeerEvent::Up { node, service, hello } => {
                tally.links_opened.increment();
                tracing::debug!(peer = %hello.node, ?service, "a link stands");
                self.feed(Input::PeerUp { node, service });
            }
            PeerEvent::Down { node, service, reason } => {
                tally.links_failed.increment();
                match &reason {
                    DownReason::Hello(refusal) => tracing::warn!(peer = %node, %refusal, "no link"),
                    DownReason::Unresolvable => {
                        tracing::warn!(peer = %node, "the peer's host name has no address; it is looked up again");
                    }
                    reason => tracing::debug!(peer = %node, ?service, ?reason, "a link is down"),
                }
                let refused = reason.proves_absence();
                self.feed(Input::PeerDown { node, service, refused });
                if service == Service::Stream {
                    self.forward_link_lost(node);
                }
            }
            PeerEvent::Rejected { peer, refusal } => {
                tally.callers_rejected.increment();
                let why =
                    refusal.map_or_else(|| "it speaks another protocol".to_owned(), |why| why.to_string());
                tracing::warn!(%peer, %why, "a caller was turned away");
            }
        }
    }

    fn begin_read(&mut self, request: ReadRequest) {
        let ReadRequest { policy, deadline, ticket, permit } = request;
        if let Some(reason) = &self.halted {
            return ticket.resolve(Err(ReadError::Halted { reason: reason.clone() }));
        }
        let now = self.core.clock.now();
        self.reads.register(now, &policy, deadline, WaitingRead { policy, ticket, _permit: permit });
    }

    pub(super) fn inspect(&self) -> Inspection {
        self.core.tally.note(self.transport.traffic());
        Inspection {
            status: self.core.status_of(&self.node, self.uuid, self.halted.clone()),
            stats: self.core.tally.read(self.node.counters()),
        }
    }

    fn publish_metrics(&mut self) {
        if self.instruments.are_due(self.core.clock.now()) {
            let Inspection { status, stats } = self.inspect();
            self.instruments.publish(&status, &stats);
        }
    }

    /// Leaves the last word on the node behind, for handles that outlive it.
    pub(super) fn publish(&self) {
        self.core.leave(self.inspect());
    }
}
