use crate::common::{PATIENCE, PROGRAM, get_linearizable};
use quorate_server::demo::{NodeClient, free_ports};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{interval, timeout};

/// A node that prints to us.
struct Node {
    child: Child,
    ready: String,
}

impl Node {
    async fn start(directory: &Path, config: &str) -> Self {
        let path = directory.join("node.toml");
        fs::write(&path, config).unwrap();
        let mut child = Command::new(PROGRAM)
            .args(["node", "--log", "info,quorate_env=debug", "--config"])
            .arg(path)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
        let ready = timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
        Self { child, ready }
    }

    fn client_port(&self) -> u16 {
        let address = self.ready.split("clients at 127.0.0.1:").nth(1).unwrap();
        address.split(',').next().unwrap().parse().unwrap()
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().unwrap().try_into().unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }
}

fn alone(directory: &Path, port: u16, extra_member: &str) -> String {
    let data = directory.join("data");
    format!(
        "group = \"g\"\nnode = \"a\"\nclient = \"127.0.0.1:0\"\ndata_dir = {data:?}\n[[members]]\n\
        name = \"a\"\n\
         address = \"127.0.0.1:{port}\"\n{extra_member}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_says_where_it_serves_and_stops_cleanly_on_either_signal_with_its_data_kept() {
    let directory = tempfile::tempdir().unwrap();
    let port = free_ports(1).unwrap()[0];
    for (signal, found, written) in [(Signal::TERM, None, "first"), (Signal::INT, Some("first"), "second")] {
        let node = Node::start(directory.path(), &alone(directory.path(), port, "")).await;
        let expected = "ready: node a of group g, clients at 127.0.0.1:";
        assert!(node.ready.starts_with(expected), "{}", node.ready);
        assert!(node.ready.ends_with(&format!("nodes at 127.0.0.1:{port}")), "{}", node.ready);
        let client = NodeClient::new(node.client_port());
        until_written(&client, "started").await;
        let value = get_linearizable(&client, b"k").await.unwrap();
        assert_eq!(value.as_deref(), found.map(str::as_bytes));
        client.put("k".into(), written.into()).await.unwrap();
        node.signal(signal);
        let output = timeout(PATIENCE, node.child.wait_with_output()).await.unwrap().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(log.contains("state changed") && log.contains("told to stop"), "{log}");
    }
}

/// Writes a key as soon as the node leads.
async fn until_written(client: &NodeClient, key: &'static str) {
    let writing = async {
        let mut ticks = interval(Duration::from_millis(5));
        loop {
            ticks.tick().await;
            if client.put(key.into(), "".into()).await.is_ok() {
                return;
            }
        }
    };
    timeout(PATIENCE, writing).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_members_host_that_has_no_address_is_tried_again_and_logged() {
    let directory = tempfile::tempdir().unwrap();
    let port = free_ports(1).unwrap()[0];
    let member = "[[members]]\nname = \"b\"\naddress = \"no-such-host.invalid:1\"\n";
    let mut node = Node::start(directory.path(), &alone(directory.path(), port, member)).await;
    let mut log = BufReader::new(node.child.stderr.take().unwrap()).lines();
    let mut found = 0;
    while found < 2 {
        let line = timeout(PATIENCE, log.next_line()).await.unwrap().unwrap().expect("the node runs");
        found += usize::from(line.contains("has no address"));
    }
    assert_eq!(NodeClient::new(node.client_port()).status().await.unwrap().node, "a");
}
