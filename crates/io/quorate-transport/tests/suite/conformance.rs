//! Both transports do what every transport must.

use crate::common;

use quorate_core::conformance::transport::{self, Network};
use quorate_core::{Compression, Inbox, MemberList, NodeId, Transport};
use quorate_transport::{InMemoryNetwork, ListenerConfig, TcpConfig, TcpTransport};
use std::sync::Arc;

struct InMemory {
    network: InMemoryNetwork,
    members: MemberList,
}

impl Network for InMemory {
    fn members(&self) -> MemberList {
        self.members.clone()
    }

    fn start(&self, me: NodeId, inbox: Arc<dyn Inbox>) -> Arc<dyn Transport> {
        Arc::new(self.network.start(me, self.members.clone(), inbox).unwrap())
    }
}

struct Tcp {
    members: MemberList,
    compression: Compression,
}

impl Network for Tcp {
    fn members(&self) -> MemberList {
        self.members.clone()
    }

    fn start(&self, me: NodeId, inbox: Arc<dyn Inbox>) -> Arc<dyn Transport> {
        let port = ListenerConfig::new(self.members.member(me).unwrap().address.clone());
        let config = TcpConfig { compression: self.compression, ..TcpConfig::new(me, self.members.clone()) };
        Arc::new(TcpTransport::start(&port, config, inbox).unwrap())
    }
}

#[test]
fn the_in_memory_transport_conforms() {
    transport::suite(|| InMemory {
        network: InMemoryNetwork::new().unwrap(),
        members: common::three_members(),
    });
}

#[test]
fn the_tcp_transport_conforms() {
    transport::suite(|| Tcp { members: common::three_members(), compression: Compression::None });
}

#[test]
fn the_tcp_transport_conforms_when_it_compresses() {
    transport::suite(|| Tcp { members: common::three_members(), compression: Compression::Lz4 });
}
