use crate::applying::Applying;
use crate::following::Following;
use crate::forwarding::Forwarding;
use crate::founding::Founding;
use crate::leading::Leading;
use crate::links::Links;
use crate::local_log::LocalLog;
use crate::progress::{Counters, PeerProgress, Progress};
use crate::reads::ForwardedReads;
use crate::repairing::Repairing;
use crate::{Event, Halt, Input, Message, NodeConfig, Opened, Output};
use alloc::collections::VecDeque;
use alloc::string::String;
use core::time::Duration;
use quorate_core::{
    BootId, EntryId, GroupUuid, HardState, MemberList, NodeId, NodeSet, NodeState, Roster, Term, TermTable,
    Time, Vlsn, Watermarks,
};
use quorate_election::{Election, ElectionConfig, Timing};
use quorate_policy::Quorums;
use quorate_stream::{Holds, StreamMessage};

/// One node's protocol.
///
/// - Events go in: [`handle`](Self::handle), [`propose`](Self::propose), [`read`](Self::read).
/// - Effects come out: [`poll`](Self::poll) until it is empty, after every event.
/// - Time: [`deadline`](Self::deadline) says when to hand in [`Input::Tick`] if nothing else happens.
/// - The rest looks and changes nothing.
///
/// Guarantees, with the shell's part kept: 1. it is master of a term only by a nomination taken in this run of the process; 2. an
/// [`Output::Apply`] holds committed entries only, in order, each once; 3. no acknowledgement precedes what it acknowledges; 4. overdue deadlines are
/// looked at before anything else, so that a node that was stopped finds out before it does anything.
#[derive(Debug)]
pub struct Node {
    pub(crate) config: NodeConfig,
    pub(crate) me: NodeId,
    pub(crate) boot: BootId,
    pub(crate) hard: HardState,
    pub(crate) group: Group,
    pub(crate) founding: Founding,
    pub(crate) election: Election,
    pub(crate) links: Links,
    pub(crate) log: LocalLog,
    pub(crate) applying: Applying,
    pub(crate) repairing: Repairing,
    pub(crate) role: Role,
    /// How far the log must be refilled before this node counts again, and the term of the master that said so.
    pub(crate) refill_target: Option<(Term, Option<Vlsn>)>,
    pub(crate) forwarded: ForwardedReads,
    pub(crate) forwarding: Forwarding,
    pub(crate) streams_begun: u32,
    pub(crate) counters: Counters,
    /// For the entries that the node makes by itself.
    pub(crate) wall_clock_micros: u64,
    announced: (NodeState, Term, Option<NodeId>),
    halted: bool,
    outputs: VecDeque<Output>,
}

/// The members in effect and how they decide.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) list: MemberList,
    pub(crate) electable: NodeSet,
    pub(crate) quorums: Quorums,
}

impl Group {
    fn new(list: MemberList) -> Self {
        let quorums =
            Quorums::new(&list).expect("the shell refuses a member list whose quorums can miss each other");
        Self { electable: list.electable(), quorums, list }
    }
}

/// What a node is doing.
#[derive(Debug)]
pub(crate) enum Role {
    /// Looking for a master.
    Unknown,
    /// Following a master.
    Following(Following),
    /// Leading, perhaps not serving yet.
    Leading(alloc::boxed::Box<Leading>),
}

