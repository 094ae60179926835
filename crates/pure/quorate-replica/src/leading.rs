//! The master's half: appending, heartbeats, feeding, committing.

use crate::PeerProgress;
use crate::applying::Applying;
use crate::leasing::Lease;
use crate::messages::{Heartbeat, HeartbeatReply, Message};
use crate::node::{Node, Role};
use crate::reads::PendingRead;
use crate::{Event, LogReadFor, NodeConfig, Output, Proposal, ProposeError, ReadFailure, encode_roster};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;
use quorate_codec::{Encoder, HEADER_BYTES};
use quorate_core::{
    Batch, EntryId, EntryKind, LogError, NodeId, NodeSet, Requirement, Service, Term, TermTable, Time, Vlsn,
};
use quorate_election::HeartbeatRounds;
use quorate_policy::{Quorums, ReplicaAckPolicy, Shortfall, acks_possible, quorum_position};
use quorate_stream::{CommitRule, Feeder, Holds, StreamId, StreamMessage, SyncupAnswer, syncup_answer};

/// What a node keeps while it leads one term.
#[derive(Debug)]
pub(crate) struct Leading {
    term: Term,
    rule: CommitRule,
    pub(crate) rounds: HeartbeatRounds<PendingRead>,
    peers: Vec<Peer>,
    heartbeat_at: Time,
    encoder: Encoder,
    serving: bool,
    trim_told: Option<Vlsn>,
    pub(crate) lease: Lease,
    /// Bytes of this term's batches that are not committed, oldest first.
    uncommitted: alloc::collections::VecDeque<(Vlsn, usize)>,
    uncommitted_bytes: usize,
}

#[derive(Debug)]
struct Peer {
    node: NodeId,
    feeder: Feeder,
    applied: Option<Vlsn>,
    engine_durable: Option<Vlsn>,
}

impl Leading {
    fn new(term: Term, node: &Node, now: Time) -> Self {
        let window = node.config.window_bytes_max;
        let others = node.group.list.members().iter().filter(|member| member.id != node.me);
        let peer = |id| Peer { node: id, feeder: Feeder::new(window), applied: None, engine_durable: None };
        Self {
            term,
            rule: commit_rule(node),
            rounds: HeartbeatRounds::new(node.me, &node.group.electable, now),
            peers: others.map(|member| peer(member.id)).collect(),
            heartbeat_at: now,
            encoder: Encoder::new(node.log.chain),
            serving: false,
            trim_told: None,
            lease: Lease::default(),
            uncommitted: alloc::collections::VecDeque::new(),
            uncommitted_bytes: 0,
        }
    }

    pub(crate) const fn term(&self) -> Term {
        self.term
    }

    /// The term's first entry is committed and applied: writes and reads may be served.
    pub(crate) const fn is_serving(&self) -> bool {
        self.serving
    }

    /// The position of the term's first entry.
    pub(crate) const fn term_start(&self) -> Vlsn {
        self.rule.term_start()
    }

    pub(crate) fn deadline(&self, quorums: &Quorums, election_timeout: Duration) -> Time {
        let heartbeat_at = self.heartbeat_due_at(quorums);
        heartbeat_at.min(self.rounds.quorum_until(quorums, election_timeout))
    }

    /// When the next heartbeat is to be sent, for those who wait for it or since it is time.
    fn heartbeat_due_at(&self, quorums: &Quorums) -> Time {
        self.rounds.heartbeat_wanted_at(quorums).map_or(self.heartbeat_at, |at| at.min(self.heartbeat_at))
    }

