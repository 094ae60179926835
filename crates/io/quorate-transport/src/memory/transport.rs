use super::hub::{EndpointNumber, Hub};
use quorate_core::{NodeId, Packet, SendError, Service, Transport};
use std::sync::Arc;

/// One node's links in an [`InMemoryNetwork`](super::InMemoryNetwork).
pub struct InMemoryTransport {
    hub: Arc<Hub>,
    endpoint: EndpointNumber,
}

impl InMemoryTransport {
    pub(crate) fn new(hub: Arc<Hub>, endpoint: EndpointNumber) -> Self {
        Self { hub, endpoint }
    }
}

impl Transport for InMemoryTransport {
    fn send(&self, to: NodeId, service: Service, packet: Packet) -> Result<(), SendError> {
        self.hub.send(self.endpoint, to, service, packet)
    }

    /// Called from within the inbox it returns at once, and the inbox hears nothing more once that call has
    /// returned.
    fn close(&self) {
        self.hub.close(self.endpoint);
    }
}

impl Drop for InMemoryTransport {
    fn drop(&mut self) {
        self.close();
    }
}
