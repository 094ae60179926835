use super::ListenerConfig;
use crate::TransportError;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};

/// Listens at the first address of the configured name that can be had.
pub(crate) fn listen(config: &ListenerConfig) -> Result<TcpListener, TransportError> {
    let addresses = resolve(&config.address)?;
    if !config.insecure_no_auth
        && let Some(open) = addresses.iter().find(|address| !address.ip().to_canonical().is_loopback())
    {
        return Err(TransportError::NotLoopback { address: *open });
    }
    let listener =
        TcpListener::bind(&addresses[..]).map_err(|error| failed_to_bind(&config.address, error))?;
    let operation = "making the listening socket non-blocking";
    listener.set_nonblocking(true).map_err(|source| TransportError::Io { operation, source })?;
    Ok(listener)
}

fn resolve(address: &str) -> Result<Vec<SocketAddr>, TransportError> {
    let unresolvable = |detail: String| TransportError::Unresolvable { address: address.into(), detail };
    let found: Vec<_> = address.to_socket_addrs().map_err(|error| unresolvable(error.to_string()))?.collect();
    if found.is_empty() { Err(unresolvable("the name has no address".into())) } else { Ok(found) }
}

fn failed_to_bind(address: &str, error: io::Error) -> TransportError {
    match error.kind() {
        io::ErrorKind::AddrInUse => TransportError::AddressInUse { address: address.into() },
        _ => TransportError::Io { operation: "listening for the other nodes", source: error },
    }
}
