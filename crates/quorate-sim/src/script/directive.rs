use crate::BrokenRule;
use quorate_core::{NodeId, QuorumPolicy};
use quorate_replica::LeaseTerms;
use std::time::Duration;

/// What a group of a script is.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) nodes: u16,
    pub(crate) quorum: QuorumPolicy,
    /// Whose priority is not 1.
    pub(crate) priorities: Vec<(NodeId, u32)>,
    pub(crate) lease: Option<LeaseTerms>,
    pub(crate) broken: Option<BrokenRule>,
    pub(crate) broken_by: Option<BrokenRule>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            nodes: 3,
            quorum: QuorumPolicy::SimpleMajority,
            priorities: Vec::new(),
            lease: None,
            broken: None,
            broken_by: None,
        }
    }
}

/// A line before anything happens.
#[derive(Clone, Debug)]
pub(crate) enum SetupChange {
    Nodes(u16),
    Quorum(QuorumPolicy),
    Priority(NodeId, u32),
    Leases(LeaseTerms),
    BrokenBy(BrokenRule),
}

impl SetupChange {
    pub(crate) fn apply(&self, setup: &mut Setup) {
        match self {
            Self::Nodes(nodes) => setup.nodes = *nodes,
            Self::Quorum(quorum) => setup.quorum = *quorum,
            Self::Priority(node, priority) => setup.priorities.push((*node, *priority)),
            Self::Leases(terms) => setup.lease = Some(*terms),
            Self::BrokenBy(rule) => setup.broken_by = Some(*rule),
        }
    }
}

/// Which message is meant.
#[derive(Clone, Debug)]
pub(crate) struct Selector {
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    /// Words that the message, in words, begins with or contains.
    pub(crate) kind: String,
    pub(crate) fields: Vec<String>,
}

/// One line of a script.
#[derive(Clone, Debug)]
pub(crate) enum Directive {
    Nothing,
    Setup(SetupChange),
    Propose(NodeId),
    Deliver(Selector),
    Duplicate(Selector),
    Nominate(NodeId),
    Send {
        from: NodeId,
        to: NodeId,
    },
    Write {
        node: NodeId,
        sync: bool,
    },
    Read(NodeId),
    /// The node's clock goes on by so much.
    Wait {
        node: NodeId,
        span: Duration,
    },
    Flush(NodeId),
    Fsync(NodeId),
    Kill(NodeId),
    /// The node's process ends after so many more of its outputs.
    Crash {
        node: NodeId,
        after: u64,
    },
    PowerLoss {
        node: NodeId,
        keeps: u64,
    },
    Start(NodeId),
}

impl Directive {
    /// Reads a line, or says what is wrong with it.
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(Self::Nothing);
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["nodes", count] => Ok(Self::Setup(SetupChange::Nodes(parse_count(count)?))),
            ["quorum", election, write] => {
                let (election, write) = (parse_count(election)?, parse_count(write)?);
                Ok(Self::Setup(SetupChange::Quorum(QuorumPolicy::Flexible { election, write })))
            }
            ["priority", node, priority] => {
                let priority = priority.parse().map_err(|_| format!("{priority:?} is no priority"))?;
                Ok(Self::Setup(SetupChange::Priority(parse_node(node)?, priority)))
            }
            ["leases", millis, drift] => {
                let span = millis.parse().map(Duration::from_millis);
                let span = span.map_err(|_| format!("{millis:?} is no number of milliseconds"))?;
                let drift_per_mille =
                    drift.parse().map_err(|_| format!("{drift:?} is no number of thousandths"))?;
                Ok(Self::Setup(SetupChange::Leases(LeaseTerms { span, drift_per_mille })))
            }
            ["broken-by", rule] => {
                let rule = BrokenRule::named(rule).ok_or_else(|| format!("there is no rule {rule:?}"))?;
                Ok(Self::Setup(SetupChange::BrokenBy(rule)))
            }
            ["Propose", node] => Ok(Self::Propose(parse_node(node)?)),
            ["deliver", kind, route, fields @ ..] => Ok(Self::Deliver(parse_selector(kind, route, fields)?)),
            ["duplicate", kind, route, fields @ ..] => {
                Ok(Self::Duplicate(parse_selector(kind, route, fields)?))
            }
            ["nominate", "by", node] => Ok(Self::Nominate(parse_node(node)?)),
            ["send", route] => {
                let (from, to) = parse_route(route)?;
                Ok(Self::Send { from, to })
            }
            ["write", "on", node, durability @ ("Sync" | "NoSync")] => {
                Ok(Self::Write { node: parse_node(node)?, sync: *durability == "Sync" })
            }
            ["read", "on", node] => Ok(Self::Read(parse_node(node)?)),
            ["wait", node, millis] => {
                let millis =
                    millis.parse().map_err(|_| format!("{millis:?} is no number of milliseconds"))?;
                Ok(Self::Wait { node: parse_node(node)?, span: Duration::from_millis(millis) })
            }
            ["flush", node] => Ok(Self::Flush(parse_node(node)?)),
            ["fsync", node] => Ok(Self::Fsync(parse_node(node)?)),
            ["kill", node] => Ok(Self::Kill(parse_node(node)?)),
            ["crash", node, "after", outputs] => {
                let after = outputs.parse().map_err(|_| format!("{outputs:?} is no number of outputs"))?;
                Ok(Self::Crash { node: parse_node(node)?, after })
            }
            ["power", "loss", node, "keeps", count] => {
                let keeps = count.parse().map_err(|_| format!("{count:?} is no number of entries"))?;
                Ok(Self::PowerLoss { node: parse_node(node)?, keeps })
            }
            ["start", node] => Ok(Self::Start(parse_node(node)?)),
            _ => Err(format!("{line:?} is no directive")),
        }
    }
}

fn parse_count(word: &str) -> Result<u16, String> {
    let count = word.parse().ok().filter(|count| (1..=26).contains(count));
    count.ok_or_else(|| format!("{word:?} is no number of nodes from 1 to 26"))
}

fn parse_node(word: &str) -> Result<NodeId, String> {
    match word.as_bytes() {
        [letter @ b'A'..=b'Z'] => Ok(NodeId::new(u16::from(letter - b'A' + 1))),
        _ => Err(format!("{word:?} is no node: use a capital letter")),
    }
}

fn parse_route(word: &str) -> Result<(NodeId, NodeId), String> {
    let (from, to) = word.split_once("->").ok_or_else(|| format!("{word:?} is no route such as A->B"))?;
    Ok((parse_node(from)?, parse_node(to)?))
}

fn parse_selector(kind: &str, route: &str, fields: &[&str]) -> Result<Selector, String> {
    let (from, to) = parse_route(route)?;
    let fields = fields.iter().map(|field| (*field).to_owned()).collect();
    Ok(Selector { from, to, kind: kind.to_owned(), fields })
}
