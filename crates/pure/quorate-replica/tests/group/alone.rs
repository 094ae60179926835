//! A node that nobody answers: part of a group that is away, or all of its group.

use crate::{Group, n};
use core::time::Duration;
use quorate_core::{NodeState, Term};

#[test]
fn a_node_alone_elects_nobody_unless_it_is_the_group() {
    let mut alone = Group::new(1);
    alone.seconds(1);
    assert_eq!(alone.master(), n(1));
    let mut group = Group::new(3);
    group.isolate(n(1));
    group.seconds(60);
    assert_eq!(group.hosts[0].node.progress().state, NodeState::Unknown);
    assert_eq!(group.hosts[0].hard.promised, Term::ZERO, "no canvass succeeded, so nothing was promised");
    assert!(group.hosts.iter().all(|host| host.hard.roster.is_none()), "no group before all have been heard");
}

#[test]
fn a_node_that_is_the_group_leads_at_once() {
    let mut group = Group::new(1);
    for boot in 2..10 {
        group.run(Duration::from_millis(1));
        assert_eq!(group.master(), n(1));
        group.kill(n(1));
        group.restart(n(1), boot);
    }
}
