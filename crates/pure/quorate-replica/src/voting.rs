//! The node's part in elections: what it shows, and what comes of what it promises.

use crate::node::{Node, Role};
use crate::{Event, Message};
use quorate_core::{EntryId, NodeId, Term, Time};
use quorate_election::{Election, ElectionMessage, Standing};

impl Node {
    pub(crate) fn receive_election(&mut self, now: Time, from: NodeId, message: ElectionMessage) {
        if let ElectionMessage::Refusal { promised, .. } = &message {
            let promised = *promised;
            if self.led_term().is_some_and(|term| term < promised) {
                return self.refused_as_master(now, promised);
            }
        }
        self.with_election(now, |election, standing| election.receive(now, standing, from, message));
    }

    /// Somebody has promised more and will not follow this term. If a write quorum still does, the higher ballot has elected nobody, and only a yet
    /// higher one brings that voter back: it is proposed at once. Else somebody else may lead, and is not disturbed.
    fn refused_as_master(&mut self, now: Time, promised: Term) {
        self.election.saw(promised);
        let is_followed = self.is_followed(now);
        self.step_down(now, Some(Event::Deposed { promised }));
        if is_followed {
            self.call_ballot(now);
        }
    }

    /// Runs `act` on the election and carries out what comes of it.
    pub(crate) fn with_election(&mut self, now: Time, act: impl FnOnce(&mut Election, &Standing<'_>)) {
        let reachable = self.links.control().iter().chain([self.me]).collect();
        let standing = Standing {
            electable: &self.group.electable,
            quorums: &self.group.quorums,
            rank: self.rank(),
            priority: self.group.list.member(self.me).map_or(1, |member| member.priority),
            reaches_write_quorum: quorate_core::QuorumSystem::is_write_quorum(
                &self.group.quorums,
                &reachable,
            ),
            recovering: self.hard.recovering,
            damaged: self.repairing.is_damaged() || self.log.is_truncating(),
            founded: self.is_founder(),
        };
        act(&mut self.election, &standing);
        self.drain_election(now);
    }

    /// What a promise tells of this log: everything handed to the log writer, since an acknowledgement of it may follow.
    fn rank(&self) -> Option<EntryId> {
        mistake!(self.config.mutation, AcknowledgedAfterPromise =>
            crate::mutation::mistakes::entry_at(&self.log.terms, self.log.written);
            self.log.terms.last())
    }

    fn drain_election(&mut self, now: Time) {
        use quorate_election::{ElectionEvent, Output as Effect};
        let mut stored_last = None;
        while let Some(effect) = self.election.poll() {
            match effect {
                Effect::Persist { promised } if breaks!(self.config.mutation, PromiseSentFirst) => {
                    stored_last = Some(promised);
                }
                Effect::Persist { promised } => self.store_promise(promised),
                Effect::Send { to, message } => self.send(to, Message::Election(message)),
                Effect::Win { term } => self.win(now, term),
                Effect::Event(event) => {
                    match event {
                        ElectionEvent::CanvassBegan => self.counters.canvasses += 1,
                        ElectionEvent::BallotBegan { .. } => self.counters.ballots += 1,
                        ElectionEvent::Nominated { .. } | ElectionEvent::NoBallotLeft { .. } => {}
                    }
                    self.event(Event::Election(event));
                }
            }
        }
        if let Some(promised) = stored_last {
            self.store_promise(promised);
        }
        self.leave_role_below_promise(now);
    }

    /// Accepts something of the master of `term`, or tells `from` what forbids it.
    pub(crate) fn accept(&mut self, now: Time, from: NodeId, term: Term) -> bool {
        match self.election.accept(term) {
            Ok(()) => {
                self.drain_election(now);
                true
            }
            Err(promised) => {
                self.counters.refused_by_term += 1;
                self.send(from, Message::Election(ElectionMessage::Refusal { refused: term, promised }));
                false
            }
        }
    }

    fn store_promise(&mut self, promised: Term) {
        self.hard.promised = promised;
        if self.hard.roster.is_none() {
            self.hard.roster = self.founding.formed().cloned();
            self.founded();
        }
        if !breaks!(self.config.mutation, PromiseNotStored) {
            self.store_hard_state();
        }
    }

    fn leave_role_below_promise(&mut self, now: Time) {
        let promised = self.election.promised();
        match &self.role {
            Role::Leading(leading) if leading.term() < promised => {
                self.step_down(now, Some(Event::Deposed { promised }));
            }
            Role::Following(following) if following.term() < promised => self.unfollow(),
            _ => {}
        }
    }
}
