use super::Workload;
use super::load::{Side, WorkloadLoad};
use crate::EngineChoice;
use crate::bench::BenchError;
use crate::bench::arguments::{BenchArguments, Via};
use crate::bench::latencies::Percentiles;
use crate::bench::measured::median;
use crate::bench::printed::{Printed, Sheet};
use crate::bench::report::Subject;
use serde::Serialize;

/// All that was found of a workload.
pub(super) struct WorkloadReport {
    settings: Settings,
    outcomes: Vec<Outcome>,
}

/// How the workload was run.
#[derive(Clone, Debug, Serialize)]
struct Settings {
    workload: Workload,
    keys: u64,
    read_consistency: String,
    warm_up_seconds: u32,
    seconds: u32,
    key_bytes: u32,
    value_bytes: u32,
    durability: String,
    rounds: u32,
}

struct Outcome {
    subject: Subject,
    writers: u32,
    rounds: Vec<WorkloadLoad>,
}

/// Medians over the rounds.
#[derive(Clone, Debug, Serialize)]
struct Row {
    what: String,
    writers: u32,
    operations_per_second: f64,
    reads_per_second: f64,
    writes_per_second: f64,
    /// In nanoseconds; none without reads.
    read_latency: Option<Percentiles>,
    /// In nanoseconds; none without writes.
    write_latency: Option<Percentiles>,
    /// The most rows that were there from the beginning and not found, in any round.
    reads_missed: u64,
}

impl WorkloadReport {
    pub(super) fn new(arguments: &BenchArguments) -> Self {
        let settings = Settings {
            workload: arguments.workload.workload,
            keys: arguments.workload.rows(),
            read_consistency: arguments.workload.consistency().to_string(),
            warm_up_seconds: arguments.warm_up,
            seconds: arguments.seconds,
            key_bytes: arguments.key_bytes,
            value_bytes: arguments.value_bytes(),
            durability: arguments.durability().to_string(),
            rounds: arguments.repeat,
        };
        Self { settings, outcomes: Vec::new() }
    }

    /// Takes in a round.
    pub(super) fn add(&mut self, via: Via, engine: EngineChoice, writers: u32, load: WorkloadLoad) {
        let subject = Subject::Group { via, engine: Some(engine) };
        let known =
            self.outcomes.iter_mut().find(|known| known.subject == subject && known.writers == writers);
        match known {
            Some(outcome) => outcome.rounds.push(load),
            None => self.outcomes.push(Outcome { subject, writers, rounds: vec![load] }),
        }
    }

    /// The report in both forms.
    ///
    /// # Errors
    /// [`BenchError::Json`].
    pub(super) fn printed(&self) -> Result<Printed, BenchError> {
        let rows: Vec<Row> = self.outcomes.iter().map(Outcome::row).collect();
        let json = serde_json::json!({ "settings": self.settings, "steps": rows });
        let json = serde_json::to_string_pretty(&json)?;
        let name = json_name(&self.settings.workload)?;
        Ok(Printed::of(&self.sheet(&name, &rows), json))
    }

    fn sheet(&self, workload: &str, rows: &[Row]) -> Sheet {
        let Settings { keys, read_consistency, warm_up_seconds, seconds, .. } = &self.settings;
        let Settings { key_bytes, value_bytes, durability, rounds, .. } = &self.settings;
        let of_rounds = if *rounds > 1 { format!(", medians of {rounds}") } else { String::new() };
        let mut lines = vec![HEADS.map(str::to_owned).to_vec()];
        lines.extend(rows.iter().map(Row::cells));
        Sheet {
            title: "Workload",
            notes: vec![
                format!("{workload} on {keys} rows, reads {read_consistency}"),
                format!(
                    "keys of {key_bytes} bytes, values of {value_bytes}, {durability}, {seconds} s after \
                     {warm_up_seconds} s{of_rounds}"
                ),
            ],
            lines,
            meanings: &MEANINGS,
        }
    }
}

