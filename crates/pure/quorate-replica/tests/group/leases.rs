//! Leases in a whole group: reads without a round, and what they cost an election.

use super::*;

const SPAN: Duration = Duration::from_millis(500);
/// The span, less twice a tenth.
const HELD: Duration = Duration::from_millis(400);

fn leased_group() -> Group {
    let lease = Some(LeaseTerms { span: SPAN, drift_per_mille: 100 });
    let mut group = Group::configured(3, NodeConfig { lease, ..NodeConfig::default() });
    group.seconds(5);
    group
}

impl Group {
    fn read(&mut self, node: NodeId, read: u64) {
        let now = self.now;
        self.host(node).node.read(now, ReadId(read));
        self.drain(node);
    }

    /// Begins a read and says whether it is answered before any message arrives.
    fn reads_at_once(&mut self, node: NodeId, read: u64) -> bool {
        let before = self.reads.len();
        self.read(node, read);
        matches!(self.reads[before..], [(_, answered, Ok(_))] if answered == ReadId(read))
    }

    fn is_bound(&mut self, node: NodeId) -> bool {
        let before = self.host(node).node.counters().ballots;
        let now = self.now;
        self.host(node).node.call_ballot(now);
        self.drain(node);
        self.host(node).node.counters().ballots == before
    }
}

#[test]
fn the_first_read_takes_a_round_and_those_after_it_none_while_anybody_reads() {
    let mut group = leased_group();
    let master = group.master();
    assert!(!group.reads_at_once(master, 1));
    for read in 2..40 {
        group.run(Duration::from_millis(150));
        assert!(group.reads_at_once(master, read), "read {read}");
    }
    group.seconds(2);
    assert!(!group.reads_at_once(master, 40), "nobody has read for two seconds");
}

#[test]
fn without_leases_every_read_takes_a_round_and_no_voter_is_ever_bound() {
    let mut group = Group::new(3);
    group.seconds(5);
    let master = group.master();
    assert!(!group.reads_at_once(master, 1));
    group.run(Duration::from_millis(150));
    assert!(!group.reads_at_once(master, 2));
    assert!(group.hosts.iter().all(|host| host.hard.lease_granted.is_zero()));
    let replica = group.others(master)[0];
    assert!(!group.is_bound(replica));
}

#[test]
fn a_lease_that_nobody_asks_for_is_not_granted() {
    let mut group = leased_group();
    let replica = group.others(group.master())[0];
    assert!(group.hosts.iter().all(|host| host.hard.lease_granted.is_zero()));
    assert!(!group.is_bound(replica));
}

#[test]
fn a_replicas_read_is_answered_by_the_masters_lease() {
    let mut group = leased_group();
    let master = group.master();
    let replica = group.others(master)[0];
    group.read(replica, 1);
    group.run(Duration::from_millis(1));
    group.isolate(group.others(replica).into_iter().find(|other| *other != master).unwrap());
    let sent = group.host(master).node.counters().heartbeats_sent;
    group.read(replica, 2);
    group.run(Duration::ZERO);
    assert!(group.reads.contains(&(replica, ReadId(2), Ok(Some(Vlsn::FIRST)))), "{:?}", group.reads);
    assert_eq!(group.host(master).node.counters().heartbeats_sent, sent, "no round was needed");
}

#[test]
fn a_master_cut_off_reads_until_its_lease_is_over_and_no_other_leads_before_that() {
    let mut group = leased_group();
    let master = group.master();
    group.read(master, 1);
    group.run(Duration::from_millis(1));
    let until = group.host(master).node.readable_until().expect("it holds a lease");
    group.isolate(master);
    let begun = group.now;
    assert!(until <= begun + HELD);
    let step = Duration::from_millis(5);
    while group.now + step < until {
        group.run(step);
        assert!(group.reads_at_once(master, 7));
        let others = group.others(master);
        assert!(others.iter().all(
            |node| group.hosts[usize::from(node.as_u16()) - 1].node.progress().state != NodeState::Master
        ));
    }
    group.run(step * 2);
    assert!(!group.reads_at_once(master, 8), "its lease is over, whatever it hears");
    group.seconds(5);
    assert_ne!(group.master(), master);
}

