//! Clients' calls, from the bytes of a gRPC message to the node's answer.

mod node;

use super::memory::Kept;
use crate::{Seed, Signature, Target};
use node::{Answer, GROUP_MARK, SESSION_MARK, ServedNode};
use prost::Message;
use quorate_server::v1::consistency::Policy;
use quorate_server::v1::operation::Change;
use quorate_server::v1::{
    AckPolicy, CommitPoint, CommitToken, Consistency, CreateDatabaseRequest, CreateDatabaseResponse, Delete,
    DeleteRequest, Durability, GetRequest, GetResponse, Linearizable, OpenSessionRequest,
    OpenSessionResponse, Operation, Put, PutRequest, ReadKey, ReadRange, ScanRequest, ScanResponse, Session,
    StatusRequest, StatusResponse, SyncPolicy, TimeConsistency, TransactRequest, WriteOutcome, WriteRequest,
    WriteResponse,
};
use tonic::Code;

pub(super) const REQUEST: Target = Target::plain(
    "request",
    "a client's call in bytes: it is carried out or refused in words, and what is written is read",
    run,
    seeds,
);

/// One of the calls that there are.
struct Method {
    name: &'static str,
    is_request: fn(&[u8]) -> bool,
    is_response: fn(&[u8]) -> bool,
}

static METHODS: [Method; 9] = [
    method::<PutRequest, WriteResponse>("Put"),
    method::<DeleteRequest, WriteResponse>("Delete"),
    method::<WriteRequest, WriteResponse>("Write"),
    method::<TransactRequest, WriteResponse>("Transact"),
    method::<OpenSessionRequest, OpenSessionResponse>("OpenSession"),
    method::<GetRequest, GetResponse>("Get"),
    method::<ScanRequest, ScanResponse>("Scan"),
    method::<CreateDatabaseRequest, CreateDatabaseResponse>("CreateDatabase"),
    method::<StatusRequest, StatusResponse>("Status"),
];

const fn method<Q: Message + Default, R: Message + Default>(name: &'static str) -> Method {
    Method {
        name,
        is_request: |bytes| Q::decode(bytes).is_ok(),
        is_response: |bytes| R::decode(bytes).is_ok(),
    }
}

/// In the first byte: what follows is all of the body, and not only the message in it.
const WHOLE_BODY: u8 = 0x80;

static NODE: Kept<ServedNode> = Kept::new(ServedNode::open);

/// Which call, and its message.
fn run(input: &[u8]) -> Signature {
    let (choice, rest) = input.split_first().unwrap_or((&0, &[]));
    let method = &METHODS[usize::from(choice & !WHOLE_BODY) % METHODS.len()];
    NODE.with(|node| {
        let message = node.unmasked(rest);
        let is_framed = choice & WHOLE_BODY == 0;
        let body = if is_framed { node::framed(&message) } else { message.clone() };
        let signature = Signature::new().word(method.name).shape(&is_framed);
        let Some(answer) = node.call(method.name, &body) else { return signature.word("waits") };
        assert_answer(method, is_framed.then_some(&message), &answer);
        if is_framed && method.name == "Put" {
            assert_read_again(node, &message, &answer);
        }
        assert_same_again(node, method, &body, &answer);
        node.assert_serves();
        let bytes: usize = answer.messages.iter().map(Vec::len).sum();
        let signature = signature.shape(&answer.code).magnitude(bytes as u64);
        answer.reason.iter().fold(signature, Signature::variant)
    })
}

/// What is understood is never answered by an error of the node's own, and what is not is never carried out.
fn assert_answer(method: &Method, message: Option<&Vec<u8>>, answer: &Answer) {
    assert!(answer.messages.iter().all(|message| (method.is_response)(message)));
    match message.map(|message| (method.is_request)(message)) {
        Some(true) => assert!(!matches!(answer.code, Code::Internal | Code::Unknown), "{answer:?}"),
        Some(false) => assert_ne!(answer.code, Code::Ok),
        None => {}
    }
}

/// What was put is there, unless a session or a weaker word than committed says otherwise.
fn assert_read_again(node: &ServedNode, message: &[u8], answer: &Answer) {
    let Ok(PutRequest { database, key, value, session: None, .. }) = PutRequest::decode(message) else {
        return;
    };
    let written = answer.messages.first().and_then(|message| WriteResponse::decode(&message[..]).ok());
    if written.is_none_or(|written| written.outcome() != WriteOutcome::Committed) {
        return;
    }
    let get = GetRequest { database, key, consistency: None };
    let Some(read) = node.call("Get", &node::framed(&get.encode_to_vec())) else { return };
    let found = read.messages.first().and_then(|message| GetResponse::decode(&message[..]).ok());
    assert_eq!(found.and_then(|found| found.value), Some(value), "what was put is read: {read:?}");
}

