use crate::ChaosError;
use crate::isolation::run;
use quorate_server::demo::free_ports;
use std::collections::BTreeSet;

const NODE_PORT: u16 = 7_000;
const CLIENT_PORT: u16 = 7_100;
const BRIDGE: &str = "chaos";

/// From one node to another, by index: what the first sends to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Direction {
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// How the nodes reach each other, and clients the nodes.
#[derive(Debug)]
pub(crate) enum Network {
    /// Each node in a network namespace of its own, all on one bridge, with this process beside it. Clients
    /// reach a node whatever happens to its links to others.
    Namespaces { cut: BTreeSet<Direction> },
    /// All on this machine's loopback interface, at these ports: those for nodes, then those for clients.
    Loopback { ports: Vec<u16> },
}

impl Network {
    /// Makes the bridge and the namespaces of so many nodes. In namespaces of one's own: nothing undoes it.
    pub(crate) fn namespaces(nodes: usize) -> Result<Self, ChaosError> {
        ip(&["link", "set", "lo", "up"])?;
        ip(&["link", "add", BRIDGE, "type", "bridge"])?;
        ip(&["address", "add", "10.77.0.254/24", "dev", BRIDGE])?;
        ip(&["link", "set", BRIDGE, "up"])?;
        for node in 0..nodes {
            let (space, outside) = (namespace(node), format!("link{}", node + 1));
            let address = format!("{}/24", host(node));
            ip(&["netns", "add", &space])?;
            ip(&["link", "add", &outside, "type", "veth", "peer", "name", "inside", "netns", &space])?;
            ip(&["link", "set", &outside, "master", BRIDGE, "up"])?;
            ip(&["-n", &space, "address", "add", &address, "dev", "inside"])?;
            ip(&["-n", &space, "link", "set", "inside", "up"])?;
            ip(&["-n", &space, "link", "set", "lo", "up"])?;
        }
        Ok(Self::Namespaces { cut: BTreeSet::new() })
    }

    /// Finds free ports for so many nodes.
    pub(crate) fn loopback(nodes: usize) -> Result<Self, ChaosError> {
        let ports = free_ports(2 * nodes).map_err(ChaosError::system("finding free ports"))?;
        Ok(Self::Loopback { ports })
    }

    pub(crate) const fn is_isolated(&self) -> bool {
        matches!(self, Self::Namespaces { .. })
    }

    /// Where the others reach a node.
    pub(crate) fn node_address(&self, node: usize) -> String {
        match self {
            Self::Namespaces { .. } => format!("{}:{NODE_PORT}", host(node)),
            Self::Loopback { ports } => format!("127.0.0.1:{}", ports[node]),
        }
    }

    /// Where clients reach a node.
    pub(crate) fn client_address(&self, node: usize) -> String {
        match self {
            Self::Namespaces { .. } => format!("{}:{CLIENT_PORT}", host(node)),
            Self::Loopback { ports } => format!("127.0.0.1:{}", ports[ports.len() / 2 + node]),
        }
    }

    /// What runs a program where a node lives: a command to put before it.
    pub(crate) fn launcher(&self, node: usize) -> Vec<String> {
        match self {
            Self::Namespaces { .. } => ["ip", "netns", "exec", &namespace(node)].map(str::to_owned).to_vec(),
            Self::Loopback { .. } => Vec::new(),
        }
    }

    /// Lets nothing through any more in this direction.
    pub(crate) fn cut(&mut self, direction: Direction) -> Result<(), ChaosError> {
        match self {
            Self::Namespaces { cut } => {
                if cut.insert(direction) {
                    route(direction, "add")
                } else {
                    Ok(())
                }
            }
            Self::Loopback { .. } => Ok(()),
        }
    }

    /// Lets everything through again.
    pub(crate) fn mend(&mut self) -> Result<(), ChaosError> {
        match self {
            Self::Namespaces { cut } => {
                std::mem::take(cut).into_iter().try_for_each(|direction| route(direction, "delete"))
            }
            Self::Loopback { .. } => Ok(()),
        }
    }
}

/// A route into nowhere: what is sent is dropped, packets of connections that exist as well as new ones.
fn route(direction: Direction, change: &str) -> Result<(), ChaosError> {
    let address = format!("{}/32", host(direction.to));
    ip(&["-n", &namespace(direction.from), "route", change, "blackhole", &address])
}

fn ip(arguments: &[&str]) -> Result<(), ChaosError> {
    run("ip", arguments)
}

fn host(node: usize) -> String {
    format!("10.77.0.{}", node + 1)
}

fn namespace(node: usize) -> String {
    format!("node{}", node + 1)
}
