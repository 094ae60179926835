//! The rules of [`StateStore`], checked.

use crate::{
    BootId, HardState, Incarnation, Member, MemberList, NodeId, NodeType, QuorumPolicy, Roster, RosterMember,
    StateStore, Term,
};
use core::time::Duration;
use std::borrow::ToOwned;
use std::boxed::Box;
use std::vec;

/// Runs the conformance suite of [`StateStore`]. `open` opens the same store each time, which is new at
/// first; the last one has been dropped.
///
/// # Panics
/// If the implementation breaks a rule; the message says which.
pub fn check_state_store(open: &mut dyn FnMut() -> Box<dyn StateStore>) {
    assert_eq!(open().load().expect("a new store is loaded"), None, "a new store holds no state");
    let mut state = plain();
    open().store(&state).expect("a state is stored without loading first");
    assert_eq!(open().load().expect("a state is loaded").as_ref(), Some(&state), "what was stored is found");
    let mut store = open();
    assert_eq!(store.load().expect("a state is loaded").as_ref(), Some(&state));
    state = full();
    store.store(&state).expect("another state is stored");
    assert_eq!(
        store.load().expect("a state is loaded").as_ref(),
        Some(&state),
        "a store sees its own writes"
    );
    drop(store);
    for round in 2..20 {
        let mut store = open();
        assert_eq!(
            store.load().expect("a state is loaded").as_ref(),
            Some(&state),
            "the last state stored counts"
        );
        state.promised = Term::new(round, NodeId::new(2));
        state.open_count += 1;
        store.store(&state).expect("a state is stored");
    }
    let shorter = plain();
    open().store(&shorter).expect("a shorter state is stored");
    assert_eq!(open().load().expect("a state is loaded"), Some(shorter));
}

fn plain() -> HardState {
    HardState {
        group: "g".to_owned(),
        node: "one".to_owned(),
        id: NodeId::new(1),
        incarnation: Incarnation(u128::MAX - 5),
        open_count: 1,
        promised: Term::ZERO,
        roster: None,
        unsynced_mark: None,
        recovering: false,
        lease_granted: Duration::ZERO,
    }
}

fn full() -> HardState {
    let member = |name: &str, node_type, priority| Member {
        id: NodeId::default(),
        name: name.to_owned(),
        address: "[::1]:4000".to_owned(),
        node_type,
        priority,
    };
    let members = vec![member("one", NodeType::Electable, 1), member("zwei", NodeType::Secondary, 7)];
    let list =
        MemberList::found(members, QuorumPolicy::Flexible { election: 1, write: 1 }).expect("a member list");
    let listed = |number, life| RosterMember { id: NodeId::new(number), incarnation: Incarnation(life) };
    let incarnations = vec![listed(1, 77), listed(2, u128::MAX)];
    HardState {
        promised: Term::new(Term::ROUND_MAX, NodeId::new(u16::MAX)),
        roster: Some(Roster { group: "g".to_owned(), list, incarnations }),
        unsynced_mark: Some(BootId(u128::MAX)),
        recovering: true,
        lease_granted: Duration::from_nanos(u64::MAX),
        ..plain()
    }
}
