use crate::Log;

/// How much happens at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Nodes of the group, 1 to 7; in [strides](Pace::Strides) 1 to 3.
    pub nodes: u16,
    /// Rounds of ballots; each node may propose in each. In [strides](Pace::Strides) they say only how many
    /// elections there can be, as if each had a proposer left who is fit for it.
    pub rounds: u64,
    /// Ballots in all; in [strides](Pace::Strides) only those that elect somebody count. `None`: as many as
    /// the rounds have.
    pub ballots: Option<u64>,
    /// Entries that applications write.
    pub writes: u8,
    /// Crashes of each node; in [strides](Pace::Strides) any number but 0 stands for every number.
    pub crashes: u8,
}

/// How the group moves from one state to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// By what one node does at one moment: every order of everything is tried.
    SingleSteps,
    /// By several such steps that nothing need come between: far fewer states, for groups of up to 3 nodes.
    Strides,
}

/// Why a group cannot be searched within some bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BoundsError {
    /// The group is too small or too large.
    #[error("a group of {nodes} nodes cannot be searched like this: use 1 to 3, or 1 to 7 in single steps")]
    Nodes {
        /// Its nodes.
        nodes: u16,
    },
    /// There are more rounds than terms can tell apart.
    #[error("{rounds} rounds are too many: use up to {}", Log::ROUND_MAX)]
    Rounds {
        /// The rounds.
        rounds: u64,
    },
    /// There may be more entries than a log can hold: one for each ballot and each write.
    #[error(
        "{ballots} ballots and {writes} writes can make longer logs than are searched: use up to {} together",
        Log::ENTRIES_MAX
    )]
    Entries {
        /// The ballots.
        ballots: u64,
        /// The writes.
        writes: u8,
    },
}

impl Bounds {
    /// How many ballots there can be in all.
    #[must_use]
    pub fn ballots_max(&self) -> u64 {
        let of_rounds = self.rounds.saturating_mul(self.nodes.into());
        self.ballots.map_or(of_rounds, |ballots| ballots.min(of_rounds))
    }

    pub(crate) fn check(self, pace: Pace) -> Result<(), BoundsError> {
        let Self { nodes, rounds, writes, .. } = self;
        let ballots = self.ballots_max();
        if !(1..=pace.nodes_max()).contains(&nodes) {
            return Err(BoundsError::Nodes { nodes });
        }
        if rounds > Log::ROUND_MAX {
            return Err(BoundsError::Rounds { rounds });
        }
        if ballots + u64::from(writes) > Log::ENTRIES_MAX as u64 {
            return Err(BoundsError::Entries { ballots, writes });
        }
        Ok(())
    }
}

impl Pace {
    /// The largest group that can be searched at this pace, in nodes.
    pub(crate) const fn nodes_max(self) -> u16 {
        match self {
            Self::SingleSteps => 7,
            Self::Strides => 3,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_that_a_state_cannot_hold_are_refused() {
        let bounds = Bounds { nodes: 3, rounds: 3, ballots: None, writes: 14, crashes: 1 };
        assert_eq!(bounds.check(Pace::Strides), Ok(()));
        let four = Bounds { nodes: 4, ballots: Some(3), ..bounds };
        assert_eq!(four.check(Pace::SingleSteps), Ok(()));
        assert_eq!(four.check(Pace::Strides), Err(BoundsError::Nodes { nodes: 4 }));
        let writes = Bounds { writes: 15, ..bounds };
        assert_eq!(writes.check(Pace::Strides), Err(BoundsError::Entries { ballots: 9, writes: 15 }));
        let rounds = Bounds { rounds: 32, ballots: Some(1), ..bounds };
        assert_eq!(rounds.check(Pace::Strides), Err(BoundsError::Rounds { rounds: 32 }));
    }
}
