use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

/// Below the ports that systems give to outgoing connections (from 32768 on Linux). A port from there could
/// be taken by a connection while its node is dead, and even be connected to itself.
const CANDIDATES: Range<u16> = 16_384..32_768;

/// Finds `count` loopback ports at which nobody listens.
///
/// They are free when this returns, and stay so unless another process happens to choose one of them:
/// candidates are drawn at random.
///
/// # Errors
/// The last failure to listen, if no free ports are found.
pub fn free_ports(count: usize) -> io::Result<Vec<u16>> {
    let random = RandomState::new();
    let span = u64::from(CANDIDATES.end - CANDIDATES.start);
    let mut held = Vec::with_capacity(count);
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for attempt in 0..10 * span {
        if held.len() == count {
            break;
        }
        let port = CANDIDATES.start + (random.hash_one(attempt) % span) as u16;
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => held.push((port, listener)),
            Err(error) => failure = error,
        }
    }
    if held.len() < count { Err(failure) } else { Ok(held.iter().map(|(port, _)| *port).collect()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn free_ports_are_distinct_and_can_be_listened_at() {
        let ports = free_ports(6).unwrap();
        assert_eq!(ports.iter().collect::<HashSet<_>>().len(), 6);
        for port in ports {
            assert!(CANDIDATES.contains(&port));
            drop(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap());
        }
    }
}