    pub(crate) fn peers(&self) -> impl Iterator<Item = PeerProgress> + '_ {
        self.peers.iter().map(|peer| PeerProgress {
            node: peer.node,
            connected: peer.feeder.stream().is_some(),
            holds: peer.feeder.holds(),
            applied: peer.applied,
            engine_durable: peer.engine_durable,
            in_flight_bytes: peer.feeder.in_flight_bytes(),
        })
    }

    pub(crate) fn has_room(&self, applying: &Applying, config: &NodeConfig) -> bool {
        breaks!(config.mutation, NoBackpressure)
            || self.uncommitted_bytes < config.window_bytes_max
                && applying.in_flight_bytes() < config.apply_lag_bytes_max
    }

    /// What every electable node holds.
    pub(crate) fn held_by_all(&self, electable: &NodeSet, own: Holds) -> Holds {
        let replicas =
            self.peers.iter().filter(|peer| electable.contains(peer.node)).map(|peer| peer.feeder.holds());
        replicas.fold(own, |all, holds| Holds {
            written: all.written.min(holds.written),
            durable: all.durable.min(holds.durable),
        })
    }

    fn holds(&self, me: NodeId, electable: &NodeSet, own: Holds) -> Vec<(NodeId, Holds)> {
        let replicas = self.peers.iter().map(|peer| (peer.node, peer.feeder.holds()));
        replicas.chain([(me, own)]).filter(|(node, _)| electable.contains(*node)).collect()
    }

    fn peer(&mut self, node: NodeId) -> Option<&mut Peer> {
        self.peers.iter_mut().find(|peer| peer.node == node)
    }

    fn reachable(&self, me: NodeId) -> NodeSet {
        let fed = self.peers.iter().filter(|peer| peer.feeder.stream().is_some()).map(|peer| peer.node);
        fed.chain([me]).collect()
    }

    fn committed_through(&mut self, committed: Option<Vlsn>) {
        while let Some((last, bytes)) = self.uncommitted.front().copied()
            && Some(last) <= committed
        {
            self.uncommitted.pop_front();
            self.uncommitted_bytes -= bytes;
        }
    }

    /// Up to where every member's engine is durable: only when all have been heard from.
    fn trim(&self, own: Option<Vlsn>) -> Option<Vlsn> {
        self.peers.iter().map(|peer| peer.engine_durable).chain([own]).min().flatten()
    }
}

fn commit_rule(node: &Node) -> CommitRule {
    let (committed, last) = (node.applying.committed(), node.log.terms.last_vlsn());
    mistake!(node.config.mutation, OlderTermCommittedByCounting =>
        CommitRule::counting_older_terms(committed, last);
        CommitRule::new(Vlsn::after(last), committed))
}

impl Node {
    /// Appends proposals to the log: all or none. Returns the id of the first; the others follow it.
    ///
    /// # Errors
    /// [`ProposeError`]; nothing was appended.
    pub fn propose(
        &mut self,
        now: Time,
        timestamp_micros: u64,
        proposals: &[Proposal],
    ) -> Result<EntryId, ProposeError> {
        self.handle(now, crate::Input::Tick);
        let master = self.progress().master;
        let me = self.me;
        let Role::Leading(leading) = &mut self.role else { return Err(ProposeError::NotMaster { master }) };
        if !leading.serving {
            return Err(ProposeError::NotMaster { master: None });
        }
        if !leading.has_room(&self.applying, &self.config) {
            return Err(ProposeError::Busy);
        }
        let reachable = leading.reachable(me);
        check_replicas(proposals, &self.group.quorums, &reachable)?;
        let first = EntryId { term: leading.term, vlsn: Vlsn::after(self.log.terms.last_vlsn()) };
        leading.encoder.reserve(proposals.iter().map(|proposal| HEADER_BYTES + proposal.payload.len()).sum());
        for (proposal, offset) in proposals.iter().zip(0..) {
            let id = EntryId { term: first.term, vlsn: first.vlsn.advance(offset) };
            let requirement = proposal.durability.requirement();
            leading.encoder.push(id, EntryKind::Data, requirement, timestamp_micros, &proposal.payload);
        }
        if let Some(batch) = leading.encoder.finish() {
            self.counters.entries_proposed += batch.count() as u64;
            self.append_own(now, batch);
        }
        self.settle(now);
        Ok(first)
    }

