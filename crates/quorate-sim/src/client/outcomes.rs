use crate::operation::Reply;
use quorate_env::ReadOutcome;
use std::fmt;

/// Declares what clients are told, with the words for its counts.
macro_rules! outcome_counts {
    ($($(#[doc = $text:literal])* $name:ident = $words:literal;)*) => {
        /// What clients were told, counted.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct OutcomeCounts {
            $($(#[doc = $text])* pub $name: u64,)*
        }

        impl OutcomeCounts {
            /// How many operations ended, each attempt at one counted.
            #[must_use]
            pub const fn total(&self) -> u64 {
                0 $(+ self.$name)*
            }

            /// Adds another run's counts.
            pub const fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }
        }

        impl fmt::Display for OutcomeCounts {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let rows = [$(format!("  {:<28} {:>10}", $words, self.$name)),*];
                f.write_str(&rows.join("\n"))
            }
        }
    };
}

outcome_counts! {
    /// Writes committed and acknowledged as asked.
    done = "writes done";
    /// Writes that asked for nobody's acknowledgement, written.
    written = "writes written by the master";
    /// Writes that will never be committed.
    lost = "writes rolled back";
    /// Writes committed without effect: of a session that is not open, or not any more.
    without_effect = "writes without effect";
    /// Writes that were not taken.
    refused = "writes refused";
    /// Writes that were not taken because what they had read was written since.
    conflicts = "transactions in conflict";
    /// Writes of which nobody could say.
    unknown = "writes of unknown outcome";
    /// Reads served.
    read = "reads served";
    /// Reads of a commit that was rolled back.
    commit_lost = "reads of a lost commit";
    /// Reads not served in time, or by a node that ended.
    read_failed = "reads not served";
}

impl OutcomeCounts {
    pub(super) const fn count(&mut self, reply: &Reply) {
        match reply {
            Reply::Done(_) => self.done += 1,
            Reply::Written => self.written += 1,
            Reply::Lost => self.lost += 1,
            Reply::WithoutEffect => self.without_effect += 1,
            Reply::Refused(_) => self.refused += 1,
            Reply::Conflict => self.conflicts += 1,
            Reply::Unknown(_) => self.unknown += 1,
            Reply::Value(_) | Reply::Snapshot { .. } => self.read += 1,
            Reply::NotServed(ReadOutcome::CommitLost { .. }) => self.commit_lost += 1,
            Reply::NotServed(_) | Reply::Gone => self.read_failed += 1,
        }
    }
}
