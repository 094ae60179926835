use crate::isolation::mount;
use crate::network::Network;
use crate::{ChaosError, disk};
use quorate_server::client::Client;
use quorate_server::demo::{NodeProcess, node_name};
use quorate_server::v1::{NodeState, StatusResponse};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How large a node's disk is where it has one of its own.
const DISK_SIZE: &str = "384m";
/// Small, so that a run goes through many of them.
const SEGMENT_BYTES: u32 = 256 << 10;
const STATUS_PATIENCE: Duration = Duration::from_millis(700);
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The nodes' processes and what connects them.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) processes: Vec<NodeProcess>,
    pub(crate) network: Network,
    addresses: Vec<String>,
    /// Asks all nodes for their status.
    observer: Client,
}

/// What each node says of itself, by index; `None` of one that does not answer.
pub(crate) type Statuses = Vec<Option<StatusResponse>>;

impl Group {
    /// Starts a group whose files lie below `directory`. The nodes' engines take turns: both kinds hold the
    /// same data.
    pub(crate) fn start(
        program: &Path,
        directory: &Path,
        network: Network,
        nodes: usize,
    ) -> Result<Self, ChaosError> {
        let addresses: Vec<String> = (0..nodes).map(|node| network.client_address(node)).collect();
        let members = declare(&network, nodes);
        let mut processes = Vec::with_capacity(nodes);
        for (node, address) in addresses.iter().enumerate() {
            let (name, home) = (node_name(node), directory.join(node_name(node)));
            let data = NodeProcess::data_directory(&home);
            fs::create_dir_all(&data).map_err(ChaosError::system("making a node's directory"))?;
            if network.is_isolated() {
                mount(&data, DISK_SIZE)?;
            }
            let engine = if node % 2 == 0 { "fjall" } else { "redb" };
            let config = format!(
                "group = \"chaos\"\nnode = {name:?}\nclient = {address:?}\ndata_dir = {data:?}\n\
                 engine = {engine:?}\ninsecure_no_auth = true\n{members}\n\
                 [limits]\nsegment_bytes = {SEGMENT_BYTES}\n"
            );
            let process = NodeProcess::prepare(program, home, &name, &config);
            let process = process.map_err(ChaosError::system("writing a node's configuration"))?;
            let process = process.launched_by(network.launcher(node));
            process.start().map_err(ChaosError::system("starting a node"))?;
            processes.push(process);
        }
        let observer = Client::new(&addresses)?;
        Ok(Self { processes, network, addresses, observer })
    }

    /// How many nodes there are.
    pub(crate) fn size(&self) -> usize {
        self.processes.len()
    }

    /// Where clients reach the nodes, by index.
    pub(crate) fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// Where a node's data lies.
    pub(crate) fn data_directory(&self, node: usize) -> PathBuf {
        NodeProcess::data_directory(self.processes[node].directory())
    }

    /// Gives a node's disk the space back that has been taken.
    pub(crate) fn free_disk(&self, node: usize) -> Result<(), ChaosError> {
        disk::free(&self.data_directory(node))
    }

    /// What each node says of itself.
    pub(crate) async fn statuses(&self) -> Statuses {
        let mut statuses = vec![None; self.size()];
        for status in self.observer.statuses(STATUS_PATIENCE).await {
            if let Some(node) = self.addresses.iter().position(|address| *address == status.address) {
                statuses[node] = status.answer.ok();
            }
        }
        statuses
    }

    /// Asks again and again until `judge` finds what it looks for.
    pub(crate) async fn wait_until<T>(
        &self,
        what: &'static str,
        patience: Duration,
        mut judge: impl FnMut(&Statuses) -> Option<T>,
    ) -> Result<T, ChaosError> {
        let began = Instant::now();
        loop {
            let statuses = self.statuses().await;
            if let Some(found) = judge(&statuses) {
                return Ok(found);
            }
            if began.elapsed() >= patience {
                return Err(ChaosError::TimedOut { what, waited: patience, last: describe(&statuses) });
            }
            sleep(POLL_INTERVAL).await;
        }
    }
}

/// Whether a node leads.
pub(crate) fn leads(status: &StatusResponse) -> bool {
    status.state() == NodeState::Master
}

/// The last position, if all nodes have written, committed and applied up to it and none has anything to
/// complain of.
pub(crate) fn agreement(statuses: &Statuses) -> Option<u64> {
    let mut positions = statuses.iter().map(|status| {
        let status = status.as_ref()?;
        let marks = status.watermarks.as_ref()?;
        let is_well = !status.recovering && status.fault.is_empty();
        let is_done = marks.written == marks.committed && marks.committed == marks.applied;
        (is_well && is_done).then_some(marks.applied)
    });
    let first = positions.next()??;
    positions.all(|position| position == Some(first)).then_some(first)
}

fn declare(network: &Network, nodes: usize) -> String {
    let mut members = String::new();
    for node in 0..nodes {
        let (name, address, client) =
            (node_name(node), network.node_address(node), network.client_address(node));
        let written =
            write!(members, "[[members]]\nname = {name:?}\naddress = {address:?}\nclient = {client:?}\n");
        debug_assert!(written.is_ok(), "a string takes everything");
    }
    members
}

fn describe(statuses: &Statuses) -> String {
    let words = statuses.iter().enumerate().map(|(node, status)| {
        let name = node_name(node);
        let Some(status) = status else { return format!("{name} does not answer") };
        let marks = status.watermarks.unwrap_or_default();
        let state = status.state().as_str_name().trim_start_matches("NODE_STATE_").to_lowercase();
        let recovering = if status.recovering { " and recovering" } else { "" };
        let fault = if status.fault.is_empty() { String::new() } else { format!(" ({})", status.fault) };
        let (written, committed, applied) = (marks.written, marks.committed, marks.applied);
        format!(
            "{name} is {state}{recovering}{fault}: written {written}, committed {committed}, applied {applied}"
        )
    });
    words.collect::<Vec<_>>().join("; ")
}
