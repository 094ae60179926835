use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;
use quorate_core::{NodeId, NodeSet, QuorumSystem, Time};

/// A linearizable read that waits for a write quorum to answer a heartbeat sent after it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadRound<T> {
    /// The first heartbeat whose answers count.
    pub sequence: u64,
    /// The reader's own mark.
    pub read: T,
}

/// What the answers to a master's heartbeats tell it: that it still leads (check-quorum), and that a read is linearizable.
#[derive(Clone, Debug)]
pub struct HeartbeatRounds<T> {
    me: NodeId,
    sequence: u64,
    peers: Vec<Answered>,
    /// When heartbeats were sent, oldest first, as far as an answer may still come.
    sent: VecDeque<(u64, Time)>,
    began: Time,
    reads: VecDeque<ReadRound<T>>,
}

#[derive(Clone, Copy, Debug)]
struct Answered {
    node: NodeId,
    sequence: u64,
    /// When the answered heartbeat was sent: the peer followed this master then, at least.
    sent_at: Option<Time>,
    /// When the newest heartbeat was sent whose answer grants a lease.
    granted_from: Option<Time>,
}

impl<T> HeartbeatRounds<T> {
    /// The rounds of a term that begins `now`. `electable` are the nodes that count.
    #[must_use]
    pub fn new(me: NodeId, electable: &NodeSet, now: Time) -> Self {
        let peers = electable.iter().filter(|node| *node != me);
        let peers =
            peers.map(|node| Answered { node, sequence: 0, sent_at: None, granted_from: None }).collect();
        Self { me, sequence: 0, peers, sent: VecDeque::new(), began: now, reads: VecDeque::new() }
    }

    /// A heartbeat is being sent to all: its sequence number, from 1.
    pub fn next(&mut self, now: Time) -> u64 {
        self.sequence += 1;
        self.sent.push_back((self.sequence, now));
        self.sequence
    }

    /// A peer has answered a heartbeat. Answers to heartbeats never sent are ignored.
    pub fn answered(&mut self, from: NodeId, sequence: u64) {
        let Some(sent_at) = self.sent_at(sequence) else { return };
        if let Some(peer) = self.peers.iter_mut().find(|peer| peer.node == from)
            && peer.sequence < sequence
        {
            peer.sequence = sequence;
            peer.sent_at = Some(sent_at);
        }
    }

    /// When a heartbeat was sent; `None` if that is too long ago, or it never was.
    #[must_use]
    pub fn sent_at(&self, sequence: u64) -> Option<Time> {
        let index = self.sent.binary_search_by_key(&sequence, |(sent, _)| *sent).ok()?;
        Some(self.sent[index].1)
    }

    /// A peer grants a lease, to be counted from `from_time`: when the heartbeat that asked for it was sent.
    pub fn granted(&mut self, from: NodeId, from_time: Time) {
        if let Some(peer) = self.peers.iter_mut().find(|peer| peer.node == from) {
            peer.granted_from = peer.granted_from.max(Some(from_time));
        }
    }

    /// From when a lease counts: the latest time such that a write quorum, this master in it, has granted what was asked for then or later. `None` while
    /// there is no such quorum.
    ///
    /// This master's own grant ends with its leadership, which it gives up before it promises anything.
    #[must_use]
    pub fn leased_from(&self, quorums: &dyn QuorumSystem) -> Option<Time> {
        self.quorum_time(quorums, |peer| peer.granted_from)
    }

    /// The latest time such that a write quorum, this master in it, stands at that time or later.
    fn quorum_time(
        &self,
        quorums: &dyn QuorumSystem,
        stands_at: impl Fn(&Answered) -> Option<Time>,
    ) -> Option<Time> {
        let mut times: Vec<Time> = self.peers.iter().filter_map(&stands_at).collect();
        times.sort_unstable_by(|a, b| b.cmp(a));
        let since = |time: &Time| -> NodeSet {
            let standing = self.peers.iter().filter(|peer| stands_at(peer) >= Some(*time));
            standing.map(|peer| peer.node).chain([self.me]).collect()
        };
        times.into_iter().find(|time| quorums.is_write_quorum(&since(time)))
    }

    /// How many heartbeats have been sent.
    #[must_use]
    pub const fn sent(&self) -> u64 {
        self.sequence
    }

