use super::Blow;
use super::round::Round;
use crate::EngineChoice;
use crate::bench::BenchError;
use crate::bench::arguments::BenchArguments;
use crate::bench::measured::median;
use crate::bench::printed::{Printed, Sheet};
use serde::Serialize;

/// All that was found of failovers.
pub(super) struct FailoverReport {
    settings: Settings,
    pub(super) outcomes: Vec<Outcome>,
}

/// How the failovers were made.
#[derive(Clone, Debug, Serialize)]
struct Settings {
    by: Blow,
    warm_up_seconds: u32,
    seconds: u32,
    value_bytes: u32,
    durability: String,
}

/// All rounds with one engine and so many writers.
pub(super) struct Outcome {
    pub(super) engine: EngineChoice,
    pub(super) writers: u32,
    pub(super) rounds: Vec<Round>,
    /// How many writes were acknowledged. All of them were found on every node.
    pub(super) acknowledged: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Row<'a> {
    what: &'static str,
    writers: u32,
    first_write_ms_median: f64,
    first_write_ms_worst: f64,
    gap_ms_median: f64,
    gap_ms_worst: f64,
    acknowledged: u64,
    lost: u64,
    rounds: &'a [Round],
}

impl FailoverReport {
    pub(super) fn new(arguments: &BenchArguments) -> Self {
        let settings = Settings {
            by: arguments.failover.failover_by,
            warm_up_seconds: arguments.warm_up,
            seconds: arguments.seconds,
            value_bytes: arguments.value_bytes(),
            durability: arguments.durability().to_string(),
        };
        Self { settings, outcomes: Vec::new() }
    }

    /// The report in both forms.
    ///
    /// # Errors
    /// [`BenchError::Json`].
    pub(super) fn printed(&self) -> Result<Printed, BenchError> {
        let rows: Vec<Row<'_>> = self.outcomes.iter().map(Outcome::row).collect();
        let json = serde_json::json!({ "settings": self.settings, "failovers": rows });
        Ok(Printed::of(&self.sheet(&rows), serde_json::to_string_pretty(&json)?))
    }

    fn sheet(&self, rows: &[Row<'_>]) -> Sheet {
        let Settings { by, warm_up_seconds, seconds, value_bytes, durability } = &self.settings;
        let blow = match by {
            Blow::Kill => "kill -9 of the master, which is then started again",
            Blow::Stop => "SIGSTOP of the master, then SIGCONT",
        };
        let found = "every acknowledged write was found on every node";
        let mut lines = vec![HEADS.map(str::to_owned).to_vec()];
        lines.extend(rows.iter().map(Row::cells));
        Sheet {
            title: "Failover",
            notes: vec![
                format!("{blow}; {warm_up_seconds} s of load before, {seconds} s after"),
                format!("values of {value_bytes} bytes, {durability}; {found}"),
            ],
            lines,
            meanings: &MEANINGS,
        }
    }
}

const MEANINGS: [(&str, &str); 2] = [
    ("first write ms", "from the blow until a write was acknowledged that a new master has written"),
    ("gap ms", "the longest time in which no client had a write acknowledged"),
];

const HEADS: [&str; 9] =
    ["writers", "what", "rounds", "first write ms", "worst ms", "gap ms", "worst ms", "acknowledged", "lost"];

impl Outcome {
    fn row(&self) -> Row<'_> {
        let worst = |figure: fn(&Round) -> f64| self.rounds.iter().map(figure).fold(0.0, f64::max);
        Row {
            what: self.engine.name(),
            writers: self.writers,
            first_write_ms_median: median(&self.rounds, |round| round.first_write_ms),
            first_write_ms_worst: worst(|round| round.first_write_ms),
            gap_ms_median: median(&self.rounds, |round| round.gap_ms),
            gap_ms_worst: worst(|round| round.gap_ms),
            acknowledged: self.acknowledged,
            lost: 0,
            rounds: &self.rounds,
        }
    }
}

impl Row<'_> {
    fn cells(&self) -> Vec<String> {
        let millis = |figure: f64| format!("{figure:.1}");
        vec![
            self.writers.to_string(),
            self.what.to_owned(),
            self.rounds.len().to_string(),
            millis(self.first_write_ms_median),
            millis(self.first_write_ms_worst),
            millis(self.gap_ms_median),
            millis(self.gap_ms_worst),
            self.acknowledged.to_string(),
            self.lost.to_string(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_the_median_and_the_worst_of_its_rounds() {
        let round = |first_write_ms, gap_ms| Round { first_write_ms, gap_ms, under_way: 16 };
        let rounds = vec![round(30.0, 41.0), round(90.0, 99.0), round(10.0, 11.0), round(50.0, 51.0)];
        let outcome = Outcome { engine: EngineChoice::Fjall, writers: 16, rounds, acknowledged: 7 };
        let row = outcome.row();
        assert_eq!((row.first_write_ms_median, row.first_write_ms_worst), (40.0, 90.0));
        assert_eq!((row.gap_ms_median, row.gap_ms_worst), (46.0, 99.0));
        assert_eq!(row.cells()[1..7], ["fjall", "4", "40.0", "90.0", "46.0", "99.0"].map(str::to_owned));
    }
}