/// What one snapshot shows is always the same, and so is a refusal for what a request is.
fn assert_same_again(node: &ServedNode, method: &Method, body: &[u8], answer: &Answer) {
    let is_refused = answer.code == Code::InvalidArgument;
    let snapshot = snapshot_of(method, answer);
    if (is_refused || snapshot.is_some())
        && let Some(again) = node.call(method.name, body)
        && (is_refused || snapshot_of(method, &again) == snapshot)
    {
        assert_eq!(again, *answer);
    }
}

/// The last commit that a read has seen. A write that its client did not wait for may come between two reads.
fn snapshot_of(method: &Method, answer: &Answer) -> Option<CommitToken> {
    let message = &answer.messages.first()?[..];
    match method.name {
        "Get" => GetResponse::decode(message).ok()?.seen,
        "Scan" => ScanResponse::decode(message).ok()?.seen,
        _ => None,
    }
}

fn seeds() -> Vec<Seed> {
    let mut seeds = writes();
    seeds.extend(reads());
    seeds.push(seed("open-session", 4, &OpenSessionRequest {}));
    seeds.push(seed("create-database", 7, &CreateDatabaseRequest { name: "shed".to_owned() }));
    seeds.push(seed("status", 8, &StatusRequest {}));
    let get = GetRequest { key: "ant".into(), ..GetRequest::default() };
    let whole = node::framed(&get.encode_to_vec());
    seeds.push(Seed::new("whole-body", [&[5 | WHOLE_BODY], &whole[..]].concat()));
    seeds
}

fn seed(name: &str, method: u8, request: &impl Message) -> Seed {
    Seed::new(name, [&[method], &request.encode_to_vec()[..]].concat())
}

fn writes() -> Vec<Seed> {
    let stock = || "stock".to_owned();
    let sync: i32 = SyncPolicy::WriteNoSync.into();
    let durability = Some(Durability { local: sync, replica: sync, acks: AckPolicy::None.into() });
    let session = Some(Session { client: SESSION_MARK.into(), sequence: 1 });
    let put = Change::Put(Put { key: "bee".into(), value: "8".into() });
    let delete = Change::Delete(Delete { key: "ant".into() });
    let operations: Vec<Operation> =
        [put, delete].map(|change| Operation { database: stock(), change: Some(change) }).into();
    let put = PutRequest { database: stock(), key: "ant".into(), value: "7".into(), ..PutRequest::default() };
    let transaction = TransactRequest {
        snapshot: Some(token(1)),
        keys: vec![ReadKey { database: stock(), key: "ant".into() }],
        ranges: vec![ReadRange { database: stock(), start: "a".into(), end: "c".into() }],
        operations: operations.clone(),
        ..TransactRequest::default()
    };
    let relaxed = PutRequest { durability, ..put.clone() };
    let once = PutRequest { session: session.clone(), ..put.clone() };
    let remove = DeleteRequest { database: stock(), key: "ant".into(), ..DeleteRequest::default() };
    let fence = WriteRequest { session, ..WriteRequest::default() };
    vec![
        seed("put", 0, &put),
        seed("put-relaxed", 0, &relaxed),
        seed("put-in-session", 0, &once),
        seed("delete", 1, &remove),
        seed("write", 2, &WriteRequest { operations, ..WriteRequest::default() }),
        seed("fence", 2, &fence),
        seed("transact", 3, &transaction),
    ]
}

fn reads() -> Vec<Seed> {
    let policies = [
        ("get-after", Policy::CommitPoint(CommitPoint { token: Some(token(2)), timeout_ms: 5 })),
        ("get-linearizable", Policy::Linearizable(Linearizable { timeout_ms: 5 })),
        ("get-recent", Policy::Time(TimeConsistency { lag_ms: 1_000, timeout_ms: 5 })),
    ];
    let get = |(name, policy)| {
        let consistency = Some(Consistency { policy: Some(policy) });
        seed(name, 5, &GetRequest { database: "stock".to_owned(), key: "ant".into(), consistency })
    };
    let mut seeds: Vec<Seed> = policies.into_iter().map(get).collect();
    let scan = ScanRequest {
        database: "stock".to_owned(),
        start: "a".into(),
        end: "c".into(),
        limit: 2,
        reverse: true,
        ..ScanRequest::default()
    };
    seeds.push(seed("scan", 6, &scan));
    seeds
}

/// The token of one of the first entries of the node that is asked.
fn token(vlsn: u64) -> CommitToken {
    CommitToken { group: GROUP_MARK.into(), term: 1 << 16 | 1, vlsn }
}
