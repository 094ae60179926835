use crate::common::{Group, PATIENCE};
use bytes::Bytes;
use quorate_server::client::{Client, ClientError, ClientOptions, Scan, ScanQuery};
use std::time::Duration;

const ROWS: usize = 400;

/// Rows that no connection holds on its way all at once.
async fn group_with_rows() -> Group {
    let group = Group::start("").await;
    let rows: String = (0..ROWS).map(|number| format!("{}\t{}\n", key(number), "v".repeat(20_000))).collect();
    group.printed(&["import"], rows.as_bytes()).await;
    group.cluster.wait_for_agreement(PATIENCE).await.unwrap();
    group
}

fn key(number: usize) -> String {
    format!("k{number:03}")
}

/// A client that asks a replica first.
async fn client(group: &Group, timeout: Duration) -> Client {
    let endpoints = group.endpoints().await;
    let [replica, other] = group.replicas();
    let order = [&endpoints[replica], &endpoints[other], &endpoints[group.master]];
    Client::with_options(order, ClientOptions { timeout, durability: None }).unwrap()
}

async fn take(scan: &mut Scan, count: usize) -> Vec<Bytes> {
    let mut keys = Vec::new();
    while keys.len() < count
        && let Some((key, _)) = scan.next().await.unwrap()
    {
        keys.push(key);
    }
    keys
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_whose_node_dies_goes_on_elsewhere_and_shows_each_row_once() {
    let group = group_with_rows().await;
    let client = client(&group, PATIENCE).await;
    let mut forwards = client.scan(ScanQuery::default()).await.unwrap();
    let query = ScanQuery { reverse: true, limit: 390, ..ScanQuery::default() };
    let mut backwards = client.scan(query).await.unwrap();
    let mut seen = [take(&mut forwards, 3).await, take(&mut backwards, 5).await];
    group.cluster.processes()[group.replicas()[0]].killer().kill_and_reap().unwrap();
    seen[0].extend(take(&mut forwards, usize::MAX).await);
    seen[1].extend(take(&mut backwards, usize::MAX).await);
    let all: Vec<String> = (0..ROWS).map(key).collect();
    assert_eq!(seen[0], all);
    assert_eq!(seen[1], all.iter().rev().take(390).cloned().collect::<Vec<_>>());
    assert_eq!((forwards.moved_behind(), backwards.moved_behind()), (None, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_goes_on_at_a_later_moment_says_behind_which_row() {
    let group = group_with_rows().await;
    let mut scan = client(&group, PATIENCE).await.scan(ScanQuery::default()).await.unwrap();
    let before = scan.seen().unwrap();
    let mut keys = take(&mut scan, 3).await;
    group.client(group.master).put("k9".into(), "later".into()).await.unwrap();
    group.cluster.wait_for_agreement(PATIENCE).await.unwrap();
    group.cluster.processes()[group.replicas()[0]].killer().kill_and_reap().unwrap();
    keys.extend(take(&mut scan, usize::MAX).await);
    assert_eq!((keys.len(), keys.last().unwrap()), (ROWS + 1, &Bytes::from("k9")));
    let behind = scan.moved_behind().expect("the rest is of a later moment");
    assert!(*behind >= key(2) && *behind < key(ROWS - 1), "{behind:?}");
    assert!(scan.seen().unwrap().vlsn > before.vlsn);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_nobody_can_go_on_with_says_how_many_rows_there_were() {
    let group = group_with_rows().await;
    let client = client(&group, Duration::from_millis(500)).await;
    let mut scan = client.scan(ScanQuery::default()).await.unwrap();
    take(&mut scan, 3).await;
    for process in group.cluster.processes() {
        process.killer().kill_and_reap().unwrap();
    }
    let error = loop {
        match scan.next().await {
            Ok(row) => assert!(row.is_some(), "a part was taken for the whole"),
            Err(error) => break error,
        }
    };
    let ClientError::ScanBrokeOff { rows, .. } = &error else { panic!("{error:?}") };
    assert!((3..ROWS as u64).contains(rows), "{error}");
}
