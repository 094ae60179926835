use super::BenchError;
use super::arguments::{BenchArguments, Via};
use super::case::Case;
use super::latencies::Percentiles;
use super::measured::{Measured, TrafficPerWrite, median};
use crate::EngineChoice;
use quorate::CommitDurability;
use serde::Serialize;
use std::fmt;
use std::num::NonZero;

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// The bare loop.
    Floor,
    /// An etcd cluster.
    Etcd,
    /// A group; without an engine it is somebody else's.
    Group { via: Via, engine: Option<EngineChoice> },
}

/// What is measured at each case, for a line of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Series {
    pub(super) subject: Subject,
    /// A group's, where several are compared.
    pub(super) durability: Option<CommitDurability>,
}

/// What the machine does alone; times in nanoseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Machine {
    /// How many processors this process may use, where that is known.
    pub(super) processors: Option<NonZero<usize>>,
    /// Writing 4 KiB to a zero-filled file, and its sync.
    pub(super) sync_alone: Percentiles,
    /// The same in each of three processes at once.
    pub(super) sync_of_three: Percentiles,
    /// A short message to and fro over TCP on the loopback interface.
    pub(super) round_trip: Percentiles,
}

/// All that a run has found.
pub(super) struct Report {
    pub(super) machine: Machine,
    pub(super) settings: Settings,
    durabilities: Vec<CommitDurability>,
    outcomes: Vec<Outcome>,
}

/// How a run was made.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Settings {
    pub(super) seconds: u32,
    pub(super) warm_up_seconds: u32,
    pub(super) key_bytes: u32,
    pub(super) value_bytes: Vec<u32>,
    pub(super) nodes: Vec<u32>,
    pub(super) durability: Vec<String>,
    pub(super) rounds: u32,
    /// The version of the etcd cluster that the group is compared with.
    pub(super) etcd_version: Option<String>,
}

/// All rounds of one step.
struct Outcome {
    series: Series,
    case: Case,
    rounds: Vec<Measured>,
    /// The engine's limit in each round.
    limits: Vec<f64>,
}

/// One step's figures: medians over the rounds.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    #[serde(skip)]
    pub(super) series: Series,
    #[serde(skip)]
    pub(super) case: Case,
    pub(super) what: String,
    pub(super) writers: u32,
    pub(super) nodes: u32,
    pub(super) value_bytes: u32,
    pub(super) writes_per_second: f64,
    /// In nanoseconds.
    pub(super) latency: Percentiles,
    pub(super) drain_ms: f64,
    pub(super) processor_us_per_write: Option<f64>,
    pub(super) entries_per_engine_step: Option<f64>,
    /// What nodes have sent each other of the log for each write, where they compress it.
    pub(super) traffic_per_write: Option<TrafficPerWrite>,
    /// The memory of the node that has most before the load, in bytes.
    pub(super) idle_bytes: Option<u64>,
    /// The most that a node has at a time, in bytes.
    pub(super) peak_bytes: Option<u64>,
    /// The rate as a part of the bare loop's.
    pub(super) share_of_floor: Option<f64>,
    /// How many times the median the p99 is, over the same of the bare loop.
    pub(super) times_floors_spread: Option<f64>,
    /// The rate over that with the durability that was named first.
    pub(super) times_first: Option<f64>,
    /// A group's rate over etcd's.
    pub(super) times_etcd: Option<f64>,
    /// How many entries a second the engine takes without a group.
    pub(super) engine_limit_per_second: Option<f64>,
    /// The rate as a part of the smaller of the engine's limit and the memory engine's rate.
    pub(super) share_of_limit: Option<f64>,
}

impl Report {
    pub(super) fn new(arguments: &BenchArguments, machine: Machine, etcd_version: Option<String>) -> Self {
        let settings = Settings {
            seconds: arguments.seconds,
            warm_up_seconds: arguments.warm_up,
            key_bytes: arguments.key_bytes,
            value_bytes: arguments.value_bytes.clone(),
            nodes: arguments.nodes.clone(),
            durability: arguments.durability.iter().map(ToString::to_string).collect(),
            rounds: arguments.repeat,
            etcd_version,
        };
        Self { machine, settings, durabilities: arguments.durability.clone(), outcomes: Vec::new() }
    }

