use super::html;
use std::fmt::Write;

/// What an experiment has found, in every form in which it can be told.
pub(super) struct Printed {
    /// Whole lines.
    pub(super) text: String,
    /// One JSON object.
    pub(super) json: String,
    /// A page of HTML that needs nothing else.
    pub(super) page: String,
}

/// A table of figures, with what has to be known of them.
pub(super) struct Sheet {
    pub(super) title: &'static str,
    /// How the figures were found: a line each.
    pub(super) notes: Vec<String>,
    /// The columns' heads, then the rows; all of the same length.
    pub(super) lines: Vec<Vec<String>>,
    /// What columns mean that do not say so themselves.
    pub(super) meanings: &'static [(&'static str, &'static str)],
}

/// What stands where a figure is not known.
pub(super) const UNKNOWN: &str = "-";

impl Printed {
    pub(super) fn of(sheet: &Sheet, json: String) -> Self {
        Self { text: sheet.text(), json, page: html::render_sheet(sheet) }
    }
}

impl Sheet {
    fn text(&self) -> String {
        let mut text = String::new();
        for note in &self.notes {
            let written = writeln!(text, "{note}");
            debug_assert!(written.is_ok(), "a string takes everything");
        }
        text + "\n" + &columns(&self.lines)
    }
}

/// A figure with so many digits behind the point, as far as it is known.
pub(super) fn known(figure: Option<f64>, digits: usize) -> String {
    figure.map_or_else(|| UNKNOWN.to_owned(), |figure| format!("{figure:.digits$}"))
}

/// A time in nanoseconds as milliseconds, to the microsecond.
pub(super) fn millis(nanos: u64) -> String {
    format!("{:.3}", nanos as f64 / 1e6)
}

/// A number of bytes in MiB.
pub(super) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Without the columns of which nothing is known but the head.
pub(super) fn without_unknown(lines: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let is_known = |column: usize| lines.iter().skip(1).any(|line| line[column] != UNKNOWN);
    let kept: Vec<usize> =
        (0..lines.first().map_or(0, Vec::len)).filter(|column| is_known(*column)).collect();
    lines.iter().map(|line| kept.iter().map(|column| line[*column].clone()).collect()).collect()
}

/// Cells in columns as wide as their widest cell, to the right; the second one, which is text, to the left.
pub(super) fn columns(lines: &[Vec<String>]) -> String {
    let width = |column: usize| lines.iter().filter_map(|line| line.get(column)).map(String::len).max();
    let padded = |(column, cell): (usize, &String)| {
        let width = width(column).unwrap_or(0);
        if column == 1 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
    };
    let aligned = |line: &Vec<String>| {
        let cells: Vec<String> = line.iter().enumerate().map(padded).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    lines.iter().map(aligned).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    fn line(cells: [&str; 3]) -> Vec<String> {
        cells.map(str::to_owned).to_vec()
    }

    pub(in crate::bench) fn sheet() -> Sheet {
        Sheet {
            title: "A sheet",
            notes: vec!["how <it> was made".to_owned(), "and when".to_owned()],
            lines: vec![line(["n", "what", "ms"]), line(["16", "a", "1.5"])],
            meanings: &[("ms", "how long it took")],
        }
    }

    #[test]
    fn figures_stand_to_the_right_and_names_to_the_left_below_the_notes() {
        assert_eq!(sheet().text(), "how <it> was made\nand when\n\n n  what   ms\n16  a     1.5\n");
    }

    #[test]
    fn a_column_without_a_figure_is_left_out() {
        let lines = vec![line(["n", "what", "ms"]), line(["1", "-", "-"]), line(["2", "-", "3"])];
        let kept: Vec<_> = without_unknown(lines).into_iter().map(|line| line.join(" ")).collect();
        assert_eq!(kept, ["n ms", "1 -", "2 3"]);
    }

    #[test]
    fn what_is_not_known_is_a_dash() {
        assert_eq!((known(None, 2), known(Some(1.0), 2)), ("-".to_owned(), "1.00".to_owned()));
        assert_eq!((millis(1_234_567), mebibytes(3 << 19)), ("1.235".to_owned(), 1.5));
    }
}
