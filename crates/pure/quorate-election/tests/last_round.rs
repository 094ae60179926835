//! What a voter does that has heard of the last round there is.

use quorate_election::{
    Election, ElectionConfig, ElectionEvent, ElectionMessage, NodeId, NodeSet, Output, QuorumSystem,
    Standing, Term, Time,
};
use std::iter;

const ME: NodeId = NodeId::new(1);
const OTHER: NodeId = NodeId::new(2);
const LAST: Term = Term::new(Term::ROUND_MAX, ME);

/// Any one node elects, so that nobody else can keep a voter from leading.
struct AnyOne;

impl QuorumSystem for AnyOne {
    fn is_election_quorum(&self, nodes: &NodeSet) -> bool {
        !nodes.is_empty()
    }

    fn is_write_quorum(&self, nodes: &NodeSet) -> bool {
        !nodes.is_empty()
    }
}

fn standing(electable: &NodeSet) -> Standing<'_> {
    Standing {
        electable,
        quorums: &AnyOne,
        rank: None,
        priority: 1,
        reaches_write_quorum: true,
        recovering: false,
        damaged: false,
        founded: true,
    }
}

/// Lets so much time pass that the voter has tried to be elected several times, and gathers its effects.
fn effects_of_trying(election: &mut Election, electable: &NodeSet) -> Vec<Output> {
    for _ in 0..8 {
        let Some(now) = election.deadline() else { break };
        election.expire(now, &standing(electable));
    }
    iter::from_fn(|| election.poll()).collect()
}

fn electable() -> NodeSet {
    [ME, OTHER].into_iter().collect()
}

#[test]
fn a_voter_that_had_promised_its_own_last_ballot_never_leads_by_it_again() {
    let mut election = Election::new(ElectionConfig::new(ME, 7), LAST, Time::ZERO);
    let effects = effects_of_trying(&mut election, &electable());
    assert!(!effects.iter().any(|effect| matches!(effect, Output::Win { .. })), "{effects:?}");
    assert!(effects.contains(&Output::Event(ElectionEvent::NoBallotLeft { highest: LAST })), "{effects:?}");
}

#[test]
fn a_voter_leads_by_the_last_ballot_once() {
    let before = Term::new(Term::ROUND_MAX - 1, OTHER);
    let mut election = Election::new(ElectionConfig::new(ME, 7), before, Time::ZERO);
    let effects = effects_of_trying(&mut election, &electable());
    assert!(effects.contains(&Output::Win { term: LAST }), "{effects:?}");
    election.step_down(Time::ZERO);
    let effects = effects_of_trying(&mut election, &electable());
    assert!(!effects.iter().any(|effect| matches!(effect, Output::Win { .. })), "{effects:?}");
}

#[test]
fn a_refusal_that_names_the_last_round_makes_a_voter_say_that_no_ballot_is_left() {
    let mut election = Election::new(ElectionConfig::new(ME, 7), Term::ZERO, Time::ZERO);
    let nodes = electable();
    let refusal = ElectionMessage::Refusal { refused: Term::new(1, ME), promised: LAST };
    election.receive(Time::ZERO, &standing(&nodes), OTHER, refusal);
    let effects = effects_of_trying(&mut election, &nodes);
    assert!(effects.contains(&Output::Event(ElectionEvent::NoBallotLeft { highest: LAST })), "{effects:?}");
    assert!(!effects.iter().any(|effect| matches!(effect, Output::Persist { .. })), "{effects:?}");
}