    /// Takes in a round of a step.
    pub(super) fn add(&mut self, series: Series, case: Case, measured: Measured) {
        self.outcome(series, case).rounds.push(measured);
    }

    /// Takes in what the step's engine does alone.
    pub(super) fn add_limit(&mut self, series: Series, case: Case, per_second: f64) {
        self.outcome(series, case).limits.push(per_second);
    }

    fn outcome(&mut self, series: Series, case: Case) -> &mut Outcome {
        let known = self.outcomes.iter().position(|known| known.series == series && known.case == case);
        let index = known.unwrap_or_else(|| {
            self.outcomes.push(Outcome { series, case, rounds: Vec::new(), limits: Vec::new() });
            self.outcomes.len() - 1
        });
        &mut self.outcomes[index]
    }

    /// The steps that were measured, by their cases, in the order in which they first were.
    pub(super) fn rows(&self) -> Vec<Row> {
        let measured = self.outcomes.iter().filter(|outcome| !outcome.rounds.is_empty());
        let mut rows: Vec<Row> = measured.map(|outcome| self.row(outcome)).collect();
        rows.sort_by_key(|row| row.case);
        rows
    }

    fn row(&self, outcome: &Outcome) -> Row {
        let Outcome { series, case, .. } = *outcome;
        let measured = Measured::median(&outcome.rounds);
        let rate = measured.rate;
        let floor = self.median(Series::FLOOR, case).filter(|_| series != Series::FLOOR);
        let etcd = self.median(Series::ETCD, case).filter(|_| series.subject.is_group());
        let first = self.first(series).and_then(|first| self.median(first, case));
        let limit = (!outcome.limits.is_empty()).then(|| median(&outcome.limits, |limit| *limit));
        let memory = series.on_memory().and_then(|memory| self.median(memory, case));
        let wall = limit.map(|limit| memory.map_or(limit, |memory| memory.rate.min(limit)));
        Row {
            series,
            case,
            what: series.to_string(),
            writers: case.writers,
            nodes: case.nodes,
            value_bytes: case.value_bytes,
            writes_per_second: rate,
            latency: measured.latencies,
            drain_ms: measured.drain.as_secs_f64() * 1e3,
            processor_us_per_write: measured.processor_per_write.map(|time| time.as_secs_f64() * 1e6),
            entries_per_engine_step: measured.entries_per_step,
            traffic_per_write: measured.traffic,
            idle_bytes: measured.idle_bytes,
            peak_bytes: measured.peak_bytes,
            share_of_floor: floor.map(|floor| rate / floor.rate),
            times_floors_spread: floor
                .and_then(|floor| Some(measured.latencies.spread()? / floor.latencies.spread()?)),
            times_first: first.map(|first| rate / first.rate),
            times_etcd: etcd.map(|etcd| rate / etcd.rate),
            engine_limit_per_second: limit,
            share_of_limit: wall.map(|wall| rate / wall),
        }
    }

    /// The same group with the durability that was named first, if this is one with another.
    fn first(&self, series: Series) -> Option<Series> {
        let durability = self.durabilities.first().copied();
        (series.durability.is_some() && series.durability != durability)
            .then_some(Series { durability, ..series })
    }

    fn median(&self, series: Series, case: Case) -> Option<Measured> {
        let found = self.outcomes.iter().find(|known| known.series == series && known.case == case)?;
        (!found.rounds.is_empty()).then(|| Measured::median(&found.rounds))
    }

    /// The report as one JSON object.
    ///
    /// # Errors
    /// [`BenchError::Json`].
    pub(super) fn json(&self) -> Result<String, BenchError> {
        let (machine, settings, steps) = (&self.machine, &self.settings, self.rows());
        Ok(serde_json::to_string_pretty(&serde_json::json!({
            "machine": machine,
            "settings": settings,
            "steps": steps,
        }))?)
    }
}

