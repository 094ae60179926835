use crate::TransportError;
use crate::backoff::Backoff;
use crate::introduction::Acquaintances;
use quorate_core::{
    DownReason, Hello, HelloRefusal, Inbox, MemberList, NodeId, Packet, PeerEvent, SendError, Service,
};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

/// How many bytes may wait on one link.
const QUEUE_BYTES_MAX: usize = 16 << 20;
const BACKOFF_MIN: Duration = Duration::from_millis(5);
const BACKOFF_MAX: Duration = Duration::from_millis(100);

/// Counts the nodes that were ever started, so that one that is started again is not taken for its former
/// self.
pub(crate) type EndpointNumber = u64;

/// A running node.
pub(crate) struct Endpoint {
    pub(crate) me: NodeId,
    pub(crate) address: String,
    pub(crate) members: MemberList,
    pub(crate) acquaintances: Arc<Acquaintances>,
    pub(crate) inbox: Arc<dyn Inbox>,
}

/// All nodes, links and packets of a network, shared by the senders and the dispatcher.
///
/// No inbox is ever called with the state locked.
#[derive(Default)]
pub(crate) struct Hub {
    state: Mutex<State>,
    /// There is something new on the agenda.
    work: Condvar,
    /// The dispatcher has come back from an inbox.
    returned: Condvar,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) endpoints: BTreeMap<EndpointNumber, Endpoint>,
    pub(crate) links: BTreeMap<LinkId, Link>,
    agenda: BinaryHeap<Reverse<Appointment>>,
    cuts: BTreeSet<(NodeId, NodeId)>,
    delays: BTreeMap<(NodeId, NodeId), Duration>,
    /// The nodes whose inboxes the dispatcher is calling.
    busy: Vec<EndpointNumber>,
    dispatcher: Option<ThreadId>,
    /// The source of endpoint, session and appointment numbers.
    last_number: u64,
    is_shut_down: bool,
}

/// A link, by the node that dials it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LinkId {
    pub(crate) from: EndpointNumber,
    pub(crate) to: NodeId,
    pub(crate) service: Service,
}

pub(crate) struct Link {
    pub(crate) session: Option<Session>,
    backoff: Backoff,
}

/// A link that stands.
pub(crate) struct Session {
    pub(crate) number: u64,
    pub(crate) target: EndpointNumber,
    /// Bytes on their way.
    bytes: usize,
    /// When the last packet so far arrives.
    last_arrival: Instant,
}

/// What the dispatcher does next.
pub(crate) enum Job {
    Dial(LinkId),
    Deliver { link: LinkId, session: u64, packet: Packet },
    Notice { endpoint: EndpointNumber, event: PeerEvent },
}

/// A job and when it is due; jobs due at the same time are done in the order of their numbers.
struct Appointment {
    due: Instant,
    number: u64,
    job: Job,
}

impl Hub {
    pub(crate) fn start(&self, endpoint: Endpoint) -> Result<EndpointNumber, TransportError> {
        let mut state = self.lock();
        if state.endpoints.values().any(|other| other.address == endpoint.address) {
            return Err(TransportError::AddressInUse { address: endpoint.address });
        }
        let number = state.next_number();
        for peer in endpoint.members.members().iter().filter(|peer| peer.id != endpoint.me) {
            for service in Service::ALL {
                let link = LinkId { from: number, to: peer.id, service };
                let backoff = Backoff::new(BACKOFF_MIN, BACKOFF_MAX, number);
                state.links.insert(link, Link { session: None, backoff });
                state.schedule(Duration::ZERO, Job::Dial(link));
            }
        }
        state.endpoints.insert(number, endpoint);
        self.work.notify_one();
        Ok(number)
    }

    pub(crate) fn send(
        &self,
        from: EndpointNumber,
        to: NodeId,
        service: Service,
        packet: Packet,
    ) -> Result<(), SendError> {
        let mut state = self.lock();
        state.send(LinkId { from, to, service }, packet)?;
        self.work.notify_one();
        Ok(())
    }

