//! Writes that replicas pass on to their master. The node names them and says who leads; what they hold and
//! what becomes of them is the shell's affair.

use crate::messages::{ForwardedWrite, Message, RequestId};
use crate::node::Node;
use crate::{Output, Proposal};
use bytes::Bytes;
use core::time::Duration;
use quorate_core::{NodeId, Time};

/// Numbers of one run of the process fit below this bit; the run's own number stands above it.
const RUN_SHIFT: u32 = 40;

/// How many writes this run has passed on.
#[derive(Debug, Default)]
pub(crate) struct Forwarding {
    sent: u64,
}

impl Node {
    /// Passes a write on to the master that this node follows, and says who that is and how the write is
    /// named. It is answered by [`Output::WriteAnswered`]; if that does not come, nobody can say what became
    /// of it. `None` if this node follows nobody: then nothing was sent.
    pub fn forward(
        &mut self,
        now: Time,
        proposal: Proposal,
        reads: Bytes,
        timeout: Duration,
    ) -> Option<(NodeId, RequestId)> {
        self.handle(now, crate::Input::Tick);
        let master = self.followed_master()?;
        self.forwarding.sent += 1;
        let request = RequestId(self.numbered(self.forwarding.sent));
        let Proposal { payload, durability } = proposal;
        self.send(master, Message::Forward(ForwardedWrite { request, payload, reads, durability, timeout }));
        Some((master, request))
    }

    /// Answers a write of [`Output::WriteAsked`].
    pub fn answer_write(&mut self, to: NodeId, request: RequestId, outcome: Bytes) {
        self.send(to, Message::ForwardReply { request, outcome });
    }

    /// This node was elected, and takes proposals once the first entry of its term is committed and applied.
    #[must_use]
    pub fn is_taking_office(&self) -> bool {
        self.is_leading() && self.progress().state != quorate_core::NodeState::Master
    }

    /// Both links to a peer stand.
    #[must_use]
    pub fn is_linked(&self, peer: NodeId) -> bool {
        self.links.stand(peer)
    }

    pub(crate) fn receive_forward(&mut self, from: NodeId, write: ForwardedWrite) {
        self.push(Output::WriteAsked { from, write });
    }

    pub(crate) fn receive_forward_reply(&mut self, from: NodeId, request: RequestId, outcome: Bytes) {
        self.push(Output::WriteAnswered { from, request, outcome });
    }

    /// A number that no other run of this node's process gives to anything.
    pub(crate) const fn numbered(&self, number: u64) -> u64 {
        self.hard.open_count << RUN_SHIFT | number
    }

    /// What this run of the process has numbered so; `None` if it was another run.
    pub(crate) const fn number_of(&self, numbered: u64) -> Option<u64> {
        let number = numbered & ((1 << RUN_SHIFT) - 1);
        if self.numbered(number) == numbered { Some(number) } else { None }
    }
}
