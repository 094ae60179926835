use super::figures::{Figure, Figures, Hundredths};
use std::collections::BTreeSet;
use std::fmt;

/// By how much a count may differ from its figure. More is either a mistake or worth a word in the commit.
pub(super) const LIMIT_PERCENT: u64 = 5;

/// The counts of today beside the committed figures, by name.
#[derive(Debug)]
pub(super) struct Comparison {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    name: String,
    figure: Option<Figure>,
    count: Option<Figure>,
}

impl Comparison {
    /// Puts everything beside each other that either of the two names.
    pub(super) fn new(figures: &Figures, counts: &Figures) -> Self {
        let names: BTreeSet<&str> = figures.names().chain(counts.names()).collect();
        let row =
            |name: &str| Row { name: name.to_owned(), figure: figures.find(name), count: counts.find(name) };
        Self { rows: names.into_iter().map(row).collect() }
    }

    /// What must not be: a sentence for each.
    pub(super) fn violations(&self) -> Vec<String> {
        self.rows.iter().flat_map(Row::violations).collect()
    }

    /// The names of what takes so much less that the figures no longer guard it.
    pub(super) fn better(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().filter(|row| row.is_better()).map(|row| row.name.as_str())
    }
}

impl Row {
    fn violations(&self) -> Vec<String> {
        let name = &self.name;
        match (self.figure, self.count) {
            (None, _) => vec![format!("{name} has no figure yet")],
            (_, None) => vec![format!("{name} has a figure, and nothing counts it any more")],
            (Some(figure), Some(count)) => {
                let worse = [
                    self.worse("instructions", figure.instructions, count.instructions),
                    self.worse("calls", figure.calls, count.calls),
                ];
                worse.into_iter().flatten().collect()
            }
        }
    }

    fn worse(&self, what: &str, figure: Hundredths, count: Hundredths) -> Option<String> {
        let sentence =
            || format!("{} takes {count} {what}, over {LIMIT_PERCENT} % more than {figure}", self.name);
        count.exceeds(figure, LIMIT_PERCENT).then(sentence)
    }

    fn is_better(&self) -> bool {
        let (Some(figure), Some(count)) = (self.figure, self.count) else { return false };
        count.instructions.undercuts(figure.instructions, LIMIT_PERCENT)
            || count.calls.undercuts(figure.calls, LIMIT_PERCENT)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = ["instructions", "before", "change", "calls", "before", "change"];
        write!(f, "{:<20}", "per operation")?;
        head.iter().try_for_each(|word| write!(f, " {word:>12}"))?;
        writeln!(f)?;
        for Row { name, figure, count } in &self.rows {
            write!(f, "{name:<20}")?;
            write_counts(f, figure.map(|figure| figure.instructions), count.map(|count| count.instructions))?;
            write_counts(f, figure.map(|figure| figure.calls), count.map(|count| count.calls))?;
            writeln!(f)?;
        }
        Ok(())
    }
}

fn write_counts(
    f: &mut fmt::Formatter<'_>,
    figure: Option<Hundredths>,
    count: Option<Hundredths>,
) -> fmt::Result {
    let shown = |number: Option<Hundredths>| number.map_or("-".to_owned(), |number| number.to_string());
    let change = figure.zip(count).map(|(figure, count)| format!("{:+.1} %", count.change_percent(figure)));
    write!(f, " {:>12} {:>12} {:>12}", shown(count), shown(figure), change.as_deref().unwrap_or("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIGURES: &str = "codec/encode 500.00 2.00\nvlsn/append 26.00 0.00";

    fn compare(counts: &str) -> Comparison {
        Comparison::new(&Figures::parse(FIGURES).unwrap(), &Figures::parse(counts).unwrap())
    }

    #[test]
    fn six_percent_more_instructions_fail_and_four_do_not() {
        let worse = compare("codec/encode 530.00 2.00\nvlsn/append 26.00 0.00");
        assert_eq!(worse.violations(), ["codec/encode takes 530.00 instructions, over 5 % more than 500.00"]);
        assert_eq!(compare("codec/encode 520.00 2.00\nvlsn/append 27.00 0.00").violations(), [""; 0]);
    }

    #[test]
    fn more_calls_fail_too_also_where_there_were_none() {
        let worse = compare("codec/encode 500.00 3.00\nvlsn/append 26.00 0.01");
        assert_eq!(
            worse.violations(),
            [
                "codec/encode takes 3.00 calls, over 5 % more than 2.00",
                "vlsn/append takes 0.01 calls, over 5 % more than 0.00",
            ]
        );
    }

    #[test]
    fn work_without_a_figure_and_a_figure_without_work_are_named() {
        let changed = compare("codec/decode 400.00 1.00\nvlsn/append 26.00 0.00");
        assert_eq!(
            changed.violations(),
            ["codec/decode has no figure yet", "codec/encode has a figure, and nothing counts it any more",]
        );
    }

    #[test]
    fn six_percent_less_are_named_to_be_kept_and_four_are_not() {
        let less = compare("codec/encode 470.00 2.00\nvlsn/append 25.00 0.00");
        assert_eq!(less.violations(), [""; 0]);
        assert_eq!(less.better().collect::<Vec<_>>(), ["codec/encode"]);
        assert_eq!(compare("codec/encode 500.00 1.00\nvlsn/append 26.00 0.00").better().count(), 1);
    }

    #[test]
    fn the_table_shows_what_is_and_what_was() {
        let table = compare("codec/encode 530.00 2.00\nvlsn/look-up 16.00 0.00").to_string();
        assert!(table.contains("codec/encode               530.00       500.00       +6.0 %"), "{table}");
        assert!(table.contains("vlsn/append                     -        26.00            -"), "{table}");
    }
}
