use crate::common::{Group, get_linearizable};
use quorate_server::demo::KEY_BYTES_MAX;
use quorate_server::failure_of;
use quorate_server::v1::failure::Reason;
use quorate_server::v1::{
    CommitPoint, Consistency, CreateDatabaseRequest, GetRequest, Operation, PutRequest, WriteRequest,
    consistency,
};
use tonic::{Code, Status};

const PASSING_NOTHING_ON: &str = "\n[writes]\nforward = false\n";
const SMALL_VALUES: &str = "\n[limits]\nvalue_bytes_max = 1000\n";

fn reason(status: &Status) -> Reason {
    failure_of(status).and_then(|failure| failure.reason).unwrap_or_else(|| panic!("no reason in {status:?}"))
}

async fn refusal(group: &Group, request: PutRequest) -> Status {
    group.client(group.master).calls().put(request).await.expect_err("it is refused")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_on_a_replica_that_passes_nothing_on_is_refused_with_the_masters_name_and_addresses() {
    let group = Group::start(PASSING_NOTHING_ON).await;
    let expected = group.client(group.master).status().await.unwrap().master.unwrap();
    for replica in group.replicas() {
        let refused = group.client(replica).put("k".into(), "v".into()).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unavailable);
        let Reason::NotMaster(not_master) = reason(&refused) else { panic!("{refused:?}") };
        assert_eq!(not_master.master.as_ref(), Some(&expected));
        let request = PutRequest { database: "unknown".into(), key: "k".into(), ..PutRequest::default() };
        let refused = group.client(replica).calls().put(request).await.unwrap_err();
        assert!(matches!(reason(&refused), Reason::NotMaster(_)), "{refused:?}");
        let request = CreateDatabaseRequest { name: "new".into() };
        let refused = group.client(replica).calls().create_database(request).await.unwrap_err();
        assert!(matches!(reason(&refused), Reason::NotMaster(_)), "{refused:?}");
    }
    assert!(!expected.client_address.is_empty() && !expected.address.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_not_there_is_named() {
    let group = Group::start("").await;
    let refused =
        refusal(&group, PutRequest { database: "x".into(), key: "k".into(), ..PutRequest::default() }).await;
    assert_eq!(refused.code(), Code::NotFound);
    assert_eq!(reason(&refused), Reason::NoSuchDatabase("x".into()));
    let request = GetRequest { database: "x".into(), key: "k".into(), ..GetRequest::default() };
    let refused = group.client(group.replicas()[0]).calls().get(request).await.unwrap_err();
    assert_eq!(reason(&refused), Reason::NoSuchDatabase("x".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_values_and_writes_out_of_their_limits_are_refused_and_those_at_them_are_not() {
    let group = Group::start(SMALL_VALUES).await;
    let put = |key: usize, value: usize| PutRequest {
        key: vec![b'k'; key].into(),
        value: vec![b'v'; value].into(),
        ..PutRequest::default()
    };
    for (request, word) in [
        (put(0, 1), "a key is empty"),
        (put(KEY_BYTES_MAX + 1, 1), "a key has"),
        (put(1, 1_001), "the limit is 1000"),
    ] {
        let refused = refusal(&group, request).await;
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
        assert!(refused.message().contains(word), "{refused:?}");
    }
    let beyond_any_message = refusal(&group, put(1, 4 << 20)).await;
    assert_eq!(beyond_any_message.code(), Code::OutOfRange, "{beyond_any_message:?}");
    group.client(group.master).calls().put(put(KEY_BYTES_MAX, 1_000)).await.unwrap();

    let mut calls = group.client(group.master).calls();
    let empty = WriteRequest::default();
    assert_eq!(calls.write(empty).await.unwrap_err().code(), Code::InvalidArgument);
    let without_change = WriteRequest { operations: vec![Operation::default()], ..WriteRequest::default() };
    assert_eq!(calls.write(without_change).await.unwrap_err().code(), Code::InvalidArgument);
    let unnamed = CreateDatabaseRequest { name: String::new() };
    assert_eq!(calls.create_database(unnamed).await.unwrap_err().code(), Code::InvalidArgument);
    assert_eq!(calls.get(GetRequest::default()).await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_not_there_in_time_or_of_another_group_is_told_apart() {
    let group = Group::start("").await;
    let client = group.client(group.master);
    let mut token = client.put("k".into(), "v".into()).await.unwrap().unwrap();
    let read = |token, timeout_ms| {
        let policy = consistency::Policy::CommitPoint(CommitPoint { token: Some(token), timeout_ms });
        let consistency = Some(Consistency { policy: Some(policy) });
        GetRequest { key: "k".into(), consistency, ..GetRequest::default() }
    };
    token.vlsn += 1_000;
    let late = client.calls().get(read(token.clone(), 50)).await.unwrap_err();
    assert_eq!(late.code(), Code::DeadlineExceeded);
    let Reason::ConsistencyTimeout(timeout) = reason(&late) else { panic!("{late:?}") };
    assert!(timeout.waited_ms >= 50 && timeout.applied > 0, "{timeout:?}");
    token.group = vec![0; 16].into();
    let foreign = client.calls().get(read(token.clone(), 50)).await.unwrap_err();
    assert_eq!((foreign.code(), reason(&foreign)), (Code::DataLoss, Reason::CommitLost(token)));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_quorum_writes_and_linearizable_reads_are_refused_by_type() {
    let group = Group::start("").await;
    for replica in group.replicas() {
        group.cluster.processes()[replica].killer().kill_and_reap().unwrap();
    }
    let client = group.client(group.master);
    let refused = client.put("k".into(), "v".into()).await.unwrap_err();
    match reason(&refused) {
        Reason::InsufficientReplicas(shortfall) => {
            assert_eq!((shortfall.needed, shortfall.available), (2, 1))
        }
        Reason::OutcomeUnknown(unknown) => assert!(unknown.token.is_some()),
        Reason::NotMaster(not_master) => assert_eq!(not_master.master, None),
        other => panic!("{other:?}"),
    }
    let refused = get_linearizable(client, b"k").await.unwrap_err();
    assert!(matches!(reason(&refused), Reason::ConsistencyTimeout(_)), "{refused:?}");
}
