use crate::common::{Group, PATIENCE, get_linearizable};
use quorate_server::demo::{Failover, Kill, Load, Records, Route};
use quorate_server::failure_of;
use quorate_server::v1::NodeState;
use quorate_server::v1::failure::Reason;
use rustix::process::Signal;
use std::sync::Arc;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn after_kill_9_of_the_master_under_load_another_one_acknowledges_writes_by_itself() {
    let group = Group::start("").await;
    let records = Arc::new(Records::generated(3_000));
    let route = Route::new();
    route.lead_to(group.master);
    let load = Load::new(records, &group.cluster, route.clone());
    let flight = Arc::clone(&load.flight);
    let acknowledged = load.run(64).await.unwrap();
    let kill = flight.kill().unwrap().expect("the master was killed");
    assert_eq!(kill.node, group.master);
    assert!(kill.in_flight > 0);
    assert!(flight.first_ack_after_kill().is_some());
    assert_eq!(acknowledged.records.len(), 3_000);
    assert_ne!(route.target(), group.master);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_was_stopped_for_a_while_finds_itself_deposed_and_serves_nothing_stale() {
    const STOP: Duration = Duration::from_secs(10);
    let group = Group::start("\n[writes]\nforward = false\n").await;
    let old = group.master;
    group.client(old).put("k".into(), "before".into()).await.unwrap();

    group.cluster.processes()[old].signal(Signal::STOP).unwrap();
    let stopped = Instant::now();
    let kill = Kill { node: old, at: stopped, in_flight: 0 };
    let failover = Failover::watch(&group.cluster, kill, &Route::new(), PATIENCE).await.unwrap();
    let new = failover.master;
    let mut last = String::new();
    for number in 0.. {
        last = format!("after {number}");
        group.client(new).put("k".into(), last.clone().into()).await.unwrap();
        if stopped.elapsed() >= STOP {
            break;
        }
    }

    let (client, reader) = (group.client(old).clone(), group.client(old).clone());
    let write = tokio::spawn(async move { client.put("k".into(), "stale".into()).await });
    let read = tokio::spawn(async move { get_linearizable(&reader, b"k").await });
    group.cluster.processes()[old].signal(Signal::CONT).unwrap();
    assert!(write.await.unwrap().is_err(), "a deposed master acknowledged a write");
    if let Ok(found) = read.await.unwrap() {
        assert_eq!(found.as_deref(), Some(last.as_bytes()), "a deposed master served a stale value");
    }

    group.until_followed_by_all(new).await;
    let refusal = group.client(old).put("k".into(), "stale".into()).await.unwrap_err();
    let Some(Reason::NotMaster(not_master)) = failure_of(&refusal).and_then(|failure| failure.reason) else {
        panic!("{refusal:?}");
    };
    assert_eq!(not_master.master.unwrap().name, group.cluster.processes()[new].name());
    group.cluster.wait_for_agreement(PATIENCE).await.unwrap();
    assert_eq!(group.client(old).status().await.unwrap().state(), NodeState::Replica);
    let found = get_linearizable(group.client(new), b"k").await.unwrap();
    assert_eq!(found.as_deref(), Some(last.as_bytes()));
}
