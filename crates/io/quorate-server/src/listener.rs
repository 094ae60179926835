use std::fmt;
use std::io;
use std::net::SocketAddr;
use tokio::net::{TcpListener, lookup_host};

/// Whom a node listens for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Those who read and write.
    Clients,
    /// Those who fetch metrics.
    Metrics,
}

impl fmt::Display for Audience {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Clients => "clients",
            Self::Metrics => "metrics",
        })
    }
}

/// Why nobody can be listened for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListenError {
    /// Somebody else listens at the address.
    #[error(
        "{address} is in use: stop the process that listens there, or choose another port for {audience}"
    )]
    AddressInUse {
        /// The address as configured.
        address: String,
        /// Whom it is for.
        audience: Audience,
    },
    /// The address has no meaning on this machine.
    #[error(
        "the address for {audience}, {address:?}, cannot be resolved ({detail}): write host:port, ip:port or \
        [ipv6]:port"
    )]
    Unresolvable {
        /// Whom it is for.
        audience: Audience,
        /// The address as configured.
        address: String,
        /// What the resolver said.
        detail: String,
    },
    /// The address can be reached from other machines, and nobody who calls there would be authenticated.
    #[error(
        "serving {audience} at {address} would open this node to anybody who can reach it, and nobody is \
         authenticated: listen on a loopback address, or set `insecure_no_auth = true` if every machine \
         that can reach it is trusted"
    )]
    NotLoopback {
        /// Whom it is for.
        audience: Audience,
        /// What the address resolves to.
        address: SocketAddr,
    },
    /// The operating system refused.
    #[error(
        "listening at {address} failed ({source}): check that the address is this machine's and the \
        port is allowed"
    )]
    Io {
        /// The address as configured.
        address: String,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Listens at `address` (`host:port`; port 0 takes any free one): on the loopback interface only, unless
/// `insecure_no_auth`.
///
/// # Errors
/// [`ListenError`]; nothing listens then.
pub async fn listen(
    address: &str,
    audience: Audience,
    insecure_no_auth: bool,
) -> Result<TcpListener, ListenError> {
    let unresolvable =
        |detail: String| ListenError::Unresolvable { audience, address: address.to_owned(), detail };
    let found: Vec<SocketAddr> =
        lookup_host(address).await.map_err(|error| unresolvable(error.to_string()))?.collect();
    if found.is_empty() {
        return Err(unresolvable("it has no address".to_owned()));
    }
    if let Some(open) = found.iter().find(|found| !found.ip().is_loopback())
        && !insecure_no_auth
    {
        return Err(ListenError::NotLoopback { audience, address: *open });
    }
    TcpListener::bind(&found[..]).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ListenError::AddressInUse { address: address.to_owned(), audience },
        _ => ListenError::Io { address: address.to_owned(), source },
    })
}