    /// Until when this master may lead without another answer: a write quorum was heard within `timeout` before.
    #[must_use]
    pub fn quorum_until(&self, quorums: &dyn QuorumSystem, timeout: Duration) -> Time {
        if quorums.is_write_quorum(&NodeSet::from_iter([self.me])) {
            return Time::from_nanos(u64::MAX);
        }
        let heard = self.quorum_time(quorums, |peer| Some(peer.sent_at.unwrap_or(self.began)));
        heard.unwrap_or(self.began) + timeout
    }

    /// Which nodes have answered a heartbeat sent within `timeout` before `now`.
    pub fn answering(&self, now: Time, timeout: Duration) -> impl Iterator<Item = NodeId> + '_ {
        let fresh = move |peer: &&Answered| peer.sent_at.is_some_and(|sent| now.since(sent) < timeout);
        self.peers.iter().filter(fresh).map(|peer| peer.node)
    }

    /// A read begins: the next heartbeat sent is the first that counts for it.
    pub fn begin_read(&mut self, read: T) {
        self.reads.push_back(ReadRound { sequence: self.sequence + 1, read });
    }

    /// When to send the heartbeat that reads wait for; `None` if none does.
    ///
    /// Reads that begin while a heartbeat is under way share the next one: it is sent once a write quorum has answered, or after
    /// a millisecond where answers take longer than that.
    #[must_use]
    pub fn heartbeat_wanted_at(&self, quorums: &dyn QuorumSystem) -> Option<Time> {
        self.reads.back().filter(|round| round.sequence > self.sequence)?;
        let under_way = self.sent_at(self.sequence).filter(|_| !self.is_answered(self.sequence, quorums));
        Some(under_way.map_or(Time::ZERO, |sent| sent + SHARED_AFTER))
    }

    /// Whether a write quorum, this master in it, has answered this heartbeat or a later one.
    fn is_answered(&self, sequence: u64, quorums: &dyn QuorumSystem) -> bool {
        let answered = self.peers.iter().filter(|peer| peer.sequence >= sequence).map(|peer| peer.node);
        quorums.is_write_quorum(&answered.chain([self.me]).collect())
    }

    /// The reads that a write quorum has confirmed, in the order in which they began.
    pub fn confirmed(&mut self, quorums: &dyn QuorumSystem) -> Vec<T> {
        let mut confirmed = Vec::new();
        while let Some(round) = self.reads.front() {
            if round.sequence > self.sequence || !self.is_answered(round.sequence, quorums) {
                break;
            }
            confirmed.extend(self.reads.pop_front().map(|round| round.read));
        }
        self.forget_answered_by_all();
        confirmed
    }

    /// All reads that wait, as when the master steps down.
    pub fn drain_reads(&mut self) -> impl Iterator<Item = T> + '_ {
        self.reads.drain(..).map(|round| round.read)
    }

    fn forget_answered_by_all(&mut self) {
        let slowest = self.peers.iter().map(|peer| peer.sequence).min().unwrap_or(self.sequence);
        while self.sent.front().is_some_and(|(sequence, _)| *sequence < slowest) || self.sent.len() > SENT_MAX
        {
            self.sent.pop_front();
        }
    }
}

