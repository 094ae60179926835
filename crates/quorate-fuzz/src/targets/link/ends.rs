use quorate_core::conformance::transport::{Heard, Listener, Recorder};
use quorate_core::{
    Compression, DownReason, Hello, Incarnation, Member, MemberList, NodeId, NodeType, Packet, PeerEvent,
    QuorumPolicy, Service, Transport,
};
use quorate_transport::{ListenerConfig, ListenerStats, TcpConfig, TcpTransport, TransportStats};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

pub(super) const A: NodeId = NodeId::new(1);
pub(super) const B: NodeId = NodeId::new(2);
pub(super) const GROUP: &str = "orders";
/// How long a node may take to say or do what it must.
const PATIENCE: Duration = Duration::from_secs(9);

/// An address at which nobody answers.
const NOBODY: &str = "127.0.0.1:1";

/// What the members say of themselves.
pub(super) fn hello(id: NodeId) -> Hello {
    Hello {
        protocol: Hello::PROTOCOL,
        group: GROUP.to_owned(),
        node: if id == A { "a" } else { "b" }.to_owned(),
        id,
        incarnation: Incarnation(u128::from(id.as_u16()) << 100),
        open_count: 3,
        uuid: None,
        member_list_hash: Some(7),
    }
}

/// A node with a port of its own, which dials the other member and writes down what it hears.
pub(super) struct Node {
    transport: TcpTransport,
    heard: Listener,
}

/// What became of the first attempt to open a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    /// What the peer has said of itself, if the link stood.
    pub(super) hello: Option<Hello>,
    /// Why there is no link, or no more.
    pub(super) reason: DownReason,
}

impl Node {
    /// The node that says `hello` and finds nobody else.
    pub(super) fn alone(hello: Hello) -> Self {
        Self::open(hello, NOBODY, Compression::None)
    }

    /// The node that says `hello`, looks for the other member at `address`, and wishes to compress so.
    fn open(hello: Hello, address: &str, compression: Compression) -> Self {
        let mut config = TcpConfig::new(hello.id, members(address));
        config.compression = compression;
        // Nobody looks at a second attempt.
        config.limits.backoff_min = config.limits.backoff_max;
        let (inbox, heard) = Recorder::new(hello);
        let port = ListenerConfig::new("127.0.0.1:0");
        let transport = TcpTransport::start(&port, config, inbox).expect("this machine has a free port");
        Self { transport, heard }
    }

    pub(super) fn close(&self) {
        self.transport.close();
    }

    pub(super) fn stats(&self) -> (ListenerStats, TransportStats) {
        (self.transport.listener_stats(), self.transport.stats())
    }

    /// All that the node answers to a caller who writes these bytes and has nothing more to say.
    pub(super) fn hear(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.transport.local_address()).expect("the node listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("more than no time");
        // Who is hung up on early is not heard out.
        let _ = stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write));
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Err(error) if error.kind() != io::ErrorKind::ConnectionReset => {
                panic!("the node has left a caller waiting: {error}")
            }
            _ => answer,
        }
    }

    pub(super) fn next_packet(&self) -> Packet {
        self.heard.wait_for_packet().2
    }

    /// What became of the links to the other member.
    fn fates(&self) -> [Fate; 2] {
        let (mut hellos, mut reasons) = ([None, None], [None, None]);
        while reasons.iter().any(Option::is_none) {
            match self.heard.wait_for("the end of a link", event) {
                PeerEvent::Up { service, hello, .. } => hellos[service as usize] = Some(hello),
                PeerEvent::Down { service, reason, .. } => reasons[service as usize] = Some(reason),
                PeerEvent::Rejected { .. } => {}
            }
        }
        Service::ALL.map(|service| Fate {
            hello: hellos[service as usize].take(),
            reason: reasons[service as usize].take().expect("both links have ended"),
        })
    }
}

fn event(heard: &Heard) -> Option<PeerEvent> {
    match heard {
        Heard::Event(event) => Some(event.clone()),
        Heard::Packet { .. } => None,
    }
}

/// Whichever of the two a node is, it reaches the other at `address`.
fn members(address: &str) -> MemberList {
    let member = |name: &str| Member {
        id: NodeId::default(),
        name: name.to_owned(),
        address: address.to_owned(),
        node_type: NodeType::Electable,
        priority: 1,
    };
    let both = ["a", "b"].map(member);
    MemberList::found(both.to_vec(), QuorumPolicy::SimpleMajority).expect("two members")
}

/// Lets a node dial, and answers these bytes to each of its calls.
pub(super) fn fates_of_links_answered_by(bytes: &[u8]) -> [Fate; 2] {
    let door = Door::open();
    let node = Node::open(hello(A), &door.address(), Compression::None);
    let _open: Vec<TcpStream> = Service::ALL
        .iter()
        .map(|_| {
            let (mut stream, _) = door.next_call();
            // A node that has heard enough hangs up.
            let _ = stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write));
            stream
        })
        .collect();
    node.fates()
}

