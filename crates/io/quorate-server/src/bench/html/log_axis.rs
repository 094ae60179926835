/// A logarithmic axis. Its values are above zero.
pub(super) struct LogAxis {
    lowest: f64,
    highest: f64,
    /// Where the lowest value stands, in pixels.
    start: f64,
    /// Where the highest value stands.
    end: f64,
}

/// More ticks than this would be too dense.
const TICKS_MAX: usize = 9;
/// The multiples of a power of ten that are round, with the next such power.
const ROUND: [f64; 4] = [1.0, 2.0, 5.0, 10.0];
/// By how much a value may miss a round one and be taken for it.
const TOLERANCE: f64 = 1e-9;

impl LogAxis {
    /// An axis from a round value to another, with all `values` between them. None if there are no values.
    pub(super) fn around(values: &[f64], start: f64, end: f64) -> Option<Self> {
        let (least, greatest) = bounds(values)?;
        let (mut lowest, mut highest) = (round_below(least), round_above(greatest));
        if highest <= lowest {
            (lowest, highest) = (round_below(lowest / 1.5), round_above(highest * 1.5));
        }
        Some(Self { lowest, highest, start, end })
    }

    /// An axis that begins and ends a little outside `values`. None if there are none.
    pub(super) fn close_to(values: &[f64], start: f64, end: f64) -> Option<Self> {
        const MARGIN: f64 = 1.3;
        let (least, greatest) = bounds(values)?;
        Some(Self { lowest: least / MARGIN, highest: greatest * MARGIN, start, end })
    }

    /// Where a value stands, in pixels.
    pub(super) fn position(&self, value: f64) -> f64 {
        let share = (value / self.lowest).ln() / (self.highest / self.lowest).ln();
        self.start + share * (self.end - self.start)
    }

    /// Round values on the axis, from the lowest on: 1, 2 and 5 times powers of ten, or the powers alone where
    /// the axis is long.
    pub(super) fn ticks(&self) -> Vec<f64> {
        let exponents = exponent(self.lowest)..=exponent(self.highest);
        let multiples = |factors: &'static [f64]| {
            let all = exponents
                .clone()
                .flat_map(|exponent| factors.iter().map(move |factor| scaled(*factor, exponent)));
            all.filter(|tick| self.holds(*tick)).collect::<Vec<_>>()
        };
        let fine = multiples(&ROUND[..3]);
        if fine.len() <= TICKS_MAX { fine } else { multiples(&ROUND[..1]) }
    }

    fn holds(&self, value: f64) -> bool {
        value >= self.lowest * (1.0 - TOLERANCE) && value <= self.highest * (1.0 + TOLERANCE)
    }
}

/// How a round value is written at its tick.
pub(super) fn label(value: f64) -> String {
    if value >= 1e6 {
        format!("{}M", value / 1e6)
    } else if value >= 1e3 {
        format!("{}k", value / 1e3)
    } else {
        value.to_string()
    }
}

fn bounds(values: &[f64]) -> Option<(f64, f64)> {
    let least = values.iter().copied().reduce(f64::min)?;
    let greatest = values.iter().copied().reduce(f64::max)?;
    Some((least, greatest))
}

fn round_below(value: f64) -> f64 {
    let exponent = exponent(value);
    let below = ROUND.iter().rev().map(|factor| scaled(*factor, exponent));
    below.into_iter().find(|round| *round <= value * (1.0 + TOLERANCE)).unwrap_or(value)
}

fn round_above(value: f64) -> f64 {
    let exponent = exponent(value);
    let above = ROUND.iter().map(|factor| scaled(*factor, exponent));
    above.into_iter().find(|round| *round >= value * (1.0 - TOLERANCE)).unwrap_or(value)
}

/// The greatest power of ten that is not above the value.
fn exponent(value: f64) -> i32 {
    value.log10().floor() as i32
}

/// `factor` times a power of ten, as near to it as a number gets.
fn scaled(factor: f64, exponent: i32) -> f64 {
    if exponent < 0 { factor / 10_f64.powi(-exponent) } else { factor * 10_f64.powi(exponent) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_goes_from_a_round_value_to_another_and_equal_ratios_are_equally_long() {
        let axis = LogAxis::around(&[30.0, 700.0], 100.0, 0.0).unwrap();
        assert_eq!(axis.ticks(), [20.0, 50.0, 100.0, 200.0, 500.0, 1000.0]);
        let position = |value| axis.position(value);
        assert_eq!((position(20.0), position(1000.0)), (100.0, 0.0));
        let (one, other) = (position(20.0) - position(40.0), position(300.0) - position(600.0));
        assert!((one - other).abs() < 1e-9, "{one} {other}");
    }

    #[test]
    fn a_single_value_stands_inside_the_axis() {
        for value in [0.05, 1.0, 73.0] {
            let axis = LogAxis::around(&[value], 0.0, 10.0).unwrap();
            assert!((0.1..9.9).contains(&axis.position(value)), "{value}");
            let close = LogAxis::close_to(&[value], 0.0, 10.0).unwrap();
            assert!((close.position(value) - 5.0).abs() < 1e-9);
        }
        assert!(LogAxis::around(&[], 0.0, 10.0).is_none());
    }

    #[test]
    fn a_long_axis_has_powers_of_ten_alone() {
        let axis = LogAxis::around(&[0.02, 4000.0], 0.0, 10.0).unwrap();
        assert_eq!(axis.ticks(), [0.1, 1.0, 10.0, 100.0, 1000.0]);
    }

    #[test]
    fn ticks_are_labelled_in_few_letters() {
        let labels = [0.05, 0.2, 1.0, 500.0, 1000.0, 20_000.0, 5e6].map(label);
        assert_eq!(labels, ["0.05", "0.2", "1", "500", "1k", "20k", "5M"]);
    }
}
