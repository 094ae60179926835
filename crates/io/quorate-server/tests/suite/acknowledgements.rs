use crate::common::{Group, PATIENCE};
use quorate_server::demo::Route;
use quorate_server::failure_of;
use quorate_server::v1::failure::Reason;
use quorate_server::v1::{
    AckPolicy, CommitPoint, Consistency, Durability, GetRequest, PutRequest, WriteOutcome, WriteResponse,
    consistency,
};
use tonic::{Code, Status};

/// A master that has lost its replicas goes on for long enough to be asked what it does then.
const PATIENT: &str = "\n[timeouts]\nelection_timeout_ms = 3000\nack_timeout_ms = 1000\n";

async fn put(group: &Group, acks: AckPolicy) -> Result<WriteResponse, Status> {
    let durability = Some(Durability { acks: acks.into(), ..Durability::default() });
    let request = PutRequest { key: "k".into(), value: "v".into(), durability, ..PutRequest::default() };
    group.client(group.master).calls().put(request).await.map(tonic::Response::into_inner)
}

/// Whether a write was not acknowledged because copies were missing, whichever way that was found out.
fn lacks_copies(refused: &Status) -> bool {
    matches!(
        failure_of(refused).and_then(|failure| failure.reason),
        Some(Reason::InsufficientReplicas(_) | Reason::OutcomeUnknown(_) | Reason::NotMaster(_))
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn each_acknowledgement_is_given_exactly_as_long_as_enough_nodes_are_up() {
    let group = Group::start(PATIENT).await;
    let [first, second] = group.replicas();
    let kill = |node: usize| group.cluster.processes()[node].killer().kill_and_reap().unwrap();
    let (committed, written) = (WriteOutcome::Committed, WriteOutcome::Written);

    assert_eq!(put(&group, AckPolicy::All).await.unwrap().outcome(), committed);
    assert_eq!(put(&group, AckPolicy::SimpleMajority).await.unwrap().outcome(), committed);
    assert_eq!(put(&group, AckPolicy::None).await.unwrap().outcome(), written);

    kill(first);
    let refused = put(&group, AckPolicy::All).await.unwrap_err();
    assert!(lacks_copies(&refused), "{refused:?}");
    assert_eq!(put(&group, AckPolicy::SimpleMajority).await.unwrap().outcome(), committed);
    assert_eq!(put(&group, AckPolicy::None).await.unwrap().outcome(), written);

    kill(second);
    assert_eq!(put(&group, AckPolicy::None).await.unwrap().outcome(), written);
    for acks in [AckPolicy::All, AckPolicy::SimpleMajority] {
        let refused = put(&group, acks).await.unwrap_err();
        assert!(lacks_copies(&refused), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_a_write_that_was_only_written_is_told_to_be_lost_after_a_failover() {
    let group = Group::start(PATIENT).await;
    let [first, second] = group.replicas();
    for replica in [first, second] {
        group.cluster.processes()[replica].killer().kill_and_reap().unwrap();
    }
    let token = put(&group, AckPolicy::None).await.unwrap().token.unwrap();
    group.cluster.processes()[group.master].killer().kill_and_reap().unwrap();
    for replica in [first, second] {
        group.cluster.processes()[replica].start().unwrap();
    }
    let master = group.cluster.wait_for_master(&Route::new(), PATIENCE).await.unwrap();
    assert_ne!(master, group.master);
    let point = CommitPoint { token: Some(token.clone()), timeout_ms: 30_000 };
    let consistency = Some(Consistency { policy: Some(consistency::Policy::CommitPoint(point)) });
    for node in [first, second] {
        let request =
            GetRequest { key: "k".into(), consistency: consistency.clone(), ..GetRequest::default() };
        let lost = group.client(node).calls().get(request).await.unwrap_err();
        let reason = failure_of(&lost).and_then(|failure| failure.reason);
        assert_eq!((lost.code(), reason), (Code::DataLoss, Some(Reason::CommitLost(token.clone()))));
    }
    let token = format!(
        "token:{}-{:016x}-{:016x}",
        token.group.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        token.term,
        token.vlsn
    );
    let status = group.client(master).status().await.unwrap();
    let endpoint = status.members[master].client_address.clone();
    let get = group.command_at(&endpoint, &["get", "k", "--consistency", &token], b"").await;
    assert_eq!(get.status.code(), Some(7), "{get:?}");
}
