use super::CatchUp;
use crate::EngineChoice;
use crate::bench::BenchError;
use crate::bench::arguments::BenchArguments;
use crate::bench::measured::median;
use crate::bench::printed::{Printed, Sheet};
use serde::Serialize;
use std::fmt;

/// All that was found of catch-ups.
pub(super) struct CatchUpReport {
    settings: Settings,
    outcomes: Vec<Outcome>,
}

/// How the catch-ups were made.
#[derive(Clone, Debug, Serialize)]
struct Settings {
    entries: u64,
    warm_up_seconds: u32,
    key_bytes: u32,
    value_bytes: u32,
    durability: String,
}

struct Outcome {
    engine: EngineChoice,
    writers: u32,
    rounds: Vec<Round>,
}

/// One catch-up.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Round {
    /// What the replica lacked when its process was started.
    entries: u64,
    /// From there until its environment was open, in milliseconds.
    open_ms: f64,
    /// From there until it had applied what it lacked.
    seconds: f64,
    entries_per_second: f64,
    /// Entries in each step of the replica's engine, on average.
    entries_per_engine_step: u64,
    /// What the engine takes alone, so many at a time.
    engine_per_second: f64,
    share_of_engine: f64,
    /// What the writers wrote meanwhile.
    writes_per_second: f64,
}

#[derive(Clone, Debug, Serialize)]
struct Row<'a> {
    what: &'static str,
    writers: u32,
    open_ms: f64,
    seconds: f64,
    entries_per_second: f64,
    engine_per_second: f64,
    share_of_engine: f64,
    writes_per_second: f64,
    rounds: &'a [Round],
}

impl Round {
    pub(super) fn new(entries: u64, catch_up: &CatchUp, batch: u64, engine_per_second: f64) -> Self {
        let seconds = catch_up.elapsed.as_secs_f64();
        let entries_per_second = entries as f64 / seconds;
        Self {
            entries,
            open_ms: catch_up.opened.as_secs_f64() * 1e3,
            seconds,
            entries_per_second,
            entries_per_engine_step: batch,
            engine_per_second,
            share_of_engine: entries_per_second / engine_per_second,
            writes_per_second: catch_up.writes as f64 / catch_up.load_elapsed.as_secs_f64(),
        }
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { entries, seconds, entries_per_second, engine_per_second, .. } = self;
        write!(
            f,
            "{entries} entries in {seconds:.2} s, {entries_per_second:.0}/s; the engine alone \
            {engine_per_second:.0}/s"
        )
    }
}

impl CatchUpReport {
    pub(super) fn new(arguments: &BenchArguments, entries: u64) -> Self {
        let settings = Settings {
            entries,
            warm_up_seconds: arguments.warm_up,
            key_bytes: arguments.key_bytes,
            value_bytes: arguments.value_bytes(),
            durability: arguments.durability().to_string(),
        };
        Self { settings, outcomes: Vec::new() }
    }

    /// Takes in a round.
    pub(super) fn add(&mut self, engine: EngineChoice, writers: u32, round: Round) {
        let known = self.outcomes.iter_mut().find(|known| known.engine == engine && known.writers == writers);
        match known {
            Some(outcome) => outcome.rounds.push(round),
            None => self.outcomes.push(Outcome { engine, writers, rounds: vec![round] }),
        }
    }

    /// The report in both forms.
    ///
    /// # Errors
    /// [`BenchError::Json`].
    pub(super) fn printed(&self) -> Result<Printed, BenchError> {
        let rows: Vec<Row<'_>> = self.outcomes.iter().map(Outcome::row).collect();
        let json = serde_json::json!({ "settings": self.settings, "catch_ups": rows });
        Ok(Printed::of(&self.sheet(&rows), serde_json::to_string_pretty(&json)?))
    }

    fn sheet(&self, rows: &[Row<'_>]) -> Sheet {
        let Settings { entries, key_bytes, value_bytes, durability, .. } = &self.settings;
        let mut lines = vec![HEADS.map(str::to_owned).to_vec()];
        lines.extend(rows.iter().map(Row::cells));
        Sheet {
            title: "Catch-up",
            notes: vec![
                format!(
                    "a replica catches up with {entries} writes and those of the warm-up, while writers go on"
                ),
                format!("keys of {key_bytes} bytes, values of {value_bytes}, {durability}; medians"),
            ],
            lines,
            meanings: &MEANINGS,
        }
    }
}

const MEANINGS: [(&str, &str); 4] = [
    ("open ms", "from the start of the replica's process until its environment was open"),
    ("entries/s", "from the start of the replica's process until it had applied what it lacked"),
    ("engine/s", "entries a second that the engine alone applies, as many at a time"),
    ("writes/s", "what the writers wrote meanwhile"),
];

const HEADS: [&str; 9] =
    ["writers", "what", "rounds", "open ms", "seconds", "entries/s", "engine/s", "of engine", "writes/s"];

impl Outcome {
    fn row(&self) -> Row<'_> {
        let of = |figure: fn(&Round) -> f64| median(&self.rounds, figure);
        Row {
            what: self.engine.name(),
            writers: self.writers,
            open_ms: of(|round| round.open_ms),
            seconds: of(|round| round.seconds),
            entries_per_second: of(|round| round.entries_per_second),
            engine_per_second: of(|round| round.engine_per_second),
            share_of_engine: of(|round| round.share_of_engine),
            writes_per_second: of(|round| round.writes_per_second),
            rounds: &self.rounds,
        }
    }
}

impl Row<'_> {
    fn cells(&self) -> Vec<String> {
        vec![
            self.writers.to_string(),
            self.what.to_owned(),
            self.rounds.len().to_string(),
            format!("{:.1}", self.open_ms),
            format!("{:.2}", self.seconds),
            format!("{:.0}", self.entries_per_second),
            format!("{:.0}", self.engine_per_second),
            format!("{:.2}", self.share_of_engine),
            format!("{:.0}", self.writes_per_second),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_rate_counts_from_the_start_of_the_process_and_its_share_is_of_the_same_round() {
        let round = |seconds, engine| {
            let elapsed = Duration::from_secs(seconds);
            let opened = Duration::from_millis(100);
            Round::new(1000, &CatchUp { opened, elapsed, writes: 50, load_elapsed: 2 * elapsed }, 7, engine)
        };
        let rounds = vec![round(10, 200.0), round(5, 250.0), round(2, 2000.0)];
        let outcome = Outcome { engine: EngineChoice::Redb, writers: 4, rounds };
        let row = outcome.row();
        assert_eq!((row.entries_per_second, row.engine_per_second, row.share_of_engine), (200.0, 250.0, 0.5));
        assert_eq!((row.seconds, row.writes_per_second, row.open_ms), (5.0, 5.0, 100.0));
        assert_eq!(row.cells()[1..6], ["redb", "3", "100.0", "5.00", "200"].map(str::to_owned));
    }
}
