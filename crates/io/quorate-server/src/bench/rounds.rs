use super::BenchError;
use super::measured::median;
use super::printed::known;
use serde::Serialize;
use serde_json::{Map, Value};

/// What one round of an experiment has found.
pub(super) trait Figures: Serialize + 'static {
    /// The columns of the table.
    const COLUMNS: &'static [Column<Self>];
}

/// One figure of a round in a table.
pub(super) struct Column<R: ?Sized> {
    pub(super) head: &'static str,
    /// How many digits it has behind the point.
    pub(super) digits: usize,
    /// None where it is not known.
    pub(super) figure: fn(&R) -> Option<f64>,
}

/// The rounds of all that was measured: a row for each size and name.
pub(super) struct Rounds<R> {
    /// What a size is.
    size: &'static str,
    rows: Vec<Row<R>>,
}

struct Row<R> {
    size: u64,
    what: String,
    rounds: Vec<R>,
}

impl<R: Figures> Rounds<R> {
    /// No rounds yet. `size` is the head of the sizes' column.
    pub(super) const fn new(size: &'static str) -> Self {
        Self { size, rows: Vec::new() }
    }

    /// Takes in a round.
    pub(super) fn add(&mut self, size: u64, what: &str, round: R) {
        match self.rows.iter_mut().find(|row| row.size == size && row.what == what) {
            Some(row) => row.rounds.push(round),
            None => self.rows.push(Row { size, what: what.to_owned(), rounds: vec![round] }),
        }
    }

    /// The heads, then the medians of each row.
    pub(super) fn lines(&self) -> Vec<Vec<String>> {
        let heads =
            [self.size, "what", "rounds"].into_iter().chain(R::COLUMNS.iter().map(|column| column.head));
        let heads = heads.map(str::to_owned).collect();
        std::iter::once(heads).chain(self.rows.iter().map(Row::cells)).collect()
    }

    /// The rows, each with the median of every figure and with its rounds.
    ///
    /// # Errors
    /// [`BenchError::Json`].
    pub(super) fn json(&self) -> Result<Vec<Value>, BenchError> {
        self.rows.iter().map(|row| row.json(self.size)).collect()
    }
}

impl<R: Figures> Row<R> {
    fn cells(&self) -> Vec<String> {
        let mut cells = vec![self.size.to_string(), self.what.clone(), self.rounds.len().to_string()];
        cells.extend(R::COLUMNS.iter().map(|column| {
            let figures: Vec<f64> = self.rounds.iter().filter_map(column.figure).collect();
            known((!figures.is_empty()).then(|| median(&figures, |figure| *figure)), column.digits)
        }));
        cells
    }

    fn json(&self, size: &str) -> Result<Value, BenchError> {
        let rounds = self.rounds.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>()?;
        let mut row = Map::new();
        row.insert(size.to_owned(), self.size.into());
        row.insert("what".to_owned(), self.what.clone().into());
        let names = rounds.first().and_then(Value::as_object).into_iter().flat_map(Map::keys);
        for name in names {
            let figures: Vec<f64> = rounds.iter().filter_map(|round| round[name].as_f64()).collect();
            if !figures.is_empty() {
                row.insert(name.clone(), median(&figures, |figure| *figure).into());
            }
        }
        row.insert("rounds".to_owned(), rounds.into());
        Ok(row.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Trial {
        seconds: f64,
        bytes: Option<u64>,
    }

    impl Figures for Trial {
        const COLUMNS: &'static [Column<Self>] = &[
            Column { head: "s", digits: 1, figure: |trial| Some(trial.seconds) },
            Column { head: "bytes", digits: 0, figure: |trial| trial.bytes.map(|bytes| bytes as f64) },
        ];
    }

    fn rounds() -> Rounds<Trial> {
        let mut rounds = Rounds::new("entries");
        for (size, seconds, bytes) in
            [(10, 3.0, None), (20, 1.0, Some(7)), (20, 9.0, Some(9)), (20, 2.0, None)]
        {
            rounds.add(size, "log", Trial { seconds, bytes });
        }
        rounds
    }

    #[test]
    fn a_row_has_the_median_of_each_figure_as_far_as_it_is_known() {
        let lines: Vec<String> = rounds().lines().iter().map(|line| line.join(" ")).collect();
        assert_eq!(lines, ["entries what rounds s bytes", "10 log 1 3.0 -", "20 log 3 2.0 8"]);
    }

    #[test]
    fn the_json_form_has_the_medians_and_every_round() {
        let json = Value::from(rounds().json().unwrap());
        assert_eq!((&json[1]["entries"], &json[1]["seconds"]), (&20.into(), &2.0.into()));
        assert_eq!((&json[0]["bytes"], &json[1]["bytes"]), (&Value::Null, &8.0.into()));
        assert_eq!(json[1]["rounds"][1]["seconds"], 9.0);
    }
}
