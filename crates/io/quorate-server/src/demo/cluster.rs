use super::client::{NodeClient, Route};
use super::{DemoError, NodeProcess, free_ports};
use crate::EngineChoice;
use crate::v1::{NodeState, StatusResponse};
use rustix::process::Signal;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitStatus;
use std::time::Duration;
use tokio::time::{Instant, interval};

/// How many nodes a demonstration has.
pub const NODES: usize = 3;
/// How often nodes are asked what they are doing.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// A group of node processes on this machine's loopback interface, and clients of each. Dropping it kills the
/// processes.
#[derive(Debug)]
pub struct Cluster {
    processes: Vec<NodeProcess>,
    clients: Vec<NodeClient>,
    client_ports: Vec<u16>,
}

impl Cluster {
    /// Writes the configuration of [`NODES`] nodes into directories of their own below `directory`, and
    /// starts them. `extra` is put at the end of each configuration.
    ///
    /// # Errors
    /// [`DemoError`]; no process is left then.
    pub fn start(
        program: &Path,
        directory: &Path,
        engine: EngineChoice,
        extra: &str,
    ) -> Result<Self, DemoError> {
        Self::start_many(NODES, program, directory, engine, extra)
    }

    /// As [`start`](Self::start), with so many nodes.
    ///
    /// # Errors
    /// [`DemoError`]; no process is left then.
    pub fn start_many(
        count: usize,
        program: &Path,
        directory: &Path,
        engine: EngineChoice,
        extra: &str,
    ) -> Result<Self, DemoError> {
        let ports = free_ports(2 * count).map_err(DemoError::system("finding free ports"))?;
        let (node_ports, client_ports) = ports.split_at(count);
        let members = declare(node_ports, client_ports);
        let mut cluster =
            Self { processes: Vec::new(), clients: Vec::new(), client_ports: client_ports.to_vec() };
        for (index, port) in client_ports.iter().enumerate() {
            let name = node_name(index);
            let home = directory.join(&name);
            let data = NodeProcess::data_directory(&home);
            let engine = engine.name();
            let config = format!(
                "group = \"demo\"\nnode = {name:?}\nclient = \"127.0.0.1:{port}\"\ndata_dir = {data:?}\n\
                engine = {engine:?}\n\
                 {members}{extra}"
            );
            let process = NodeProcess::prepare(program, home, &name, &config)
                .map_err(DemoError::system("writing a node's configuration"))?;
            process.start().map_err(DemoError::system("starting a node"))?;
            cluster.processes.push(process);
            cluster.clients.push(NodeClient::new(*port));
        }
        Ok(cluster)
    }

    /// The nodes' processes.
    #[must_use]
    pub fn processes(&self) -> &[NodeProcess] {
        &self.processes
    }

    /// A client of each node, in the nodes' order.
    #[must_use]
    pub fn clients(&self) -> &[NodeClient] {
        &self.clients
    }

    /// The loopback ports at which the nodes serve clients, in the nodes' order.
    #[must_use]
    pub fn client_ports(&self) -> &[u16] {
        &self.client_ports
    }

    /// Which node leads, once one says that it does; told to `route` too.
    ///
    /// # Errors
    /// [`DemoError::TimedOut`]; [`DemoError::NodeDied`].
    pub async fn wait_for_master(&self, route: &Route, timeout: Duration) -> Result<usize, DemoError> {
        self.wait_until("for a master", timeout, |statuses| {
            let master = statuses.iter().position(|status| leads(status.as_ref()))?;
            route.lead_to(master);
            Some(master)
        })
        .await
    }

    /// Waits until all nodes have the same history, all of it committed and applied; returns its last
    /// position.
    ///
    /// # Errors
    /// [`DemoError::TimedOut`]; [`DemoError::NodeDied`].
    pub async fn wait_for_agreement(&self, timeout: Duration) -> Result<u64, DemoError> {
        self.wait_until("for the nodes to agree", timeout, agreement).await
    }

    /// Asks all running nodes for their status again and again until `judge` finds what it looks for.
    ///
    /// # Errors
    /// [`DemoError::TimedOut`] names `what`; [`DemoError::NodeDied`] if a process has ended by itself.
    pub async fn wait_until<T>(
        &self,
        what: &'static str,
        timeout: Duration,
        mut judge: impl FnMut(&[Option<StatusResponse>]) -> Option<T>,
    ) -> Result<T, DemoError> {
        let deadline = Instant::now() + timeout;
        let mut ticks = interval(POLL_INTERVAL);
        loop {
            ticks.tick().await;
            let statuses = self.statuses().await;
            if let Some(found) = judge(&statuses) {
                return Ok(found);
            }
            self.check_processes()?;
            if Instant::now() >= deadline {
                return Err(DemoError::TimedOut { what, timeout, last: describe(&statuses) });
            }
        }
    }

