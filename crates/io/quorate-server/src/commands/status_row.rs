use crate::client::NodeStatus;
use crate::v1::{NodeState, NodeType, StatusResponse, Watermarks};
use quorate::Term;
use serde::Serialize;
use std::time::Duration;

/// A node in the table, and as JSON. What is not known is absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct StatusRow {
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(flatten)]
    answer: Option<Answer>,
}

/// What a node has answered.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Answer {
    group: String,
    node: String,
    state: &'static str,
    #[serde(rename = "type")]
    node_type: &'static str,
    term: String,
    state_age_ms: u64,
    uptime_ms: u64,
    version: String,
    master: Option<String>,
    /// Entries that the node's log lies behind the master's.
    lag_entries: Option<u64>,
    trimmed: u64,
    engine_durable: u64,
    applied: u64,
    committed: u64,
    durable: u64,
    written: u64,
    recovering: bool,
    /// The master has trimmed entries up to here that the node lacks.
    restore_needed: Option<u64>,
    fault: Option<String>,
}

impl StatusRow {
    pub(super) const TITLES: [&str; 11] = [
        "NODE",
        "ADDRESS",
        "STATE",
        "TERM",
        "SINCE",
        "APPLIED",
        "COMMITTED",
        "DURABLE",
        "WRITTEN",
        "LAG",
        "NOTE",
    ];

    /// A row where the master's log goes up to `master_written`.
    pub(super) fn new(status: &NodeStatus, master_written: Option<u64>) -> Self {
        let address = status.address.clone();
        match &status.answer {
            Ok(answer) => Self { address, error: None, answer: Some(Answer::new(answer, master_written)) },
            Err(error) => Self { address, error: Some(error.clone()), answer: None },
        }
    }

    pub(super) fn cells(&self) -> [String; 11] {
        let Some(answer) = &self.answer else {
            let note = self.error.clone().unwrap_or_default();
            let mut cells = [const { String::new() }; 11].map(|_| "-".to_owned());
            cells[1].clone_from(&self.address);
            "unreachable".clone_into(&mut cells[2]);
            cells[10] = note;
            return cells;
        };
        [
            answer.node.clone(),
            self.address.clone(),
            answer.state.to_owned(),
            answer.term.clone(),
            age(Duration::from_millis(answer.state_age_ms)),
            answer.applied.to_string(),
            answer.committed.to_string(),
            answer.durable.to_string(),
            answer.written.to_string(),
            answer.lag_entries.map_or_else(|| "-".to_owned(), |lag| lag.to_string()),
            answer.note(),
        ]
    }
}

impl Answer {
    fn new(answer: &StatusResponse, master_written: Option<u64>) -> Self {
        let marks: Watermarks = answer.watermarks.unwrap_or_default();
        Self {
            group: answer.group.clone(),
            node: answer.node.clone(),
            state: state(answer.state()),
            node_type: node_type(answer.node_type()),
            term: Term::from_u64(answer.term).to_string(),
            state_age_ms: answer.state_age_ms,
            uptime_ms: answer.uptime_ms,
            version: answer.version.clone(),
            master: answer.master.as_ref().map(|master| master.name.clone()),
            lag_entries: master_written.map(|written| written.saturating_sub(marks.written)),
            trimmed: marks.trimmed,
            engine_durable: marks.engine_durable,
            applied: marks.applied,
            committed: marks.committed,
            durable: marks.durable,
            written: marks.written,
            recovering: answer.recovering,
            restore_needed: Some(answer.restore_needed).filter(|base| *base > 0),
            fault: Some(answer.fault.clone()).filter(|fault| !fault.is_empty()),
        }
    }

    fn note(&self) -> String {
        match (&self.fault, self.restore_needed) {
            (Some(fault), _) => format!("stopped serving: {fault}"),
            (None, Some(base)) => format!("must be restored: the master has trimmed its log up to {base}"),
            (None, None) if self.recovering => "recovering".to_owned(),
            (None, None) if self.node_type == "secondary" => "secondary".to_owned(),
            (None, None) => String::new(),
        }
    }
}

const fn state(state: NodeState) -> &'static str {
    match state {
        NodeState::Master => "master",
        NodeState::Replica => "replica",
        NodeState::Detached => "detached",
        NodeState::Unknown | NodeState::Unspecified => "unknown",
    }
}

const fn node_type(node_type: NodeType) -> &'static str {
    match node_type {
        NodeType::Electable => "electable",
        NodeType::Secondary => "secondary",
        NodeType::Unspecified => "unknown",
    }
}

/// A length of time in its two largest units.
fn age(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m{}s", seconds % 60),
        (0, _, _) => format!("{hours}h{minutes}m"),
        _ => format!("{days}d{hours}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_shows_its_two_largest_units() {
        let of = |seconds| age(Duration::from_secs(seconds));
        assert_eq!([of(0), of(59), of(61), of(3_660), of(90_000)], ["0s", "59s", "1m1s", "1h1m", "1d1h"]);
    }

    #[test]
    fn a_node_shows_how_far_it_lies_behind_the_master_and_one_that_is_silent_why() {
        let watermarks = Some(Watermarks { written: 7, applied: 5, ..Watermarks::default() });
        let answer =
            StatusResponse { node: "a".to_owned(), watermarks, recovering: true, ..Default::default() };
        let status = NodeStatus { address: "h:1".to_owned(), answer: Ok(answer) };
        let cells = StatusRow::new(&status, Some(10)).cells();
        assert_eq!(
            [&cells[0], &cells[1], &cells[5], &cells[9], &cells[10]],
            ["a", "h:1", "5", "3", "recovering"]
        );
        assert_eq!(StatusRow::new(&status, None).cells()[9], "-");
        let answer = StatusResponse { restore_needed: 9, ..StatusResponse::default() };
        let lost = NodeStatus { address: "h:3".to_owned(), answer: Ok(answer) };
        assert!(StatusRow::new(&lost, Some(10)).cells()[10].starts_with("must be restored"));
        let silent = NodeStatus { address: "h:2".to_owned(), answer: Err("no answer".to_owned()) };
        let cells = StatusRow::new(&silent, Some(10)).cells();
        assert_eq!([&cells[1], &cells[2], &cells[10]], ["h:2", "unreachable", "no answer"]);
        let json = serde_json::to_value(StatusRow::new(&silent, None)).unwrap();
        assert_eq!(json, serde_json::json!({ "address": "h:2", "error": "no answer" }));
    }
}
