use super::BenchError;
use super::arguments::{BenchArguments, Via};
use super::latencies::Percentiles;
use super::measured::{Measured, median};
use crate::EngineChoice;
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
    outcomes: Vec<Outcome>,
}

/// How a run was made.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Settings {
    pub(super) seconds: u32,
    pub(super) warm_up_seconds: u32,
    pub(super) key_bytes: u32,
    pub(super) value_bytes: u32,
    pub(super) durability: String,
    pub(super) rounds: u32,
    /// The version of the etcd cluster that the group is compared with.
    pub(super) etcd_version: Option<String>,
}

/// All rounds of one step.
struct Outcome {
    subject: Subject,
    writers: u32,
    rounds: Vec<Measured>,
    /// The engine's limit in each round.
    limits: Vec<f64>,
}

/// One step's figures: medians over the rounds.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    #[serde(skip)]
    pub(super) subject: Subject,
    pub(super) what: String,
    pub(super) writers: u32,
    pub(super) writes_per_second: f64,
    /// In nanoseconds.
    pub(super) latency: Percentiles,
    pub(super) drain_ms: f64,
    pub(super) processor_us_per_write: Option<f64>,
    pub(super) entries_per_engine_step: Option<f64>,
    /// The rate as a part of the bare loop's.
    pub(super) share_of_floor: Option<f64>,
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
            value_bytes: arguments.value_bytes,
            durability: arguments.durability.to_string(),
            rounds: arguments.repeat,
            etcd_version,
        };
        Self { machine, settings, outcomes: Vec::new() }
    }

    /// Takes in a round of a step.
    pub(super) fn add(&mut self, subject: Subject, writers: u32, measured: Measured) {
        self.outcome(subject, writers).rounds.push(measured);
    }

    /// Takes in what the step's engine does alone.
    pub(super) fn add_limit(&mut self, subject: Subject, writers: u32, per_second: f64) {
        self.outcome(subject, writers).limits.push(per_second);
    }

    fn outcome(&mut self, subject: Subject, writers: u32) -> &mut Outcome {
        let known =
            self.outcomes.iter().position(|known| known.subject == subject && known.writers == writers);
        let index = known.unwrap_or_else(|| {
            self.outcomes.push(Outcome { subject, writers, rounds: Vec::new(), limits: Vec::new() });
            self.outcomes.len() - 1
        });
        &mut self.outcomes[index]
    }

    /// The steps that were measured, in the order in which they first were.
    pub(super) fn rows(&self) -> Vec<Row> {
        self.outcomes
            .iter()
            .filter(|outcome| !outcome.rounds.is_empty())
            .map(|outcome| self.row(outcome))
            .collect()
    }

    fn row(&self, outcome: &Outcome) -> Row {
        let measured = Measured::median(&outcome.rounds);
        let rate = measured.rate;
        let floor = self.rate(Subject::Floor, outcome.writers).filter(|_| outcome.subject != Subject::Floor);
        let etcd = self.rate(Subject::Etcd, outcome.writers).filter(|_| outcome.subject.is_group());
        let limit = (!outcome.limits.is_empty()).then(|| median(&outcome.limits, |limit| *limit));
        let memory = outcome.subject.on_memory().and_then(|memory| self.rate(memory, outcome.writers));
        let wall = limit.map(|limit| memory.map_or(limit, |memory| memory.min(limit)));
        Row {
            subject: outcome.subject,
            what: outcome.subject.to_string(),
            writers: outcome.writers,
            writes_per_second: rate,
            latency: measured.latencies,
            drain_ms: measured.drain.as_secs_f64() * 1e3,
            processor_us_per_write: measured.processor_per_write.map(|time| time.as_secs_f64() * 1e6),
            entries_per_engine_step: measured.entries_per_step,
            share_of_floor: floor.map(|floor| rate / floor),
            times_etcd: etcd.map(|etcd| rate / etcd),
            engine_limit_per_second: limit,
            share_of_limit: wall.map(|wall| rate / wall),
        }
    }

    fn rate(&self, subject: Subject, writers: u32) -> Option<f64> {
        let found =
            self.outcomes.iter().find(|known| known.subject == subject && known.writers == writers)?;
        (!found.rounds.is_empty()).then(|| Measured::median(&found.rounds).rate)
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

    const MEMORY: Subject = Subject::Group { via: Via::Embedded, engine: Some(EngineChoice::Memory) };
    const FJALL: Subject = Subject::Group { via: Via::Embedded, engine: Some(EngineChoice::Fjall) };

    fn measured(rate: f64) -> Measured {
        Measured {
            rate,
            latencies: Percentiles { p50: 1_500_000, p99: 2_000_000, p999: 3_000_000, max: 45_678_000 },
            drain: Duration::from_millis(2),
            processor_per_write: Some(Duration::from_micros(9)),
            entries_per_step: Some(3.0),
        }
    }

    impl Report {
        /// Takes out all that was measured of a subject.
        pub(in crate::bench) fn forget(&mut self, subject: Subject) {
            self.outcomes.retain(|outcome| outcome.subject != subject);
        }
    }

    pub(in crate::bench) fn report() -> Report {
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
            value_bytes: 100,
            durability: "sync,sync,majority".to_owned(),
            rounds: 3,
            etcd_version: Some("3.4.23".to_owned()),
        };
        let mut report = Report { machine, settings, outcomes: Vec::new() };
        for (floor, memory, fjall, limit) in [(900.0, 500.0, 250.0, 700.0), (1000.0, 400.0, 200.0, 800.0)] {
            report.add(Subject::Floor, 64, measured(floor));
            report.add(Subject::Etcd, 64, measured(floor / 10.0));
            report.add(MEMORY, 64, measured(memory));
            report.add_limit(FJALL, 64, limit);
            report.add(FJALL, 64, measured(fjall));
        }
        report.add(MEMORY, 1, measured(40.0));
        report
    }

    #[test]
    fn shares_relate_medians_of_the_same_number_of_writers() {
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
    fn a_groups_rate_is_related_to_etcds_at_as_many_writers() {
        let rows = report().rows();
        let times =
            rows.iter().map(|row| (row.what.as_str(), row.writers, row.times_etcd)).collect::<Vec<_>>();
        let expected = [
            ("bare loop", 64, None),
            ("etcd", 64, None),
            ("memory", 64, Some(450.0 / 95.0)),
            ("fjall", 64, Some(225.0 / 95.0)),
            ("memory", 1, None),
        ];
        assert_eq!(times, expected);
    }

    #[test]
    fn the_json_form_holds_every_step() {
        let json: serde_json::Value = serde_json::from_str(&report().json().unwrap()).unwrap();
        assert_eq!(json["steps"].as_array().unwrap().len(), 5);
        assert_eq!(json["steps"][3]["engine_limit_per_second"], 750.0);
        assert_eq!(json["steps"][3]["times_etcd"], 225.0 / 95.0);
        assert_eq!(json["settings"]["etcd_version"], "3.4.23");
        assert_eq!(json["settings"]["rounds"], 3);
        assert_eq!(json["machine"]["round_trip"]["p50"], 70_000);
        assert_eq!(json["machine"]["processors"], 2);
    }
}
