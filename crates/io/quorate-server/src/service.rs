mod convert;
mod databases;
mod failure;
mod scan;
mod status;

pub(crate) use convert::{durability_of, parse_token, token_of};
pub(crate) use failure::busy;
pub use failure::{FAILURE_TRAILER, failure_of};

use crate::NodeSettings;
use crate::state_watch::StateWatch;
use crate::v1::operation::Change;
use crate::v1::quorate_server::{Quorate, QuorateServer};
use crate::v1::{
    CommitToken, Consistency, CreateDatabaseRequest, CreateDatabaseResponse, DeleteRequest, Durability,
    GetRequest, GetResponse, OpenSessionRequest, OpenSessionResponse, Operation, PutRequest, ReadKey,
    ReadRange, ScanRequest, Session, StatusRequest, StatusResponse, TransactRequest, WriteRequest,
    WriteResponse,
};
use bytes::Bytes;
use convert::Defaults;
use databases::Databases;
use failure::Refusals;
use quorate::{
    ConsistencyPolicy, EntryId, GroupUuid, ReadError, ReadSet, ReplicatedEnvironment, Snapshot, WriteBatch,
    WriteError,
};
use scan::{ScanStream, Scans};
use status::Times;
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use tokio::task::spawn_blocking;
use tonic::{Request, Response, Status};

/// What a write asks for besides its operations.
#[derive(Clone, Debug, Default)]
struct WriteTerms {
    durability: Option<Durability>,
    session: Option<Session>,
}

/// Answers gRPC calls from one open environment. Clones share it.
#[derive(Clone)]
pub struct QuorateService {
    environment: Arc<ReplicatedEnvironment>,
    databases: Arc<Databases>,
    refusals: Refusals,
    /// The group's identity, once it was asked for after a commit: from then on it stays what it is.
    group: Arc<OnceLock<GroupUuid>>,
    defaults: Defaults,
    scans: Scans,
    started: Instant,
    state: StateWatch,
    message_bytes_max: usize,
}

impl QuorateService {
    /// The service of an environment that was opened with these settings.
    #[must_use]
    pub fn new(environment: Arc<ReplicatedEnvironment>, settings: &NodeSettings) -> Self {
        let config = &settings.environment;
        Self {
            databases: Arc::new(Databases::new(Arc::clone(&environment), settings)),
            refusals: Refusals::new(settings),
            group: Arc::new(OnceLock::new()),
            defaults: Defaults {
                durability: config.durability,
                consistency: config.consistency,
                read_timeout: settings.read_timeout,
            },
            scans: Scans::new(),
            started: Instant::now(),
            state: StateWatch::new(&environment),
            environment,
            message_bytes_max: config.value_bytes_max.saturating_add(NodeSettings::REQUEST_OVERHEAD_BYTES),
        }
    }

    /// The service as the gRPC server takes it, with message limits that follow the limit of values.
    #[must_use]
    pub fn into_server(self) -> QuorateServer<Self> {
        let message_bytes_max = self.message_bytes_max;
        QuorateServer::new(self)
            .max_decoding_message_size(message_bytes_max)
            .max_encoding_message_size(message_bytes_max)
    }

    /// The longest message that the service takes or sends, in bytes.
    #[must_use]
    pub fn message_bytes_max(&self) -> usize {
        self.message_bytes_max
    }

    /// Follows the node's state.
    pub(crate) fn state(&self) -> StateWatch {
        self.state.clone()
    }

    /// Adds the change of one operation to a batch.
    async fn add(&self, batch: &mut WriteBatch, database: &str, change: Change) -> Result<(), Status> {
        let database = self.databases.find_for_write(database, &self.refusals).await?;
        match change {
            Change::Put(put) => batch.put(database.id(), &put.key, &put.value),
            Change::Delete(delete) => batch.delete(database.id(), &delete.key),
        }
        Ok(())
    }

