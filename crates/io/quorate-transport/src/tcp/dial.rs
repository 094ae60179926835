//! One attempt to open a link: resolve, connect, introduce.

use super::TcpLimits;
use super::greeting::{Greeting, GreetingError, encode_greeting, read_greeting};
use super::shared::Shared;
use crate::introduction;
use quorate_core::{DownReason, Hello, HelloRefusal, Member, Service};
use std::io;
use std::net::SocketAddr;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Opens a link to `peer`. All of its addresses are tried in turn.
pub(crate) async fn dial(
    shared: &Shared,
    peer: &Member,
    service: Service,
) -> Result<(TcpStream, Hello), DownReason> {
    let stream = connect(&peer.address, &shared.limits).await?;
    let introduction = introduce(shared, peer, service, stream);
    timeout(shared.limits.handshake_timeout, introduction).await.unwrap_or(Err(DownReason::TimedOut))
}

async fn connect(address: &str, limits: &TcpLimits) -> Result<TcpStream, DownReason> {
    // The pause before the next attempt bounds how many lookups there are, the resolver's own timeout how
    // long one lasts.
    let addresses = tokio::net::lookup_host(address).await.map_err(|_| DownReason::Unresolvable)?;
    let mut reason = None;
    for address in addresses {
        match connect_to(address, limits).await {
            Ok(stream) => return Ok(stream),
            Err(failure) => reason = Some(weaker(reason, failure)),
        }
    }
    Err(reason.unwrap_or(DownReason::Unresolvable))
}

/// "Refused" is evidence of a dead process only if every address says so.
fn weaker(earlier: Option<DownReason>, later: DownReason) -> DownReason {
    match earlier {
        None | Some(DownReason::ConnectionRefused) => later,
        Some(other) => other,
    }
}

async fn connect_to(address: SocketAddr, limits: &TcpLimits) -> Result<TcpStream, DownReason> {
    let attempt = timeout(limits.connect_timeout, TcpStream::connect(address)).await;
    let stream = attempt.map_err(|_| DownReason::TimedOut)?.map_err(down_reason)?;
    if is_connected_to_itself(&stream) {
        return Err(DownReason::ConnectionRefused);
    }
    tune(&stream, limits).map_err(down_reason)?;
    Ok(stream)
}

/// A socket that dials a free port of its own machine may be given that very port, and then meets itself:
/// nobody listens there.
fn is_connected_to_itself(stream: &TcpStream) -> bool {
    matches!((stream.local_addr(), stream.peer_addr()), (Ok(local), Ok(peer)) if local == peer)
}

fn tune(stream: &TcpStream, limits: &TcpLimits) -> io::Result<()> {
    stream.set_nodelay(true)?;
    give_up_unacknowledged(stream, limits)
}

#[cfg(target_os = "linux")]
fn give_up_unacknowledged(stream: &TcpStream, limits: &TcpLimits) -> io::Result<()> {
    let milliseconds = u32::try_from(limits.unacknowledged_timeout.as_millis()).unwrap_or(u32::MAX);
    Ok(rustix::net::sockopt::set_tcp_user_timeout(stream, milliseconds)?)
}

#[cfg(not(target_os = "linux"))]
fn give_up_unacknowledged(_: &TcpStream, _: &TcpLimits) -> io::Result<()> {
    Ok(())
}

async fn introduce(
    shared: &Shared,
    peer: &Member,
    service: Service,
    mut stream: TcpStream,
) -> Result<(TcpStream, Hello), DownReason> {
    let ours = shared.hello();
    let call = Greeting::Call { service, target: peer.name.clone(), hello: ours.clone() };
    let bytes = encode_greeting(&call, ours.protocol).ok_or_else(unfinished)?;
    stream.write_all(&bytes).await.map_err(|_| unfinished())?;
    match read_greeting(&mut stream, ours.protocol).await {
        Ok(Greeting::Welcome(theirs)) => {
            introduction::recognise(&ours, &theirs, peer)
                .and_then(|()| shared.acquaintances.meet(&theirs))
                .map_err(DownReason::Hello)?;
            Ok((stream, theirs))
        }
        Ok(Greeting::Refusal(refusal)) => Err(DownReason::Hello(refusal)),
        Err(GreetingError::Protocol { theirs }) => {
            Err(DownReason::Hello(HelloRefusal::Protocol { ours: ours.protocol, theirs }))
        }
        Err(GreetingError::Cut) => Err(unfinished()),
        Ok(Greeting::Call { .. }) | Err(GreetingError::Foreign) => {
            Err(DownReason::Other("whoever listens there does not speak this protocol".into()))
        }
    }
}

/// The other end hung up. Not "lost", which is said of links that stood.
fn unfinished() -> DownReason {
    DownReason::Other("the connection ended before the peer had introduced itself".into())
}

/// What an error of an attempt, or of a link, says of it.
pub(crate) fn down_reason(error: io::Error) -> DownReason {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => DownReason::ConnectionRefused,
        io::ErrorKind::TimedOut => DownReason::TimedOut,
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            DownReason::Lost
        }
        _ => DownReason::Other(error.to_string()),
    }
}
