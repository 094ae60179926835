//! Writes that a replica passes on to its master, from both ends.

use super::{ACK_TIMEOUT, Effects, Process, Stop};
use crate::checker::{Checker, Violation};
use crate::operation::{Asker, OperationId, Reply, Write, WriteTicket};
use bytes::Bytes;
use quorate_codec::ReadSet;
use quorate_core::{NodeId, NodeState, Service, Time, Vlsn};
use quorate_env::{CommitResult, WriteError, forward_outcome};
use quorate_replica::{ForwardedWrite, Input, Proposal, ProposeError, RequestId};
use std::time::Duration;

/// How long a master that leads no more may take to say what became of a write.
pub(super) const FORWARDING_PATIENCE: Duration = Duration::from_secs(1);

/// A write that somebody asks for.
pub(super) struct Asked {
    pub(super) ticket: WriteTicket,
    pub(super) proposal: Proposal,
    /// What it depends on, encoded; empty if on nothing.
    pub(super) reads: Bytes,
    pub(super) timeout: Duration,
}

impl Asked {
    pub(super) fn by_client(write: &Write) -> Self {
        Self {
            ticket: WriteTicket { asker: Asker::Client(write.id), durability: write.durability },
            proposal: Proposal { payload: write.payload().into(), durability: write.durability },
            reads: write.reads().map(ReadSet::encode).unwrap_or_default().into(),
            timeout: ACK_TIMEOUT,
        }
    }

    fn by_replica(node: NodeId, asked: ForwardedWrite) -> Self {
        let ForwardedWrite { request, payload, reads, durability, timeout } = asked;
        Self {
            ticket: WriteTicket { asker: Asker::Replica { node, request }, durability },
            proposal: Proposal { payload, durability },
            reads,
            timeout: timeout.min(ACK_TIMEOUT),
        }
    }
}

impl Process {
    /// Where clients' writes go at present, if that is another node.
    pub(super) fn forward_target(&self) -> Option<NodeId> {
        if !self.forwards_writes {
            return None;
        }
        let progress = self.node.progress();
        progress.master.filter(|_| progress.state == NodeState::Replica)
    }

    /// Passes clients' writes on, each by itself, as far as there is room; the others may be sent again.
    pub(super) fn forward(&mut self, now: Time, master: NodeId, asked: Vec<Asked>, effects: &mut Effects) {
        for Asked { ticket, proposal, reads, timeout } in asked {
            let Asker::Client(id) = ticket.asker else { continue };
            let bytes = proposal.payload.len() + reads.len();
            if !self.node.is_linked(master) || !self.forwards.reserve(bytes) {
                self.tell(ticket.asker, Err(WriteError::Busy), effects);
                continue;
            }
            // The master's answer, which names the entry, comes before the caller is told that nobody knows.
            match self.node.forward(now, proposal, reads, timeout - timeout / 8) {
                Some((to, request)) => {
                    self.forwards.begin(request, to, bytes, now + timeout, id);
                    effects.forwarded += 1;
                }
                None => {
                    self.forwards.release(bytes);
                    self.tell(ticket.asker, Err(WriteError::NotMaster { master: None }), effects);
                }
            }
        }
    }

    /// A write could not be sent: whom to tell, and what.
    pub(crate) fn forward_dropped(&mut self, request: RequestId) -> Option<(OperationId, Reply)> {
        let id = self.forwards.unsent(request)?;
        Some((id, Reply::of(Err(WriteError::Busy), None)))
    }

    /// What was passed on over a link that is lost will not be answered.
    pub(super) fn forward_link_lost(
        &mut self,
        peer: NodeId,
        checker: &mut Checker,
        effects: &mut Effects,
    ) -> Result<(), Violation> {
        let lost = self.forwards.lost(peer);
        self.tell_own(lost, checker, effects)
    }

    /// Proposes what replicas ask for, each by itself.
    pub(super) fn propose_asked(
        &mut self,
        now: Time,
        checker: &mut Checker,
        effects: &mut Effects,
    ) -> Result<(), Stop> {
        while let Some((node, asked)) = self.asked.pop_front() {
            self.propose(now, &[Asked::by_replica(node, asked)], checker, effects)?;
            self.drain(now, checker, effects)?;
        }
        Ok(())
    }

    /// The node that was asked has answered.
    pub(super) fn write_answered(
        &mut self,
        from: NodeId,
        request: RequestId,
        outcome: Bytes,
        checker: &mut Checker,
        effects: &mut Effects,
    ) -> Result<(), Violation> {
        let Some(group) = self.group() else { return Ok(()) };
        let answered = self.forwards.answered(from, request, forward_outcome::decode(outcome, group));
        self.tell_own(answered, checker, effects)
    }

    /// Answers those whose writes are applied here by now, and those whose time is over.
    pub(super) fn settle_forwards(
        &mut self,
        now: Time,
        applied: Option<Vlsn>,
        checker: &mut Checker,
        effects: &mut Effects,
    ) -> Result<(), Violation> {
        if self.forwards.is_empty() {
            return Ok(());
        }
        let done = self.forwards.applied(applied);
        self.tell_own(done, checker, effects)?;
        let expired = self.forwards.expire(now);
        self.tell_own(expired, checker, effects)
    }

    /// Tells clients what became of writes that were passed on for them.
    fn tell_own(
        &mut self,
        decided: impl IntoIterator<Item = (OperationId, CommitResult)>,
        checker: &mut Checker,
        effects: &mut Effects,
    ) -> Result<(), Violation> {
        for (id, result) in decided {
            checker.forward_answered(self.me, &result)?;
            self.tell(Asker::Client(id), result, effects);
        }
        Ok(())
    }

    /// Tells whoever asked for a write what became of it.
    pub(super) fn tell(&mut self, asker: Asker, result: CommitResult, effects: &mut Effects) {
        match asker {
            Asker::Client(id) => {
                let is_refused = matches!(result, Err(WriteError::NotMaster { .. }));
                let master = is_refused.then(|| self.node.progress().master).flatten();
                effects.replies.push((id, Reply::of(result, master)));
            }
            Asker::Replica { node, request } => {
                self.node.answer_write(node, request, forward_outcome::encode(result));
                self.has_answered = true;
            }
        }
    }
}

/// The node whose link for streams is lost by this.
pub(super) const fn lost_stream(input: &Input) -> Option<NodeId> {
    match input {
        Input::PeerDown { node, service: Service::Stream, .. } => Some(*node),
        _ => None,
    }
}

/// What a caller is told whose write the node does not take. Who leads is said by whoever tells it.
pub(super) const fn refusal(error: ProposeError) -> WriteError {
    match error {
        ProposeError::NotMaster { .. } => WriteError::NotMaster { master: None },
        ProposeError::InsufficientReplicas { needed, available } => {
            WriteError::InsufficientReplicas { needed, available }
        }
        ProposeError::Busy => WriteError::Busy,
    }
}
