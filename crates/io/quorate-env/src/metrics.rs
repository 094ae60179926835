//! What a node tells whoever has installed a recorder of the `metrics` crate.
//!
//! Every name begins with `quorate_`, every series has the labels `group` and `node`. Counters are named as
//! the figures of [`RepStats`](crate::RepStats), with `_total` behind. Gauges:
//!
//! | name | labels | value |
//! |---|---|---|
//! | `quorate_state` | | 0 detached, 1 looking for a master, 2 replica, 3 master |
//! | `quorate_term_round` | | the round of the term led or followed |
//! | `quorate_watermark_vlsn` | `mark` | how far the node has come |
//! | `quorate_tail_bytes` | | recent entries in memory |
//! | `quorate_round_trip_seconds` | | to as many nodes as a commit needs; 0 where it is not known |
//! | `quorate_recovering`, `quorate_damaged`, `quorate_restore_needed`, `quorate_halted` | | 1 if it is so |
//! | `quorate_replica_connected` | `replica` | on a master: 1 if it feeds that replica |
//! | `quorate_replica_lag_entries` | `replica` | on a master: how many entries that replica lacks |
//! | `quorate_replica_in_flight_bytes` | `replica` | on a master: sent to it and not acknowledged |
//!
//! Histograms, in seconds: `quorate_log_sync_seconds`, `quorate_engine_step_seconds`.

use crate::{GroupStatus, MemberStatus, RepStats};
use ::metrics::{Counter, Gauge, Histogram, Label, counter, describe_counter, gauge, histogram};
use quorate_core::{NodeState, Time, Vlsn, Watermarks};
use std::time::Duration;

/// How often counters and gauges are brought up to date.
const INTERVAL: Duration = Duration::from_secs(1);

/// A node's counters and gauges, registered with the recorder that was installed when it was opened.
pub(crate) struct Instruments {
    counters: Vec<Counter>,
    state: Gauge,
    term_round: Gauge,
    marks: [Gauge; 6],
    tail_bytes: Gauge,
    round_trip: Gauge,
    conditions: [Gauge; 4],
    replicas: Vec<ReplicaGauges>,
    next: Time,
}

/// What a master says of one replica.
struct ReplicaGauges {
    name: String,
    connected: Gauge,
    lag_entries: Gauge,
    in_flight_bytes: Gauge,
}

impl Instruments {
    /// Registers everything.
    pub(crate) fn new<'a>(group: &str, node: &str, members: impl Iterator<Item = &'a str>) -> Self {
        let labels = labels(group, node);
        let plain = |name: &'static str| gauge!(name, labels.clone());
        let mark = |mark| gauge!("quorate_watermark_vlsn", with(&labels, "mark", mark));
        Self {
            counters: RepStats::default()
                .figures()
                .map(|figure| {
                    let name = format!("quorate_{}_total", figure.name);
                    describe_counter!(name.clone(), figure.text.trim());
                    counter!(name, labels.clone())
                })
                .collect(),
            state: plain("quorate_state"),
            term_round: plain("quorate_term_round"),
            marks: ["trimmed", "engine_durable", "applied", "committed", "durable", "written"].map(mark),
            tail_bytes: plain("quorate_tail_bytes"),
            round_trip: plain("quorate_round_trip_seconds"),
            conditions: ["quorate_recovering", "quorate_damaged", "quorate_restore_needed", "quorate_halted"]
                .map(plain),
            replicas: members
                .filter(|member| *member != node)
                .map(|member| ReplicaGauges::new(&labels, member))
                .collect(),
            next: Time::ZERO,
        }
    }

    /// Whether it is time to publish, which sets the next time.
    pub(crate) fn are_due(&mut self, now: Time) -> bool {
        let due = now >= self.next;
        if due {
            self.next = now + INTERVAL;
        }
        due
    }

    /// When to look whether it is time, next.
    pub(crate) const fn deadline(&self) -> Time {
        self.next
    }

    /// Brings everything up to date.
    pub(crate) fn publish(&self, status: &GroupStatus, stats: &RepStats) {
        for (counter, figure) in self.counters.iter().zip(stats.figures()) {
            counter.absolute(figure.value);
        }
        self.state.set(state_number(status.state));
        self.term_round.set(status.term.round() as f64);
        for (gauge, mark) in self.marks.iter().zip(in_order(&status.watermarks)) {
            gauge.set(Vlsn::number(mark) as f64);
        }
        self.tail_bytes.set(status.tail_bytes as f64);
        self.round_trip.set(status.round_trip.unwrap_or_default().as_secs_f64());
        let restore_needed = status.restore_needed.is_some();
        let conditions = [status.is_recovering, status.is_damaged, restore_needed, status.halted.is_some()];
        for (gauge, holds) in self.conditions.iter().zip(conditions) {
            gauge.set(f64::from(u8::from(holds)));
        }
        for replica in &self.replicas {
            if let Some(member) = status.members.iter().find(|member| member.member.name == replica.name) {
                replica.set(member);
            }
        }
    }
}

impl ReplicaGauges {
    fn new(labels: &[Label], name: &str) -> Self {
        let of = |gauge: &'static str| gauge!(gauge, with(labels, "replica", name));
        Self {
            name: name.to_owned(),
            connected: of("quorate_replica_connected"),
            lag_entries: of("quorate_replica_lag_entries"),
            in_flight_bytes: of("quorate_replica_in_flight_bytes"),
        }
    }

    /// A node that is not the master knows nothing of others, and says 0.
    fn set(&self, member: &MemberStatus) {
        let replica = member.replica.as_ref();
        self.connected.set(f64::from(u8::from(replica.is_some_and(|replica| replica.is_connected))));
        self.lag_entries.set(replica.map_or(0.0, |replica| replica.lag_entries as f64));
        self.in_flight_bytes.set(replica.map_or(0.0, |replica| replica.in_flight_bytes as f64));
    }
}

/// How long the log's syncs take.
pub(crate) fn log_sync_seconds(group: &str, node: &str) -> Histogram {
    histogram!("quorate_log_sync_seconds", labels(group, node))
}

/// How long the engine's atomic steps take.
pub(crate) fn engine_step_seconds(group: &str, node: &str) -> Histogram {
    histogram!("quorate_engine_step_seconds", labels(group, node))
}

fn labels(group: &str, node: &str) -> Vec<Label> {
    vec![Label::new("group", group.to_owned()), Label::new("node", node.to_owned())]
}

fn with(labels: &[Label], key: &'static str, value: &str) -> Vec<Label> {
    let own = Label::new(key, value.to_owned());
    labels.iter().cloned().chain([own]).collect()
}

const fn in_order(marks: &Watermarks) -> [Option<Vlsn>; 6] {
    [marks.trimmed, marks.engine_durable, marks.applied, marks.committed, marks.durable, marks.written]
}

const fn state_number(state: NodeState) -> f64 {
    match state {
        NodeState::Detached => 0.0,
        NodeState::Unknown => 1.0,
        NodeState::Replica => 2.0,
        NodeState::Master => 3.0,
    }
}
