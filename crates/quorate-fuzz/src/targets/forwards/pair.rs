use super::super::memory;
use bytes::Bytes;
use quorate::{
    Commit, CommitDurability, Committed, ConsistencyPolicy, InMemoryNetwork, InMemoryTransport, Member,
    NodeId, NodeType, RepConfig, ReplicatedEnvironment, Vlsn, WriteBatch, WriteError,
};
use quorate_codec::DatabaseId;
use quorate_core::{GroupUuid, Inbox, Packet, SendError, Service, Transport};
use quorate_env::TransportStarter;
use quorate_log::vfs::MemoryVfs;
use quorate_policy::CommitToken;
use quorate_replica::{Envelope, ForwardedWrite, Message, RequestId};
use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// A master and its replica, each real, with somebody between them who keeps the writes that one passes on to
/// the other, and what becomes of them, and puts others in their place.
pub(super) struct Pair {
    master: Tapped,
    replica: Tapped,
    _network: InMemoryNetwork,
}

/// A node, and what it says of writes that are passed on.
struct Tapped {
    environment: ReplicatedEnvironment,
    inbox: Arc<dyn Inbox>,
    said: Mutex<Receiver<Message>>,
}

const MASTER: NodeId = NodeId::new(1);
const REPLICA: NodeId = NodeId::new(2);
/// How long a node may take to do what it must.
const PATIENCE: Duration = Duration::from_secs(9);
/// How long a write may take to be passed on, before it is looked at whether it was refused.
const GLANCE: Duration = Duration::from_millis(10);

impl Pair {
    pub(super) fn open() -> Self {
        let network = InMemoryNetwork::new().expect("this machine has room for a thread");
        let [master, replica] = ["a", "b"].map(|name| Tapped::open(name, &network));
        replica.environment.wait_for_master(PATIENCE).expect("there is nobody else to elect");
        Self { master, replica, _network: network }
    }

    /// What the master says of a write, as if its replica had passed it on.
    pub(super) fn outcome_of(&self, durability: CommitDurability, payload: Bytes, reads: Bytes) -> Bytes {
        let request = RequestId(1);
        let write = ForwardedWrite { request, payload, reads, durability, timeout: PATIENCE };
        self.master.tell(REPLICA, Message::Forward(write));
        match self.master.next(PATIENCE) {
            Ok(Message::ForwardReply { outcome, .. }) => outcome,
            other => panic!("the write is not answered: {other:?}"),
        }
    }

    /// What the caller of a write on the replica is told if the master says this of it. `None` if the caller
    /// is to wait.
    pub(super) fn told_that(&self, outcome: Bytes) -> Option<Result<Committed, WriteError>> {
        let (request, mut commit) = self.forwarded();
        self.replica.tell(MASTER, Message::ForwardReply { request, outcome });
        // Once the node has answered twice it has seen to the message, and to all that follows from it.
        self.replica.environment.status().and_then(|_| self.replica.environment.status());
        settled(&mut commit)
    }

    /// A write that the replica has passed on, and that the master has not heard of.
    fn forwarded(&self) -> (RequestId, Commit) {
        let mut batch = WriteBatch::new();
        batch.put(DatabaseId::new(1), b"apples", b"42");
        loop {
            self.replica.environment.wait_for_master(PATIENCE).expect("the master lives");
            let mut commit = self.replica.environment.write(&batch, None);
            while settled(&mut commit).is_none() {
                if let Ok(Message::Forward(write)) = self.replica.next(GLANCE) {
                    return (write.request, commit);
                }
            }
        }
    }

    /// Both nodes serve, once the replica has applied everything that the master has committed.
    pub(super) fn assert_serves(&self) {
        memory::assert_serves(&self.master.environment);
        memory::assert_serves(&self.replica.environment);
        if let Some(token) = self.last_commit() {
            let policy = ConsistencyPolicy::CommitPointConsistency { token, timeout: PATIENCE };
            let snapshot = self.replica.environment.read(policy).wait();
            assert!(
                snapshot.is_ok(),
                "the replica applies what the master has committed: {:?}",
                snapshot.err()
            );
        }
    }

    fn last_commit(&self) -> Option<CommitToken> {
        let snapshot = self.master.environment.read(ConsistencyPolicy::NoConsistencyRequired).wait().ok()?;
        Some(CommitToken::new(self.uuid()?, snapshot.position()?))
    }

    pub(super) fn uuid(&self) -> Option<GroupUuid> {
        self.replica.environment.status()?.uuid
    }

    /// Up to where the replica has applied the log.
    pub(super) fn applied(&self) -> Option<Vlsn> {
        self.replica.environment.status()?.watermarks.applied
    }
}

/// What has become of a write so far.
fn settled(commit: &mut Commit) -> Option<Result<Committed, WriteError>> {
    match Pin::new(commit).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

impl Tapped {
    fn open(name: &str, network: &InMemoryNetwork) -> Self {
        let (inbox, (caught, said)) = (OnceLock::new(), channel());
        let transport: TransportStarter<'_> = Box::new(|plan, node| {
            let links = network.start(plan.me, plan.members, Arc::clone(&node))?;
            let _ = inbox.set(node);
            Ok(Arc::new(Tap { links, caught: Mutex::new(caught) }))
        });
        let environment = memory::open(config(name), &MemoryVfs::new(), transport);
        let environment = environment.expect("a sound configuration opens");
        let inbox = inbox.into_inner().expect("the transport was started");
        Self { environment, inbox, said: Mutex::new(said) }
    }

    /// Lets the node hear a message of the other.
    fn tell(&self, from: NodeId, message: Message) {
        let uuid = self.environment.status().and_then(|status| status.uuid);
        self.inbox.receive(from, Service::Control, Envelope { uuid, message }.encode());
    }

    /// The next message that was kept.
    fn next(&self, patience: Duration) -> Result<Message, RecvTimeoutError> {
        self.said.lock().expect("nobody panics who holds it").recv_timeout(patience)
    }
}

/// Links that do not carry writes that are passed on, nor what becomes of them.
struct Tap {
    links: InMemoryTransport,
    caught: Mutex<Sender<Message>>,
}

impl Transport for Tap {
    fn send(&self, to: NodeId, service: Service, packet: Packet) -> Result<(), SendError> {
        match Envelope::decode(packet.clone()) {
            Ok(Envelope {
                message: message @ (Message::Forward(_) | Message::ForwardReply { .. }), ..
            }) => {
                // At the end nobody wants to know any more.
                let _ = self.caught.lock().expect("nobody panics who holds it").send(message);
                Ok(())
            }
            _ => self.links.send(to, service, packet),
        }
    }

    fn close(&self) {
        self.links.close();
    }
}

/// Only one of the two can be elected.
fn config(name: &str) -> RepConfig {
    let member = |name: &str, node_type| Member {
        id: NodeId::default(),
        name: name.to_owned(),
        address: format!("{name}:1"),
        node_type,
        priority: 1,
    };
    let mut config = RepConfig::builder("orders", name, name)
        .heartbeat_interval(Duration::from_millis(20))
        .election_timeout(Duration::from_millis(100))
        .segment_bytes(256 << 10)
        .data_dir("node")
        .build();
    config.seed = Some(1);
    config.node_port = Some(1);
    config.members = vec![member("a", NodeType::Electable), member("b", NodeType::Secondary)];
    config
}