const MEANINGS: [(&str, &str); 2] = [
    ("ops/s", "whole operations: a read that is followed by a write of the same row is one"),
    ("reads/s", "with scans; the latencies behind it are those of reads, those behind writes/s of writes"),
];

/// The name under which a value is written.
fn json_name(value: &impl Serialize) -> Result<String, BenchError> {
    Ok(serde_json::to_value(value)?.as_str().unwrap_or_default().to_owned())
}

const HEADS: [&str; 13] = [
    "writers", "what", "ops/s", "reads/s", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "writes/s", "p50 ms",
    "p99 ms", "p99.9 ms", "max ms",
];

impl Outcome {
    fn row(&self) -> Row {
        let rate = |count: fn(&WorkloadLoad) -> u64| {
            median(&self.rounds, |load| count(load) as f64 / load.elapsed.as_secs_f64())
        };
        Row {
            what: self.subject.to_string(),
            writers: self.writers,
            operations_per_second: median(&self.rounds, WorkloadLoad::operations_per_second),
            reads_per_second: rate(|load| load.reads.count),
            writes_per_second: rate(|load| load.writes.count),
            read_latency: self.latency(|load| &load.reads),
            write_latency: self.latency(|load| &load.writes),
            reads_missed: self.rounds.iter().map(|load| load.missed).max().unwrap_or(0),
        }
    }

    /// Each figure's median on its own.
    fn latency(&self, side: fn(&WorkloadLoad) -> &Side) -> Option<Percentiles> {
        let sides: Vec<&Side> = self.rounds.iter().map(side).filter(|side| side.count > 0).collect();
        let nanos = |of: fn(&Percentiles) -> u64| median(&sides, |side| of(&side.latencies) as f64) as u64;
        (!sides.is_empty()).then(|| Percentiles {
            p50: nanos(|latencies| latencies.p50),
            p99: nanos(|latencies| latencies.p99),
            p999: nanos(|latencies| latencies.p999),
            max: nanos(|latencies| latencies.max),
        })
    }
}

impl Row {
    fn cells(&self) -> Vec<String> {
        let rate = |figure: f64| format!("{figure:.0}");
        let mut cells = vec![self.writers.to_string(), self.what.clone(), rate(self.operations_per_second)];
        let sides =
            [(self.reads_per_second, self.read_latency), (self.writes_per_second, self.write_latency)];
        for (per_second, latency) in sides {
            cells.push(rate(per_second));
            let figures = latency.map(|found| [found.p50, found.p99, found.p999, found.max]);
            let millis = |nanos: u64| format!("{:.3}", nanos as f64 / 1e6);
            cells.extend(figures.map_or_else(|| [0; 4].map(|_| "-".to_owned()), |found| found.map(millis)));
        }
        cells
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn load(reads: u64, writes: u64) -> WorkloadLoad {
        let side =
            |count| Side { count, latencies: Percentiles { p50: 1_000 * count, ..Default::default() } };
        WorkloadLoad {
            elapsed: Duration::from_secs(2),
            operations: reads + writes,
            reads: side(reads),
            writes: side(writes),
            missed: 0,
        }
    }

    #[test]
    fn a_row_has_the_medians_of_reads_and_writes_apart() {
        let subject = Subject::Group { via: Via::Grpc, engine: Some(EngineChoice::Redb) };
        let rounds = vec![load(800, 0), load(1000, 0), load(600, 0)];
        let row = Outcome { subject, writers: 8, rounds }.row();
        assert_eq!(
            (row.operations_per_second, row.reads_per_second, row.writes_per_second),
            (400.0, 400.0, 0.0)
        );
        assert_eq!(row.read_latency.map(|found| found.p50), Some(800_000));
        assert_eq!(row.write_latency, None);
        let cells = row.cells();
        assert_eq!(cells[1..5], ["redb (gRPC)", "400", "400", "0.800"].map(str::to_owned));
        assert_eq!(cells[8..10], ["0", "-"].map(str::to_owned));
        assert_eq!(cells.len(), HEADS.len());
    }
}
