use crate::{GroupUuid, Incarnation, NodeId, Traffic};
use alloc::string::String;
use bytes::Bytes;

/// Which of a peer's connections a packet takes, so that bulk never stands in front of a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Elections, heartbeats, acknowledgements.
    Control,
    /// Log frames.
    Stream,
}

impl Service {
    /// All services.
    pub const ALL: [Self; 2] = [Self::Control, Self::Stream];
}

/// One message between nodes: a head that says what it is, and log frames that are sent as they stand.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Packet {
    /// The encoded message.
    pub head: Bytes,
    /// Frames, shared with the log; often empty.
    pub body: Bytes,
}

impl Packet {
    /// Length of both parts in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.head.len() + self.body.len()
    }
}

/// Carries packets to the other nodes. Links are one-way: each node dials the peers that it sends to, one link a service, and dials again for ever.
///
/// 1. Packets of one link arrive in order, each at most once, or the link ends. 2. [`send`](Self::send) never blocks.
/// 3. What the transport holds for a peer is bounded; beyond it packets are dropped and the caller is told.
pub trait Transport: Send + Sync {
    /// Sends a packet, or drops it.
    ///
    /// # Errors
    /// [`SendError`] if it was dropped at once. A packet taken may still be lost with its link.
    fn send(&self, to: NodeId, service: Service, packet: Packet) -> Result<(), SendError>;

    /// What its links have carried so far; nothing where nobody counts.
    fn traffic(&self) -> Traffic {
        Traffic::default()
    }

    /// Ends all links and stops listening; the inbox hears nothing more once this returns.
    fn close(&self);
}

/// Why a packet was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// There is no link to the peer.
    #[error("no link to the peer")]
    NotConnected,
    /// The link's queue is full.
    #[error("the link's queue is full")]
    Full,
    /// The peer is not a member, or the transport is closed.
    #[error("no such peer")]
    UnknownPeer,
}

/// Whether an inbox took a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It did.
    Accepted,
    /// It did not: the peer sent more than it was allowed to. The transport ends the link.
    Refused,
}

/// What a node hears from its transport. Calls come from any thread and must not block.
pub trait Inbox: Send + Sync {
    /// What to say when a link is opened, now.
    fn hello(&self) -> Hello;
    /// A packet has come. The call may send packets of its own before it returns: the transport holds no lock
    /// meanwhile that [`Transport::send`] takes.
    fn receive(&self, from: NodeId, service: Service, packet: Packet) -> Admission;
    /// A link to a peer has changed.
    fn notice(&self, event: PeerEvent);
}

/// What happened to the links that this node dials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerEvent {
    /// The link stands, and this is who answered.
    Up {
        /// The peer.
        node: NodeId,
        /// Which link.
        service: Service,
        /// What the peer said.
        hello: Hello,
    },
    /// The link ended, or an attempt to open it failed.
    Down {
        /// The peer.
        node: NodeId,
        /// Which link.
        service: Service,
        /// Why.
        reason: DownReason,
    },
    /// A caller on the listening side was turned away.
    Rejected {
        /// Who it said it was, or where it came from.
        peer: String,
        /// Why; `None` if it did not speak this protocol.
        refusal: Option<HelloRefusal>,
    },
}

/// Why a link is down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DownReason {
    /// The link stood and ended: the peer's process may be gone.
    Lost,
    /// Nobody listens at the peer's address: its process is gone.
    ConnectionRefused,
    /// No answer in time.
    TimedOut,
    /// The peer's host name has no address.
    Unresolvable,
    /// The peer, or this node, refused the other's hello.
    Hello(HelloRefusal),
    /// Any other failure, in the operating system's words.
    Other(String),
}

impl DownReason {
    /// Whether it proves that the peer's node does not run: its process is gone, or its group is closed there.
    #[must_use]
    pub const fn proves_absence(&self) -> bool {
        matches!(self, Self::ConnectionRefused | Self::Hello(HelloRefusal::UnknownGroup { .. }))
    }
}