    async fn batch(&self, operations: Vec<Operation>) -> Result<WriteBatch, Status> {
        let mut batch = WriteBatch::new();
        for operation in operations {
            let change = operation.change.ok_or_else(|| {
                Status::invalid_argument("an operation has neither put nor delete: set one of them")
            })?;
            self.add(&mut batch, &operation.database, change).await?;
        }
        Ok(batch)
    }

    /// What a transaction has read.
    async fn reads(
        &self,
        snapshot: Option<CommitToken>,
        keys: Vec<ReadKey>,
        ranges: Vec<ReadRange>,
    ) -> Result<ReadSet, Status> {
        let mut reads = ReadSet::new(self.snapshot_position(snapshot).await?);
        for ReadKey { database, key } in keys {
            let database = self.databases.find_for_write(&database, &self.refusals).await?;
            reads.add_point(database.id(), &key);
        }
        for ReadRange { database, start, end } in ranges {
            let database = self.databases.find_for_write(&database, &self.refusals).await?;
            let (start, end) = convert::bounds(&start, &end);
            reads.add_range(database.id(), start, end);
        }
        Ok(reads)
    }

    /// The position that a transaction has read at, which must be one of this group's.
    async fn snapshot_position(&self, snapshot: Option<CommitToken>) -> Result<Option<EntryId>, Status> {
        let Some(snapshot) = snapshot else { return Ok(None) };
        let token = convert::parse_token(snapshot)
            .ok_or_else(|| Status::invalid_argument("the snapshot is half a token"))?;
        if self.group().await? == Some(token.group) {
            return Ok(Some(token.id()));
        }
        Err(self.refusals.read_failed(&ReadError::ForeignGroup { token }))
    }

    async fn commit(
        &self,
        terms: WriteTerms,
        batch: WriteBatch,
        reads: Option<ReadSet>,
    ) -> Result<WriteResponse, Status> {
        let mut request =
            quorate::WriteRequest::new(batch).durability(self.defaults.durability(terms.durability)?);
        if let Some(session) = terms.session {
            request = request.session(convert::session(&session)?);
        }
        if let Some(reads) = reads {
            request = request.reads(reads);
        }
        let committed = self.environment.submit(request).await;
        let committed = committed.map_err(|error| self.refusals.write(&error))?;
        Ok(convert::write_response(&committed))
    }

    /// A snapshot that satisfies a demand. Waits without blocking.
    async fn snapshot(&self, consistency: Option<Consistency>) -> Result<Snapshot, Status> {
        let policy = self.defaults.consistency(consistency)?;
        let began = Instant::now();
        match self.environment.read(policy).await {
            Ok(snapshot) => Ok(snapshot),
            Err(error) => {
                let present = self.environment.read(ConsistencyPolicy::NoConsistencyRequired).await;
                let applied = present.ok().and_then(|snapshot| snapshot.position());
                Err(self.refusals.read(&error, began.elapsed(), applied.map(|id| id.vlsn)))
            }
        }
    }

    /// The token of the last commit that a snapshot shows.
    async fn seen(&self, snapshot: &Snapshot) -> Result<Option<CommitToken>, Status> {
        let Some(position) = snapshot.position() else { return Ok(None) };
        Ok(self.group().await?.map(|group| token_of(&quorate::CommitToken::new(group, position))))
    }

    /// The group's identity, once it is founded.
    async fn group(&self) -> Result<Option<GroupUuid>, Status> {
        if let Some(group) = self.group.get() {
            return Ok(Some(*group));
        }
        let environment = Arc::clone(&self.environment);
        let status = blocking(move || environment.status()).await?;
        let group = status.and_then(|status| status.uuid);
        Ok(group.map(|group| *self.group.get_or_init(|| group)))
    }
}

#[tonic::async_trait]
impl Quorate for QuorateService {
    type ScanStream = ScanStream;

    async fn put(&self, request: Request<PutRequest>) -> Result<Response<WriteResponse>, Status> {
        let PutRequest { database, key, value, durability, session } = request.into_inner();
        let mut batch = WriteBatch::new();
        self.add(&mut batch, &database, Change::Put(crate::v1::Put { key, value })).await?;
        self.commit(WriteTerms { durability, session }, batch, None).await.map(Response::new)
    }

