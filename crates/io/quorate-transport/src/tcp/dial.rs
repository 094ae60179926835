//! One attempt to open a link: resolve, connect, introduce.

use super::TcpLimits;
use super::greeting::{Greeting, GreetingError, encode_greeting, read_greeting};
use super::shared::Shared;
use crate::introduction;
use quorate_core::{Compression, DownReason, Hello, HelloRefusal, Member, Service};
use std::io;
use std::net::SocketAddr;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A link that was opened.
pub(crate) struct Opened {
    pub(crate) stream: TcpStream,
    /// Who answered.
    pub(crate) hello: Hello,
    /// How bodies are compressed on it.
    pub(crate) compression: Compression,
}

/// Whom to call, and what for.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) peer: &'a Member,
    pub(crate) service: Service,
    /// How bodies are to be compressed.
    pub(crate) wish: Compression,
}

/// Opens a link. All of the peer's addresses are tried in turn.
///
/// A peer that hangs up on a call with a wish may be of a version that does not know wishes, and is called once
/// more without.
pub(crate) async fn dial(shared: &Shared, call: Call<'_>) -> Result<Opened, DownReason> {
    match attempt(shared, call).await {
        Err(Failure::HungUp) if call.wish != Compression::None => {
            let plain = Call { wish: Compression::None, ..call };
            attempt(shared, plain).await.map_err(Failure::into_reason)
        }
        outcome => outcome.map_err(Failure::into_reason),
    }
}

/// Why an attempt failed.
enum Failure {
    /// The other end hung up before it had introduced itself.
    HungUp,
    Down(DownReason),
}

impl Failure {
    fn into_reason(self) -> DownReason {
        match self {
            // Not "lost", which is said of links that stood.
            Self::HungUp => {
                DownReason::Other("the connection ended before the peer had introduced itself".into())
            }
            Self::Down(reason) => reason,
        }
    }
}

async fn attempt(shared: &Shared, call: Call<'_>) -> Result<Opened, Failure> {
    let stream = connect(&call.peer.address, &shared.limits).await.map_err(Failure::Down)?;
    let introduction = introduce(shared, call, stream);
    let outcome = timeout(shared.limits.handshake_timeout, introduction).await;
    outcome.unwrap_or(Err(Failure::Down(DownReason::TimedOut)))
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

async fn introduce(shared: &Shared, call: Call<'_>, mut stream: TcpStream) -> Result<Opened, Failure> {
    let ours = shared.hello();
    let bytes = encode_greeting(&greeting(call, &ours), ours.protocol).ok_or(Failure::HungUp)?;
    stream.write_all(&bytes).await.map_err(|_| Failure::HungUp)?;
    match read_greeting(&mut stream, ours.protocol).await {
        Ok(Greeting::Welcome { hello, grant }) => {
            let compression = granted(call.wish, grant)?;
            introduction::recognise(&ours, &hello, call.peer)
                .and_then(|()| shared.acquaintances.meet(&hello))
                .map_err(|refusal| Failure::Down(DownReason::Hello(refusal)))?;
            Ok(Opened { stream, hello, compression })
        }
        Ok(Greeting::Refusal(refusal)) => Err(Failure::Down(DownReason::Hello(refusal))),
        Err(GreetingError::Protocol { theirs }) => {
            let refusal = HelloRefusal::Protocol { ours: ours.protocol, theirs };
            Err(Failure::Down(DownReason::Hello(refusal)))
        }
        Err(GreetingError::Cut) => Err(Failure::HungUp),
        Ok(Greeting::Call { .. }) | Err(GreetingError::Foreign) => Err(foreign()),
    }
}

fn greeting(call: Call<'_>, ours: &Hello) -> Greeting {
    let wish = (call.wish != Compression::None).then_some(call.wish);
    Greeting::Call { service: call.service, target: call.peer.name.clone(), hello: ours.clone(), wish }
}

/// What is agreed on: the wish, or nothing.
fn granted(wish: Compression, grant: Option<Compression>) -> Result<Compression, Failure> {
    match grant {
        None | Some(Compression::None) => Ok(Compression::None),
        Some(granted) if granted == wish => Ok(granted),
        Some(_) => Err(foreign()),
    }
}

fn foreign() -> Failure {
    Failure::Down(DownReason::Other("whoever listens there does not speak this protocol".into()))
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
