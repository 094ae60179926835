use std::fmt;

/// Less has happened in a history than it should tell of, although it took as long as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortage {
    /// How many operations of clients ended.
    pub operations: u64,
    /// How many there should be at least.
    pub operations_min: u64,
    /// How many faults there were.
    pub faults: u64,
    /// How many there should be at least.
    pub faults_min: u64,
}

impl Shortage {
    pub(crate) const fn is_one(&self) -> bool {
        self.operations < self.operations_min || self.faults < self.faults_min
    }
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operations, operations_min, faults, faults_min } = self;
        let lacks = [(operations, operations_min, "operations"), (faults, faults_min, "faults")];
        let lacks = lacks.iter().filter(|(count, least, _)| count < least);
        let words: Vec<_> = lacks.map(|(count, least, what)| format!("{count} of {least} {what}")).collect();
        f.write_str(&words.join(" and "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortage_names_what_is_missing_and_only_that() {
        let mut shortage = Shortage { operations: 3, operations_min: 20, faults: 5, faults_min: 5 };
        assert_eq!(shortage.to_string(), "3 of 20 operations");
        shortage.faults = 4;
        assert_eq!(shortage.to_string(), "3 of 20 operations and 4 of 5 faults");
        shortage.operations = 20;
        assert_eq!(shortage.to_string(), "4 of 5 faults");
        shortage.faults = 5;
        assert!(!shortage.is_one());
    }
}
