use crate::{FaultKind, Strike};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// The faults of a history that are left in, all others being left out: those that strike one by one by
/// their numbers, those that have a rate by their names.
///
/// Written as on the command line: `3,17,loss`; `none` leaves out all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    pub(crate) strikes: BTreeSet<usize>,
    pub(crate) ambient: BTreeSet<FaultKind>,
}

/// What is not a selection of faults.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{part:?} is neither the number of a fault nor the name of one that has a rate, such as {example:?}")]
pub struct SelectionError {
    /// What stands there.
    pub part: String,
    /// A name that could.
    pub example: &'static str,
}

impl Selection {
    /// Whether this fault is left in.
    #[must_use]
    pub fn keeps(&self, strike: &Strike) -> bool {
        self.strikes.contains(&strike.number)
    }
}

impl FromStr for Selection {
    type Err = SelectionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut selection = Self::default();
        for part in text.split(',').filter(|_| text != "none") {
            match (part.parse(), FaultKind::named(part).filter(|kind| kind.is_ambient())) {
                (Ok(number), _) => drop(selection.strikes.insert(number)),
                (Err(_), Some(kind)) => drop(selection.ambient.insert(kind)),
                (Err(_), None) => {
                    let (part, example) = (part.to_owned(), FaultKind::Loss.name());
                    return Err(SelectionError { part, example });
                }
            }
        }
        Ok(selection)
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let strikes = self.strikes.iter().map(usize::to_string);
        let ambient = self.ambient.iter().map(|kind| kind.name().to_owned());
        let parts: Vec<String> = strikes.chain(ambient).collect();
        f.write_str(if parts.is_empty() { "none".to_owned() } else { parts.join(",") }.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_selection_is_read_as_it_is_written() {
        for text in ["none", "3", "3,17", "loss,clock-skew", "0,5,duplication"] {
            assert_eq!(text.parse::<Selection>().map(|selection| selection.to_string()), Ok(text.into()));
        }
    }

    #[test]
    fn what_selects_nothing_is_named() {
        for text in ["", "x", "3,,4", "crash"] {
            assert!(text.parse::<Selection>().is_err(), "{text:?}");
        }
    }
}
