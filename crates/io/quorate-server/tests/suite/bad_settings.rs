use crate::common::{PROGRAM, complaint, run, until};
use quorate_server::EngineChoice;
use quorate_server::demo::{Cluster, NodeProcess, free_ports};
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A configuration of one node, to be spoilt.
struct Settings {
    directory: TempDir,
    text: String,
}

impl Settings {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let data = directory.path().join("data");
        let port = free_ports(1).unwrap()[0];
        let text = format!(
            "group = \"g\"\nnode = \"a\"\nclient = \"127.0.0.1:0\"\ndata_dir = {data:?}\n\
            listen = \"127.0.0.1:{port}\"\n\n\
             [[members]]\nname = \"a\"\naddress = \"127.0.0.1:{port}\"\n"
        );
        Self { directory, text }
    }

    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn replace(mut self, from: &str, to: &str) -> Self {
        assert!(self.text.contains(from));
        self.text = self.text.replace(from, to);
        self
    }

    /// What the program says to this configuration, on the way out.
    async fn complaint(&self) -> String {
        let path = self.directory.path().join("node.toml");
        fs::write(&path, &self.text).unwrap();
        complaint(&run(&["node", "--config", path.to_str().unwrap()]).await)
    }

    /// The same, where nothing may have been created.
    async fn refusal(&self) -> String {
        let text = self.complaint().await;
        assert!(!self.data().exists(), "something was created: {text}");
        text
    }
}

fn assert_says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "no {word:?} in {text:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_the_file_are_named_with_their_line_and_create_nothing() {
    let text = Settings::new().replace("client =", "cleint =").refusal().await;
    assert_says(&text, &["node.toml:3", "unknown field `cleint`"]);
    let text = Settings::new().replace("node = \"a\"", "node = \"z\"").refusal().await;
    assert_says(&text, &["node.toml:2", "\"z\" is not among the members (a)"]);
    let settings = Settings::new();
    let timeouts = format!("{}[timeouts]\nelection_timeout_ms = 100\n", settings.text);
    let text = Settings { text: timeouts, ..settings }.refusal().await;
    assert_says(&text, &["node.toml:11: election_timeout: ", "heartbeat_interval"]);
    let text = Settings::new().replace("client = ", "log = \"a=b=c\"\nclient = ").refusal().await;
    assert_says(&text, &["log: \"a=b=c\" is not a filter"]);
    let text = complaint(&run(&["node", "--config", "/no/such/node.toml"]).await);
    assert_says(&text, &["/no/such/node.toml cannot be read"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn listening_beyond_loopback_takes_so_many_words() {
    let text = Settings::new().replace("client = \"127.0.0.1:0\"", "client = \"0.0.0.0:0\"").refusal().await;
    assert_says(&text, &["0.0.0.0", "nobody is authenticated", "insecure_no_auth"]);
    let text = Settings::new().replace("listen = \"127.0.0.1", "listen = \"0.0.0.0").complaint().await;
    assert_says(&text, &["0.0.0.0", "nobody is authenticated", "insecure_no_auth"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let text = Settings::new().replace("127.0.0.1:0\"", &format!("{address}\"")).refusal().await;
    assert_says(&text, &[&address, "is in use", "port for clients"]);
    let metrics = format!("metrics = \"{address}\"\nclient = ");
    let text = Settings::new().replace("client = ", &metrics).refusal().await;
    assert_says(&text, &[&address, "is in use", "port for metrics"]);
    let settings = Settings::new();
    let listen = settings.text.lines().find(|line| line.starts_with("listen")).unwrap().to_owned();
    let text = settings.replace(&listen, &format!("listen = \"{address}\"")).complaint().await;
    assert_says(&text, &[&address, "is in use"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_in_use_of_another_node_or_of_another_group_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(Path::new(PROGRAM), folder.path(), EngineChoice::Fjall, "").unwrap();
    let home = folder.path().join("node1");
    let data = NodeProcess::data_directory(&home);
    until(|| data.join("engine").exists().then_some(())).await;
    let settings = Settings::new();
    let own = settings.data();
    let settings = settings.replace(own.to_str().unwrap(), data.to_str().unwrap());
    assert_says(&settings.complaint().await, &[data.to_str().unwrap(), "is in use"]);
    drop(cluster);
    let text = settings.complaint().await;
    assert_says(&text, &["belongs to node \"node1\" of group \"demo\"", "not to node \"a\" of group \"g\""]);
    let text = settings.replace("group = \"g\"", "group = \"demo\"").complaint().await;
    assert_says(
        &text,
        &["belongs to node \"node1\" of group \"demo\"", "not to node \"a\" of group \"demo\""],
    );
}