/// What two nodes tell each other before anything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Version of the protocol between nodes.
    pub protocol: u32,
    /// The group's name.
    pub group: String,
    /// The speaker's name.
    pub node: String,
    /// The speaker's number.
    pub id: NodeId,
    /// The life of the speaker's data directory.
    pub incarnation: Incarnation,
    /// How often that directory has been opened.
    pub open_count: u64,
    /// The group's identity, once the speaker belongs to one.
    pub uuid: Option<GroupUuid>,
    /// Hash of the declared member list, until the group is founded.
    pub member_list_hash: Option<u64>,
}

/// Why two nodes do not talk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HelloRefusal {
    /// The protocol versions differ.
    #[error("the peer speaks protocol {theirs}, this node {ours}: run versions that overlap")]
    Protocol {
        /// This node's version.
        ours: u32,
        /// The peer's version.
        theirs: u32,
    },
    /// The groups' names differ.
    #[error(
        "the peer belongs to group {theirs:?}, this node to {ours:?}: check the addresses and the group's name"
    )]
    Group {
        /// This node's group.
        ours: String,
        /// The peer's group.
        theirs: String,
    },
    /// No group of this name is open where the caller looked for it.
    #[error(
        "the group {group:?} is not open at the peer's address: start its node there, or check the addresses and the group's name"
    )]
    UnknownGroup {
        /// The group that the caller named.
        group: String,
    },
    /// The peer is no member.
    #[error(
        "{node:?} (number {id}) is not in this node's member list: declare the same members on every node"
    )]
    NotAMember {
        /// The peer's name.
        node: String,
        /// The peer's number.
        id: NodeId,
    },
    /// Somebody else answers at a member's address.
    #[error("{found:?} answers where {expected:?} should: check the members' addresses")]
    WrongNode {
        /// Who should answer.
        expected: String,
        /// Who does.
        found: String,
    },
    /// The declared member lists differ.
    #[error(
        "the member list that {node:?} declares differs from this node's: declare the same names, addresses, types, priorities and quorum on every node"
    )]
    MemberList {
        /// The peer's name.
        node: String,
    },
    /// A member greets with an older copy of its data directory than it has greeted with before.
    #[error(
        "{node:?} was opened {found} times, and {seen} times when it was here before: an old copy of its data directory was put back, \
         which must not vote again; move it aside and let the node be added anew"
    )]
    StaleCopy {
        /// The member's name.
        node: String,
        /// How often this copy has been opened.
        found: u64,
        /// How often the directory had been opened when it was seen last.
        seen: u64,
    },
    /// The groups have one name and were founded apart.
    #[error(
        "{node:?} belongs to a group of the same name that was founded apart ({theirs}, not {ours}): groups never merge"
    )]
    Uuid {
        /// The peer's name.
        node: String,
        /// This node's group.
        ours: GroupUuid,
        /// The peer's group.
        theirs: GroupUuid,
    },
}

impl Hello {
    /// Version of the protocol between nodes that this crate speaks.
    pub const PROTOCOL: u32 = 1;

    /// Judges a peer's hello, whose name and number the caller has found in the member list.
    ///
    /// # Errors
    /// [`HelloRefusal`] says what differs.
    pub fn check(&self, theirs: &Self) -> Result<(), HelloRefusal> {
        if self.protocol != theirs.protocol {
            return Err(HelloRefusal::Protocol { ours: self.protocol, theirs: theirs.protocol });
        }
        if self.group != theirs.group {
            return Err(HelloRefusal::Group { ours: self.group.clone(), theirs: theirs.group.clone() });
        }
        if let (Some(ours), Some(theirs_uuid)) = (self.uuid, theirs.uuid)
            && ours != theirs_uuid
        {
            return Err(HelloRefusal::Uuid { node: theirs.node.clone(), ours, theirs: theirs_uuid });
        }
        if let (Some(ours), Some(theirs_hash)) = (self.member_list_hash, theirs.member_list_hash)
            && ours != theirs_hash
        {
            return Err(HelloRefusal::MemberList { node: theirs.node.clone() });
        }
        Ok(())
    }
}