    /// Stops all nodes cleanly and waits for their end.
    ///
    /// # Errors
    /// [`DemoError::UncleanStop`] if a node exits with anything but 0; [`DemoError::TimedOut`].
    pub async fn stop(&self, timeout: Duration) -> Result<(), DemoError> {
        for process in &self.processes {
            process.signal(Signal::TERM).map_err(DemoError::system("stopping a node"))?;
        }
        let deadline = Instant::now() + timeout;
        for process in &self.processes {
            let status = wait_for_end(process, deadline, timeout).await?;
            if !status.success() {
                let (node, log) = (process.name().to_owned(), process.log_tail());
                return Err(DemoError::UncleanStop { node, status, log });
            }
        }
        Ok(())
    }

    /// What each node says of itself; `None` for one that does not answer.
    async fn statuses(&self) -> Vec<Option<StatusResponse>> {
        let mut statuses = Vec::with_capacity(self.clients.len());
        for client in &self.clients {
            statuses.push(client.status().await.ok());
        }
        statuses
    }

    fn check_processes(&self) -> Result<(), DemoError> {
        for process in &self.processes {
            if let Some(status) = process.ended().map_err(DemoError::system("looking after a node"))? {
                let (node, log) = (process.name().to_owned(), process.log_tail());
                return Err(DemoError::NodeDied { node, status, log });
            }
        }
        Ok(())
    }
}

/// The name of the node with this index.
#[must_use]
pub fn node_name(index: usize) -> String {
    format!("node{}", index + 1)
}

/// The index of the node with this name.
#[must_use]
pub(super) fn node_index(name: &str) -> Option<usize> {
    let number: usize = name.strip_prefix("node")?.parse().ok()?;
    (1..=NODES).contains(&number).then(|| number - 1)
}

/// Whether a status is a master's.
#[must_use]
pub(super) fn leads(status: Option<&StatusResponse>) -> bool {
    status.is_some_and(|status| status.state() == NodeState::Master)
}

fn declare(node_ports: &[u16], client_ports: &[u16]) -> String {
    let mut members = String::new();
    for (index, (node, client)) in node_ports.iter().zip(client_ports).enumerate() {
        let name = node_name(index);
        let written = write!(
            members,
            "\n[[members]]\nname = {name:?}\naddress = \"127.0.0.1:{node}\"\n\
            client = \"127.0.0.1:{client}\"\n"
        );
        debug_assert!(written.is_ok(), "a string takes everything");
    }
    members
}

/// The last position, if all nodes have written, committed and applied up to it.
fn agreement(statuses: &[Option<StatusResponse>]) -> Option<u64> {
    let mut positions = statuses.iter().map(|status| {
        let marks = status.as_ref()?.watermarks.as_ref()?;
        (marks.written == marks.committed && marks.committed == marks.applied).then_some(marks.applied)
    });
    let first = positions.next()??;
    positions.all(|position| position == Some(first)).then_some(first)
}

async fn wait_for_end(
    process: &NodeProcess,
    deadline: Instant,
    timeout: Duration,
) -> Result<ExitStatus, DemoError> {
    let mut ticks = interval(POLL_INTERVAL);
    loop {
        ticks.tick().await;
        if let Some(status) = process.ended().map_err(DemoError::system("waiting for a node's end"))? {
            return Ok(status);
        }
        if Instant::now() >= deadline {
            let last = format!("{} still runs", process.name());
            return Err(DemoError::TimedOut { what: "for the nodes to stop", timeout, last });
        }
    }
}

fn describe(statuses: &[Option<StatusResponse>]) -> String {
    let words = statuses.iter().enumerate().map(|(index, status)| {
        let name = node_name(index);
        let Some(status) = status else { return format!("{name} does not answer") };
        let marks = status.watermarks.unwrap_or_default();
        let state = status.state().as_str_name().trim_start_matches("NODE_STATE_").to_lowercase();
        let (written, committed, applied) = (marks.written, marks.committed, marks.applied);
        format!("{name} is {state}: written {written}, committed {committed}, applied {applied}")
    });
    words.collect::<Vec<_>>().join("; ")
}