/// How many unanswered heartbeats are remembered; an answer to an older one counts no more.
const SENT_MAX: usize = 1024;
/// How long reads wait for a heartbeat before theirs to be answered.
const SHARED_AFTER: Duration = Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use super::*;

    struct Majority(usize);
    impl QuorumSystem for Majority {
        fn is_election_quorum(&self, nodes: &NodeSet) -> bool {
            nodes.len() * 2 > self.0
        }
        fn is_write_quorum(&self, nodes: &NodeSet) -> bool {
            nodes.len() * 2 > self.0
        }
    }

    fn n(number: u16) -> NodeId {
        NodeId::new(number)
    }
    fn at(milliseconds: u64) -> Time {
        Time::from_nanos(milliseconds * 1_000_000)
    }
    fn rounds() -> HeartbeatRounds<&'static str> {
        HeartbeatRounds::new(n(1), &(1..=5).map(n).collect(), at(0))
    }

    #[test]
    fn a_read_waits_for_answers_to_a_heartbeat_sent_after_it_began() {
        let mut rounds = rounds();
        let early = rounds.next(at(1));
        rounds.begin_read("read");
        assert!(rounds.heartbeat_wanted_at(&Majority(5)).is_some());
        (2..=5).for_each(|node| rounds.answered(n(node), early));
        assert!(rounds.confirmed(&Majority(5)).is_empty());
        let late = rounds.next(at(2));
        rounds.answered(n(2), late);
        rounds.answered(n(2), late);
        assert!(rounds.confirmed(&Majority(5)).is_empty(), "one peer's answers count once");
        rounds.answered(n(3), late);
        assert_eq!(rounds.confirmed(&Majority(5)), ["read"]);
        assert!(rounds.confirmed(&Majority(5)).is_empty());
    }

    #[test]
    fn leadership_lasts_a_timeout_from_the_sending_of_the_last_heartbeat_that_a_quorum_answered() {
        let mut rounds = rounds();
        let timeout = Duration::from_millis(1000);
        assert_eq!(rounds.quorum_until(&Majority(5), timeout), at(1000));
        let first = rounds.next(at(100));
        let second = rounds.next(at(200));
        rounds.answered(n(2), second);
        rounds.answered(n(3), first);
        assert_eq!(
            rounds.quorum_until(&Majority(5), timeout),
            at(1100),
            "the slower of the two needed answers counts"
        );
        rounds.answered(n(4), second);
        assert_eq!(rounds.quorum_until(&Majority(5), timeout), at(1200));
        rounds.answered(n(5), 77);
        assert_eq!(rounds.answering(at(300), timeout).count(), 3, "an answer to nothing is no answer");
    }

    #[test]
    fn reads_that_begin_while_a_heartbeat_is_under_way_share_the_next_one() {
        let mut rounds = rounds();
        let wanted_at = |rounds: &HeartbeatRounds<_>| rounds.heartbeat_wanted_at(&Majority(5));
        assert_eq!(wanted_at(&rounds), None);
        rounds.begin_read("first");
        assert_eq!(wanted_at(&rounds), Some(Time::ZERO), "nothing is under way");
        let first = rounds.next(at(10));
        assert_eq!(wanted_at(&rounds), None);
        rounds.begin_read("second");
        rounds.begin_read("third");
        assert_eq!(wanted_at(&rounds), Some(at(11)), "over a long link rounds overlap");
        rounds.answered(n(2), first);
        assert_eq!(wanted_at(&rounds), Some(at(11)));
        rounds.answered(n(3), first);
        assert_eq!(wanted_at(&rounds), Some(Time::ZERO));
        assert_eq!(rounds.confirmed(&Majority(5)), ["first"]);
        let second = rounds.next(at(11));
        [2, 3].into_iter().for_each(|node| rounds.answered(n(node), second));
        assert_eq!(rounds.confirmed(&Majority(5)), ["second", "third"]);
        assert_eq!(wanted_at(&rounds), None);
    }

    #[test]
    fn a_lease_counts_from_the_sending_of_the_last_heartbeat_that_a_write_quorum_has_granted() {
        let mut rounds = rounds();
        let (first, second) = (rounds.next(at(100)), rounds.next(at(200)));
        (2..=5).for_each(|node| rounds.answered(n(node), second));
        assert_eq!(rounds.leased_from(&Majority(5)), None, "an answer is no grant");
        rounds.granted(n(2), rounds.sent_at(second).unwrap());
        assert_eq!(rounds.leased_from(&Majority(5)), None);
        rounds.granted(n(3), rounds.sent_at(first).unwrap());
        assert_eq!(
            rounds.leased_from(&Majority(5)),
            Some(at(100)),
            "the older of the two needed grants counts"
        );
        rounds.granted(n(4), rounds.sent_at(second).unwrap());
        rounds.granted(n(4), rounds.sent_at(first).unwrap());
        assert_eq!(rounds.leased_from(&Majority(5)), Some(at(200)), "a late answer takes nothing back");
        assert_eq!(rounds.sent_at(77), None);
    }

    #[test]
    fn a_group_of_one_needs_no_answers() {
        let mut alone: HeartbeatRounds<u8> = HeartbeatRounds::new(n(1), &[n(1)].into_iter().collect(), at(0));
        assert_eq!(alone.quorum_until(&Majority(1), Duration::from_secs(1)), Time::from_nanos(u64::MAX));
        alone.begin_read(7);
        alone.next(at(1));
        assert_eq!(alone.confirmed(&Majority(1)), [7]);
    }
}
