use super::{Acknowledged, Comparison, Failover, Kill, NODES, Records};
use serde::Serialize;
use std::time::{Duration, Instant};

/// What a demonstration has found, as `--json` prints it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// Whether everything is as promised.
    pub passed: bool,
    /// How many records there were to write.
    pub records: u64,
    /// How many files could not be written: too long, unreadable, or no regular files.
    pub skipped: u64,
    /// How many writes were acknowledged.
    pub acked: u64,
    /// How many copies were compared.
    pub compared: u64,
    /// How many nodes there were.
    pub nodes: u64,
    /// How many writes had been sent and not answered when the master was killed.
    pub in_flight_at_kill: u64,
    /// How many acknowledged records some node lacks, or holds with another value.
    pub lost: u64,
    /// How long things took.
    pub times_ms: Times,
    /// The first of the records lost, in words.
    pub differences: Vec<String>,
}

/// How long things took, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Times {
    /// From the start to the first master.
    pub started: f64,
    /// From the kill until a survivor was seen not to follow the dead master any more.
    pub detected: f64,
    /// From the kill until a survivor was seen to lead, by its status or because it acknowledged a write.
    pub elected: f64,
    /// From the kill until a survivor acknowledged a write; absent if no write was left for it.
    pub first_write: Option<f64>,
    /// From the first write to the last acknowledgement, the failover included.
    pub loaded: f64,
    /// From the restart of the dead node until all nodes agreed.
    pub caught_up: f64,
    /// From the request to stop until all processes had ended.
    pub stopped: f64,
    /// All of it.
    pub total: f64,
}

impl Times {
    /// Takes in what was seen of a failover. A survivor that acknowledges a write leads, and one that leads
    /// has noticed.
    pub(super) fn fail_over(&mut self, kill: Kill, failover: Failover, first_ack: Option<Instant>) {
        let after_kill = |moment: Instant| milliseconds(moment.saturating_duration_since(kill.at));
        self.first_write = first_ack.map(after_kill);
        self.elected = after_kill(failover.elected).min(self.first_write.unwrap_or(f64::INFINITY));
        self.detected = after_kill(failover.detected).min(self.elected);
    }
}

/// A span of time in milliseconds, to the microsecond.
pub(super) fn milliseconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1_000.0
}

impl Report {
    /// What is known before the comparison.
    pub(super) fn of_load(
        records: &Records,
        acknowledged: &Acknowledged,
        kill: Kill,
        times_ms: Times,
    ) -> Self {
        Self {
            records: (records.count() - acknowledged.skipped.len()) as u64,
            skipped: (records.skipped().len() + acknowledged.skipped.len()) as u64,
            acked: acknowledged.records.len() as u64,
            nodes: NODES as u64,
            in_flight_at_kill: kill.in_flight,
            times_ms,
            ..Self::default()
        }
    }

    /// Takes in what the comparison found and decides whether all is as promised.
    #[must_use]
    pub fn concluded(mut self, comparison: Comparison) -> Self {
        self.compared = comparison.compared;
        self.lost = comparison.lost;
        self.differences = comparison.differences;
        self.passed = self.reasons().is_empty();
        self
    }

    /// What is not as promised; nothing if all is.
    #[must_use]
    pub fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.acked < self.records {
            reasons.push(format!("{} of {} records were acknowledged", self.acked, self.records));
        }
        let copies = self.acked * self.nodes;
        if self.compared != copies {
            reasons.push(format!("{} of {copies} copies were compared", self.compared));
        }
        if self.in_flight_at_kill == 0 {
            reasons.push("no write was under way when the master was killed".to_owned());
        }
        if self.lost > 0 {
            reasons.push(format!("lost: {} ({})", self.lost, self.differences.join(", ")));
        }
        reasons
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound() -> Report {
        Report { records: 5, acked: 5, compared: 15, nodes: 3, in_flight_at_kill: 1, ..Report::default() }
    }

    #[test]
    fn a_report_passes_only_if_every_promise_is_kept() {
        assert_eq!(sound().reasons(), [""; 0]);
        let broken = [
            Report { acked: 4, compared: 12, ..sound() },
            Report { compared: 14, ..sound() },
            Report { in_flight_at_kill: 0, ..sound() },
            Report { lost: 1, ..sound() },
        ];
        for report in broken {
            assert_eq!(report.reasons().len(), 1, "{report:?}");
        }
    }
}
