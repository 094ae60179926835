//! Nodes whose answers take longer than their configured times.

use super::*;

fn counters(group: &mut Group, node: NodeId) -> Counters {
    group.host(node).node.counters()
}

#[test]
fn a_group_whose_round_trips_take_longer_than_an_election_timeout_elects_a_master_and_keeps_it() {
    let mut group = Group::new(3);
    group.delays = (1..=3).map(|number| (n(number), Duration::from_millis(300))).collect();
    group.seconds(60);
    let master = group.master();
    let id = group.put(master, "far away", "sync,sync,majority").unwrap();
    group.seconds(120);
    assert_eq!(group.master(), master);
    assert_eq!(counters(&mut group, master).step_downs, 0);
    assert_eq!(group.host(master).applied.last(), Some(&id));
    let timing = group.host(master).node.timing();
    assert_eq!(timing.heartbeat_interval(), Duration::from_millis(1_200));
    assert_eq!(timing.election_timeout(), Duration::from_secs(12));
    for number in 1..=3 {
        assert_eq!(group.host(n(number)).node.timing(), timing, "all are as patient as the master");
        assert!(counters(&mut group, n(number)).syncups <= 4, "no stream is begun anew for want of patience");
    }
}

#[test]
fn over_slow_links_a_dead_master_is_replaced_within_a_few_round_trips() {
    let mut group = Group::new(3);
    group.delays = (1..=3).map(|number| (n(number), Duration::from_millis(100))).collect();
    group.seconds(60);
    let master = group.master();
    group.kill(master);
    group.seconds(3);
    assert_ne!(group.master(), master);
}

#[test]
fn one_far_replica_is_fed_and_makes_nobody_else_wait() {
    let mut group = Group::new(3);
    group.delays = vec![(n(3), Duration::from_millis(400))];
    group.seconds(30);
    if group.master() == n(3) {
        let now = group.now;
        group.host(n(1)).node.call_ballot(now);
        group.drain(n(1));
        group.seconds(30);
    }
    let master = group.master();
    assert_ne!(master, n(3));
    let id = group.put(master, "for all", "sync,sync,majority").unwrap();
    group.seconds(5);
    assert_eq!(group.host(n(3)).applied.last(), Some(&id));
    let patience = |group: &mut Group, node| group.host(node).node.timing().election_timeout();
    assert_eq!(patience(&mut group, master), group.config.election_timeout);
    assert_eq!(patience(&mut group, n(3)), Duration::from_secs(8));
    let syncups = counters(&mut group, n(3)).syncups;
    group.seconds(30);
    assert_eq!(counters(&mut group, n(3)).syncups, syncups);
}
