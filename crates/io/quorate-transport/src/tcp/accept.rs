//! The listening side: callers introduce themselves, then their packets go to the inbox.

use super::greeting::{Greeting, GreetingError, encode_greeting, read_greeting};
use super::packet::{PacketError, PacketReader};
use super::router::Router;
use super::shared::Shared;
use crate::{compression, introduction};
use quorate_core::{Admission, Compression, Hello, HelloRefusal, NodeId, Packet, PeerEvent, Service};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// The pause after the operating system could not accept a caller, mostly because this process has no file
/// descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Takes callers for ever.
pub(crate) async fn accept(router: Arc<Router>, socket: TcpListener) {
    let mut strangers = VecDeque::new();
    loop {
        match socket.accept().await {
            Ok((stream, address)) => admit(&router, &mut strangers, stream, address),
            Err(error) => {
                tracing::warn!(%error, "cannot accept callers for the moment");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Lets a caller introduce itself; the one who has been silent longest makes room.
fn admit(
    router: &Arc<Router>,
    strangers: &mut VecDeque<AbortHandle>,
    stream: TcpStream,
    address: SocketAddr,
) {
    router.counters.connections_accepted.increment();
    strangers.retain(|stranger: &AbortHandle| !stranger.is_finished());
    if strangers.len() >= router.connections_max
        && let Some(oldest) = strangers.pop_front()
    {
        oldest.abort();
        router.counters.rejected_flood.increment();
    }
    strangers.push_back(tokio::spawn(meet(router.clone(), stream, address)).abort_handle());
}

async fn meet(router: Arc<Router>, stream: TcpStream, address: SocketAddr) {
    match timeout(router.handshake_timeout, introduce(&router, stream)).await {
        Ok(Ok(guest)) => guest.start_reader(),
        Ok(Err(rejection)) => rejection.report(&router, address),
        Err(_) => Rejection::Silent.report(&router, address),
    }
}

/// A caller that was let into a group.
struct Guest {
    group: Arc<Shared>,
    stream: TcpStream,
    caller: NodeId,
    service: Service,
    /// How bodies are compressed on the link.
    compression: Compression,
}

impl Guest {
    fn start_reader(self) {
        let Self { group, stream, caller, service, compression } = self;
        if !group.is_closed() {
            let reader = PacketReader::new(group.limits.packet_bytes_max, compression);
            let reader = read(Arc::clone(&group), stream, reader, caller, service);
            group.tasks.start_reader((caller, service), reader);
            group.called_by(caller);
        }
    }
}

/// Hears the caller's hello, finds the group that it names, and answers for that group.
async fn introduce(router: &Router, mut stream: TcpStream) -> Result<Guest, Rejection> {
    let (service, target, theirs, wish) = match read_greeting(&mut stream, Hello::PROTOCOL).await {
        Ok(Greeting::Call { service, target, hello, wish }) => (service, target, hello, wish),
        Err(GreetingError::Protocol { theirs }) => {
            let refusal = HelloRefusal::Protocol { ours: Hello::PROTOCOL, theirs };
            turn_away(&mut stream, &refusal, None).await;
            return Err(Rejection::Protocol(refusal));
        }
        Ok(_) | Err(_) => return Err(Rejection::Foreign),
    };
    let Some(group) = router.judge(&theirs.group) else {
        let refusal = HelloRefusal::UnknownGroup { group: theirs.group };
        turn_away(&mut stream, &refusal, None).await;
        return Err(Rejection::UnknownGroup { caller: theirs.node, refusal });
    };
    let ours = group.hello();
    let admitted = introduction::admit_caller(&ours, &theirs, &target, &group.members);
    match admitted.and_then(|caller| group.acquaintances.meet(&theirs).map(|()| caller)) {
        Ok(caller) => {
            let grant = wish.map(grant);
            let welcome = Greeting::Welcome { hello: ours.clone(), grant };
            let bytes = encode_greeting(&welcome, ours.protocol).ok_or(Rejection::Foreign)?;
            stream.write_all(&bytes).await.map_err(|_| Rejection::Foreign)?;
            Ok(Guest { group, stream, caller, service, compression: grant.unwrap_or_default() })
        }
        Err(refusal) => {
            turn_away(&mut stream, &refusal, Some(&ours)).await;
            Err(Rejection::Hello { group, caller: theirs.node, refusal })
        }
    }
}

/// A caller's wish, if this build can read what is compressed so.
fn grant(wish: Compression) -> Compression {
    if compression::is_in_this_build(wish) { wish } else { Compression::None }
}

/// Tells a caller why, in the name of the group that judged it, if one did.
async fn turn_away(stream: &mut TcpStream, refusal: &HelloRefusal, judge: Option<&Hello>) {
    let (refuser, protocol) = judge.map_or(("", Hello::PROTOCOL), |hello| (&hello.node, hello.protocol));
    let answer = Greeting::Refusal(introduction::mirrored(refusal.clone(), refuser));
    if let Some(bytes) = encode_greeting(&answer, protocol) {
        // Whether the caller hears it changes nothing here.
        let _outcome = stream.write_all(&bytes).await;
    }
}

/// Why a caller is not let in.
enum Rejection {
    Silent,
    Foreign,
    Protocol(HelloRefusal),
    UnknownGroup { caller: String, refusal: HelloRefusal },
    Hello { group: Arc<Shared>, caller: String, refusal: HelloRefusal },
}

impl Rejection {
    /// Counts it, and tells the group that judged the caller; where none did, all of them.
    fn report(self, router: &Router, address: SocketAddr) {
        let counters = &router.counters;
        let (counter, caller, refusal) = match self {
            Self::Hello { group, caller, refusal } => {
                group.counters.rejected_hello.increment();
                return group.notice(rejected(caller, Some(refusal)));
            }
            Self::Silent => (&counters.rejected_silent, None, None),
            Self::Foreign => (&counters.rejected_foreign, None, None),
            Self::Protocol(refusal) => (&counters.rejected_protocol, None, Some(refusal)),
            Self::UnknownGroup { caller, refusal } => {
                (&counters.rejected_unknown_group, Some(caller), Some(refusal))
            }
        };
        counter.increment();
        router.notice(&rejected(caller.unwrap_or_else(|| address.to_string()), refusal));
    }
}

fn rejected(peer: String, refusal: Option<HelloRefusal>) -> PeerEvent {
    tracing::debug!(peer, ?refusal, "caller rejected");
    PeerEvent::Rejected { peer, refusal }
}

/// Hands the packets of a link to the inbox until the link ends.
async fn read(
    shared: Arc<Shared>,
    mut stream: TcpStream,
    mut reader: PacketReader,
    from: NodeId,
    service: Service,
) {
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
                shared.counters.rejected_oversized.increment();
                return shared.notice(rejected(name_of(&shared, from), None));
            }
            Err(PacketError::Undecodable) => {
                tracing::warn!(%from, ?service, "a body cannot be decompressed: link closed");
                shared.counters.rejected_undecodable.increment();
                return shared.notice(rejected(name_of(&shared, from), None));
            }
            Err(PacketError::Io(error)) => {
                return tracing::debug!(%from, ?service, %error, "link broken");
            }
        }
    }
}

fn name_of(shared: &Shared, member: NodeId) -> String {
    shared.members.member(member).map_or_else(String::new, |member| member.name.clone())
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
