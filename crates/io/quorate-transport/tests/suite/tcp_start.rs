//! Starting and closing a transport over TCP: where, from where, and what is refused.

use crate::common::{TcpNode, free_address, members, packet, recorder, three_members, wait_until};
use quorate_core::{
    Admission, Hello, Inbox, MemberList, NodeId, Packet, PeerEvent, SendError, Service, Transport,
};
use quorate_transport::{ListenerConfig, TcpConfig, TcpTransport, TransportError};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

fn start(
    members: &MemberList,
    change: impl FnOnce(&mut ListenerConfig, &mut TcpConfig),
) -> Result<TcpTransport, TransportError> {
    let mut port = ListenerConfig::new("127.0.0.1:0");
    let mut config = TcpConfig::new(NodeId::new(1), members.clone());
    change(&mut port, &mut config);
    TcpTransport::start(&port, config, recorder(members, "a").0)
}

#[test]
fn port_0_takes_any_free_port_and_says_which() {
    let members = three_members();
    let (one, other) = (start(&members, |_, _| {}).unwrap(), start(&members, |_, _| {}).unwrap());
    assert_ne!(one.local_address().port(), 0);
    assert_ne!(one.local_address(), other.local_address());
}

#[test]
fn an_address_open_to_anybody_is_refused_unless_asked_for_in_so_many_words() {
    let members = three_members();
    for open in ["0.0.0.0:0", "[::]:0"] {
        let refused = start(&members, |port, _| port.address = open.into());
        let Err(error @ TransportError::NotLoopback { .. }) = refused else { panic!("{open} was taken") };
        assert!(error.to_string().contains("open this node to anybody"), "{error}");
    }
    start(&members, |port, _| {
        port.address = "0.0.0.0:0".into();
        port.insecure_no_auth = true;
    })
    .unwrap();
}

#[test]
fn an_address_in_use_is_named() {
    let members = three_members();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = (taken.local_addr().unwrap().to_string(), taken);
    let refused = start(&members, |port, _| port.address = taken.0.clone());
    assert!(matches!(refused, Err(TransportError::AddressInUse { address }) if address == taken.0));
}

#[test]
fn a_configuration_that_is_not_sound_is_refused_by_name() {
    let members = three_members();
    for listen in ["", "localhost", "no host at all:7", "127.0.0.1:seven"] {
        let refused = start(&members, |port, _| port.address = listen.into());
        assert!(matches!(refused, Err(TransportError::Unresolvable { .. })), "{listen:?}");
    }
    let stranger = start(&members, |_, config| config.me = NodeId::new(9));
    assert!(matches!(stranger, Err(TransportError::NotAMember { me }) if me == NodeId::new(9)));
    let limit = start(&members, |_, config| config.limits.packet_bytes_max = 1 << 32);
    assert!(matches!(limit, Err(TransportError::Limit { limit: "packet_bytes_max", .. })));
    let limit = start(&members, |_, config| config.limits.backoff_max = Duration::from_millis(1));
    assert!(matches!(limit, Err(TransportError::Limit { limit: "backoff_max", .. })));
}

#[test]
fn members_that_nobody_could_dial_or_name_are_refused() {
    let at = |address: &str| crate::common::members(&[("a", "a:1".into()), ("b", address.into())]);
    for address in ["", "b", ":1", "b:70000"] {
        let refused = start(&at(address), |_, _| {});
        assert!(matches!(refused, Err(TransportError::MemberAddress { .. })), "{address:?}");
    }
    let long = "b".repeat(256);
    let refused = start(&members(&[("a", "a:1".into()), (&long, "b:1".into())]), |_, _| {});
    assert!(matches!(refused, Err(TransportError::NameTooLong { name, limit: 255 }) if name == long));
}

#[test]
fn a_transport_works_within_an_asynchronous_runtime() {
    let single = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let many = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    for runtime in [single, many] {
        runtime.block_on(async {
            let members = three_members();
            let (a, b) = (TcpNode::start(&members, "a"), TcpNode::start(&members, "b"));
            a.listener.wait_for_up(b.id, Service::Control);
            a.reaches(&b, Service::Control, "from a task");
            a.transport.close();
        });
    }
}

#[cfg(target_os = "linux")]
#[test]
fn closing_ends_the_thread_and_frees_the_port() {
    let host = Ipv4Addr::LOCALHOST.into();
    let members = members(&["a", "b", "c", "d"].map(|name| (name, free_address(host))));
    let d = TcpNode::start(&members, "d");
    // A thread takes its name, and leaves the list of threads, a moment after it could be seen to start and
    // end.
    wait_until(|| threads_named("quorate-net") == 1);
    d.transport.close();
    wait_until(|| threads_named("quorate-net") == 0);
    let again = TcpNode::start(&members, "d");
    assert_eq!(again.transport.local_address(), d.transport.local_address());
}

#[cfg(target_os = "linux")]
fn threads_named(wanted: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.filter(|name| name.trim() == wanted).count()
}

/// Closes its transport when it hears the first packet.
struct ClosesItself {
    hello: Hello,
    transport: OnceLock<TcpTransport>,
    heard: Sender<Packet>,
}

impl Inbox for ClosesItself {
    fn hello(&self) -> Hello {
        self.hello.clone()
    }

    fn receive(&self, _: NodeId, _: Service, packet: Packet) -> Admission {
        if let Some(transport) = self.transport.get() {
            transport.close();
        }
        self.heard.send(packet).unwrap();
        Admission::Accepted
    }

    fn notice(&self, _: PeerEvent) {}
}

#[test]
fn a_transport_can_be_closed_from_within_its_inbox() {
    let members = three_members();
    let a = TcpNode::start(&members, "a");
    let b = members.named("b").unwrap();
    let (heard, packets) = channel();
    let hello = quorate_core::conformance::transport::hello(&members, b.id);
    let inbox = Arc::new(ClosesItself { hello, transport: OnceLock::new(), heard });
    let (port, config) = (ListenerConfig::new(b.address.clone()), TcpConfig::new(b.id, members.clone()));
    let transport = TcpTransport::start(&port, config, inbox.clone()).unwrap();
    assert!(inbox.transport.set(transport).is_ok());
    a.listener.wait_for_up(b.id, Service::Control);
    for _ in 0..100 {
        // The link may have ended by now.
        let _outcome = a.transport.send(b.id, Service::Control, packet("close"));
    }
    a.listener.wait_for_down(b.id, Service::Control, |_| Some(()));
    assert_eq!(packets.try_iter().count(), 1, "the inbox hears nothing after the call in which it closed");
    let closed = inbox.transport.get().unwrap().send(a.id, Service::Control, packet("late"));
    assert_eq!(closed, Err(SendError::UnknownPeer));
}
