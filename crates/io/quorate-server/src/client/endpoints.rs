use crate::v1::quorate_client::QuorateClient;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tonic::transport::{Channel, Endpoint as Route};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// A node that is silent for so long is asked whether it is still there. A process that has stopped keeps its
/// connections; and a write that is sent again to another node is carried out once.
const KEEPALIVE_INTERVAL: Duration = Duration::from_millis(250);
/// How long it may take to answer: a busy node is not a silent one.
const KEEPALIVE_TIMEOUT: Duration = Duration::from_millis(500);
/// How long a node that was silent is kept away from: the others may take it for the master until they have elected
/// another one.
const AVOIDANCE: Duration = Duration::from_secs(1);
/// The longest value there can be, and what is around it.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// How many nodes a client keeps connections to: those it is given, and masters that it is told of.
const ENDPOINTS_MAX: usize = 64;

/// Why a list of endpoints is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// There is none.
    #[error("there is no endpoint: name at least one node, as host:port")]
    None,
    /// One is no address.
    #[error("the endpoint {endpoint:?} is no address: write host:port, ip:port or [ipv6]:port")]
    Malformed {
        /// The endpoint.
        endpoint: String,
    },
}

/// A node as a client reaches it. It connects when it is first used, and again after every failure.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    pub(super) address: String,
    pub(super) calls: QuorateClient<Channel>,
}

impl Endpoint {
    pub(super) fn new(address: &str) -> Result<Self, EndpointError> {
        let malformed = || EndpointError::Malformed { endpoint: address.to_owned() };
        let (host, port) = address.rsplit_once(':').ok_or_else(malformed)?;
        if host.is_empty() || !port.parse::<u16>().is_ok_and(|port| port > 0) {
            return Err(malformed());
        }
        let route = Route::from_shared(format!("http://{address}")).map_err(|_| malformed())?;
        let channel = route
            .connect_timeout(CONNECT_TIMEOUT)
            .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
            .keep_alive_timeout(KEEPALIVE_TIMEOUT)
            .tcp_nodelay(true)
            .connect_lazy();
        let calls = QuorateClient::new(channel)
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .max_encoding_message_size(MESSAGE_BYTES_MAX);
        Ok(Self { address: address.to_owned(), calls })
    }
}

/// The node that a call turns to.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// By which [`Endpoints`] knows it.
    pub(super) number: usize,
    pub(super) endpoint: Endpoint,
}

/// The nodes that a client knows, and which of them it turns to.
#[derive(Debug)]
pub(super) struct Endpoints {
    known: RwLock<Vec<Endpoint>>,
    target: AtomicUsize,
    silent: Mutex<Option<Silent>>,
}

/// A node that has said nothing for too long, and when it is turned to again.
#[derive(Clone, Copy, Debug)]
struct Silent {
    number: usize,
    until: Instant,
}

impl Endpoints {
    pub(super) fn new<A: AsRef<str>>(endpoints: impl IntoIterator<Item = A>) -> Result<Self, EndpointError> {
        let mut known: Vec<Endpoint> = Vec::new();
        for address in endpoints {
            let address = address.as_ref().trim();
            if known.iter().all(|endpoint| endpoint.address != address) {
                known.push(Endpoint::new(address)?);
            }
        }
        if known.is_empty() {
            return Err(EndpointError::None);
        }
        Ok(Self { known: RwLock::new(known), target: AtomicUsize::new(0), silent: Mutex::new(None) })
    }

    /// All nodes known.
    pub(super) fn all(&self) -> Vec<Endpoint> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The node to turn to.
    pub(super) fn target(&self) -> Target {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let number = self.target.load(Ordering::Relaxed) % known.len();
        Target { number, endpoint: known[number].clone() }
    }

    /// Turns away from the node `from`, to `address` where that is given, else to the next one; unless
    /// another call has turned away from it already. A silent node is turned to only where there is no other.
    pub(super) fn turn_away(&self, from: usize, address: Option<&str>) {
        self.turn_away_at(Instant::now(), from, address);
    }

    /// Turns away from the node `from`, which says nothing, and for a while keeps away from it.
    pub(super) fn turn_away_from_silent(&self, from: usize) {
        self.turn_away_from_silent_at(Instant::now(), from);
    }

    fn turn_away_from_silent_at(&self, now: Instant, from: usize) {
        let silent = Silent { number: from, until: now + AVOIDANCE };
        *self.silent.lock().unwrap_or_else(PoisonError::into_inner) = Some(silent);
        self.turn_away_at(now, from, None);
    }

    fn turn_away_at(&self, now: Instant, from: usize, address: Option<&str>) {
        let silent = *self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        let silent = silent.filter(|silent| now < silent.until).map(|silent| silent.number);
        let named = address.and_then(|address| self.number_of(address));
        let count = self.known.read().unwrap_or_else(PoisonError::into_inner).len();
        let others = (1..count).map(|step| (from + step) % count);
        let to = named.into_iter().chain(others).find(|to| Some(*to) != silent);
        if let Some(to) = to {
            let _ = self.target.compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed);
        }
    }

    /// The number of the node that serves at `address`, which becomes known if it was not.
    fn number_of(&self, address: &str) -> Option<usize> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known.iter().position(|endpoint| endpoint.address == address) {
            return Some(found);
        }
        if known.len() >= ENDPOINTS_MAX {
            return None;
        }
        known.push(Endpoint::new(address).ok()?);
        Some(known.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn calls_follow_a_master_that_was_not_known_and_else_go_round() {
        let endpoints = Endpoints::new(["a:1", "b:2", "a:1"]).unwrap();
        assert_eq!(endpoints.all().len(), 2);
        endpoints.turn_away(0, None);
        assert_eq!(endpoints.target().endpoint.address, "b:2");
        endpoints.turn_away(0, None);
        assert_eq!(endpoints.target().endpoint.address, "b:2");
        endpoints.turn_away(1, Some("c:3"));
        assert_eq!(endpoints.target().endpoint.address, "c:3");
        endpoints.turn_away(2, Some("no address"));
        assert_eq!(endpoints.target().endpoint.address, "a:1");
    }

    #[tokio::test]
    async fn calls_keep_away_from_a_silent_node_also_where_others_take_it_for_the_master() {
        let endpoints = Endpoints::new(["a:1", "b:2", "c:3"]).unwrap();
        let address = || endpoints.target().endpoint.address;
        let begin = Instant::now();
        endpoints.turn_away_from_silent_at(begin, 0);
        assert_eq!(address(), "b:2");
        endpoints.turn_away_at(begin, 1, Some("a:1"));
        assert_eq!(address(), "c:3");
        endpoints.turn_away_at(begin, 2, None);
        assert_eq!(address(), "b:2");
        endpoints.turn_away_at(begin + AVOIDANCE, 1, Some("a:1"));
        assert_eq!(address(), "a:1");
    }

    #[tokio::test]
    async fn a_silent_node_that_is_the_only_one_is_turned_to_again() {
        let endpoints = Endpoints::new(["a:1"]).unwrap();
        endpoints.turn_away_from_silent(0);
        assert_eq!(endpoints.target().endpoint.address, "a:1");
    }

    #[tokio::test]
    async fn what_is_no_address_is_named() {
        for endpoint in ["", "host", "host:", ":1", "host:port", "host:0", "a b:1"] {
            let error = Endpoints::new([endpoint]).unwrap_err();
            assert_eq!(error, EndpointError::Malformed { endpoint: endpoint.to_owned() });
        }
        assert_eq!(Endpoints::new::<&str>([]).unwrap_err(), EndpointError::None);
    }
}