#[test]
fn a_killed_masters_lease_is_waited_for_and_no_longer() {
    let mut group = leased_group();
    let master = group.master();
    group.read(master, 1);
    group.run(Duration::from_millis(1));
    group.kill(master);
    group.run(SPAN - Duration::from_millis(2));
    assert!(group.hosts.iter().all(|host| !host.up || host.node.progress().state != NodeState::Master));
    group.run(Duration::from_millis(100));
    assert_ne!(group.master(), master);
}

#[test]
fn a_master_that_ends_its_lease_is_replaced_at_once() {
    let mut group = leased_group();
    let master = group.master();
    group.read(master, 1);
    group.run(Duration::from_millis(1));
    let now = group.now;
    group.host(master).node.end_lease(now);
    group.drain(master);
    assert_eq!(group.host(master).node.readable_until(), None);
    group.run(Duration::ZERO);
    group.kill(master);
    group.run(Duration::from_millis(100));
    assert_ne!(group.master(), master);
}

#[test]
fn a_voter_that_starts_anew_is_bound_for_as_long_as_it_may_have_granted_and_no_release_frees_it() {
    let mut group = leased_group();
    let master = group.master();
    group.read(master, 1);
    group.run(Duration::from_millis(1));
    let voter = group.others(master)[0];
    assert_eq!(group.host(voter).hard.lease_granted, SPAN);
    group.host(voter).up = false;
    group.restart(voter, 1);
    group.isolate(voter);
    let now = group.now;
    assert!(group.is_bound(voter));
    group.now = now + SPAN - Duration::from_nanos(1);
    assert!(group.is_bound(voter));
    group.now = now + SPAN;
    assert!(!group.is_bound(voter));
}

#[test]
fn a_master_that_promises_another_term_reads_by_no_lease() {
    let mut group = leased_group();
    let master = group.master();
    group.read(master, 1);
    group.run(Duration::from_millis(1));
    let rival = group.others(master)[0];
    let term = group.host(master).node.progress().term.above(rival).unwrap();
    let uuid = group.host(master).node.uuid();
    let message = Message::Election(ElectionMessage::Prepare { term });
    group.input(master, Input::Receive { from: rival, uuid, message });
    assert_eq!(group.host(master).node.readable_until(), None);
    assert!(!group.reads_at_once(master, 2));
}

#[test]
fn what_is_committed_and_not_applied_yet_is_not_read_without_asking() {
    let mut group = leased_group();
    let master = group.master();
    group.read(master, 1);
    group.run(Duration::from_millis(1));
    assert!(group.host(master).node.readable_until().is_some());
    let now = group.now;
    let proposal =
        Proposal { payload: Bytes::from_static(b"x"), durability: "sync,sync,majority".parse().unwrap() };
    group.host(master).node.propose(now, 1, &[proposal]).unwrap();
    let mut applies = Vec::new();
    let mut appended = None;
    while let Some(output) = group.host(master).node.poll() {
        match output {
            Output::Append { batch, epoch, .. } => appended = Some((epoch, batch)),
            Output::Send { to, message } => {
                let packet = Envelope { uuid: group.host(master).node.identity(), message }.encode();
                group.dispatch(master, to, packet);
            }
            _ => {}
        }
    }
    let (epoch, batch) = appended.expect("the write is logged");
    group.host(master).node.handle(now, Input::Durable { epoch, last: batch.last().vlsn });
    assert!(group.host(master).node.readable_until().is_some(), "not committed yet");
    let acknowledge = |group: &mut Group| {
        while let Some((_, from, to, packet)) = group.wires.pop_front() {
            let Envelope { uuid, message } = Envelope::decode(packet).unwrap();
            if to == master {
                group.host(to).node.handle(now, Input::Receive { from, uuid, message });
            } else {
                group.input(to, Input::Receive { from, uuid, message });
            }
        }
    };
    acknowledge(&mut group);
    assert_eq!(group.host(master).node.readable_until(), None, "the engine lacks what is committed");
    while let Some(output) = group.host(master).node.poll() {
        if let Output::Apply { batch } = output {
            applies.push((batch.last().vlsn, batch.bytes()));
        }
    }
    for (last, bytes) in applies {
        group.host(master).node.handle(now, Input::Applied { last, bytes });
    }
    assert!(group.host(master).node.readable_until().is_some());
}