impl Subject {
    pub(super) const fn is_group(self) -> bool {
        matches!(self, Self::Group { .. })
    }

    /// The same group on the memory engine, if this is one on an engine that keeps its data.
    const fn on_memory(self) -> Option<Self> {
        match self {
            Self::Group { via, engine: Some(EngineChoice::Redb | EngineChoice::Fjall) } => {
                Some(Self::Group { via, engine: Some(EngineChoice::Memory) })
            }
            _ => None,
        }
    }
}

impl Series {
    pub(super) const FLOOR: Self = Self { subject: Subject::Floor, durability: None };
    pub(super) const ETCD: Self = Self { subject: Subject::Etcd, durability: None };

    /// The same group on the memory engine, if this is one on an engine that keeps its data.
    fn on_memory(self) -> Option<Self> {
        self.subject.on_memory().map(|subject| Self { subject, ..self })
    }
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.subject.fmt(f)?;
        self.durability.map_or(Ok(()), |durability| write!(f, ", {durability}"))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Floor => f.write_str("bare loop"),
            Self::Etcd => f.write_str("etcd"),
            Self::Group { engine: None, .. } => f.write_str("endpoints"),
            Self::Group { via: Via::Embedded, engine: Some(engine) } => write!(f, "{}", engine.name()),
            Self::Group { via: Via::Grpc, engine: Some(engine) } => write!(f, "{} (gRPC)", engine.name()),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::time::Duration;

    const MEMORY: Series = group(EngineChoice::Memory);
    const FJALL: Series = group(EngineChoice::Fjall);
    const MANY: Case = Case { value_bytes: 100, nodes: 3, writers: 64 };
    const ONE: Case = Case { writers: 1, ..MANY };

    const fn group(engine: EngineChoice) -> Series {
        Series { subject: Subject::Group { via: Via::Embedded, engine: Some(engine) }, durability: None }
    }

    fn measured(rate: f64) -> Measured {
        Measured {
            rate,
            latencies: Percentiles { p50: 1_500_000, p99: 2_000_000, p999: 3_000_000, max: 45_678_000 },
            drain: Duration::from_millis(2),
            processor_per_write: Some(Duration::from_micros(9)),
            entries_per_step: Some(3.0),
            traffic: None,
            idle_bytes: Some(24 << 20),
            peak_bytes: Some(96 << 20),
        }
    }

    impl Report {
        /// Takes out all that was measured of a subject.
        pub(in crate::bench) fn forget(&mut self, subject: Subject) {
            self.outcomes.retain(|outcome| outcome.series.subject != subject);
        }
    }

    fn empty() -> Report {
        let probe = Percentiles { p50: 70_000, p99: 100_000, p999: 200_000, max: 300_000 };
        let machine = Machine {
            processors: NonZero::new(2),
            sync_alone: probe,
            sync_of_three: probe,
            round_trip: probe,
        };
        let settings = Settings {
            seconds: 8,
            warm_up_seconds: 2,
            key_bytes: 16,
            value_bytes: vec![100],
            nodes: vec![3],
            durability: vec!["sync,sync,majority".to_owned()],
            rounds: 3,
            etcd_version: Some("3.4.23".to_owned()),
        };
        Report { machine, settings, durabilities: vec![CommitDurability::default()], outcomes: Vec::new() }
    }

    pub(in crate::bench) fn report() -> Report {
        let mut report = empty();
        for (floor, memory, fjall, limit) in [(900.0, 500.0, 250.0, 700.0), (1000.0, 400.0, 200.0, 800.0)] {
            let latencies = Percentiles { p50: 500_000, p99: 1_000_000, p999: 2_000_000, max: 3_000_000 };
            report.add(Series::FLOOR, MANY, Measured { latencies, ..measured(floor) });
            report.add(Series::ETCD, MANY, measured(floor / 10.0));
            report.add(MEMORY, MANY, measured(memory));
            report.add_limit(FJALL, MANY, limit);
            report.add(FJALL, MANY, measured(fjall));
        }
        report.add(MEMORY, ONE, measured(40.0));
        report
    }

