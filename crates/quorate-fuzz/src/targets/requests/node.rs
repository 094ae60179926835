use super::super::memory;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use quorate::{RepConfig, ReplicatedEnvironment};
use quorate_log::vfs::MemoryVfs;
use quorate_server::v1::failure::Reason;
use quorate_server::v1::quorate_server::QuorateServer;
use quorate_server::{Budgeted, GivenSettings, NodeSettings, QuorateService, RequestBudget, failure_of};
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use tempfile::NamedTempFile;
use tokio::runtime::{Builder, Runtime};
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::codegen::http::{Request, Response};
use tonic::{Code, Status};
use tower_layer::Layer;

/// What stands in an input for the identity of the node's group, which nobody knows before it is founded.
pub(super) const GROUP_MARK: &str = "the-group-itself";
/// What stands for a session that is open.
pub(super) const SESSION_MARK: &str = "the-open-session";
const MARK_BYTES: usize = 16;

/// A node of a group of one with a little data, and what serves its clients.
pub(super) struct ServedNode {
    environment: Arc<ReplicatedEnvironment>,
    service: Budgeted<QuorateServer<QuorateService>>,
    runtime: Runtime,
    group: [u8; MARK_BYTES],
    session: [u8; MARK_BYTES],
}

/// All that a call has come to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) code: Code,
    text: String,
    pub(super) reason: Option<Reason>,
    pub(super) messages: Vec<Vec<u8>>,
}

const SETTINGS: &str = "group = \"orders\"\nnode = \"n\"\nclient = \"n:2\"\ndata_dir = \"node\"\n\
    [[members]]\nname = \"n\"\naddress = \"n:1\"\n\
    [timeouts]\nheartbeat_interval_ms = 20\nelection_timeout_ms = 100\nread_timeout_ms = 10\n\
    [limits]\nvalue_bytes_max = 4096\nsegment_bytes = 262144\n";
/// How long a node may take to begin to serve.
const PATIENCE: Duration = Duration::from_secs(9);
/// How long a client waits before it hangs up.
const CLIENT_PATIENCE: Duration = Duration::from_millis(20);

impl ServedNode {
    pub(super) fn open() -> Self {
        let settings = settings();
        let config = RepConfig { seed: Some(1), ..settings.environment.clone() };
        let environment = memory::open(config, &MemoryVfs::new(), memory::nobody());
        let environment = Arc::new(environment.expect("a sound configuration opens"));
        environment.wait_for_master(PATIENCE).expect("a group of one has a master");
        let stock = environment.bytes("stock").expect("the master makes databases");
        for (key, value) in [(b"ant", b"7"), (b"bee", b"8"), (b"cat", b"9")] {
            stock.put(key, value).wait().expect("the master takes writes");
        }
        let session = environment.open_session().wait().expect("the master opens sessions");
        let group = environment.status().and_then(|status| status.uuid).expect("the group is founded");
        let runtime = Builder::new_current_thread().enable_time().build().expect("this machine has threads");
        let service = QuorateService::new(Arc::clone(&environment), &settings);
        let budget = RequestBudget::new(settings.requests_bytes_max, service.message_bytes_max());
        Self {
            service: budget.layer(service.into_server()),
            environment,
            runtime,
            group: group.0.to_be_bytes(),
            session: session.client().to_be_bytes(),
        }
    }

    /// The bytes with the group and the session in the places of their marks.
    pub(super) fn unmasked(&self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for (mark, value) in [(GROUP_MARK, self.group), (SESSION_MARK, self.session)] {
            let mut at = 0;
            while let Some(window) = bytes.get_mut(at..at + MARK_BYTES) {
                if window == mark.as_bytes() {
                    window.copy_from_slice(&value);
                }
                at += 1;
            }
        }
        bytes
    }

    /// Calls the node with this body, and hears all that it answers; `None` if the client has hung up before.
    pub(super) fn call(&self, method: &str, body: &[u8]) -> Option<Answer> {
        let request = Request::post(format!("http://n:2/quorate.v1.Quorate/{method}"))
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(Body::new(Full::new(Bytes::copy_from_slice(body))))
            .expect("a request like those that programs send");
        let mut service = self.service.clone();
        self.runtime.block_on(async {
            let answered = async {
                match service.call(request).await {
                    Ok(response) => Answer::of(response).await,
                    Err(never) => match never {},
                }
            };
            tokio::time::timeout(CLIENT_PATIENCE, answered).await.ok()
        })
    }

    pub(super) fn assert_serves(&self) {
        memory::assert_serves(&self.environment);
    }
}

impl Answer {
    async fn of(response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        let early = Status::from_header_map(&head.headers);
        let (status, messages) = match body.collect().await {
            Err(status) => (status, Vec::new()),
            Ok(body) => {
                let late = body.trailers().and_then(Status::from_header_map);
                let status = late.or(early).expect("every call ends with a status");
                (status, messages_of(&body.to_bytes()))
            }
        };
        let reason = failure_of(&status).and_then(|failure| failure.reason);
        Self { code: status.code(), text: status.message().to_owned(), reason, messages }
    }
}

/// What a node of these settings is told.
fn settings() -> NodeSettings {
    let mut file = NamedTempFile::new().expect("this machine has room for a file");
    file.write_all(SETTINGS.as_bytes()).expect("this machine has room for a file");
    NodeSettings::read(Some(file.path()), &GivenSettings::default()).expect("sound settings")
}

/// A message as it stands in a body: uncompressed, its length in front of it.
pub(super) fn framed(message: &[u8]) -> Vec<u8> {
    [&[0], &(message.len() as u32).to_be_bytes()[..], message].concat()
}

fn messages_of(mut body: &[u8]) -> Vec<Vec<u8>> {
    let mut messages = Vec::new();
    while let Some(([_, length @ ..], rest)) = body.split_first_chunk::<5>() {
        let (message, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        messages.push(message.to_vec());
        body = rest;
    }
    messages
}
