//! Members at free ports of this machine.

use quorate_core::{Member, MemberList, NodeId, NodeType, QuorumRule};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

/// Electable members of these names and addresses.
pub fn members(declared: &[(&str, String)]) -> MemberList {
    let member = |(name, address): &(&str, String)| Member {
        id: NodeId::default(),
        name: (*name).into(),
        address: address.clone(),
        node_type: NodeType::Electable,
        priority: 1,
    };
    MemberList::found(declared.iter().map(member).collect(), QuorumRule::SimpleMajority).unwrap()
}

/// The members a, b and c at free ports.
pub fn three_members() -> MemberList {
    members(&["a", "b", "c"].map(|name| (name, free_address(Ipv4Addr::LOCALHOST.into()))))
}

/// An address with a port at which nobody listens.
///
/// The port lies below those that the operating system gives to outgoing connections, so none of them takes it meanwhile; tests that
/// run in other processes begin to look elsewhere.
pub fn free_address(host: IpAddr) -> String {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let number = process::id().wrapping_mul(61) + u32::from(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = 10_000 + (number % 20_000) as u16;
        if let Ok(listener) = TcpListener::bind((host, port)) {
            return listener.local_addr().unwrap().to_string();
        }
    }
}