    pub(crate) fn close(&self, endpoint: EndpointNumber) {
        let mut state = self.lock();
        state.stop(endpoint);
        self.work.notify_one();
        self.wait_while_busy(state, endpoint);
    }

    pub(crate) fn kill(&self, node: NodeId) {
        let killed: Vec<_> = {
            let state = self.lock();
            state
                .endpoints
                .iter()
                .filter(|(_, endpoint)| endpoint.me == node)
                .map(|(number, _)| *number)
                .collect()
        };
        for endpoint in killed {
            self.close(endpoint);
        }
    }

    pub(crate) fn cut(&self, from: NodeId, to: NodeId) {
        self.lock().cuts.insert((from, to));
    }

    pub(crate) fn heal(&self) {
        self.lock().heal();
        self.work.notify_one();
    }

    pub(crate) fn set_delay(&self, from: NodeId, to: NodeId, delay: Duration) {
        self.lock().delays.insert((from, to), delay);
    }

    pub(crate) fn shut_down(&self) {
        let mut state = self.lock();
        state.is_shut_down = true;
        state.endpoints.clear();
        state.links.clear();
        state.agenda.clear();
        self.work.notify_one();
    }

    /// Takes part in the work as the dispatcher does: `take` is tried on each job that is due, until it gives
    /// something to call, or the hub is shut down.
    pub(crate) fn next_call<C>(&self, mut take: impl FnMut(&mut State, Job) -> Option<C>) -> Option<C> {
        let mut state = self.lock();
        state.dispatcher = Some(thread::current().id());
        state.busy.clear();
        self.returned.notify_all();
        loop {
            if state.is_shut_down {
                return None;
            }
            state = match state.next_due() {
                Due::Now(job) => match take(&mut state, job) {
                    Some(call) => return Some(call),
                    None => state,
                },
                Due::In(pause) => {
                    self.work.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner).0
                }
                Due::Never => self.work.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while_busy(&self, mut state: MutexGuard<'_, State>, endpoint: EndpointNumber) {
        let is_within_the_inbox = state.dispatcher == Some(thread::current().id());
        while !is_within_the_inbox && state.busy.contains(&endpoint) {
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

enum Due {
    Now(Job),
    In(Duration),
    Never,
}

impl State {
    fn next_due(&mut self) -> Due {
        let Some(Reverse(first)) = self.agenda.peek() else { return Due::Never };
        let pause = first.due.saturating_duration_since(Instant::now());
        if !pause.is_zero() {
            return Due::In(pause);
        }
        self.agenda.pop().map_or(Due::Never, |Reverse(first)| Due::Now(first.job))
    }

    /// Says whose inboxes the dispatcher is about to call.
    pub(crate) fn set_busy(&mut self, endpoints: &[EndpointNumber]) {
        self.busy.extend_from_slice(endpoints);
    }

    /// Whether packets from one running node do not reach another.
    pub(crate) fn is_cut(&self, from: EndpointNumber, to: EndpointNumber) -> bool {
        match (self.endpoints.get(&from), self.endpoints.get(&to)) {
            (Some(from), Some(to)) => self.cuts.contains(&(from.me, to.me)),
            _ => false,
        }
    }

    /// The session of a link, if it is still the one with this number, after `bytes` of it have been taken
    /// off the way.
    pub(crate) fn arrived(&mut self, link: LinkId, session: u64, bytes: usize) -> Option<EndpointNumber> {
        let standing = self.links.get_mut(&link)?.session.as_mut()?;
        if standing.number != session {
            return None;
        }
        standing.bytes -= bytes;
        Some(standing.target)
    }

    /// Both ends have accepted each other.
    pub(crate) fn open(&mut self, link: LinkId, target: EndpointNumber, hello: Hello) {
        if !self.endpoints.contains_key(&target) {
            return self.fail(link, DownReason::ConnectionRefused);
        }
        let number = self.next_number();
        let Some(standing) = self.links.get_mut(&link) else { return };
        standing.session = Some(Session { number, target, bytes: 0, last_arrival: Instant::now() });
        standing.backoff.reset();
        self.tell(link.from, PeerEvent::Up { node: link.to, service: link.service, hello });
    }

    /// The listening side ends a link for cause, unless it has ended meanwhile.
    pub(crate) fn end(&mut self, link: LinkId, session: u64) {
        let standing = self.links.get(&link).and_then(|link| link.session.as_ref());
        if standing.is_some_and(|standing| standing.number == session) {
            self.fail(link, DownReason::Lost);
        }
    }

    /// An attempt has failed: it is repeated after a pause.
    pub(crate) fn fail(&mut self, link: LinkId, reason: DownReason) {
        let Some(failed) = self.links.get_mut(&link) else { return };
        failed.session = None;
        let pause = failed.backoff.next();
        self.tell(link.from, PeerEvent::Down { node: link.to, service: link.service, reason });
        self.schedule(pause, Job::Dial(link));
    }

    /// The listening side has turned a caller away.
    pub(crate) fn reject(&mut self, listener: EndpointNumber, caller: String, refusal: HelloRefusal) {
        self.tell(listener, PeerEvent::Rejected { peer: caller, refusal: Some(refusal) });
    }

    /// A link that stood has ended: it is tried again at once.
    fn lose(&mut self, link: LinkId) {
        let Some(lost) = self.links.get_mut(&link) else { return };
        lost.session = None;
        self.tell(
            link.from,
            PeerEvent::Down { node: link.to, service: link.service, reason: DownReason::Lost },
        );
        self.schedule(Duration::ZERO, Job::Dial(link));
    }

    fn send(&mut self, link: LinkId, packet: Packet) -> Result<(), SendError> {
        let to = link.to;
        let me = self.endpoints.get(&link.from).ok_or(SendError::UnknownPeer)?.me;
        let delay = self.delays.get(&(me, to)).copied().unwrap_or_default();
        let session = &mut self.links.get_mut(&link).ok_or(SendError::UnknownPeer)?.session;
        let session = session.as_mut().ok_or(SendError::NotConnected)?;
        if session.bytes > 0 && session.bytes + packet.bytes() > QUEUE_BYTES_MAX {
            return Err(SendError::Full);
        }
        session.bytes += packet.bytes();
        session.last_arrival = session.last_arrival.max(Instant::now() + delay);
        let (due, session) = (session.last_arrival, session.number);
        self.schedule_at(due, Job::Deliver { link, session, packet });
        Ok(())
    }

    fn stop(&mut self, endpoint: EndpointNumber) {
        if self.endpoints.remove(&endpoint).is_none() {
            return;
        }
        self.links.retain(|link, _| link.from != endpoint);
        for link in self.standing_links(|_, session| session.target == endpoint) {
            self.lose(link);
        }
    }

    fn heal(&mut self) {
        let cut = self.standing_links(|link, session| self.is_cut(link.from, session.target));
        self.cuts.clear();
        for link in cut {
            self.lose(link);
        }
    }

    fn standing_links(&self, select: impl Fn(&LinkId, &Session) -> bool) -> Vec<LinkId> {
        let standing = self.links.iter().filter_map(|(link, state)| Some((link, state.session.as_ref()?)));
        standing.filter(|(link, session)| select(link, session)).map(|(link, _)| *link).collect()
    }

    fn tell(&mut self, endpoint: EndpointNumber, event: PeerEvent) {
        self.schedule(Duration::ZERO, Job::Notice { endpoint, event });
    }

    fn schedule(&mut self, pause: Duration, job: Job) {
        self.schedule_at(Instant::now() + pause, job);
    }

    fn schedule_at(&mut self, due: Instant, job: Job) {
        let number = self.next_number();
        self.agenda.push(Reverse(Appointment { due, number, job }));
    }

    fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }
}

impl Ord for Appointment {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.number).cmp(&(other.due, other.number))
    }
}

impl PartialOrd for Appointment {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Appointment {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Appointment {}
