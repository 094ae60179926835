use super::callgrind::Cost;
use std::collections::BTreeMap;
use std::fmt;

/// What one operation of each piece of work takes, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures(BTreeMap<String, Figure>);

/// What one operation takes, on average.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Figure {
    /// Instructions of the program itself.
    pub(super) instructions: Hundredths,
    /// Calls into shared libraries.
    pub(super) calls: Hundredths,
}

/// A number with two digits behind the point, so that what is written down is what is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hundredths(pub(super) u64);

/// Stands above the figures.
const HEAD: &str = "\
# What one operation takes: instructions of the program's own code, and calls into the C library, on x86-64.
# Written by `cargo xtask bench --bless`; docs/performance.md says how it is counted.
#
# workload               instructions        calls
";

impl Figures {
    /// Reads what [`Display`](fmt::Display) writes.
    ///
    /// # Errors
    /// A sentence with the first line that is not a name and two numbers, or names something again.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut figures = BTreeMap::new();
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            let (name, figure) = parse_line(line)
                .ok_or_else(|| format!("{line:?} is not a name, the instructions and the calls"))?;
            if figures.insert(name, figure).is_some() {
                return Err(format!("{line:?} names its work once more"));
            }
        }
        Ok(Self(figures))
    }

    /// The figure of this piece of work.
    pub(super) fn find(&self, name: &str) -> Option<Figure> {
        self.0.get(name).copied()
    }

    /// The names, sorted.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl FromIterator<(String, Figure)> for Figures {
    fn from_iter<T: IntoIterator<Item = (String, Figure)>>(figures: T) -> Self {
        Self(figures.into_iter().collect())
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        for (name, Figure { instructions, calls }) in &self.0 {
            writeln!(f, "{name:<24} {instructions:>12} {calls:>12}")?;
        }
        Ok(())
    }
}

impl Figure {
    /// What each of `operations` took of `cost`, rounded.
    pub(super) const fn per_operation(cost: Cost, operations: u64) -> Self {
        Self {
            instructions: Hundredths::quotient(cost.instructions, operations),
            calls: Hundredths::quotient(cost.calls, operations),
        }
    }
}

impl Hundredths {
    /// `total` by `count`, which is not 0, rounded.
    const fn quotient(total: u64, count: u64) -> Self {
        Self((total * 100 + count / 2) / count)
    }

    /// Reads what [`Display`](fmt::Display) writes.
    fn parse(text: &str) -> Option<Self> {
        let (whole, rest) = text.split_once('.').filter(|(_, rest)| rest.len() == 2)?;
        let hundreds = whole.parse::<u64>().ok()?.checked_mul(100)?;
        hundreds.checked_add(rest.parse().ok()?).map(Self)
    }

    /// How much more than `earlier` this is, in percent; negative if it is less.
    pub(super) fn change_percent(self, earlier: Self) -> f64 {
        if self == earlier { 0.0 } else { (self.0 as f64 / earlier.0 as f64 - 1.0) * 100.0 }
    }

    /// Whether this is above `earlier` by more than `percent`.
    pub(super) const fn exceeds(self, earlier: Self, percent: u64) -> bool {
        self.0 as u128 * 100 > earlier.0 as u128 * (100 + percent) as u128
    }

    /// Whether this is below `earlier` by more than `percent`, which is below 100.
    pub(super) const fn undercuts(self, earlier: Self, percent: u64) -> bool {
        (self.0 as u128) * 100 < earlier.0 as u128 * (100 - percent) as u128
    }
}

impl fmt::Display for Hundredths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}.{:02}", self.0 / 100, self.0 % 100))
    }
}

fn parse_line(line: &str) -> Option<(String, Figure)> {
    let mut words = line.split_whitespace();
    let name = words.next()?.to_owned();
    let instructions = Hundredths::parse(words.next()?)?;
    let figure = Figure { instructions, calls: Hundredths::parse(words.next()?)? };
    words.next().is_none().then_some((name, figure))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_sorted_by_name() {
        let figure =
            |instructions, calls| Figure { instructions: Hundredths(instructions), calls: Hundredths(calls) };
        let figures: Figures = [("vlsn/append", figure(2614, 0)), ("codec/decode", figure(45_995, 34))]
            .map(|(name, figure)| (name.to_owned(), figure))
            .into_iter()
            .collect();
        let text = figures.to_string();
        assert_eq!(Figures::parse(&text), Ok(figures));
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            lines,
            [
                "codec/decode                   459.95         0.34",
                "vlsn/append                     26.14         0.00",
            ]
        );
    }

    #[test]
    fn an_average_is_rounded_to_hundredths() {
        let figure = Figure::per_operation(Cost { instructions: 470_990, calls: 347 }, 1024);
        assert_eq!((figure.instructions, figure.calls), (Hundredths(45_995), Hundredths(34)));
    }

    #[test]
    fn a_line_that_is_no_figure_is_named() {
        for line in [
            "a 1.00",
            "a 1.00 2",
            "a 1.00 2.0",
            "a 1.00 2.00 3.00",
            "a -1.00 2.00",
            "a 1.00 2.00\na 1.00 2.00",
        ] {
            assert!(Figures::parse(line).unwrap_err().contains("a "), "{line}");
        }
    }
}