    /// This node's nomination holds: it leads `term`.
    pub(crate) fn win(&mut self, now: Time, term: Term) {
        self.counters.wins += 1;
        self.fail_reads(ReadFailure::MasterChanged);
        if self.hard.recovering {
            // Every electable node has promised, and none holds more than this one: what it has is what there is.
            self.recovered();
        }
        let leading = Leading::new(term, self, now);
        let start =
            EntryId { term, vlsn: leading.rule.term_start().max(Vlsn::after(self.log.terms.last_vlsn())) };
        self.role = Role::Leading(Box::new(leading));
        let founding = self.roster().filter(|_| start.vlsn == Vlsn::FIRST).map(encode_roster);
        let Role::Leading(leading) = &mut self.role else { return };
        let payload = founding.as_deref().unwrap_or_default();
        let requirement = mistake!(self.config.mutation, StartNotSynced =>
            crate::mutation::mistakes::UNSYNCED;
            Requirement::SYNC);
        leading.encoder.push(start, EntryKind::TermStart, requirement, self.wall_clock_micros, payload);
        if let Some(batch) = leading.encoder.finish() {
            self.append_own(now, batch);
        }
        self.heartbeat_if_due(now);
    }

    fn append_own(&mut self, now: Time, batch: Batch) {
        let relaxed = batch.runs().iter().any(|run| !run.requirement.local_sync).then(|| batch.last().vlsn);
        if let Role::Leading(leading) = &mut self.role {
            leading.rule.appended(&batch);
            leading.uncommitted.push_back((batch.last().vlsn, batch.bytes()));
            leading.uncommitted_bytes += batch.bytes();
        }
        let sync = batch.needs_sync(true);
        self.append(now, batch, sync, relaxed);
    }

    pub(crate) fn step_down(&mut self, now: Time, event: Option<Event>) {
        if !self.is_leading() {
            return;
        }
        self.counters.step_downs += 1;
        self.release_lease();
        self.fail_reads(ReadFailure::MasterChanged);
        self.role = Role::Unknown;
        self.election.step_down(now);
        if let Some(event) = event {
            self.event(event);
        }
    }

    /// A master that a write quorum has not answered for an election timeout no longer leads.
    pub(crate) fn check_quorum(&mut self, now: Time) {
        if let Role::Leading(leading) = &self.role
            && now >= leading.rounds.quorum_until(&self.group.quorums, self.timing().election_timeout())
        {
            self.step_down(now, Some(Event::QuorumLost));
        }
    }

    /// Whether a write quorum has answered this master's heartbeats of late.
    pub(crate) fn is_followed(&self, now: Time) -> bool {
        let patience = self.timing().heartbeat_interval().saturating_mul(3);
        match &self.role {
            Role::Leading(leading) => now < leading.rounds.quorum_until(&self.group.quorums, patience),
            _ => false,
        }
    }

    /// Has the next heartbeat sent at once: a replica asks to be fed when it hears its master, and not before.
    pub(crate) fn hasten_heartbeat(&mut self, now: Time) {
        if let Role::Leading(leading) = &mut self.role {
            leading.heartbeat_at = now;
        }
    }

    pub(crate) fn heartbeat_if_due(&mut self, now: Time) {
        let committed = self.applying.committed();
        let own_durable = self.applying.engine_durable();
        let heartbeat_interval = self.timing().heartbeat_interval();
        let Role::Leading(leading) = &mut self.role else { return };
        if now < leading.heartbeat_due_at(&self.group.quorums) {
            return;
        }
        leading.heartbeat_at = now + heartbeat_interval;
        let (term, sequence) = (leading.term, leading.rounds.next(now));
        let lease = leading.lease.asks_for(now, self.config.lease);
        let trim = mistake!(self.config.mutation, TrimWithoutAll => own_durable; leading.trim(own_durable));
        let beat = |peer: &Peer| {
            let (stream, sent) = (peer.feeder.stream(), peer.feeder.sent());
            let sent = sent.filter(|_| stream.is_some());
            let round_trip = self.election.round_trip_for(peer.node);
            (peer.node, Heartbeat { term, sequence, committed, stream, sent, trim, lease, round_trip })
        };
        let beats: Vec<(NodeId, Heartbeat)> = leading.peers.iter().map(beat).collect();
        let trims = trim > leading.trim_told;
        leading.trim_told = leading.trim_told.max(trim);
        self.counters.heartbeats_sent += beats.len() as u64;
        for (to, heartbeat) in beats {
            self.send(to, Message::Heartbeat(heartbeat));
        }
        if let Some(through) = trim.filter(|_| trims) {
            self.trim_log(through);
        }
    }