impl Node {
    /// A node as opened. `declared` is the member list of its configuration; once the group is founded, the roster in the hard state counts instead.
    ///
    /// # Panics
    /// If the quorums of `declared` can miss each other, or this node is not in it: the shell has checked both.
    #[must_use]
    pub fn new(config: NodeConfig, opened: Opened, declared: MemberList, now: Time) -> Self {
        let Opened { hard_state: hard, boot, log, engine_applied } = opened;
        let list = hard.roster.as_ref().map_or(declared, |roster| roster.list.clone());
        assert!(list.member(hard.id).is_some(), "the shell refuses a list without this node");
        let mut election = Election::new(
            ElectionConfig {
                me: hard.id,
                heartbeat_interval: config.heartbeat_interval,
                election_timeout: config.election_timeout,
                phi_threshold: config.phi_threshold,
                lease: config.lease,
                seed: config.seed,
                #[cfg(feature = "mutations")]
                mutation: match config.mutation {
                    Some(crate::Mutation::Election(mutation)) => Some(mutation),
                    _ => None,
                },
            },
            hard.promised,
            now,
        );
        election.keep_earlier_grants(now + hard.lease_granted);
        let applying = Applying::new(engine_applied, &log.terms, now);
        let lost_unsynced =
            hard.unsynced_mark.is_some_and(|marked| marked != boot) && !breaks!(config.mutation, MarkIgnored);
        let engine_gap =
            log.terms.base().filter(|base| engine_applied.map(|applied| applied.vlsn) < Some(base.vlsn));
        let must_recover = lost_unsynced || log.lost_durable_end || applying.engine_ahead().is_some();
        let mut node = Self {
            me: hard.id,
            boot,
            founding: Founding::new(&list, hard.roster.as_ref(), now),
            group: Group::new(list),
            election,
            links: Links::default(),
            repairing: Repairing::new(log.damaged.clone(), now),
            log: LocalLog::new(log, config.window_bytes_max),
            applying,
            role: Role::Unknown,
            refill_target: None,
            forwarded: ForwardedReads::default(),
            forwarding: Forwarding::default(),
            streams_begun: 0,
            counters: Counters::default(),
            wall_clock_micros: 0,
            announced: (NodeState::Unknown, hard.promised, None),
            halted: false,
            outputs: VecDeque::new(),
            hard,
            config,
        };
        if let Some(base) = engine_gap {
            node.halt(Halt::EngineBehind { applied: engine_applied, base });
            return node;
        }
        if must_recover && !node.hard.recovering {
            node.hard.recovering = true;
            node.store_hard_state();
        }
        if node.hard.recovering {
            node.event(Event::Recovering);
        }
        node.begin_founding(now);
        if node.is_founder() && node.group.electable == [node.me].into_iter().collect() {
            node.election.begin_at_once(now);
        }
        node.settle(now);
        node
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Time, input: Input) {
        if self.halted {
            return;
        }
        self.expire(now);
        match input {
            Input::Tick => {}
            Input::Receive { from, uuid, message } => self.receive(now, from, uuid, message),
            Input::PeerUp { node, service } => self.peer_up(now, node, service),
            Input::PeerDown { node, service, refused } => self.peer_down(now, node, service, refused),
            Input::SendDropped { to, service } => self.end_feeding(to, service),
            Input::Written { epoch, last } => self.log_written(epoch, last),
            Input::Durable { epoch, last } => self.log_durable(epoch, last),
            Input::Truncated { epoch, truncated, log } => self.log_truncated(now, epoch, truncated, &log),
            Input::NotTruncated { epoch, log } => self.log_not_truncated(now, epoch, log),
            Input::Damaged { damaged } => self.log_damaged(now, damaged),
            Input::Repaired { damaged } => self.log_repaired(now, damaged),
            Input::Trimmed { base, damaged } => self.log_trimmed(now, base, damaged),
            Input::LogRead { reader, result } => self.log_read(now, reader, result),
            Input::Applied { last, bytes } => self.engine_applied(last, bytes),
            Input::EngineFlushed { durable } => self.engine_flushed(durable),
            Input::Failed { reason } => self.halt(Halt::Failed { reason }),
        }
        self.settle(now);
    }

    /// Takes in what the wall clock says, in microseconds since 1970: for the entries that the node makes by itself, so that people who read
    /// the log know when. It decides nothing.
    pub const fn set_wall_clock(&mut self, micros: u64) {
        self.wall_clock_micros = micros;
    }

    /// Proposes a ballot at once, without asking the others whether they suspect the master too: for an operator who knows better, and for
    /// scripts. It comes to nothing while a lease runs that this node has granted.
    pub fn call_ballot(&mut self, now: Time) {
        self.step_down(now, None);
        self.with_election(now, |election, standing| election.ballot(now, standing));
        self.settle(now);
    }

