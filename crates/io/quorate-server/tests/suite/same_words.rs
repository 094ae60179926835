//! A mistake, a limit and a full disk are told in the same words by the library, over gRPC and by the program.

use crate::common::{PATIENCE, PROGRAM};
use quorate::{InMemoryNetwork, NodeState, Parts, ReadError, ReplicatedEnvironment, WriteBatch, WriteError};
use quorate_engine::MemoryStore;
use quorate_log::vfs::{MemoryVfs, Vfs};
use quorate_server::demo::{KEY_BYTES_MAX, NodeClient};
use quorate_server::v1::{DeleteRequest, GetRequest, PutRequest, ScanRequest};
use quorate_server::{GivenSettings, NodeSettings, QuorateService};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Status};

const VALUE_BYTES_MAX: usize = 1000;

/// An environment in this process, served over gRPC, with its log on a disk in memory.
struct Served {
    environment: Arc<ReplicatedEnvironment>,
    port: u16,
    disk: MemoryVfs,
    _directory: TempDir,
}

impl Served {
    async fn start() -> Self {
        let (directory, disk) = (TempDir::new().unwrap(), MemoryVfs::new());
        let settings = settings(directory.path());
        let environment = open(&settings, &disk).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let service = QuorateService::new(Arc::clone(&environment), &settings).into_server();
        let server = tonic::transport::Server::builder().add_service(service);
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        Self { environment, port, disk, _directory: directory }
    }

    fn client(&self) -> NodeClient {
        NodeClient::new(self.port)
    }

    /// What the library says to a write.
    async fn written(&self, write: impl FnOnce(&mut WriteBatch) + Send + 'static) -> Result<(), WriteError> {
        let mut batch = WriteBatch::new();
        write(&mut batch);
        self.environment.write(&batch, None).await.map(drop)
    }

    /// What the program says, with its exit code.
    async fn program(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).env("QUORATE_ENDPOINTS", format!("127.0.0.1:{}", self.port));
        command.env("QUORATE_TIMEOUT", "2s").kill_on_drop(true);
        let output = timeout(PATIENCE, command.output()).await.expect("the program ends").unwrap();
        let said = if output.status.success() { output.stdout } else { output.stderr };
        (output.status.code(), String::from_utf8(said).unwrap())
    }
}

fn settings(directory: &Path) -> NodeSettings {
    let path = directory.join("node.toml");
    let text = format!(
        "group = \"g\"\nnode = \"a\"\nclient = \"127.0.0.1:0\"\ndata_dir = \"data\"\nengine = \"memory\"\n\
         [limits]\nvalue_bytes_max = {VALUE_BYTES_MAX}\nsegment_bytes = 65536\n\
         [[members]]\nname = \"a\"\naddress = \"a:1\"\n"
    );
    std::fs::write(&path, text).unwrap();
    NodeSettings::read(Some(&path), &GivenSettings::default()).unwrap()
}

async fn open(settings: &NodeSettings, disk: &MemoryVfs) -> Arc<ReplicatedEnvironment> {
    let (config, vfs): (_, Arc<dyn Vfs>) = (settings.environment.clone(), Arc::new(disk.clone()));
    let opening = spawn_blocking(move || {
        let network = InMemoryNetwork::new().unwrap();
        let parts = Parts {
            store: Box::new(|_| Ok(Arc::new(MemoryStore::new()))),
            transport: Box::new(|plan, inbox| Ok(Arc::new(network.start(plan.me, plan.members, inbox)?))),
            vfs,
            wall_clock: quorate::system_wall_clock(),
        };
        let environment = ReplicatedEnvironment::with_parts(config, parts).unwrap();
        environment.wait_for_state(NodeState::Master, PATIENCE).unwrap();
        Arc::new(environment)
    });
    opening.await.unwrap()
}

fn put(key: Vec<u8>, value: Vec<u8>) -> PutRequest {
    PutRequest { key: key.into(), value: value.into(), ..PutRequest::default() }
}