    /// Lets the log drop what no member needs any more.
    pub(crate) fn trim_log(&mut self, through: Vlsn) {
        let through = self.applying.engine_durable().min(Some(through));
        if let Some(through) = through
            && Some(through) > self.log.terms.base().map(|base| base.vlsn)
        {
            self.push(Output::Trim { through });
        }
    }

    pub(crate) fn receive_heartbeat_reply(&mut self, now: Time, from: NodeId, reply: &HeartbeatReply) {
        self.count_grant(now, from, reply);
        let Role::Leading(leading) = &mut self.role else { return };
        if reply.term != leading.term {
            return;
        }
        let sent_at = leading.rounds.sent_at(reply.sequence);
        leading.rounds.answered(from, reply.sequence);
        if let Some(peer) = leading.peer(from) {
            peer.applied = peer.applied.max(reply.applied);
            peer.engine_durable = peer.engine_durable.max(reply.engine_durable);
        }
        if let Some(sent_at) = sent_at {
            let (electable, quorums) = (&self.group.electable, &self.group.quorums);
            self.election.answered(electable, quorums, from, now.since(sent_at));
        }
    }

    pub(crate) fn receive_syncup(
        &mut self,
        now: Time,
        from: NodeId,
        term: Term,
        stream: StreamId,
        table: &TermTable,
    ) {
        if !self.accept(now, from, term) {
            return;
        }
        let Role::Leading(leading) = &mut self.role else { return };
        if leading.term != term {
            return;
        }
        let answer = mistake!(self.config.mutation, MatchpointByPosition =>
            crate::mutation::mistakes::matchpoint_by_position(&self.log.terms, table);
            syncup_answer(&self.log.terms, table));
        let written = self.log.written;
        let Some(peer) = leading.peer(from) else { return };
        // Streams are numbered upwards: a late copy of an earlier request must not rewind what is fed.
        if peer.feeder.stream() >= Some(stream) {
            return;
        }
        match answer {
            SyncupAnswer::Matchpoint(matchpoint) => peer.feeder.begin(stream, matchpoint),
            SyncupAnswer::Trimmed { .. } => peer.feeder.end(),
        }
        let reply = StreamMessage::SyncupReply { term, stream, answer, written };
        self.send(from, Message::Stream(reply));
    }

    pub(crate) fn receive_ack(
        &mut self,
        from: NodeId,
        term: Term,
        stream: StreamId,
        holds: Holds,
        counts: bool,
    ) {
        let Role::Leading(leading) = &mut self.role else { return };
        let counts_any = breaks!(self.config.mutation, StaleAcknowledgementCounts);
        if leading.term != term && !counts_any {
            self.counters.refused_by_term += 1;
            return;
        }
        let Some(peer) = leading.peer(from) else { return };
        let stream = peer.feeder.stream().filter(|_| counts_any).unwrap_or(stream);
        if peer.feeder.acknowledged(stream, holds, counts) {
            self.counters.acks_received += 1;
        }
    }

    /// A link to a peer is gone: what was sent on it may be lost, and so a new stream must begin.
    pub(crate) fn end_feeding(&mut self, node: NodeId, service: Service) {
        if let Role::Leading(leading) = &mut self.role
            && service == Service::Stream
            && let Some(peer) = leading.peer(node)
        {
            peer.feeder.end();
        }
    }

