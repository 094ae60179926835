use crate::common::{Group, PATIENCE};
use quorate_server::client::{Client, ReadConsistency};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

const INCREMENTS: u64 = 10_000;
const CLIENTS: u64 = 16;
const COUNTERS: u64 = 8;
const KILLS: u64 = 5;

fn counter(number: u64) -> String {
    format!("counter{}", number % COUNTERS)
}

async fn value(client: &Client, key: String) -> u64 {
    let read = client.get("", key, ReadConsistency::Linearizable).await.unwrap();
    read.value.map_or(0, |value| std::str::from_utf8(&value).unwrap().parse().unwrap())
}

async fn increment(client: &Client, key: String) {
    let mut transaction = client.transaction();
    loop {
        let value = transaction.get("", key.clone()).await.unwrap();
        let value = value.map_or(0, |value| std::str::from_utf8(&value).unwrap().parse::<u64>().unwrap());
        transaction.put("", key.clone(), (value + 1).to_string());
        if transaction.commit().await.unwrap().is_some() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn increments_under_five_kills_of_the_master_are_each_done_exactly_once() {
    let mut group = Group::start("").await;
    let done = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for number in 0..CLIENTS {
        let (client, done) = (group.group_client().await, Arc::clone(&done));
        tasks.spawn(async move {
            for round in 0..INCREMENTS / CLIENTS {
                increment(&client, counter(number + round)).await;
                done.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    for kill in 1..=KILLS {
        let reached = async {
            while done.load(Ordering::Relaxed) < kill * INCREMENTS / (KILLS + 1) {
                sleep(Duration::from_millis(1)).await;
            }
        };
        timeout(PATIENCE, reached).await.expect("the increments go on");
        group.kill_master_and_restart().await;
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    assert_eq!(done.load(Ordering::Relaxed), INCREMENTS);
    let client = group.group_client().await;
    let mut total = 0;
    for number in 0..COUNTERS {
        total += value(&client, counter(number)).await;
    }
    assert_eq!(total, INCREMENTS);
}
