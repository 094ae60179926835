//! An etcd cluster that somebody else has started, under the same load as a group over gRPC: closed-loop writers
//! on one thread of this process, with as many connections, all of them to the leader.

use super::load::{self, Load, Target};
use super::measured::Measured;
use super::over_grpc::{WRITERS_PER_CONNECTION, channel};
use super::step::Step;
use crate::generated::etcdserverpb::kv_client::KvClient;
use crate::generated::etcdserverpb::maintenance_client::MaintenanceClient;
use crate::generated::etcdserverpb::{PutRequest, StatusRequest};
use bytes::Bytes;
use std::time::{Duration, Instant};
use tokio::time::{interval, timeout};
use tonic::Status;
use tonic::transport::Channel;

/// How long a member may take to say how it is.
const STATUS_TIMEOUT: Duration = Duration::from_secs(5);
/// How long members that were idle may take to elect a leader anew: while a group was measured they may have been
/// left without processor time.
const ELECTION_TIMEOUT: Duration = Duration::from_secs(15);
/// How long the members may take to apply what the leader has.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(2);

/// Why an etcd cluster was not measured.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EtcdError {
    /// An endpoint has no meaning.
    #[error("{endpoint:?} is no address: write host:port, ip:port or [ipv6]:port")]
    Endpoint {
        /// As given.
        endpoint: String,
    },
    /// A member does not say how it is.
    #[error(
        "no answer from {endpoint}: {detail}; start that member, or name the address at which it serves clients \
         without TLS (--listen-client-urls)"
    )]
    Unreachable {
        /// The member's address.
        endpoint: String,
        /// Why not.
        detail: String,
    },
    /// No member that was named leads.
    #[error(
        "none of the endpoints is the leader's: name those of all members, and see that most of them run"
    )]
    NoLeader,
    /// A write was refused, or its outcome is unknown.
    #[error("a write failed: {}", .0.message())]
    Write(Box<Status>),
    /// A member does not get as far as the others.
    #[error("{endpoint} has not applied in {seconds} s what the leader had")]
    Late {
        /// The member's address.
        endpoint: String,
        /// How long it was given.
        seconds: u64,
    },
}

/// The version of the cluster that serves clients at `endpoints`, as its leader tells it. Every member is asked, so
/// that one that does not answer is found before anything is measured.
///
/// # Errors
/// [`EtcdError::Endpoint`], [`EtcdError::Unreachable`], [`EtcdError::NoLeader`].
pub(super) async fn version(endpoints: &[String]) -> Result<String, EtcdError> {
    let members = Member::all(endpoints)?;
    Ok(find_leader(&members).await?.1.version)
}

/// Measures a step on the cluster. As with a group, the time until all members have applied everything belongs to
/// it.
///
/// # Errors
/// [`EtcdError`].
pub(super) async fn measure(step: &Step, endpoints: &[String]) -> Result<Measured, EtcdError> {
    let members = Member::all(endpoints)?;
    let leader = await_leader(&members).await?;
    let (load, last) = load_leader(step, leader.endpoint).await?;
    let end = Instant::now();
    for member in &members {
        member.await_revision(last).await?;
    }
    Ok(Measured::new(&load, end.elapsed(), None))
}

async fn await_leader<'a>(members: &'a [Member<'a>]) -> Result<&'a Member<'a>, EtcdError> {
    let search = async {
        let mut ticks = interval(POLL_INTERVAL);
        loop {
            ticks.tick().await;
            match find_leader(members).await {
                Err(EtcdError::NoLeader) => {}
                found => return Ok(found?.0),
            }
        }
    };
    timeout(ELECTION_TIMEOUT, search).await.unwrap_or(Err(EtcdError::NoLeader))
}

async fn find_leader<'a>(members: &'a [Member<'a>]) -> Result<(&'a Member<'a>, State), EtcdError> {
    let mut leader = None;
    for member in members {
        let state = member.state().await?;
        if state.leads {
            leader = Some((member, state));
        }
    }
    leader.ok_or(EtcdError::NoLeader)
}

/// Runs a step's writers on this thread, and returns the last write's revision too.
async fn load_leader(step: &Step, leader: &str) -> Result<(Load, Option<i64>), EtcdError> {
    let connections = step.writers.div_ceil(WRITERS_PER_CONNECTION);
    let targets = (0..connections).map(|_| Ok(Leader(KvClient::new(connect(leader)?))));
    let targets = targets.collect::<Result<Vec<_>, EtcdError>>()?;
    load::run(step, &targets).await.map_err(|status| EtcdError::Write(Box::new(status)))
}

/// A connection of its own, which is opened when it is first used.
fn connect(endpoint: &str) -> Result<Channel, EtcdError> {
    channel(endpoint).map_err(|_| EtcdError::Endpoint { endpoint: endpoint.to_owned() })
}

/// One member of the cluster.
struct Member<'a> {
    endpoint: &'a str,
    maintenance: MaintenanceClient<Channel>,
}

/// How a member is.
struct State {
    version: String,
    leads: bool,
    /// The revision of the last write that it has applied.
    revision: i64,
}

impl<'a> Member<'a> {
    fn all(endpoints: &'a [String]) -> Result<Vec<Self>, EtcdError> {
        let member = |endpoint: &'a String| {
            Ok(Self { endpoint, maintenance: MaintenanceClient::new(connect(endpoint)?) })
        };
        endpoints.iter().map(member).collect()
    }

    async fn state(&self) -> Result<State, EtcdError> {
        let failed = |detail: String| EtcdError::Unreachable { endpoint: self.endpoint.to_owned(), detail };
        let mut client = self.maintenance.clone();
        let answer = timeout(STATUS_TIMEOUT, client.status(StatusRequest {})).await;
        let late = |_| failed(format!("it says nothing for {} s", STATUS_TIMEOUT.as_secs()));
        let status =
            answer.map_err(late)?.map_err(|status| failed(status.message().to_owned()))?.into_inner();
        let header = status.header.ok_or_else(|| failed("it does not say who it is".to_owned()))?;
        let leads = status.leader != 0 && status.leader == header.member_id;
        Ok(State { version: status.version, leads, revision: header.revision })
    }

    /// Waits until the member has applied the write that bears `revision`, if there was one.
    async fn await_revision(&self, revision: Option<i64>) -> Result<(), EtcdError> {
        let catch_up = async {
            let mut ticks = interval(POLL_INTERVAL);
            while Some(self.state().await?.revision) < revision {
                ticks.tick().await;
            }
            Ok(())
        };
        let (endpoint, seconds) = (self.endpoint.to_owned(), CATCH_UP_TIMEOUT.as_secs());
        timeout(CATCH_UP_TIMEOUT, catch_up).await.unwrap_or(Err(EtcdError::Late { endpoint, seconds }))
    }
}

/// The cluster's leader, as a client sees it.
#[derive(Clone)]
struct Leader(KvClient<Channel>);

impl Target for Leader {
    /// The write's revision.
    type Token = i64;
    type Error = Status;

    async fn put(&self, key: &[u8], value: &[u8]) -> Result<i64, Status> {
        let request = PutRequest { key: Bytes::copy_from_slice(key), value: Bytes::copy_from_slice(value) };
        let answer = self.0.clone().put(request).await?.into_inner();
        let header =
            answer.header.ok_or_else(|| Status::internal("a write was answered without a revision"))?;
        Ok(header.revision)
    }

    /// Revisions count from 1.
    fn position(token: i64) -> u64 {
        token.unsigned_abs()
    }
}