    async fn delete(&self, request: Request<DeleteRequest>) -> Result<Response<WriteResponse>, Status> {
        let DeleteRequest { database, key, durability, session } = request.into_inner();
        let mut batch = WriteBatch::new();
        self.add(&mut batch, &database, Change::Delete(crate::v1::Delete { key })).await?;
        self.commit(WriteTerms { durability, session }, batch, None).await.map(Response::new)
    }

    async fn write(&self, request: Request<WriteRequest>) -> Result<Response<WriteResponse>, Status> {
        let WriteRequest { operations, durability, session } = request.into_inner();
        let batch = self.batch(operations).await?;
        self.commit(WriteTerms { durability, session }, batch, None).await.map(Response::new)
    }

    async fn transact(&self, request: Request<TransactRequest>) -> Result<Response<WriteResponse>, Status> {
        let TransactRequest { snapshot, keys, ranges, operations, durability, session } =
            request.into_inner();
        let reads = self.reads(snapshot, keys, ranges).await?;
        let batch = self.batch(operations).await?;
        self.commit(WriteTerms { durability, session }, batch, Some(reads)).await.map(Response::new)
    }

    async fn open_session(
        &self,
        _request: Request<OpenSessionRequest>,
    ) -> Result<Response<OpenSessionResponse>, Status> {
        let opened = self.environment.open_session().await.map_err(|error| self.refusals.write(&error))?;
        let client = Bytes::copy_from_slice(&opened.client().to_be_bytes());
        Ok(Response::new(OpenSessionResponse { client }))
    }

    async fn get(&self, request: Request<GetRequest>) -> Result<Response<GetResponse>, Status> {
        let GetRequest { database, key, consistency } = request.into_inner();
        if key.is_empty() {
            return Err(self.refusals.write(&WriteError::EmptyKey));
        }
        let snapshot = self.snapshot(consistency).await?;
        let database = self.databases.find(&database, &self.refusals).await?;
        let seen = self.seen(&snapshot).await?;
        let value = blocking(move || snapshot.get_bytes(&database, &key)).await?;
        let value = value.map_err(|error| self.refusals.read_failed(&error))?;
        Ok(Response::new(GetResponse { value, seen }))
    }

    async fn scan(&self, request: Request<ScanRequest>) -> Result<Response<ScanStream>, Status> {
        let request = request.into_inner();
        let snapshot = self.snapshot(request.consistency.clone()).await?;
        let database = self.databases.find(&request.database, &self.refusals).await?;
        let seen = self.seen(&snapshot).await?;
        let rows = scan::rows(&snapshot, &database, &request);
        Ok(Response::new(self.scans.begin(rows, seen, self.refusals.clone()).await?))
    }

    async fn create_database(
        &self,
        request: Request<CreateDatabaseRequest>,
    ) -> Result<Response<CreateDatabaseResponse>, Status> {
        let mut batch = WriteBatch::new();
        batch.create_database(&request.into_inner().name);
        let created = self.commit(WriteTerms::default(), batch, None).await?;
        Ok(Response::new(CreateDatabaseResponse { token: created.token }))
    }

    async fn status(&self, _request: Request<StatusRequest>) -> Result<Response<StatusResponse>, Status> {
        let service = self.clone();
        let answer = blocking(move || {
            let environment = &service.environment;
            let status = environment.status()?;
            let times = Times { started: service.started, changed: service.state.now().since };
            Some(status::response(&status, &environment.stats(), &service.refusals, times))
        });
        let gone =
            || Status::internal("the node has failed by a bug of its own: restart it, and report its log");
        answer.await?.map(Response::new).ok_or_else(gone)
    }
}

/// Carries out what may wait for a disk on a thread where waiting hinders nobody.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Status> {
    spawn_blocking(work)
        .await
        .map_err(|error| Status::internal(format!("a part of the call has failed: {error}")))
}
