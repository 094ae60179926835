use super::cluster::node_index;
use super::{NODES, VALUE_BYTES_MAX};
use crate::failure_of;
use crate::v1::failure::Reason;
use crate::v1::quorate_client::QuorateClient;
use crate::v1::{
    AckPolicy, CommitToken, Durability, PutRequest, StatusRequest, StatusResponse, SyncPolicy, WriteOutcome,
};
use bytes::Bytes;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;
use tonic::Status;
use tonic::transport::{Channel, Endpoint};

/// How long one call may take; a master decides on a write within half of it.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a node that is alive may take to say how it is.
const STATUS_TIMEOUT: Duration = Duration::from_millis(500);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a writer that was turned away waits for news before it tries again.
const NEWS_TIMEOUT: Duration = Duration::from_millis(20);

/// A client of one node. It connects when it is first used, and again after every failure.
#[derive(Clone, Debug)]
pub struct NodeClient(QuorateClient<Channel>);

impl NodeClient {
    /// A client of the node that serves at this loopback port.
    #[must_use]
    pub fn new(port: u16) -> Self {
        let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}"));
        let channel = endpoint
            .expect("an address and a port make a URI")
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            .tcp_nodelay(true)
            .connect_lazy();
        let message_bytes_max = 2 * VALUE_BYTES_MAX;
        Self(
            QuorateClient::new(channel)
                .max_decoding_message_size(message_bytes_max)
                .max_encoding_message_size(message_bytes_max),
        )
    }

    /// The generated client, for every other call.
    #[must_use]
    pub fn calls(&self) -> QuorateClient<Channel> {
        self.0.clone()
    }

    /// What the node says of itself.
    ///
    /// # Errors
    /// If it does not answer in half a second.
    pub async fn status(&self) -> Result<StatusResponse, Status> {
        let answer = timeout(STATUS_TIMEOUT, self.calls().status(StatusRequest {})).await;
        Ok(answer.map_err(|_| Status::deadline_exceeded("no answer"))??.into_inner())
    }

    /// Sets a key of the default database, fsynced by a majority. Success means that it is committed.
    ///
    /// # Errors
    /// The call's status.
    pub async fn put(&self, key: Bytes, value: Bytes) -> Result<Option<CommitToken>, Status> {
        let durability = Durability {
            local: SyncPolicy::Sync.into(),
            replica: SyncPolicy::Sync.into(),
            acks: AckPolicy::SimpleMajority.into(),
        };
        let durability = Some(durability);
        let request = PutRequest { key, value, durability, ..PutRequest::default() };
        let answer = self.calls().put(request).await?.into_inner();
        match answer.outcome() {
            WriteOutcome::Committed => Ok(answer.token),
            other => Err(Status::internal(format!("the write was answered with {}", other.as_str_name()))),
        }
    }
}

/// Where the writers believe the master to be: all follow what any of them learns.
#[derive(Clone, Debug)]
pub struct Route(watch::Sender<usize>);

impl Route {
    /// A route to the first node.
    #[must_use]
    pub fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// The node to write to.
    #[must_use]
    pub fn target(&self) -> usize {
        *self.0.borrow()
    }

    /// Leads all writers to a node.
    pub fn lead_to(&self, node: usize) {
        self.0.send_if_modified(|target| std::mem::replace(target, node) != node);
    }

    /// Learns from a refusal by `from` and waits a moment for better news, if there is no hint of where to
    /// go.
    pub async fn turn_away(&self, from: usize, refusal: &Status) {
        let mut news = self.0.subscribe();
        match master_named_by(refusal) {
            Some(master) if master != from => self.lead_away(from, master),
            _ => self.lead_away(from, (from + 1) % NODES),
        }
        if self.target() == from {
            return;
        }
        // Time-out and change are the same to the caller: it looks at the target again.
        let _ = timeout(NEWS_TIMEOUT, news.changed()).await;
    }

    /// Leads to `node` unless somebody has led away from `from` already.
    fn lead_away(&self, from: usize, node: usize) {
        self.0.send_if_modified(|target| *target == from && std::mem::replace(target, node) != node);
    }
}

impl Default for Route {
    fn default() -> Self {
        Self::new()
    }
}

fn master_named_by(refusal: &Status) -> Option<usize> {
    match failure_of(refusal)?.reason? {
        Reason::NotMaster(refusal) => node_index(&refusal.master?.name),
        _ => None,
    }
}
