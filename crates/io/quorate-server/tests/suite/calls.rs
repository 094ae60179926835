use crate::common::{Group, get_after};
use quorate_server::failure_of;
use quorate_server::v1::failure::Reason;
use quorate_server::v1::operation::Change;
use quorate_server::v1::{
    AckPolicy, CreateDatabaseRequest, Delete, DeleteRequest, Durability, GetRequest, NodeState, Operation,
    Put, PutRequest, Row, ScanRequest, ScanResponse, WriteOutcome, WriteRequest,
};

fn put(database: &str, key: &str, value: impl Into<Vec<u8>>) -> Operation {
    let (key, value) = (key.as_bytes().to_vec().into(), value.into().into());
    Operation { database: database.to_owned(), change: Some(Change::Put(Put { key, value })) }
}

async fn scan(group: &Group, request: ScanRequest) -> Vec<ScanResponse> {
    let mut stream = group.client(group.master).calls().scan(request).await.unwrap().into_inner();
    let mut messages = Vec::new();
    while let Some(message) = stream.message().await.unwrap() {
        messages.push(message);
    }
    messages
}

fn keys(messages: &[ScanResponse]) -> Vec<&[u8]> {
    messages.iter().flat_map(|message| &message.rows).map(|row| &row.key[..]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_on_the_master_is_read_on_every_node_at_its_token() {
    let group = Group::start("").await;
    let client = group.client(group.master);
    let token = client.put("a".into(), "1".into()).await.unwrap().unwrap();
    for node in 0..3 {
        let found = get_after(group.client(node), b"a", token.clone()).await.unwrap();
        assert_eq!(found.as_deref(), Some(&b"1"[..]), "node {node}");
    }
    let request = DeleteRequest { key: "a".into(), ..DeleteRequest::default() };
    let deleted = client.calls().delete(request).await.unwrap().into_inner();
    assert_eq!(deleted.outcome(), WriteOutcome::Committed);
    for node in 0..3 {
        assert_eq!(get_after(group.client(node), b"a", deleted.token.clone().unwrap()).await.unwrap(), None);
    }
    let seen = client.calls().get(GetRequest { key: "a".into(), ..GetRequest::default() }).await.unwrap();
    let (seen, token) = (seen.into_inner().seen.unwrap(), deleted.token.unwrap());
    assert_eq!(seen.group, token.group);
    assert!(seen.vlsn >= token.vlsn);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_write_changes_several_databases_and_scans_give_ranges_in_order() {
    let group = Group::start("").await;
    let mut calls = group.client(group.master).calls();
    for _ in 0..2 {
        let created = calls.create_database(CreateDatabaseRequest { name: "orders".into() }).await.unwrap();
        assert!(created.into_inner().token.is_some());
    }
    let delete =
        Operation { database: "orders".to_owned(), change: Some(Change::Delete(Delete { key: "b".into() })) };
    let operations = vec![
        put("orders", "b", "0"),
        put("orders", "a", "1"),
        put("orders", "c", "2"),
        put("", "b", "3"),
        delete,
        put("orders", "d", ""),
    ];
    calls.write(WriteRequest { operations, ..WriteRequest::default() }).await.unwrap();
    let all = ScanRequest { database: "orders".to_owned(), ..ScanRequest::default() };
    let found = scan(&group, all.clone()).await;
    assert_eq!(keys(&found), [b"a", b"c", b"d"]);
    assert_eq!(found[0].rows[0], Row { key: "a".into(), value: "1".into() });
    assert!(found[0].seen.is_some());
    let range = ScanRequest { start: "b".into(), end: "d".into(), ..all.clone() };
    assert_eq!(keys(&scan(&group, range).await), [b"c"]);
    assert_eq!(keys(&scan(&group, ScanRequest { limit: 2, ..all }).await), [b"a", b"c"]);
    assert_eq!(keys(&scan(&group, ScanRequest::default()).await), [b"b"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_takes_a_write_to_a_database_that_it_has_not_heard_of_yet() {
    let group = Group::start("").await;
    let (mut master, mut replica) =
        (group.client(group.master).calls(), group.client(group.replicas()[0]).calls());
    for number in 0..20 {
        let name = format!("stock {number}");
        master.create_database(CreateDatabaseRequest { name: name.clone() }).await.unwrap();
        let request = WriteRequest { operations: vec![put(&name, "k", "v")], ..WriteRequest::default() };
        replica.write(request).await.unwrap();
    }
    let request = WriteRequest { operations: vec![put("nowhere", "k", "v")], ..WriteRequest::default() };
    let refused = replica.write(request).await.unwrap_err();
    let reason = failure_of(&refused).and_then(|failure| failure.reason);
    assert_eq!(reason, Some(Reason::NoSuchDatabase("nowhere".to_owned())));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_scan_comes_in_many_messages_and_a_scan_of_nothing_in_one() {
    let group = Group::start("").await;
    let mut calls = group.client(group.master).calls();
    let names: Vec<String> = (0..500).map(|number| format!("{number:04}")).collect();
    let operations = names.iter().map(|key| put("", key, vec![9; 2_000])).collect();
    calls.write(WriteRequest { operations, ..WriteRequest::default() }).await.unwrap();
    let found = scan(&group, ScanRequest::default()).await;
    assert!(found.len() > 10, "{} messages", found.len());
    assert_eq!(keys(&found), names.iter().map(String::as_bytes).collect::<Vec<_>>());
    let nothing = scan(&group, ScanRequest { start: "x".into(), ..ScanRequest::default() }).await;
    assert_eq!((nothing.len(), keys(&nothing).len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_asks_for_no_acknowledgement_is_answered_as_written() {
    let group = Group::start("").await;
    let durability = Some(Durability { acks: AckPolicy::None.into(), ..Durability::default() });
    let request = PutRequest { key: "k".into(), value: "v".into(), durability, ..PutRequest::default() };
    let answer = group.client(group.master).calls().put(request).await.unwrap().into_inner();
    assert_eq!(answer.outcome(), WriteOutcome::Written);
    let found = get_after(group.client(group.master), b"k", answer.token.unwrap()).await.unwrap();
    assert_eq!(found.as_deref(), Some(&b"v"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_tells_the_group_the_positions_and_the_figures() {
    let group = Group::start("").await;
    let token = group.client(group.master).put("k".into(), "v".into()).await.unwrap().unwrap();
    group.cluster.wait_for_agreement(crate::common::PATIENCE).await.unwrap();
    let status = group.client(group.master).status().await.unwrap();
    assert_eq!((status.group.as_str(), status.state()), ("demo", NodeState::Master));
    assert_eq!(status.group_uuid, token.group);
    assert_eq!(status.node, group.cluster.processes()[group.master].name());
    assert_eq!(status.id as usize, group.master + 1);
    assert_eq!(status.term, token.term);
    let marks = status.watermarks.unwrap();
    assert!(marks.applied >= token.vlsn && marks.written == marks.applied);
    assert_eq!(status.statistics["commits_total"], 1);
    let names: Vec<&str> = status.members.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["node1", "node2", "node3"]);
    for (index, member) in status.members.iter().enumerate() {
        let progress = member.progress.as_ref();
        assert_eq!(progress.is_some(), index != group.master);
        assert!(progress.is_none_or(|progress| progress.connected && progress.written == marks.written));
    }
    let master = status.master.unwrap();
    assert_eq!((master.name.as_str(), master.id), (names[group.master], status.id));
    assert!(master.client_address.starts_with("127.0.0.1:"));
}
