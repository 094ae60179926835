//! The listening side: callers introduce themselves, then their packets go to the inbox.

use super::greeting::{Greeting, GreetingError, encode_greeting, read_greeting};
use super::packet::{PacketError, PacketReader};
use super::shared::Shared;
use super::stats::Counter;
use crate::introduction;
use quorate_core::{Admission, Hello, HelloRefusal, NodeId, Packet, PeerEvent, Service};
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// The pause after the operating system could not accept a caller, mostly because this process has no file
/// descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The readers of the links that stand, one for each member and service.
#[derive(Default)]
pub(crate) struct Readers(Mutex<HashMap<(NodeId, Service), AbortHandle>>);

/// Takes callers for ever.
pub(crate) async fn accept(shared: Arc<Shared>, listener: TcpListener) {
    let mut strangers = VecDeque::new();
    loop {
        match listener.accept().await {
            Ok((stream, address)) => admit(&shared, &mut strangers, stream, address),
            Err(error) => {
                tracing::warn!(%error, "cannot accept callers for the moment");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Lets a caller introduce itself; the one who has been silent longest makes room.
fn admit(
    shared: &Arc<Shared>,
    strangers: &mut VecDeque<AbortHandle>,
    stream: TcpStream,
    address: SocketAddr,
) {
    shared.counters.connections_accepted.increment();
    strangers.retain(|stranger: &AbortHandle| !stranger.is_finished());
    if strangers.len() >= shared.limits.connections_max
        && let Some(oldest) = strangers.pop_front()
    {
        oldest.abort();
        shared.counters.rejected_flood.increment();
    }
    strangers.push_back(tokio::spawn(meet(shared.clone(), stream, address)).abort_handle());
}

async fn meet(shared: Arc<Shared>, stream: TcpStream, address: SocketAddr) {
    let introduction = introduce(&shared, stream);
    match timeout(shared.limits.handshake_timeout, introduction).await {
        Ok(Ok((stream, caller, service))) => Readers::start(&shared, stream, caller, service),
        Ok(Err(rejection)) => rejection.report(&shared, address),
        Err(_) => Rejection::Silent.report(&shared, address),
    }
}

/// Hears the caller's hello and answers it.
async fn introduce(
    shared: &Shared,
    mut stream: TcpStream,
) -> Result<(TcpStream, NodeId, Service), Rejection> {
    let ours = shared.hello();
    let (service, target, theirs) = match read_greeting(&mut stream, ours.protocol).await {
        Ok(Greeting::Call { service, target, hello }) => (service, target, hello),
        Err(GreetingError::Protocol { theirs }) => {
            let refusal = HelloRefusal::Protocol { ours: ours.protocol, theirs };
            return Err(turn_away(&mut stream, &ours, None, refusal).await);
        }
        Ok(_) | Err(_) => return Err(Rejection::Foreign),
    };
    let admitted = introduction::admit_caller(&ours, &theirs, &target, &shared.members);
    match admitted.and_then(|caller| shared.acquaintances.meet(&theirs).map(|()| caller)) {
        Ok(caller) => {
            let welcome = Greeting::Welcome(ours.clone());
            let bytes = encode_greeting(&welcome, ours.protocol).ok_or(Rejection::Foreign)?;
            stream.write_all(&bytes).await.map_err(|_| Rejection::Foreign)?;
            Ok((stream, caller, service))
        }
        Err(refusal) => Err(turn_away(&mut stream, &ours, Some(theirs.node), refusal).await),
    }
}

async fn turn_away(
    stream: &mut TcpStream,
    ours: &Hello,
    caller: Option<String>,
    refusal: HelloRefusal,
) -> Rejection {
    let answer = Greeting::Refusal(introduction::mirrored(refusal.clone(), &ours.node));
    if let Some(bytes) = encode_greeting(&answer, ours.protocol) {
        // Whether the caller hears it changes nothing here.
        let _outcome = stream.write_all(&bytes).await;
    }
    Rejection::Hello { caller, refusal }
}

/// Why a caller is not let in.
enum Rejection {
    Silent,
    Foreign,
    Hello { caller: Option<String>, refusal: HelloRefusal },
}

impl Rejection {
    fn report(self, shared: &Shared, address: SocketAddr) {
        let counters = &shared.counters;
        let (counter, caller, refusal) = match self {
            Self::Silent => (&counters.rejected_silent, None, None),
            Self::Foreign => (&counters.rejected_foreign, None, None),
            Self::Hello { caller, refusal } => (&counters.rejected_hello, caller, Some(refusal)),
        };
        reject(shared, counter, caller.unwrap_or_else(|| address.to_string()), refusal);
    }
}

fn reject(shared: &Shared, counter: &Counter, peer: String, refusal: Option<HelloRefusal>) {
    counter.increment();
    tracing::debug!(peer, ?refusal, "caller rejected");
    shared.notice(PeerEvent::Rejected { peer, refusal });
}

impl Readers {
    /// Starts to read a link. An earlier one of the same member and service ends first: its other end has
    /// given it up.
    ///
    /// All tasks share one thread, so a task that is aborted here is not running and never runs again:
    /// nothing of the earlier link reaches the inbox after something of the later one.
    fn start(shared: &Arc<Shared>, stream: TcpStream, caller: NodeId, service: Service) {
        let mut readers = shared.readers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(earlier) = readers.remove(&(caller, service)) {
            earlier.abort();
        }
        let reader = tokio::spawn(read(shared.clone(), stream, caller, service)).abort_handle();
        readers.insert((caller, service), reader);
    }
}

/// Hands the packets of a link to the inbox until the link ends.
async fn read(shared: Arc<Shared>, mut stream: TcpStream, from: NodeId, service: Service) {
    let mut reader = PacketReader::new(shared.limits.packet_bytes_max);
    loop {
        match reader.next(&mut stream).await {
            Ok(Some(packet)) => {
                if !deliver(&shared, from, service, packet) {
                    return;
                }
            }
            Ok(None) => return,
            Err(PacketError::Oversized { declared }) => {
                tracing::warn!(%from, ?service, declared, "too long a packet announced: link closed");
                let name = shared.members.member(from).map_or_else(String::new, |member| member.name.clone());
                return reject(&shared, &shared.counters.rejected_oversized, name, None);
            }
            Err(PacketError::Io(error)) => {
                return tracing::debug!(%from, ?service, %error, "link broken");
            }
        }
    }
}

/// Hands over one packet; false if the link is to end.
fn deliver(shared: &Shared, from: NodeId, service: Service, packet: Packet) -> bool {
    let bytes = packet.bytes() as u64;
    match shared.receive(from, service, packet) {
        Some(Admission::Accepted) => {
            shared.counters.packets_received.increment();
            shared.counters.bytes_received.add(bytes);
            true
        }
        Some(Admission::Refused) => {
            shared.counters.rejected_by_inbox.increment();
            tracing::warn!(%from, ?service, "the peer sent more than it may: link closed");
            false
        }
        None => false,
    }
}
