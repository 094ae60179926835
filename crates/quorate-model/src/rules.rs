/// A rule that can be left out, to see that the search finds out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Entries of earlier terms commit only together with one of the master's own.
    OwnTermCommits,
    /// Nothing below a promise is accepted.
    PromiseKept,
}

impl Rule {
    /// All rules.
    pub const ALL: [Self; 2] = [Self::OwnTermCommits, Self::PromiseKept];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OwnTermCommits => "own-term-commits",
            Self::PromiseKept => "promise-kept",
        }
    }

    /// The rule with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rule| rule.name() == name)
    }
}
