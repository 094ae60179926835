//! Leases: for how long a master may answer linearizable reads without asking anybody.
//!
//! A lease is asked for in heartbeats, granted in their answers, and holds while grants of a write quorum run. It is asked for only while somebody reads: a
//! lease stands in the way of the next election, and one that nobody needs any more runs out.

use crate::leading::Leading;
use crate::messages::{HeartbeatReply, Message};
use crate::node::{Node, Role};
use crate::{LeaseTerms, NodeConfig};
use alloc::vec::Vec;
use core::time::Duration;
use quorate_core::{NodeId, Term, Time};

/// What a master wants of leases in one term.
#[derive(Debug, Default)]
pub(crate) struct Lease {
    /// Until when heartbeats ask for it.
    wanted_until: Time,
    /// Some heartbeat of this term has asked for it.
    was_asked_for: bool,
    /// From when it counts: a write quorum has granted what heartbeats asked for that were sent then or later.
    from: Option<Time>,
}

impl Lease {
    /// Somebody reads: the lease is to be had for one length more.
    pub(crate) fn want(&mut self, now: Time, terms: Option<LeaseTerms>) {
        if let Some(terms) = terms {
            self.wanted_until = self.wanted_until.max(now + terms.span);
        }
    }

    /// What a heartbeat that is sent now asks for.
    pub(crate) fn asks_for(&mut self, now: Time, terms: Option<LeaseTerms>) -> Option<Duration> {
        let span = terms.filter(|_| now < self.wanted_until).map(|terms| terms.span);
        self.was_asked_for |= span.is_some();
        span
    }
}

impl Leading {
    /// Until when the lease holds; `None` if a write quorum has granted none in this term.
    fn leased_until(&self, config: &NodeConfig) -> Option<Time> {
        let terms = config.lease?;
        let held = mistake!(config.mutation, LeaseWithoutMargin => terms.span; terms.held());
        Some(self.lease.from? + held)
    }

    /// Whether the lease holds now: no other node leads.
    pub(crate) fn is_leased(&self, now: Time, config: &NodeConfig) -> bool {
        self.leased_until(config).is_some_and(|until| now < until)
    }
}

impl Node {
    /// Until when whatever this node's engine holds may be read as a linearizable read, without asking the node; `None` if it may not.
    ///
    /// It may while the node serves as master under a lease, and has applied everything that it knows to be committed. The answer stands until
    /// the node is given its next input, and must be taken back before anything is carried out that the node asks for then: by that others could
    /// learn of a commit which is not applied here, or a promise be made that lets somebody else lead.
    #[must_use]
    pub fn readable_until(&self) -> Option<Time> {
        let Role::Leading(leading) = &self.role else { return None };
        let is_current = self.applying.applied_within_committed() == self.applying.committed();
        let is_readable = leading.is_serving() && is_current && !self.is_halted();
        leading.leased_until(&self.config).filter(|_| is_readable)
    }

    /// Somebody has read by [`readable_until`](Self::readable_until): the lease is still wanted.
    pub fn want_lease(&mut self, now: Time) {
        if let Role::Leading(leading) = &mut self.role {
            leading.lease.want(now, self.config.lease);
        }
    }

    /// Releases the lease, if this node has asked for one: for a node that is about to end, so that the others need not wait for the lease's end
    /// before they elect another master. It ceases to lead.
    pub fn end_lease(&mut self, now: Time) {
        if let Role::Leading(leading) = &self.role
            && leading.lease.was_asked_for
        {
            self.step_down(now, None);
            self.settle(now);
        }
    }

    /// Grants the master a lease, once it is durable that leases are granted at all: a process that starts anew promises nothing for as long as
    /// the one before may have granted.
    pub(crate) fn grant_lease(&mut self, now: Time, term: Term, sequence: u64, span: Duration) -> bool {
        let is_granted = self.election.grant(now, term, sequence, span);
        if is_granted && span > self.hard.lease_granted {
            self.hard.lease_granted = span;
            self.store_hard_state();
        }
        is_granted
    }

    /// A grant counts from when the heartbeat was sent that asked for it, and in its own term only: the heartbeats of each are numbered anew.
    pub(crate) fn count_grant(&mut self, now: Time, from: NodeId, reply: &HeartbeatReply) {
        let Role::Leading(leading) = &mut self.role else { return };
        let counts = mistake!(self.config.mutation, GrantOfAnotherTermCounts =>
            true;
            reply.term == leading.term());
        if let Some(sent_at) = leading.rounds.sent_at(reply.sequence).filter(|_| counts && reply.granted) {
            let age =
                mistake!(self.config.mutation, LeaseCountedFromAnswer => Duration::ZERO; now.since(sent_at));
            leading.rounds.granted(from, now - age);
            leading.lease.from = leading.rounds.leased_from(&self.group.quorums);
        }
    }

    /// This node ceases to lead: whoever granted it a lease waits no longer. No heartbeat of this term asks again.
    pub(crate) fn release_lease(&mut self) {
        let Role::Leading(leading) = &self.role else { return };
        if !leading.lease.was_asked_for {
            return;
        }
        let (term, sequence) = (leading.term(), leading.rounds.sent());
        let others: Vec<NodeId> = leading.peers().map(|peer| peer.node).collect();
        for to in others {
            self.send(to, Message::LeaseRelease { term, sequence });
        }
    }
}
