use super::dispatcher;
use super::hub::{Endpoint, Hub};
use super::transport::InMemoryTransport;
use crate::TransportError;
use quorate_core::{Inbox, MemberList, NodeId};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A network within one process: nodes find each other by the addresses in their member lists, which are mere
/// names here.
///
/// Nodes introduce themselves as they do over TCP. One thread delivers everything, never the thread that
/// sends. The network can be partitioned and slowed down, and nodes can be killed and started again.
///
/// Dropping the network ends all of its links.
pub struct InMemoryNetwork {
    hub: Arc<Hub>,
    dispatcher: Option<JoinHandle<()>>,
}

impl InMemoryNetwork {
    /// An empty network.
    ///
    /// # Errors
    /// [`TransportError::Io`] if its thread cannot be started.
    pub fn new() -> Result<Self, TransportError> {
        let hub = Arc::new(Hub::default());
        let running = hub.clone();
        let dispatcher = thread::Builder::new()
            .name("quorate-memory".into())
            .spawn(move || dispatcher::run(&running))
            .map_err(|source| TransportError::Io { operation: "starting the network thread", source })?;
        Ok(Self { hub, dispatcher: Some(dispatcher) })
    }

    /// Starts the node `me` of `members`, at the address that they declare for it. A node that was closed or
    /// killed can be started again.
    ///
    /// # Errors
    /// [`TransportError::NotAMember`]; [`TransportError::AddressInUse`] if a node runs at that address.
    pub fn start(
        &self,
        me: NodeId,
        members: MemberList,
        inbox: Arc<dyn Inbox>,
    ) -> Result<InMemoryTransport, TransportError> {
        let member = members.member(me).ok_or(TransportError::NotAMember { me })?;
        let endpoint =
            Endpoint { me, address: member.address.clone(), members, acquaintances: Arc::default(), inbox };
        let number = self.hub.start(endpoint)?;
        Ok(InMemoryTransport::new(self.hub.clone(), number))
    }

    /// Cuts two nodes off from each other, both ways.
    ///
    /// Nobody is told. What is sent is lost, and what is under way too; attempts to open a link time out.
    /// Links that were cut end when they are healed, so that no link ever lacks a packet in its middle.
    pub fn partition(&self, a: NodeId, b: NodeId) {
        self.partition_one_way(a, b);
        self.partition_one_way(b, a);
    }

    /// Cuts the way of packets from one node to another, and not the way back. A link cannot be opened in
    /// either direction.
    pub fn partition_one_way(&self, from: NodeId, to: NodeId) {
        self.hub.cut(from, to);
    }

    /// Ends all partitions.
    pub fn heal(&self) {
        self.hub.heal();
    }

    /// Ends a node as the death of its process would: its inbox hears nothing more, and the others learn that
    /// nobody answers at its address.
    pub fn kill(&self, node: NodeId) {
        self.hub.kill(node);
    }

    /// Lets every packet from one node to another take this long from now on. Links stay in order. At first
    /// it is nothing.
    pub fn set_delay(&self, from: NodeId, to: NodeId, delay: Duration) {
        self.hub.set_delay(from, to, delay);
    }
}

impl Drop for InMemoryNetwork {
    fn drop(&mut self) {
        self.hub.shut_down();
        if let Some(dispatcher) = self.dispatcher.take()
            && dispatcher.thread().id() != thread::current().id()
            && dispatcher.join().is_err()
        {
            tracing::error!("the network thread had panicked");
        }
    }
}
