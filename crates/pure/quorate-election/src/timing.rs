//! How long to wait for others, by how long they take to answer.

use alloc::vec::Vec;
use core::time::Duration;
use quorate_core::{NodeId, NodeSet};

/// The times by which a voter and a master wait for others: as configured, or longer where answers take longer.
///
/// A heartbeat is sent no more often than a round trip takes, and an election gets ten of them: the advice of etcd's operators ("Tuning",
/// etcd documentation), followed without being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    heartbeat_interval_min: Duration,
    election_timeout_min: Duration,
    round_trip: Duration,
}

/// No round trip counts for more, so that what a peer says of it cannot put off an election by more than twenty seconds.
pub const ROUND_TRIP_MAX: Duration = Duration::from_secs(2);
/// How many round trips an election may take.
const ROUND_TRIPS_OF_AN_ELECTION: u32 = 10;

impl Timing {
    /// Times of nodes that answer at once.
    #[must_use]
    pub const fn new(heartbeat_interval_min: Duration, election_timeout_min: Duration) -> Self {
        Self { heartbeat_interval_min, election_timeout_min, round_trip: Duration::ZERO }
    }

    /// The same, where answers take so long; at most [`ROUND_TRIP_MAX`] counts.
    #[must_use]
    pub fn with_round_trip(self, round_trip: Duration) -> Self {
        Self { round_trip: round_trip.min(ROUND_TRIP_MAX), ..self }
    }

    /// How long answers take of as many voters as elections and commits need; zero as long as nobody knows.
    #[must_use]
    pub const fn round_trip(&self) -> Duration {
        self.round_trip
    }

    /// How often a master sends heartbeats.
    #[must_use]
    pub fn heartbeat_interval(&self) -> Duration {
        self.heartbeat_interval_min.max(self.round_trip)
    }

    /// How long to wait for an answer before asking again. Whoever is asked may have to ask a quorum in turn.
    #[must_use]
    pub fn retry_interval(&self) -> Duration {
        self.heartbeat_interval_min.saturating_mul(2).max(self.round_trip * 4)
    }

    /// Without answers from a write quorum for this long a master steps down; ballots and retries are timed by it too.
    #[must_use]
    pub fn election_timeout(&self) -> Duration {
        self.election_timeout_min.max(self.round_trip * ROUND_TRIPS_OF_AN_ELECTION)
    }
}

/// How long each peer took to answer of late.
#[derive(Clone, Debug, Default)]
pub(crate) struct RoundTrips {
    peers: Vec<(NodeId, Latest)>,
}

/// The last round trips of one peer. The shortest of them counts: what holds a process or a disk up for a moment lengthens some, a long way all.
#[derive(Clone, Copy, Debug)]
struct Latest {
    round_trips: [Duration; LATEST],
    next: usize,
}

/// How many round trips of a peer are remembered.
const LATEST: usize = 8;

impl RoundTrips {
    /// A peer's answer took so long.
    pub(crate) fn measured(&mut self, from: NodeId, round_trip: Duration) {
        if let Some((_, latest)) = self.peers.iter_mut().find(|(node, _)| *node == from) {
            latest.round_trips[latest.next] = round_trip;
            latest.next = (latest.next + 1) % LATEST;
        } else {
            let latest = Latest { round_trips: [Duration::MAX; LATEST], next: 0 };
            self.peers.push((from, latest));
            self.measured(from, round_trip);
        }
    }

    /// What a peer takes; zero as long as nobody knows.
    pub(crate) fn of(&self, peer: NodeId) -> Duration {
        let latest = self.peers.iter().find(|(node, _)| *node == peer);
        latest.map_or(Duration::ZERO, |(_, latest)| latest.shortest().min(ROUND_TRIP_MAX))
    }

    /// The least time within which so many electable peers answer that they are enough, together with `me`; `None` if too few have been heard from.
    pub(crate) fn within(
        &self,
        me: NodeId,
        electable: &NodeSet,
        enough: impl Fn(&NodeSet) -> bool,
    ) -> Option<Duration> {
        let voters = self.peers.iter().filter(|(node, _)| electable.contains(*node));
        let mut shortest: Vec<(Duration, NodeId)> =
            voters.map(|(node, latest)| (latest.shortest(), *node)).collect();
        shortest.sort_unstable();
        let mut answered: NodeSet = [me].into_iter().collect();
        if enough(&answered) {
            return Some(Duration::ZERO);
        }
        shortest.into_iter().find_map(|(round_trip, node)| {
            answered.insert(node);
            enough(&answered).then_some(round_trip)
        })
    }
}

impl Latest {
    fn shortest(&self) -> Duration {
        self.round_trips.iter().copied().fold(Duration::MAX, Duration::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn n(number: u16) -> NodeId {
        NodeId::new(number)
    }
    fn voters(count: u16) -> NodeSet {
        (1..=count).map(n).collect()
    }
    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn times_are_those_configured_until_answers_take_longer() {
        let timing = Timing::new(ms(100), ms(1000));
        let times = |round_trip| {
            let timing = timing.with_round_trip(round_trip);
            (timing.heartbeat_interval(), timing.retry_interval(), timing.election_timeout())
        };
        assert_eq!(times(ms(0)), (ms(100), ms(200), ms(1000)));
        assert_eq!(times(ms(40)), (ms(100), ms(200), ms(1000)));
        assert_eq!(times(ms(90)), (ms(100), ms(360), ms(1000)));
        assert_eq!(times(ms(400)), (ms(400), ms(1600), ms(4000)));
        let longest = (ms(2000), ms(8000), ms(20_000));
        assert_eq!(times(Duration::MAX), longest, "nobody can put an election off for ever");
    }

    #[test]
    fn a_peer_that_is_held_up_for_a_moment_lengthens_nothing() {
        let mut round_trips = RoundTrips::default();
        let within =
            |round_trips: &RoundTrips| round_trips.within(n(1), &voters(3), |nodes| nodes.len() >= 2);
        (0..LATEST).for_each(|_| round_trips.measured(n(2), ms(300)));
        assert_eq!(within(&round_trips), Some(ms(300)));
        round_trips.measured(n(2), ms(5));
        (1..LATEST).for_each(|_| round_trips.measured(n(2), ms(10_000)));
        assert_eq!(within(&round_trips), Some(ms(5)));
        round_trips.measured(n(2), ms(10_000));
        assert_eq!(within(&round_trips), Some(ms(10_000)), "that was no moment");
    }

    #[test]
    fn as_many_peers_count_as_are_needed_and_the_nearest_first() {
        let mut round_trips = RoundTrips::default();
        let within =
            |round_trips: &RoundTrips| round_trips.within(n(1), &voters(5), |nodes| nodes.len() >= 3);
        let alone = round_trips.within(n(1), &voters(1), |nodes| !nodes.is_empty());
        assert_eq!(alone, Some(Duration::ZERO));
        for (node, milliseconds) in [(2, 200), (6, 3), (3, 1)] {
            assert_eq!(within(&round_trips), None, "the sixth has no vote");
            round_trips.measured(n(node), ms(milliseconds));
        }
        assert_eq!(within(&round_trips), Some(ms(200)));
        round_trips.measured(n(4), ms(40));
        assert_eq!(within(&round_trips), Some(ms(40)), "nobody waits for the farthest");
        assert_eq!((round_trips.of(n(2)), round_trips.of(n(5))), (ms(200), ms(0)));
    }
}
