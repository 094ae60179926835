use crate::{TransportError, compression};
use quorate_core::{Compression, MemberList, NodeId};
use std::time::Duration;

/// How a process listens for callers, whichever of its groups they want.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerConfig {
    /// Where: `host:port`, `ip:port` or `[ipv6]:port`. It need not be the address that members declare for
    /// this node: a container listens on `0.0.0.0` and is reached under a name. Port 0 takes any free port.
    pub address: String,
    /// Allows listening beyond the loopback interface. **Dangerous**: nothing authenticates a caller, so
    /// whoever reaches the port and knows a group's name and members can read and write the group's data.
    /// Only for a network in which every machine is trusted. Default: false.
    pub insecure_no_auth: bool,
    /// How many callers may be connected that have not yet said who they are, all groups together. Beyond it
    /// the one that has been silent longest is closed, so that a flood of them does not keep members out.
    /// Links of members are not counted: there is at most one for each group, member and service. At least 1.
    /// Default: 256.
    pub connections_max: usize,
    /// How long a caller may take to introduce itself. More than zero. Default: 3 s.
    pub handshake_timeout: Duration,
}

impl ListenerConfig {
    /// Listening at `address`, with default limits.
    #[must_use]
    pub fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            insecure_no_auth: false,
            connections_max: 256,
            handshake_timeout: Duration::from_secs(3),
        }
    }

    pub(crate) fn check(&self) -> Result<(), TransportError> {
        within(self.connections_max > 0, "connections_max", "at least 1")?;
        within(!self.handshake_timeout.is_zero(), "handshake_timeout", "more than zero")
    }
}

/// One node of a group, and whom it dials.
#[derive(Clone, Debug)]
pub struct TcpConfig {
    /// This node's number in `members`.
    pub me: NodeId,
    /// The group's members. Every other one is dialled at its declared address, and nobody else is let in.
    pub members: MemberList,
    /// Seed of the jitter in the pauses between attempts, so that a run can be replayed. Give each node its
    /// own.
    pub seed: u64,
    /// How the bodies of the stream's packets are compressed for the peers that can read that; others get them
    /// as they are. Default: not at all.
    pub compression: Compression,
    /// Bounds of memory and time.
    pub limits: TcpLimits,
}

impl TcpConfig {
    /// The node `me` of `members`, with default limits.
    #[must_use]
    pub fn new(me: NodeId, members: MemberList) -> Self {
        Self {
            me,
            members,
            seed: u64::from(me.as_u16()),
            compression: Compression::None,
            limits: TcpLimits::default(),
        }
    }
}

/// Bounds of the memory and time that one group's links take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpLimits {
    /// The longest packet, head and body together and before compression, in bytes, that is sent or received. A
    /// longer one is not sent; a peer that announces one is cut off before anything is allocated for it. 1 to `u32::MAX`; the
    /// same on every node. Default: 80 MiB.
    pub packet_bytes_max: usize,
    /// How long a member that is dialled may take to introduce itself. More than zero. Default: 3 s.
    pub handshake_timeout: Duration,
    /// How many bytes may wait for one link to take them; beyond it packets are dropped. A packet always fits
    /// into an empty queue. At least 1. Default: 16 MiB.
    pub send_queue_bytes_max: usize,
    /// How long an attempt to connect to one address may take. Default: 1 s.
    pub connect_timeout: Duration,
    /// How long sent bytes may stay unacknowledged by the peer's machine before the link is given up (Linux;
    /// elsewhere the operating system decides). It bounds how long a link hangs after a partition has healed.
    /// Default: 3 s.
    pub unacknowledged_timeout: Duration,
    /// The pause after the first failed attempt; each further one doubles it, less up to a half by chance.
    /// Default: 10 ms.
    pub backoff_min: Duration,
    /// The longest pause between attempts. At least `backoff_min`. Default: 1 s.
    pub backoff_max: Duration,
}

impl Default for TcpLimits {
    fn default() -> Self {
        Self {
            packet_bytes_max: 80 << 20,
            handshake_timeout: Duration::from_secs(3),
            send_queue_bytes_max: 16 << 20,
            connect_timeout: Duration::from_secs(1),
            unacknowledged_timeout: Duration::from_secs(3),
            backoff_min: Duration::from_millis(10),
            backoff_max: Duration::from_secs(1),
        }
    }
}

/// How long the name of a member or of a group may be, in bytes.
pub(crate) const NAME_BYTES_MAX: usize = 255;

impl TcpConfig {
    /// Checks all that can be checked without touching the network. `group` is the group's name.
    pub(crate) fn check(&self, group: &str) -> Result<(), TransportError> {
        if self.members.member(self.me).is_none() {
            return Err(TransportError::NotAMember { me: self.me });
        }
        check_name(group)?;
        for member in self.members.members() {
            check_name(&member.name)?;
            if !has_port(&member.address) {
                let (node, address) = (member.name.clone(), member.address.clone());
                return Err(TransportError::MemberAddress { node, address });
            }
        }
        if !compression::is_in_this_build(self.compression) {
            return Err(TransportError::CompressionMissing { compression: self.compression.name() });
        }
        self.limits.check()
    }
}

impl TcpLimits {
    fn check(&self) -> Result<(), TransportError> {
        let packet = u32::try_from(self.packet_bytes_max).is_ok_and(|bytes| bytes > 0);
        within(packet, "packet_bytes_max", "1 to 4294967295 bytes")?;
        within(self.send_queue_bytes_max > 0, "send_queue_bytes_max", "at least 1 byte")?;
        within(!self.handshake_timeout.is_zero(), "handshake_timeout", "more than zero")?;
        within(!self.connect_timeout.is_zero(), "connect_timeout", "more than zero")?;
        let milliseconds = self.unacknowledged_timeout.as_millis();
        let fits = (1..=u128::from(u32::MAX)).contains(&milliseconds);
        within(fits, "unacknowledged_timeout", "1 to 4294967295 milliseconds")?;
        within(!self.backoff_min.is_zero(), "backoff_min", "more than zero")?;
        within(self.backoff_min <= self.backoff_max, "backoff_max", "at least backoff_min")
    }
}

fn within(ok: bool, limit: &'static str, range: &'static str) -> Result<(), TransportError> {
    if ok { Ok(()) } else { Err(TransportError::Limit { limit, range }) }
}

fn check_name(name: &str) -> Result<(), TransportError> {
    if name.len() > NAME_BYTES_MAX {
        return Err(TransportError::NameTooLong { name: name.into(), limit: NAME_BYTES_MAX });
    }
    Ok(())
}

fn has_port(address: &str) -> bool {
    address.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}