    /// A report of three sizes of values, in groups of one and of five nodes.
    pub(in crate::bench) fn report_of_sizes() -> Report {
        let mut report = empty();
        report.settings.value_bytes = vec![16, 1024, 1 << 20];
        report.settings.nodes = vec![1, 5];
        for (value_bytes, rate) in [(16, 900.0), (1024, 700.0), (1 << 20, 20.0)] {
            for nodes in [5, 1] {
                let case = Case { value_bytes, nodes, writers: 64 };
                report.add(FJALL, case, measured(rate / f64::from(nodes)));
            }
        }
        report
    }

    #[test]
    fn shares_relate_medians_of_the_same_case() {
        let rows = report().rows();
        let share = |what: &str, writers: u32| {
            let row = rows.iter().find(|row| row.what == what && row.writers == writers).unwrap();
            (row.share_of_floor, row.share_of_limit)
        };
        assert_eq!(share("bare loop", 64), (None, None));
        assert_eq!(share("memory", 64), (Some(450.0 / 950.0), None));
        assert_eq!(share("fjall", 64), (Some(225.0 / 950.0), Some(0.5)));
        assert_eq!(share("memory", 1), (None, None));
    }

    #[test]
    fn the_spread_of_a_groups_latencies_is_related_to_the_bare_loops() {
        let rows = report().rows();
        let spreads: Vec<_> = rows.iter().map(|row| row.times_floors_spread).collect();
        let expected = 2_000_000.0 / 1_500_000.0 / 2.0;
        assert_eq!(spreads, [None, None, Some(expected), Some(expected), Some(expected)]);
    }

    #[test]
    fn a_durability_is_related_to_the_one_that_was_named_first() {
        let mut report = empty();
        let relaxed: CommitDurability = "write-no-sync,write-no-sync,majority".parse().unwrap();
        report.durabilities.push(relaxed);
        for (durability, rate) in [(report.durabilities[0], 200.0), (relaxed, 300.0)] {
            report.add(Series { durability: Some(durability), ..MEMORY }, MANY, measured(rate));
        }
        let rows = report.rows();
        assert_eq!((rows[0].times_first, rows[1].times_first), (None, Some(1.5)));
        assert_eq!(rows[1].what, "memory, write-no-sync,write-no-sync,majority");
    }

    #[test]
    fn a_groups_rate_is_related_to_etcds_at_as_many_writers() {
        let rows = report().rows();
        let times =
            rows.iter().map(|row| (row.what.as_str(), row.writers, row.times_etcd)).collect::<Vec<_>>();
        let expected = [
            ("memory", 1, None),
            ("bare loop", 64, None),
            ("etcd", 64, None),
            ("memory", 64, Some(450.0 / 95.0)),
            ("fjall", 64, Some(225.0 / 95.0)),
        ];
        assert_eq!(times, expected);
    }

    #[test]
    fn rows_of_different_sizes_are_apart_and_in_the_order_of_the_sizes() {
        let rows = report_of_sizes().rows();
        let found: Vec<_> =
            rows.iter().map(|row| (row.value_bytes, row.nodes, row.writes_per_second)).collect();
        assert_eq!(found[..3], [(16, 1, 900.0), (16, 5, 180.0), (1024, 1, 700.0)]);
        assert_eq!(found.len(), 6);
    }

    #[test]
    fn the_json_form_holds_every_step() {
        let json: serde_json::Value = serde_json::from_str(&report().json().unwrap()).unwrap();
        assert_eq!(json["steps"].as_array().unwrap().len(), 5);
        assert_eq!(json["steps"][4]["engine_limit_per_second"], 750.0);
        assert_eq!(json["steps"][4]["times_etcd"], 225.0 / 95.0);
        assert_eq!(json["steps"][4]["peak_bytes"], 96 << 20);
        assert_eq!(json["settings"]["etcd_version"], "3.4.23");
        assert_eq!(json["settings"]["rounds"], 3);
        assert_eq!(json["machine"]["round_trip"]["p50"], 70_000);
        assert_eq!(json["machine"]["processors"], 2);
    }
}
