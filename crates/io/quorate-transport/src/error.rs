use quorate_core::NodeId;
use std::io;
use std::net::SocketAddr;

/// Why a transport could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// Somebody else listens at the address.
    #[error("{address} is in use: stop the process that listens there, or choose another port for this node")]
    AddressInUse {
        /// Where this node should listen.
        address: String,
    },
    /// The listen address is not of the form `host:port`, or its host name has no address.
    #[error(
        "the listen address {address:?} cannot be resolved ({detail}): write host:port, ip:port or \
         [ipv6]:port"
    )]
    Unresolvable {
        /// Where this node should listen.
        address: String,
        /// What the resolver said.
        detail: String,
    },
    /// The listen address can be reached from other machines, and nobody who calls there would be
    /// authenticated.
    #[error(
        "listening at {address} would open this node to anybody who can reach it, and nobody is \
         authenticated: listen on a loopback address, or set `insecure_no_auth` if every machine that can reach \
         it is trusted"
    )]
    NotLoopback {
        /// What the listen address resolves to.
        address: SocketAddr,
    },
    /// This node is not in its own member list.
    #[error("node {me} is not in the member list: declare it there like the others")]
    NotAMember {
        /// This node's number.
        me: NodeId,
    },
    /// A member's address is not of the form `host:port`.
    #[error(
        "the address {address:?} of member {node:?} has no port: write host:port, ip:port or [ipv6]:port"
    )]
    MemberAddress {
        /// The member's name.
        node: String,
        /// The address as declared.
        address: String,
    },
    /// A name is too long to be told to a peer.
    #[error("the name {name:?} is longer than {limit} bytes: shorten it")]
    NameTooLong {
        /// The name of a member or of the group.
        name: String,
        /// How many bytes a name may have.
        limit: usize,
    },
    /// The compression was left out when the crate was built.
    #[error(
        "compression: {compression:?} is not part of this build: switch on the feature {compression:?} of the \
         crate quorate, or choose another"
    )]
    CompressionMissing {
        /// The compression configured, which has its feature's name.
        compression: &'static str,
    },
    /// The listener serves a group of this name already.
    #[error("the group {group:?} is open on this listener already: close it first, or use another listener")]
    GroupInUse {
        /// The group's name.
        group: String,
    },
    /// A limit is out of its range.
    #[error("the limit {limit} is out of range: {range}")]
    Limit {
        /// Which field of the limits.
        limit: &'static str,
        /// What it may be.
        range: &'static str,
    },
    /// The operating system refused.
    #[error("{operation} failed ({source}): check this process's limits and permissions")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
}