    /// The next effect, in the order in which they must be carried out.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to hand in [`Input::Tick`], if nothing else happens.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        if self.halted {
            return None;
        }
        let role = match &self.role {
            Role::Unknown => None,
            Role::Following(following) => following.deadline(),
            Role::Leading(leading) => {
                Some(leading.deadline(&self.group.quorums, self.timing().election_timeout()))
            }
        };
        let others = [
            self.election.deadline(),
            self.founding.deadline(self.hard.roster.is_some()),
            self.log.sync_wanted_at(),
            self.applying.flush_deadline(),
            self.repairing.deadline(),
        ];
        others.into_iter().flatten().chain(role).min()
    }

    /// Whether proposals are taken at present: false while too much is uncommitted or unapplied.
    #[must_use]
    pub fn accepts(&self) -> bool {
        match &self.role {
            Role::Leading(leading) => leading.has_room(&self.applying, &self.config),
            _ => true,
        }
    }

    /// How far the node has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        let (state, term, master) = self.state();
        let held_by_all = match &self.role {
            Role::Leading(leading) => leading.held_by_all(&self.group.electable, self.log.own_holds()),
            _ => Holds::default(),
        };
        Progress {
            state,
            term,
            master,
            watermarks: self.watermarks(),
            held_by_all,
            recovering: self.hard.recovering,
            damaged: self.repairing.is_damaged(),
            restore_needed: match &self.role {
                Role::Following(following) => following.restore_needed(),
                _ => None,
            },
        }
    }

    /// The terms of everything handed to the log writer.
    #[must_use]
    pub const fn terms(&self) -> &TermTable {
        &self.log.terms
    }

    /// Who founds, or founded, the group; `None` until every member has been heard.
    #[must_use]
    pub fn roster(&self) -> Option<&Roster> {
        self.hard.roster.as_ref().or(self.founding.formed())
    }

    /// The group's identity, once this node has stored that it belongs to it.
    #[must_use]
    pub fn uuid(&self) -> Option<GroupUuid> {
        self.founding.identity().filter(|_| self.hard.roster.is_some())
    }

    /// The identity of the group that this node belongs to or founds: what its messages name.
    #[must_use]
    pub const fn identity(&self) -> Option<GroupUuid> {
        self.founding.identity()
    }

    /// Whether the founding of the group has committed here: from now on the declared member list counts no more.
    #[must_use]
    pub fn is_bound(&self) -> bool {
        self.applying.committed().is_some()
    }

    /// The members in effect.
    #[must_use]
    pub const fn members(&self) -> &MemberList {
        &self.group.list
    }

    /// On a master: how far each replica has come.
    pub fn peers(&self) -> impl Iterator<Item = PeerProgress> + '_ {
        let leading = match &self.role {
            Role::Leading(leading) => Some(leading),
            _ => None,
        };
        leading.into_iter().flat_map(|leading| leading.peers())
    }

    /// The node's counters.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// What the node remembers durably, as last handed out to be stored.
    #[must_use]
    pub const fn hard_state(&self) -> &HardState {
        &self.hard
    }

    /// The frames kept in memory, in bytes.
    #[must_use]
    pub const fn tail_bytes(&self) -> usize {
        self.log.tail.bytes()
    }

    fn expire(&mut self, now: Time) {
        self.check_quorum(now);
        self.with_election(now, |election, standing| election.expire(now, standing));
        if !self.election.hears_master(now) {
            self.unfollow();
        }
        self.heartbeat_if_due(now);
        self.introduce_if_due(now);
        self.resync_if_due(now);
        self.repair_if_due(now);
        if self.log.sync_wanted_at().is_some_and(|at| now >= at) {
            self.sync_log();
        }
        self.flush_engine_if_due(now);
    }

    fn receive(&mut self, now: Time, from: NodeId, uuid: Option<GroupUuid>, message: Message) {
        if from == self.me || self.group.list.member(from).is_none() {
            self.counters.refused_foreign += 1;
            return;
        }
        if let Message::Introduce { incarnation, roster, wants_answer } = message {
            return self.introduced(from, incarnation, roster, wants_answer);
        }
        if !self.is_founder() || uuid.is_none() || uuid != self.identity() {
            self.counters.refused_foreign += 1;
            if self.hard.roster.is_some() && uuid.is_some() && uuid != self.uuid() {
                self.event(Event::ForeignGroup { node: from });
            }
            return;
        }
        match message {
            Message::Introduce { .. } => {}
            Message::Election(message) => self.receive_election(now, from, message),
            Message::Heartbeat(heartbeat) => self.receive_heartbeat(now, from, &heartbeat),
            Message::HeartbeatReply(reply) => self.receive_heartbeat_reply(now, from, &reply),
            Message::LeaseRelease { term, sequence } => self.election.release(term, sequence),
            Message::Stream(message) => self.receive_stream(now, from, message),
            Message::ReadIndex { read } => self.receive_read_index(now, from, read),
            Message::ReadIndexReply { read, at } => self.receive_read_index_reply(from, read, at.ok()),
            Message::RepairRequest { first, last } => self.receive_repair_request(from, first, last),
            Message::Repair { first, frames } => self.receive_repair(now, from, first, frames),
            Message::Forward(write) => self.receive_forward(from, write),
            Message::ForwardReply { request, outcome } => self.receive_forward_reply(from, request, outcome),
        }
    }

    fn receive_stream(&mut self, now: Time, from: NodeId, message: StreamMessage) {
        match message {
            StreamMessage::Syncup { term, stream, table } => {
                self.receive_syncup(now, from, term, stream, &table)
            }
            StreamMessage::Ack { term, stream, written, durable, counts } => {
                self.receive_ack(from, term, stream, Holds { written, durable }, counts);
            }
            StreamMessage::SyncupReply { term, stream, answer, written } => {
                self.receive_syncup_reply(now, from, term, stream, answer, written);
            }
            StreamMessage::Append { term, stream, committed, first, frames } => {
                self.receive_append(now, from, term, stream, committed, first, frames);
            }
        }
    }

    /// Carries on with whatever the last event has made possible.
    pub(crate) fn settle(&mut self, now: Time) {
        if self.halted {
            return;
        }
        self.advance_commit(now);
        self.advance_learned_commit();
        self.feed();
        self.confirm_reads();
        self.heartbeat_if_due(now);
        self.pump_apply();
        self.finish_recovery();
        self.announce();
        if cfg!(debug_assertions) {
            self.watermarks().assert_ordered();
        }
    }

    pub(crate) const fn is_halted(&self) -> bool {
        self.halted
    }

    pub(crate) const fn led_term(&self) -> Option<Term> {
        match &self.role {
            Role::Leading(leading) => Some(leading.term()),
            _ => None,
        }
    }

    pub(crate) const fn followed_master(&self) -> Option<NodeId> {
        match &self.role {
            Role::Following(following) => Some(following.master()),
            _ => None,
        }
    }

    /// This node may count: the group's roster lists this life of its directory.
    pub(crate) fn is_founder(&self) -> bool {
        self.roster().is_some_and(|roster| self.is_listed_in(roster))
    }

    /// This life of the directory is one of those that founded the group.
    pub(crate) fn is_listed_in(&self, roster: &Roster) -> bool {
        roster.counts(self.me, self.hard.incarnation) || breaks!(self.config.mutation, IncarnationIgnored)
    }

    fn state(&self) -> (NodeState, Term, Option<NodeId>) {
        match &self.role {
            _ if self.halted => (NodeState::Detached, self.hard.promised, None),
            Role::Leading(leading) if leading.is_serving() => {
                (NodeState::Master, leading.term(), Some(self.me))
            }
            Role::Following(following) => (NodeState::Replica, following.term(), Some(following.master())),
            Role::Leading(_) | Role::Unknown => (NodeState::Unknown, self.hard.promised, None),
        }
    }

    fn announce(&mut self) {
        let (state, term, master) = self.state();
        let changed = (state, master) != (self.announced.0, self.announced.2)
            || (state != NodeState::Unknown && term != self.announced.1);
        if changed {
            self.announced = (state, term, master);
            self.push(Output::State { state, term, master });
        }
    }

    fn watermarks(&self) -> Watermarks {
        Watermarks {
            trimmed: self.log.terms.base().map(|base| base.vlsn),
            engine_durable: self.applying.engine_durable(),
            applied: self.applying.applied_within_committed(),
            committed: self.applying.committed(),
            durable: self.log.durable,
            written: self.log.written,
        }
    }

    pub(crate) fn last(&self) -> Option<EntryId> {
        self.log.terms.last()
    }

    /// How patient this node is at present: as its configuration says, or more so on links that are slow.
    #[must_use]
    pub fn timing(&self) -> Timing {
        self.election.timing()
    }

    /// How long this node waits for an answer of another before it asks again.
    #[must_use]
    pub fn retry_interval(&self) -> Duration {
        self.timing().retry_interval()
    }

    pub(crate) fn store_hard_state(&mut self) {
        self.push(Output::StoreHardState(self.hard.clone()));
    }

    pub(crate) fn send(&mut self, to: NodeId, message: Message) {
        self.push(Output::Send { to, message });
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.push(Output::Event(event));
    }

    pub(crate) fn halt(&mut self, halt: Halt) {
        if !self.halted {
            self.halted = true;
            self.fail_reads(crate::ReadFailure::NoMaster);
            self.role = Role::Unknown;
            self.announce();
            self.push(Output::Halt(halt));
        }
    }

    pub(crate) fn fail(&mut self, reason: String) {
        self.halt(Halt::Failed { reason });
    }

    pub(crate) fn push(&mut self, output: Output) {
        self.outputs.push_back(output);
    }
}
