use super::arguments::BenchArguments;
use super::step::Step;
use std::time::Duration;

/// What a step is measured at, whoever is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Case {
    pub(super) value_bytes: u32,
    /// How many nodes the group has.
    pub(super) nodes: u32,
    pub(super) writers: u32,
}

impl Case {
    /// All that are asked for, in the order in which they are measured.
    pub(super) fn all(arguments: &BenchArguments) -> Vec<Self> {
        let mut cases = Vec::new();
        for value_bytes in &arguments.value_bytes {
            for nodes in &arguments.nodes {
                let case =
                    |writers: &u32| Self { value_bytes: *value_bytes, nodes: *nodes, writers: *writers };
                cases.extend(arguments.writers.iter().map(case));
            }
        }
        cases
    }

    /// What is done at this case.
    pub(super) fn step(&self, arguments: &BenchArguments) -> Step {
        Step {
            writers: self.writers,
            warm_up: Duration::from_secs(arguments.warm_up.into()),
            span: Duration::from_secs(arguments.seconds.into()),
            key_bytes: arguments.key_bytes,
            value_bytes: self.value_bytes,
            values: arguments.values,
        }
    }
}

/// In what the cases of a run differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Differences {
    pub(super) value_bytes: bool,
    pub(super) nodes: bool,
    pub(super) writers: bool,
}

impl Differences {
    pub(super) fn of(cases: &[Case]) -> Self {
        let differ =
            |figure: fn(&Case) -> u32| cases.windows(2).any(|pair| figure(&pair[0]) != figure(&pair[1]));
        Self {
            value_bytes: differ(|case| case.value_bytes),
            nodes: differ(|case| case.nodes),
            writers: differ(|case| case.writers),
        }
    }

    /// A case in words, as far as it differs from others; always with its number of writers.
    pub(super) fn tell(self, case: &Case) -> String {
        let mut text = counted(case.writers, "writer");
        if self.value_bytes {
            text += &format!(", values of {}", counted(case.value_bytes, "byte"));
        }
        if self.nodes {
            text += &format!(", {}", counted(case.nodes, "node"));
        }
        text
    }
}

/// A number of things in words.
pub(super) fn counted(number: u32, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_told_as_far_as_it_differs_from_others() {
        let case = |value_bytes, nodes, writers| Case { value_bytes, nodes, writers };
        let tell = |cases: &[Case]| Differences::of(cases).tell(&cases[0]);
        assert_eq!(tell(&[case(100, 3, 1), case(100, 3, 16)]), "1 writer");
        assert_eq!(tell(&[case(100, 5, 16), case(16, 5, 16)]), "16 writers, values of 100 bytes");
        assert_eq!(tell(&[case(1, 1, 2), case(2, 5, 2)]), "2 writers, values of 1 byte, 1 node");
    }
}
