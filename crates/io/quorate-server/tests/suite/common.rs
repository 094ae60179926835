use quorate_server::EngineChoice;
use quorate_server::client::{Client, ClientOptions};
use quorate_server::demo::{Cluster, NodeClient, Route};
use quorate_server::v1::{CommitToken, Consistency, GetRequest, Linearizable, consistency};
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::{interval, timeout};
use tonic::Status;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_quorate");
/// How long anything may take on a machine that does a lot besides.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Three running nodes with a master.
pub(crate) struct Group {
    pub(crate) cluster: Cluster,
    pub(crate) master: usize,
    _directory: TempDir,
}

impl Group {
    pub(crate) async fn start(extra: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let cluster =
            Cluster::start(Path::new(PROGRAM), directory.path(), EngineChoice::Fjall, extra).unwrap();
        let master = cluster.wait_for_master(&Route::new(), PATIENCE).await.unwrap();
        let group = Self { cluster, master, _directory: directory };
        group.until_followed_by_all(master).await;
        group
    }

    pub(crate) fn client(&self, node: usize) -> &NodeClient {
        &self.cluster.clients()[node]
    }

    /// Where the nodes serve clients, in their order.
    pub(crate) async fn endpoints(&self) -> Vec<String> {
        let status = self.client(self.master).status().await.unwrap();
        status.members.into_iter().map(|member| member.client_address).collect()
    }

    /// A client of the whole group.
    pub(crate) async fn group_client(&self) -> Client {
        let options = ClientOptions { timeout: PATIENCE, durability: None };
        Client::with_options(self.endpoints().await, options).unwrap()
    }

    /// Runs a command of the program against the group to its end, and returns it with what it said.
    pub(crate) async fn command(&self, arguments: &[&str], stdin: &[u8]) -> Output {
        self.command_at(&self.endpoints().await.join(","), arguments, stdin).await
    }

    /// The same with these endpoints.
    pub(crate) async fn command_at(&self, endpoints: &str, arguments: &[&str], stdin: &[u8]) -> Output {
        let mut child = Command::new(PROGRAM)
            .args(arguments)
            .env("QUORATE_ENDPOINTS", endpoints)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let stdin = stdin.to_vec();
        let feeding = tokio::spawn(async move {
            // A program that reads no further has said why.
            let _ = input.write_all(&stdin).await;
        });
        let output = timeout(PATIENCE, child.wait_with_output()).await.expect("the program ends").unwrap();
        feeding.await.unwrap();
        output
    }

    /// What a command prints that succeeds.
    pub(crate) async fn printed(&self, arguments: &[&str], stdin: &[u8]) -> String {
        let output = self.command(arguments, stdin).await;
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Kills the master and starts it again once another node leads; follows that one.
    pub(crate) async fn kill_master_and_restart(&mut self) {
        let old = self.cluster.wait_for_master(&Route::new(), PATIENCE).await.unwrap();
        self.cluster.processes()[old].killer().kill_and_reap().unwrap();
        self.master = self.cluster.wait_for_master(&Route::new(), PATIENCE).await.unwrap();
        self.cluster.processes()[old].start().unwrap();
        self.until_followed_by_all(self.master).await;
    }

    /// The nodes that do not lead.
    pub(crate) fn replicas(&self) -> [usize; 2] {
        [(self.master + 1) % 3, (self.master + 2) % 3]
    }

    /// Waits until every node names `master` as its master.
    pub(crate) async fn until_followed_by_all(&self, master: usize) {
        let name = self.cluster.processes()[master].name();
        let followed = self.cluster.wait_until("for all to follow", PATIENCE, |statuses| {
            statuses
                .iter()
                .all(|status| {
                    status.as_ref().and_then(|status| status.master.as_ref()).is_some_and(|m| m.name == name)
                })
                .then_some(())
        });
        followed.await.unwrap();
    }
}

/// What a linearizable read of a key in the default database finds.
pub(crate) async fn get_linearizable(
    client: &NodeClient,
    key: &'static [u8],
) -> Result<Option<Vec<u8>>, Status> {
    let policy = consistency::Policy::Linearizable(Linearizable { timeout_ms: 2_000 });
    get(client, key, policy).await
}

/// What a read at or after a commit finds.
pub(crate) async fn get_after(
    client: &NodeClient,
    key: &'static [u8],
    token: CommitToken,
) -> Result<Option<Vec<u8>>, Status> {
    let point = quorate_server::v1::CommitPoint { token: Some(token), timeout_ms: 30_000 };
    get(client, key, consistency::Policy::CommitPoint(point)).await
}

async fn get(
    client: &NodeClient,
    key: &'static [u8],
    policy: consistency::Policy,
) -> Result<Option<Vec<u8>>, Status> {
    let consistency = Some(Consistency { policy: Some(policy) });
    let request = GetRequest { database: String::new(), key: key.into(), consistency };
    Ok(client.calls().get(request).await?.into_inner().value.map(Into::into))
}

/// Runs the program to its end.
pub(crate) async fn run(arguments: &[&str]) -> Output {
    let output = Command::new(PROGRAM).args(arguments).env_remove("RUST_LOG").kill_on_drop(true).output();
    timeout(PATIENCE, output).await.expect("the program ends").unwrap()
}

/// What a program that has failed said.
pub(crate) fn complaint(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Waits until `found` finds something.
pub(crate) async fn until<T>(mut found: impl FnMut() -> Option<T>) -> T {
    let waiting = async {
        let mut ticks = interval(Duration::from_millis(5));
        loop {
            ticks.tick().await;
            if let Some(found) = found() {
                return found;
            }
        }
    };
    timeout(PATIENCE, waiting).await.expect("it happens in time")
}
