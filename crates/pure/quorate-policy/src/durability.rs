use alloc::string::{String, ToString};
use core::fmt;
use core::str::FromStr;
use quorate_core::Requirement;

/// What a node does with an entry before its copy counts.
///
/// A log writes every entry to its file before it acknowledges it, so `NoSync` is `WriteNoSync` at present;
/// it allows a log to do less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum SyncPolicy {
    /// Written and fsynced: the copy survives power loss.
    #[default]
    Sync,
    /// Written to the file: the copy survives the process, and power loss only by luck.
    WriteNoSync,
    /// Nothing is asked.
    NoSync,
}

impl SyncPolicy {
    const ALL: [Self; 3] = [Self::Sync, Self::WriteNoSync, Self::NoSync];

    const fn word(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::WriteNoSync => "write-no-sync",
            Self::NoSync => "no-sync",
        }
    }
}

/// Whose copies a caller waits for. It never changes what is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum ReplicaAckPolicy {
    /// Every electable node's: none of them may be away.
    All,
    /// Those of a write quorum, which is when the entry is committed.
    #[default]
    SimpleMajority,
    /// Nobody's but the master's own. The write may still be lost to a failover, though nobody sees it before
    /// it is committed.
    None,
}

impl ReplicaAckPolicy {
    const EVERY: [Self; 3] = [Self::All, Self::SimpleMajority, Self::None];

    const fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::SimpleMajority => "majority",
            Self::None => "none",
        }
    }
}

/// How durable a commit must be before its caller hears of it.
///
/// The default, `sync,sync,majority`, loses no acknowledged commit to crashes and power losses. The text form
/// names the three parts in the order of the fields, as in `sync,write-no-sync,all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct CommitDurability {
    /// What the master does before its own copy counts.
    pub local: SyncPolicy,
    /// What a replica does before its copy counts.
    pub replica: SyncPolicy,
    /// Whose copies the caller waits for.
    pub acks: ReplicaAckPolicy,
}

impl CommitDurability {
    /// What is asked of each copy, as every frame carries it.
    #[must_use]
    pub fn requirement(&self) -> Requirement {
        Requirement {
            local_sync: self.local == SyncPolicy::Sync,
            replica_sync: self.replica == SyncPolicy::Sync,
        }
    }
}

impl fmt::Display for CommitDurability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{}", self.local.word(), self.replica.word(), self.acks.word())
    }
}

/// Why a text is no durability.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CommitDurabilityError {
    /// There are not three parts.
    #[error("{text:?} is not of the form local,replica,acks: write for example sync,sync,majority")]
    Form {
        /// The text.
        text: String,
    },
    /// The local or the replica part is no sync policy.
    #[error("{word:?} is no sync policy: write sync, write-no-sync or no-sync")]
    SyncPolicy {
        /// The part.
        word: String,
    },
    /// The last part is no ack policy.
    #[error("{word:?} is no ack policy: write all, majority or none")]
    AckPolicy {
        /// The part.
        word: String,
    },
}

impl FromStr for CommitDurability {
    type Err = CommitDurabilityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split(',').map(str::trim);
        let (Some(local), Some(replica), Some(acks), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(CommitDurabilityError::Form { text: text.to_string() });
        };
        Ok(Self { local: parse_sync(local)?, replica: parse_sync(replica)?, acks: parse_acks(acks)? })
    }
}

fn parse_sync(word: &str) -> Result<SyncPolicy, CommitDurabilityError> {
    let found = SyncPolicy::ALL.into_iter().find(|policy| policy.word() == word);
    found.ok_or_else(|| CommitDurabilityError::SyncPolicy { word: word.to_string() })
}

fn parse_acks(word: &str) -> Result<ReplicaAckPolicy, CommitDurabilityError> {
    let found = ReplicaAckPolicy::EVERY.into_iter().find(|policy| policy.word() == word);
    found.ok_or_else(|| CommitDurabilityError::AckPolicy { word: word.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_asks_for_synced_copies_on_a_majority() {
        let default = CommitDurability::default();
        assert_eq!(default.to_string(), "sync,sync,majority");
        assert_eq!(default.requirement(), Requirement::SYNC);
    }

    #[test]
    fn only_sync_asks_for_an_fsync_and_each_side_is_asked_by_itself() {
        for local in SyncPolicy::ALL {
            for replica in SyncPolicy::ALL {
                let asked = CommitDurability { local, replica, ..Default::default() }.requirement();
                assert_eq!(asked.local_sync, local == SyncPolicy::Sync);
                assert_eq!(asked.replica_sync, replica == SyncPolicy::Sync);
            }
        }
    }

    #[test]
    fn every_durability_comes_back_from_its_text() {
        for local in SyncPolicy::ALL {
            for replica in SyncPolicy::ALL {
                for acks in ReplicaAckPolicy::EVERY {
                    let durability = CommitDurability { local, replica, acks };
                    assert_eq!(durability.to_string().parse(), Ok(durability));
                }
            }
        }
        let spaced: CommitDurability = "sync, write-no-sync, all".parse().unwrap();
        assert_eq!(spaced.to_string(), "sync,write-no-sync,all");
    }

    #[test]
    fn a_text_that_is_no_durability_is_refused_by_the_part_that_is_wrong() {
        let error = |text: &str| text.parse::<CommitDurability>().unwrap_err();
        for text in ["", "sync,sync", "sync,sync,majority,"] {
            assert_eq!(error(text), CommitDurabilityError::Form { text: text.into() });
        }
        assert_eq!(error("sync,fast,all"), CommitDurabilityError::SyncPolicy { word: "fast".into() });
        assert_eq!(error("sync,sync,most"), CommitDurabilityError::AckPolicy { word: "most".into() });
    }
}
