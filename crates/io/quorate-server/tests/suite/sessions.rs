use crate::common::{Group, PATIENCE};
use quorate_server::client::{ClientError, ReadConsistency};
use quorate_server::failure_of;
use quorate_server::v1::failure::Reason;
use quorate_server::v1::operation::Change;
use quorate_server::v1::{
    OpenSessionRequest, Operation, Put, ReadKey, ReadRange, Session, TransactRequest, WriteRequest,
};
use std::time::Duration;
use tonic::Status;

fn put(key: &'static str, value: &'static str) -> Vec<Operation> {
    let change = Change::Put(Put { key: key.into(), value: value.into() });
    vec![Operation { database: String::new(), change: Some(change) }]
}

fn reason(status: &Status) -> Reason {
    failure_of(status).and_then(|failure| failure.reason).unwrap_or_else(|| panic!("no reason in {status:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_sent_twice_in_a_session_is_done_once_by_whichever_node() {
    let group = Group::start("").await;
    let mut master = group.client(group.master).calls();
    let client = master.open_session(OpenSessionRequest {}).await.unwrap().into_inner().client;
    let session = |sequence| Some(Session { client: client.clone(), sequence });
    let first = WriteRequest { operations: put("k", "1"), session: session(1), ..WriteRequest::default() };
    let token = master.write(first.clone()).await.unwrap().into_inner().token;
    group.client(group.master).put("k".into(), "2".into()).await.unwrap();
    for node in 0..3 {
        let again = group.client(node).calls().write(first.clone()).await.unwrap().into_inner();
        assert_eq!((again.token, again.fenced), (token.clone(), false), "node {node}");
    }
    let found = group.group_client().await.get("", "k", ReadConsistency::Linearizable).await.unwrap();
    assert_eq!(found.value.as_deref(), Some(&b"2"[..]));

    let fence = WriteRequest { session: session(2), ..WriteRequest::default() };
    assert!(master.write(fence).await.unwrap().into_inner().fenced);
    let late = WriteRequest { operations: put("k", "3"), session: session(2), ..WriteRequest::default() };
    assert!(master.write(late).await.unwrap().into_inner().fenced);
    let stale = master.write(first).await.unwrap_err();
    assert!(matches!(reason(&stale), Reason::StaleSequence(_)), "{stale:?}");
    let unknown = Some(Session { client: vec![7; 16].into(), sequence: 1 });
    let unknown = WriteRequest { operations: put("k", "4"), session: unknown, ..WriteRequest::default() };
    let expired = master.write(unknown).await.unwrap_err();
    assert!(matches!(reason(&expired), Reason::SessionExpired(_)), "{expired:?}");
    let found = group.group_client().await.get("", "k", ReadConsistency::Linearizable).await.unwrap();
    assert_eq!(found.value.as_deref(), Some(&b"2"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_refused_if_what_it_has_read_was_written_since() {
    let group = Group::start("").await;
    let mut calls = group.client(group.master).calls();
    let before = group.client(group.master).put("k".into(), "1".into()).await.unwrap();
    let since = group.client(group.master).put("k".into(), "2".into()).await.unwrap();
    let key = ReadKey { key: "k".into(), ..ReadKey::default() };
    let range = ReadRange { start: "j".into(), end: "l".into(), ..ReadRange::default() };
    for (keys, ranges) in [(vec![key.clone()], vec![]), (vec![], vec![range])] {
        let request = TransactRequest {
            snapshot: before.clone(),
            keys,
            ranges,
            operations: put("x", "1"),
            ..TransactRequest::default()
        };
        let refused = calls.transact(request).await.unwrap_err();
        let Reason::Conflict(conflict) = reason(&refused) else { panic!("{refused:?}") };
        assert_eq!(conflict.by, since);
    }
    let request = TransactRequest {
        snapshot: since,
        keys: vec![key],
        operations: put("x", "1"),
        ..TransactRequest::default()
    };
    calls.transact(request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_of_a_client_has_read_the_ranges_that_it_has_scanned() {
    let group = Group::start("").await;
    let client = group.group_client().await;
    client.put("", "row1", "1").await.unwrap();
    let mut transaction = client.transaction();
    transaction.put("", "row0", "0");
    let rows = transaction.scan_prefix("", "row").await.unwrap();
    assert_eq!(rows, [("row0".into(), "0".into()), ("row1".into(), "1".into())]);
    client.put("", "row2", "2").await.unwrap();
    transaction.put("", "sum", "1");
    assert_eq!(transaction.commit().await.unwrap(), None);

    let rows = transaction.scan("", "row1", "").await.unwrap();
    assert_eq!(rows, [("row1".into(), "1".into()), ("row2".into(), "2".into())]);
    client.put("", "elsewhere", "9").await.unwrap();
    transaction.put("", "sum", "3");
    transaction.delete("", "row2");
    assert!(transaction.commit().await.unwrap().is_some());
    assert_eq!(client.get("", "row2", ReadConsistency::Linearizable).await.unwrap().value, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_reads_its_own_writes_on_every_node_and_no_read_waits_past_its_timeout() {
    let group = Group::start("").await;
    let client = group.group_client().await;
    for round in 0..20 {
        let written = client.put("", "k", round.to_string()).await.unwrap();
        for endpoint in group.endpoints().await {
            let reader = quorate_server::client::Client::new([endpoint]).unwrap();
            let read = reader.get("", "k", ReadConsistency::Token(written.token)).await.unwrap();
            assert_eq!(read.value.as_deref(), Some(round.to_string().as_bytes()));
            let lag = ReadConsistency::Time(Duration::ZERO);
            let read = reader.get("", "k", lag).await.unwrap();
            assert_eq!(read.value.as_deref(), Some(round.to_string().as_bytes()));
        }
    }
    let mut future = client.put("", "k", "last").await.unwrap().token;
    future.vlsn = future.vlsn.advance(1_000);
    for node in group.replicas() {
        group.cluster.processes()[node].killer().kill_and_reap().unwrap();
    }
    let options =
        quorate_server::client::ClientOptions { timeout: Duration::from_millis(300), durability: None };
    let impatient = group.endpoints().await;
    let impatient = quorate_server::client::Client::with_options(impatient, options).unwrap();
    for consistency in [
        ReadConsistency::Linearizable,
        ReadConsistency::Time(Duration::from_millis(1)),
        ReadConsistency::Token(future),
    ] {
        let began = std::time::Instant::now();
        let error = impatient.get("", "k", consistency).await.unwrap_err();
        assert!(matches!(error, ClientError::TimedOut { .. }), "{error:?}");
        assert!(began.elapsed() < PATIENCE / 6, "{:?}", began.elapsed());
    }
}