fn default_database() -> quorate::DatabaseId {
    quorate::DatabaseId::new(1)
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_values_out_of_their_limits_are_refused_in_the_same_words() {
    let served = Served::start().await;
    let long_key = "k".repeat(KEY_BYTES_MAX + 1);
    let long_value = "v".repeat(VALUE_BYTES_MAX + 1);
    for (key, value) in [("", "v"), (&long_key, "v"), ("k", &long_value)] {
        let (own_key, own_value) = (key.to_owned(), value.to_owned());
        let write = move |batch: &mut WriteBatch| {
            batch.put(default_database(), own_key.as_bytes(), own_value.as_bytes());
        };
        let words = served.written(write).await.expect_err("it is refused").to_string();
        let status = served.client().calls().put(put(key.into(), value.into())).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::InvalidArgument, words.as_str()));
        let (code, said) = served.program(&["put", "--", key, value]).await;
        assert!(code == Some(1) && said.contains(&words), "{said}");
    }
    let empty = WriteError::EmptyKey.to_string();
    let status = served.client().calls().get(GetRequest::default()).await.unwrap_err();
    assert_eq!(status.message(), empty);
    let status = served.client().calls().delete(DeleteRequest::default()).await.unwrap_err();
    assert_eq!(status.message(), empty);
    for command in ["get", "del"] {
        let (code, said) = served.program(&[command, ""]).await;
        assert!(code == Some(1) && said.contains(&empty), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_databases_are_refused_in_the_same_words() {
    let served = Served::start().await;
    let long = "d".repeat(300);
    let (environment, name) = (Arc::clone(&served.environment), long.clone());
    let refused = environment.create_database(&name).await.err().expect("it is refused");
    let request = quorate_server::v1::CreateDatabaseRequest { name: long.clone() };
    let status = served.client().calls().create_database(request).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::InvalidArgument, refused.to_string().as_str()));
    let (code, said) = served.program(&["put", "--create", "-d", &long, "k", "v"]).await;
    assert!(code == Some(1) && said.contains(&refused.to_string()), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_any_bytes_is_the_same_key_however_it_is_written_and_read() {
    let served = Served::start().await;
    let keys: [&[u8]; 4] = [b"\x00", b"\xff\xfe", b"a\xc3", b"\xed\xa0\x80\n\t"];
    for (number, key) in keys.iter().enumerate() {
        let value = vec![number as u8, 0xff];
        match number % 3 {
            0 => {
                let (key, value) = (key.to_vec(), value.clone());
                served.written(move |batch| batch.put(default_database(), &key, &value)).await.unwrap();
            }
            1 => drop(served.client().calls().put(put(key.to_vec(), value.clone())).await.unwrap()),
            _ => {
                let (code, said) = served.program(&["put", "--hex", &hex(key), &hex(&value)]).await;
                assert_eq!(code, Some(0), "{said}");
            }
        }
        let database = served.environment.find_database("default").unwrap().unwrap();
        assert_eq!(database.get(key, None).unwrap().as_deref(), Some(&value[..]));
        let request = GetRequest { key: key.to_vec().into(), ..GetRequest::default() };
        let read = served.client().calls().get(request).await.unwrap().into_inner();
        assert_eq!(read.value.as_deref(), Some(&value[..]));
        let (code, said) = served.program(&["get", "--hex", &hex(key)]).await;
        assert_eq!((code, said.trim_end()), (Some(0), hex(&value).as_str()));
    }
    let mut rows = served.client().calls().scan(ScanRequest::default()).await.unwrap().into_inner();
    let rows = rows.message().await.unwrap().unwrap().rows;
    let mut sorted = keys.to_vec();
    sorted.sort();
    assert_eq!(rows.iter().map(|row| &row.key[..]).collect::<Vec<_>>(), sorted);
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_on_a_full_disk_says_so_in_the_same_words_and_has_lost_nothing_when_there_is_room() {
    let served = Served::start().await;
    served.disk.set_capacity(Some(0));
    let mut done = 0_u32;
    let last: Status = loop {
        match served.client().calls().put(put(done.to_be_bytes().into(), vec![7; 900])).await {
            Ok(_) => done += 1,
            Err(status) => break status,
        }
        assert!(done < 1_000, "the disk is never full");
    };
    assert!(matches!(last.code(), Code::DeadlineExceeded | Code::Unavailable), "{last:?}");

    let refused = served.written(|batch| batch.put(default_database(), b"k", b"v")).await.unwrap_err();
    let words = "no room for the log on the disk";
    let WriteError::Halted { reason } = &refused else { panic!("{refused:?}") };
    assert!(reason.contains(words), "{reason}");
    let status = served.client().calls().put(put(b"k".to_vec(), b"v".to_vec())).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::Unavailable, refused.to_string().as_str()));
    let read = served.environment.read(None).await.err().expect("it serves nobody");
    assert_eq!(read, ReadError::Halted { reason: reason.clone() });
    let (code, said) = served.program(&["put", "k", "v"]).await;
    assert!(code == Some(5) && said.contains(words), "{said}");
    let (_, said) = served.program(&["status"]).await;
    assert!(said.contains(words), "{said}");

    let Served { environment, disk, _directory, .. } = served;
    let closing = Arc::clone(&environment);
    let closed = spawn_blocking(move || closing.close()).await.unwrap();
    assert!(closed.is_err_and(|error| error.to_string().contains(words)));
    drop(environment);
    disk.set_capacity(None);
    let environment = open(&settings(_directory.path()), &disk).await;
    let database = environment.find_database("default").unwrap().unwrap();
    for number in 0..done {
        let found = database.get(&number.to_be_bytes(), None).unwrap();
        assert_eq!(found.as_deref(), Some(&[7; 900][..]), "{number} was acknowledged");
    }
    spawn_blocking(move || {
        let database = environment.bytes("default").unwrap();
        database.put(b"k", b"v").wait().unwrap();
    })
    .await
    .unwrap();
}
