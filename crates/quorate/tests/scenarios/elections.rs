//! Who leads, and who does not.

use crate::cluster::{Cluster, LONG, eventually, nimble, patient};
use quorate::{
    ConfigError, ConsistencyPolicy, NodeState, OpenError, QuorumPolicy, RepConfig, ReplicatedEnvironment,
    WriteError,
};

const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

#[test]
fn three_nodes_started_in_any_order_elect_one_master_and_agree_on_it() {
    for order in ORDERS {
        let mut cluster = Cluster::declared(3, patient);
        order.into_iter().for_each(|index| cluster.start(index));
        let mut agreed = Vec::new();
        eventually("one leads and the others follow it, in one term", || {
            agreed = (0..3).map(|index| cluster.status(index)).collect();
            let leaders = agreed.iter().filter(|status| status.state == NodeState::Master).count();
            let followers = agreed.iter().filter(|status| status.state == NodeState::Replica).count();
            (leaders, followers) == (1, 2) && agreed.iter().all(|status| status.term == agreed[0].term)
        });
        let master = agreed.iter().find(|status| status.state == NodeState::Master).unwrap();
        for status in &agreed {
            let named = status.master.as_ref().map(|named| &named.node);
            assert_eq!(named, Some(&master.node), "{order:?}: {} names the master", status.node);
            assert_eq!(status.uuid, master.uuid, "{order:?}: one group is founded");
        }
        let token = cluster.database(cluster.master()).put(b"key", b"value").wait().unwrap().token;
        (0..3).for_each(|index| cluster.await_applied(index, token));
    }
}

#[test]
fn a_group_of_one_node_elects_itself() {
    let mut cluster = Cluster::declared(1, nimble);
    cluster.start(0);
    cluster.node(0).wait_for_state(NodeState::Master, LONG).unwrap();
    cluster.database(0).put(b"key", b"value").wait().unwrap();
}

#[test]
fn a_node_started_alone_waits_for_the_others_of_its_group() {
    let mut cluster = Cluster::declared(3, nimble);
    cluster.start(0);
    eventually("it has looked for the others many times", || cluster.node(0).stats().links_failed >= 200);
    let stats = cluster.node(0).stats().protocol;
    assert_eq!((stats.ballots, stats.wins), (0, 0));
    assert_eq!(cluster.node(0).state(), NodeState::Unknown);
    let refused = cluster.database(0).put(b"key", b"value").wait();
    assert_eq!(refused, Err(WriteError::NotMaster { master: None }));
    assert_eq!(cluster.written(0), None);
}

#[test]
fn one_node_of_a_founded_group_neither_leads_nor_uses_up_terms() {
    let mut cluster = Cluster::running(3, nimble);
    let token = cluster.database(cluster.master()).put(b"key", b"value").wait().unwrap().token;
    cluster.nodes().for_each(|(index, _)| cluster.await_applied(index, token));
    cluster.stop_all();
    cluster.start(0);
    let term = cluster.status(0).term;
    eventually("it has asked the others many times", || cluster.node(0).stats().protocol.canvasses >= 3);
    let (status, stats) = (cluster.status(0), cluster.node(0).stats().protocol);
    assert_eq!((status.term, stats.ballots, stats.wins), (term, 0, 0));
    assert_eq!(status.state, NodeState::Unknown);
    cluster.start(1);
    let master = cluster.master_of(&[0, 1]);
    let policy = ConsistencyPolicy::Linearizable { timeout: LONG };
    assert!(cluster.node(master).read(policy).wait().unwrap().position() > Some(token.id()));
}

#[test]
fn a_master_without_a_quorum_steps_down_and_leads_again_when_it_is_heard() {
    let cluster = Cluster::running(3, nimble);
    let (master, _) = cluster.roles();
    (0..3).for_each(|index| cluster.isolate(index));
    cluster.node(master).wait_for_state(NodeState::Unknown, LONG).unwrap();
    let refused = cluster.database(master).put(b"key", b"value").wait();
    assert_eq!(refused, Err(WriteError::NotMaster { master: None }));
    cluster.heal();
    cluster.database(cluster.master()).put(b"key", b"value").wait().unwrap();
}

const TWO_COMMIT_FOUR_ELECT: QuorumPolicy = QuorumPolicy::Flexible { election: 4, write: 2 };

#[test]
fn two_of_five_commit_and_four_of_five_elect_where_that_was_chosen() {
    let mut cluster = Cluster::running(5, |config| nimble(config).quorum(TWO_COMMIT_FOUR_ELECT));
    let (master, replicas) = cluster.roles();
    let [holder, dead @ ..] = &replicas[..] else { unreachable!("a group of five has four replicas") };
    dead.iter().for_each(|index| cluster.stop(*index));
    cluster.await_fed(master, 1);
    let token = cluster.database(master).put(b"key", b"value").wait().unwrap().token;
    cluster.await_applied(*holder, token);
    cluster.stop(master);

    dead[..2].iter().for_each(|index| cluster.start(*index));
    let canvasses = || cluster.node(*holder).stats().protocol.canvasses;
    let ballots = || cluster.nodes().map(|(_, node)| node.stats().protocol.ballots).collect::<Vec<_>>();
    let (canvasses_before, ballots_before) = (canvasses(), ballots());
    eventually("three of five have looked for a master many times", || canvasses() > canvasses_before + 3);
    assert!(cluster.nodes().all(|(_, node)| node.state() == NodeState::Unknown));
    assert_eq!(ballots(), ballots_before);

    cluster.start(dead[2]);
    let master = cluster.master();
    replicas.iter().for_each(|index| cluster.await_applied(*index, token));
    assert!(cluster.database(master).put(b"key", b"another").wait().is_ok());
}

#[test]
fn quorums_that_can_miss_each_other_are_refused_before_anything_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("data");
    for (election, write) in [(3, 2), (1, 4), (5, 0), (0, 5), (6, 1)] {
        let base = RepConfig::builder("group", "node1", "localhost").data_dir(&place);
        let members =
            (1..=5).map(|number| (format!("node{number}"), format!("localhost:{}", 14_000 + number)));
        let config = members.fold(base, |config, (name, address)| config.member(name, address));
        let config = config.quorum(QuorumPolicy::Flexible { election, write }).build();
        let refused = ReplicatedEnvironment::new(config).err();
        assert!(
            matches!(refused, Some(OpenError::Config(ConfigError::Quorum(_)))),
            "{election} elect, {write} commit: {refused:?}"
        );
        assert!(!place.exists());
    }
}