/// What the node that says `hello` writes when it dials for a service.
pub(super) fn call_of(hello: Hello, service: Service) -> Vec<u8> {
    call_wishing(hello, service, Compression::None)
}

/// What it writes when it wishes to compress what it sends.
pub(super) fn call_wishing(hello: Hello, service: Service, wish: Compression) -> Vec<u8> {
    let door = Door::open();
    let node = Node::open(hello, &door.address(), wish);
    let (_, call) = door.call_for(service);
    node.close();
    call
}

/// What a member answers to a caller who writes these bytes.
pub(super) fn answer_of(member: NodeId, call: &[u8]) -> Vec<u8> {
    Node::alone(hello(member)).hear(call)
}

/// What the node that says `hello` writes on a link for its stream, for which it wishes to compress: the call, and
/// then packets.
pub(super) fn link_of(hello: Hello, wish: Compression, packets: &[Packet]) -> (Vec<u8>, Vec<u8>) {
    let welcome = answer_of(A, &call_wishing(hello.clone(), Service::Stream, wish));
    let door = Door::open();
    let node = Node::open(hello, &door.address(), wish);
    let (mut stream, call) = door.call_for(Service::Stream);
    stream.write_all(&welcome).expect("the node listens");
    node.heard.wait_for_up(A, Service::Stream);
    let mut written = Vec::new();
    for packet in packets {
        node.transport.send(A, Service::Stream, packet.clone()).expect("the link stands");
        written.extend(next_packet_on(&mut stream, wish));
    }
    (call, written)
}

/// The bytes of the next packet on a link.
fn next_packet_on(stream: &mut TcpStream, compression: Compression) -> Vec<u8> {
    let mut packet = vec![0; packet_header_bytes(compression)];
    stream.read_exact(&mut packet).expect("all packets are written");
    let lengths = [&packet[..4], &packet[4..8]]
        .map(|length| u32::from_le_bytes([length[0], length[1], length[2], length[3]]) as usize);
    let header = packet.len();
    packet.resize(header + lengths[0] + lengths[1], 0);
    stream.read_exact(&mut packet[header..]).expect("all packets are written");
    packet
}

/// How long the header of each packet is on a link with this compression.
pub(super) const fn packet_header_bytes(compression: Compression) -> usize {
    match compression {
        Compression::None => 8,
        _ => 12,
    }
}

/// The part of a greeting that is the same in all.
pub(super) const GREETING_BYTES_MIN: usize = 12;

/// A greeting in bytes, looked at by somebody who knows only how it is written down.
pub(super) struct NotedGreeting {
    pub(super) kind: u8,
    /// Its length in all.
    pub(super) bytes: usize,
    /// Which refusal it is, if it is one.
    pub(super) reason: Option<u8>,
    /// The last byte: a welcome's grant, if it has one.
    pub(super) last: u8,
}

impl NotedGreeting {
    const CALL: u8 = 0;
    pub(super) const WELCOME: u8 = 1;
    const REFUSAL: u8 = 2;

    /// The greeting that these bytes begin with; none if there are none.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return None;
        }
        assert_eq!(&bytes[..4], b"QRTE");
        let length = usize::from(u16::from_le_bytes([bytes[10], bytes[11]]));
        let (kind, total) = (bytes[8], GREETING_BYTES_MIN + length);
        assert!(kind <= Self::REFUSAL && bytes[9] == 0 && total <= bytes.len(), "{bytes:02x?}");
        let reason = (kind == Self::REFUSAL).then(|| bytes[GREETING_BYTES_MIN]);
        Some(Self { kind, bytes: total, reason, last: bytes[total - 1] })
    }
}

/// Where a node dials, and somebody writes down what it says.
struct Door(TcpListener);

impl Door {
    fn open() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").expect("this machine has a free port"))
    }

    fn address(&self) -> String {
        self.0.local_addr().expect("it is bound").to_string()
    }

    /// The next caller, and its call.
    fn next_call(&self) -> (TcpStream, Vec<u8>) {
        let (mut stream, _) = self.0.accept().expect("the node dials");
        stream.set_read_timeout(Some(PATIENCE)).expect("more than no time");
        let mut call = vec![0; GREETING_BYTES_MIN];
        stream.read_exact(&mut call).expect("the node introduces itself");
        let length = usize::from(u16::from_le_bytes([call[10], call[11]]));
        call.resize(GREETING_BYTES_MIN + length, 0);
        stream.read_exact(&mut call[GREETING_BYTES_MIN..]).expect("the node introduces itself");
        assert_eq!(call[8], NotedGreeting::CALL);
        (stream, call)
    }

    /// The caller for a service; it dials for both, in any order.
    fn call_for(&self, service: Service) -> (TcpStream, Vec<u8>) {
        let calls = Service::ALL.map(|_| self.next_call());
        let is_it = |(_, call): &(TcpStream, Vec<u8>)| call[GREETING_BYTES_MIN] == service as u8;
        calls.into_iter().find(is_it).expect("a node dials for both services")
    }
}
