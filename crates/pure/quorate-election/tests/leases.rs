//! A voter that has granted a lease promises nothing and encourages nobody until the lease is over.

use quorate_core::{NodeId, NodeSet, QuorumSystem, Term, Time};
use quorate_election::{Election, ElectionConfig, ElectionMessage, LeaseTerms, Output, Standing};
use std::time::Duration;

struct Majority;
impl QuorumSystem for Majority {
    fn is_election_quorum(&self, nodes: &NodeSet) -> bool {
        nodes.len() >= 2
    }
    fn is_write_quorum(&self, nodes: &NodeSet) -> bool {
        nodes.len() >= 2
    }
}

const SPAN: Duration = Duration::from_millis(500);

fn n(number: u16) -> NodeId {
    NodeId::new(number)
}
fn at(milliseconds: u64) -> Time {
    Time::from_nanos(milliseconds * 1_000_000)
}
fn term(round: u64, node: u16) -> Term {
    Term::new(round, n(node))
}

/// Node 2 of three, which follows the master of 1.1 from the start.
struct Voter {
    election: Election,
    electable: NodeSet,
}

impl Voter {
    fn following() -> Self {
        let mut voter = Self::granting(Some(LeaseTerms { span: SPAN, drift_per_mille: 0 }));
        voter.election.accept(term(1, 1)).expect("nothing higher is promised");
        voter.election.heartbeat(at(0), Duration::ZERO);
        voter.effects();
        voter
    }

    fn granting(lease: Option<LeaseTerms>) -> Self {
        let config = ElectionConfig { lease, ..ElectionConfig::new(n(2), 7) };
        Self { election: Election::new(config, Term::ZERO, at(0)), electable: (1..=3).map(n).collect() }
    }

    fn act(&mut self, act: impl FnOnce(&mut Election, &Standing<'_>)) -> Vec<Output> {
        let standing = Standing {
            electable: &self.electable,
            quorums: &Majority,
            rank: None,
            priority: 1,
            reaches_write_quorum: true,
            recovering: false,
            damaged: false,
            founded: true,
        };
        act(&mut self.election, &standing);
        self.effects()
    }

    fn effects(&mut self) -> Vec<Output> {
        std::iter::from_fn(|| self.election.poll()).collect()
    }

    fn asked(&mut self, now: Time, message: ElectionMessage) -> Vec<Output> {
        self.act(|election, standing| election.receive(now, standing, n(3), message))
    }

    fn agrees(&mut self, now: Time) -> bool {
        let answer = self.asked(now, ElectionMessage::Canvass { nonce: 1 });
        let [Output::Send { message: ElectionMessage::CanvassReply { agrees, .. }, .. }] = answer[..] else {
            panic!("a canvass is answered: {answer:?}")
        };
        agrees
    }

    fn promises(&mut self, now: Time, term: Term) -> bool {
        let answer = self.asked(now, ElectionMessage::Prepare { term });
        answer.iter().any(|effect| matches!(effect, Output::Persist { promised } if *promised == term))
    }
}

#[test]
fn nothing_is_promised_before_the_lease_is_over() {
    let mut voter = Voter::following();
    assert!(voter.election.grant(at(100), term(1, 1), 1, SPAN));
    voter.election.master_gone(at(110));
    assert!(!voter.agrees(at(599)), "it hears nobody, and is bound all the same");
    assert!(!voter.promises(at(599), term(2, 3)));
    assert_eq!(voter.election.promised(), term(1, 1));
    assert!(voter.agrees(at(600)));
    assert!(voter.promises(at(600), term(2, 3)));
}

#[test]
fn a_bound_voter_calls_no_ballot_and_canvasses_once_the_lease_is_over() {
    let mut voter = Voter::following();
    voter.election.grant(at(100), term(1, 1), 1, SPAN);
    assert_eq!(voter.act(|election, standing| election.ballot(at(110), standing)), []);
    voter.election.master_gone(at(110));
    let due = voter.election.deadline().expect("it is to canvass");
    assert!((at(600)..=at(620)).contains(&due), "{due:?}");
    assert!(!voter.act(|election, standing| election.expire(due, standing)).is_empty());
}

#[test]
fn silence_that_ends_before_the_lease_is_followed_by_a_canvass_right_after_it() {
    let mut voter = Voter::following();
    voter.election.grant(at(0), term(1, 1), 1, Duration::from_millis(500));
    voter.election.heartbeat(at(50), Duration::ZERO);
    let suspects = voter.election.deadline().expect("silence is timed");
    assert!(suspects < at(500), "patience is shorter than the lease here: {suspects:?}");
    assert_eq!(voter.act(|election, standing| election.expire(suspects, standing)), []);
    let due = voter.election.deadline().expect("it is to canvass");
    assert!((at(500)..=at(520)).contains(&due), "{due:?}");
}

#[test]
fn a_release_frees_a_voter_at_once_unless_it_is_stale() {
    let mut voter = Voter::following();
    voter.election.grant(at(100), term(1, 1), 4, SPAN);
    voter.election.grant(at(200), term(1, 1), 5, SPAN);
    voter.election.release(term(1, 1), 4);
    assert!(!voter.promises(at(210), term(2, 3)));
    voter.election.release(term(1, 1), 5);
    assert!(voter.promises(at(220), term(2, 3)));
}

#[test]
fn what_an_earlier_run_may_have_granted_binds_and_cannot_be_released() {
    let mut voter = Voter::granting(None);
    voter.election.keep_earlier_grants(at(500));
    voter.election.release(term(1, 1), u64::MAX);
    assert!(!voter.promises(at(499), term(2, 3)));
    let early = voter.election.deadline().expect("it looks for a master");
    assert_eq!(voter.act(|election, standing| election.expire(early, standing)), []);
    let due = voter.election.deadline().expect("it looks for a master");
    assert!((at(500)..=at(520)).contains(&due), "{due:?}");
    assert!(voter.promises(at(500), term(3, 3)));
}

#[test]
fn a_master_of_a_higher_term_is_accepted_and_an_earlier_one_is_granted_nothing_more() {
    let mut voter = Voter::following();
    voter.election.grant(at(100), term(1, 1), 1, SPAN);
    assert_eq!(voter.election.accept(term(2, 3)), Ok(()));
    assert!(!voter.election.grant(at(110), term(1, 1), 2, SPAN));
    assert!(voter.election.grant(at(110), term(2, 3), 1, SPAN));
}

#[test]
fn no_lease_is_granted_where_none_is_configured_or_for_longer_than_that() {
    let mut voter = Voter::following();
    assert!(!voter.election.grant(at(100), term(1, 1), 1, SPAN * 2));
    let mut without = Voter::granting(None);
    without.election.accept(term(1, 1)).expect("nothing higher is promised");
    assert!(!without.election.grant(at(100), term(1, 1), 1, Duration::from_nanos(1)));
}
