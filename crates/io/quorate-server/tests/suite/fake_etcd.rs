//! Three members of an etcd cluster in this process, as far as the benchmark uses them. Its messages are written
//! down anew, with etcd's field numbers, so that they check those that the program has.

use axum::Router;
use axum::extract::Request as HttpRequest;
use axum::routing::post;
use bytes::Bytes;
use prost::Message;
use std::collections::HashSet;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tonic::server::Grpc;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;
use tower_service::Service;

/// The cluster. Its last member is slow to apply, and it elects its leader anew after each member has told once how
/// it is.
pub(crate) struct FakeEtcd {
    members: Vec<SocketAddr>,
    state: Arc<Mutex<State>>,
    _runtime: Runtime,
}

/// What the members share.
pub(crate) struct State {
    /// The index of the member that leads.
    leader: Option<usize>,
    /// How often a member has told how it is. In their second answers there is no leader.
    answers: usize,
    /// The writes that were done, each with the index of the member that was asked.
    pub(crate) puts: Vec<(usize, Put)>,
    /// From where the writes came.
    pub(crate) writers_addresses: HashSet<SocketAddr>,
    /// How often the last member still is to tell that it has not applied everything.
    pub(crate) answers_behind: u32,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct Put {
    #[prost(bytes = "bytes", tag = "1")]
    pub(crate) key: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    pub(crate) value: Bytes,
    #[prost(int64, tag = "3")]
    pub(crate) lease: i64,
    #[prost(bool, tag = "4")]
    pub(crate) previous: bool,
}

#[derive(Clone, PartialEq, Message)]
struct Header {
    #[prost(uint64, tag = "1")]
    cluster: u64,
    #[prost(uint64, tag = "2")]
    member: u64,
    #[prost(int64, tag = "3")]
    revision: i64,
    #[prost(uint64, tag = "4")]
    raft_term: u64,
}

#[derive(Clone, PartialEq, Message)]
struct PutAnswer {
    #[prost(message, optional, tag = "1")]
    header: Option<Header>,
}

#[derive(Clone, PartialEq, Message)]
struct StatusQuestion {}

#[derive(Clone, PartialEq, Message)]
struct StatusAnswer {
    #[prost(message, optional, tag = "1")]
    header: Option<Header>,
    #[prost(string, tag = "2")]
    version: String,
    #[prost(int64, tag = "3")]
    database_bytes: i64,
    #[prost(uint64, tag = "4")]
    leader: u64,
    #[prost(uint64, tag = "5")]
    raft_index: u64,
}

const MEMBERS: usize = 3;
const ANSWERS_BEHIND: u32 = 5;

impl FakeEtcd {
    /// Starts a cluster that the member of this index leads, if any.
    pub(crate) fn start(leader: Option<usize>) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let state = State {
            leader,
            answers: 0,
            puts: Vec::new(),
            writers_addresses: HashSet::new(),
            answers_behind: ANSWERS_BEHIND,
        };
        let state = Arc::new(Mutex::new(state));
        let members = (0..MEMBERS).map(|index| {
            let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
            let address = listener.local_addr().unwrap();
            let routes = Routes::from(routes(index, &state));
            let incoming = TcpIncoming::from(listener);
            runtime.spawn(
                async move { Server::builder().add_routes(routes).serve_with_incoming(incoming).await },
            );
            address
        });
        Self { members: members.collect(), state, _runtime: runtime }
    }

    /// What `--compare` takes.
    pub(crate) fn comparison(&self) -> String {
        let members: Vec<String> = self.members.iter().map(ToString::to_string).collect();
        format!("etcd={}", members.join(","))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

fn routes(index: usize, state: &Arc<Mutex<State>>) -> Router {
    let (putting, telling) = (Arc::clone(state), Arc::clone(state));
    let put = move |request| {
        let state = Arc::clone(&putting);
        serve(request, move |put| state.lock().unwrap().put(index, put))
    };
    let status = move |request| {
        let state = Arc::clone(&telling);
        serve(request, move |_: Request<StatusQuestion>| state.lock().unwrap().status(index))
    };
    Router::new()
        .route("/etcdserverpb.KV/Put", post(put))
        .route("/etcdserverpb.Maintenance/Status", post(status))
}

impl State {
    fn put(&mut self, index: usize, request: Request<Put>) -> PutAnswer {
        self.writers_addresses.extend(request.remote_addr());
        self.puts.push((index, request.into_inner()));
        PutAnswer { header: Some(header(index, self.revision())) }
    }

    fn status(&mut self, index: usize) -> StatusAnswer {
        let between_leaders = (MEMBERS..2 * MEMBERS).contains(&self.answers);
        self.answers += 1;
        let leader = self.leader.filter(|_| !between_leaders);
        let mut revision = self.revision();
        if index == MEMBERS - 1 && revision > 1 && self.answers_behind > 0 {
            self.answers_behind -= 1;
            revision -= 1;
        }
        StatusAnswer {
            header: Some(header(index, revision)),
            version: "3.4.99".to_owned(),
            database_bytes: 1 << 20,
            leader: leader.map_or(0, number),
            raft_index: 7,
        }
    }

    fn revision(&self) -> i64 {
        1 + self.puts.len() as i64
    }
}

fn header(index: usize, revision: i64) -> Header {
    Header { cluster: 9, member: number(index), revision, raft_term: 2 }
}

/// The number by which etcd calls a member.
const fn number(index: usize) -> u64 {
    100 + index as u64
}

/// Answers one call.
async fn serve<Q, A, F>(request: HttpRequest, answer: F) -> http::Response<tonic::body::Body>
where
    Q: Message + Default + 'static,
    A: Message + 'static,
    F: Fn(Request<Q>) -> A,
{
    Grpc::new(ProstCodec::default()).unary(Answer(answer), request).await
}

struct Answer<F>(F);

impl<Q, A, F: Fn(Request<Q>) -> A> Service<Request<Q>> for Answer<F> {
    type Response = Response<A>;
    type Error = Status;
    type Future = Ready<Result<Response<A>, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        ready(Ok(Response::new((self.0)(request))))
    }
}