    /// Sends what the windows allow, and news of the commit point where no frames carry it.
    pub(crate) fn feed(&mut self) {
        let Role::Leading(leading) = &mut self.role else { return };
        let (term, end) = (leading.term, self.log.terms.last_vlsn());
        let committed = self.applying.committed();
        let mut outputs = Vec::new();
        for peer in &mut leading.peers {
            while let (Some(wanted), Some(end)) = (peer.feeder.wants(end), end)
                && let Some(stream) = peer.feeder.stream()
            {
                let bytes_max = wanted.bytes_max.min(self.config.batch_bytes_max);
                let Some(batch) = self.log.tail.read(wanted.from, end, bytes_max) else {
                    let Some(through) = self.log.written.filter(|written| *written >= wanted.from) else {
                        break;
                    };
                    peer.feeder.read_began();
                    self.counters.log_reads += 1;
                    let reader = LogReadFor::Feeder { node: peer.node, stream };
                    outputs.push(Output::ReadLog { reader, from: wanted.from, through, bytes_max });
                    break;
                };
                self.counters.entries_fed += batch.count() as u64;
                self.counters.bytes_fed += batch.bytes() as u64;
                outputs.push(append_to(peer, term, stream, committed, &batch));
            }
            if let (Some(committed), Some(stream)) =
                (peer.feeder.untold_commit(committed), peer.feeder.stream())
                && peer.feeder.in_flight_bytes() == 0
            {
                peer.feeder.told_commit(Some(committed));
                let news = StreamMessage::Append {
                    term,
                    stream,
                    committed: Some(committed),
                    first: None,
                    frames: Default::default(),
                };
                outputs.push(Output::Send { to: peer.node, message: Message::Stream(news) });
            }
        }
        for output in outputs {
            self.push(output);
        }
    }

    pub(crate) fn feeder_read(&mut self, node: NodeId, stream: StreamId, result: Result<Batch, LogError>) {
        let committed = self.applying.committed();
        let Role::Leading(leading) = &mut self.role else { return };
        let term = leading.term;
        let Some(peer) = leading.peer(node) else { return };
        if !peer.feeder.read_ended(stream) {
            return;
        }
        match result {
            Ok(batch) if peer.feeder.sent() == batch.first().previous() => {
                let output = append_to(peer, term, stream, committed, &batch);
                self.counters.entries_fed += batch.count() as u64;
                self.counters.bytes_fed += batch.bytes() as u64;
                self.push(output);
            }
            // What the replica needs cannot be read here: its next syncup tells it what there is.
            Ok(_) | Err(_) => peer.feeder.end(),
        }
    }

    pub(crate) fn advance_commit(&mut self, now: Time) {
        let own = mistake!(self.config.mutation, OwnCopyCountsUnsynced =>
            Holds { written: self.log.written, durable: self.log.written };
            self.log.own_holds());
        let Role::Leading(leading) = &mut self.role else { return };
        let holds = leading.holds(self.me, &self.group.electable, own);
        let quorums = &self.group.quorums;
        let counts_unsynced = self.log.counts_unsynced();
        let advanced = leading.rule.advance(self.me, &holds, |positions| {
            mistake!(self.config.mutation, HalfTakenForMajority =>
                crate::mutation::mistakes::position_of_half(positions);
                quorum_position(quorums, positions))
        });
        if advanced.is_some() && counts_unsynced {
            self.mark_unsynced();
        }
        let Role::Leading(leading) = &mut self.role else { return };
        let committed = leading.rule.committed().min(self.log.written);
        leading.committed_through(committed);
        let term_start = leading.rule.term_start();
        self.applying.commit(committed);
        let applied = self.applying.applied_within_committed();
        if !leading.serving && applied >= Some(term_start) {
            leading.serving = true;
            self.hasten_heartbeat(now);
        }
    }
}

/// Whether enough replicas are connected for every proposal's acknowledgements.
fn check_replicas(
    proposals: &[Proposal],
    quorums: &Quorums,
    reachable: &NodeSet,
) -> Result<(), ProposeError> {
    for policy in [ReplicaAckPolicy::SimpleMajority, ReplicaAckPolicy::All] {
        if proposals.iter().any(|proposal| proposal.durability.acks == policy) {
            acks_possible(policy, quorums, reachable).map_err(|Shortfall { needed, available }| {
                ProposeError::InsufficientReplicas { needed, available }
            })?;
        }
    }
    Ok(())
}

fn append_to(
    peer: &mut Peer,
    term: Term,
    stream: StreamId,
    committed: Option<Vlsn>,
    batch: &Batch,
) -> Output {
    peer.feeder.sent_through(batch.last().vlsn, batch.bytes(), committed);
    let (first, frames) = (Some(batch.first()), batch.frames().clone());
    let message = StreamMessage::Append { term, stream, committed, first, frames };
    Output::Send { to: peer.node, message: Message::Stream(message) }
}
