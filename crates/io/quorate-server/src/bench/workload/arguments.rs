use crate::bench::BenchError;
use crate::client::ReadConsistency;
use clap::{Args, ValueEnum, value_parser};
use serde::{Deserialize, Serialize};

/// What the writers do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub struct WorkloadArguments {
    /// What the writers do: only write random keys, or read and write rows that are there.
    #[arg(long, value_enum, value_name = "NAME", default_value_t, help_heading = "Workload")]
    #[arg(conflicts_with_all = ["endpoints", "floor", "engine_limit", "failover", "catch_up", "compare", "nodes"])]
    #[arg(conflicts_with_all = ["replay", "reads", "stopped_replica", "history"])]
    pub workload: Workload,
    /// How many rows there are before it begins: 100000 if it is not given. For workloads that read, and --reads.
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=KEYS_MAX))]
    #[arg(help_heading = "Workload")]
    pub keys: Option<u64>,
    /// What each read must have seen: any (what the master has applied), time:500ms (what was answered up to
    /// then) or linearizable (all that was answered before), which it is if it is not given. For workloads
    /// that read.
    #[arg(long, value_name = "WHAT", value_parser = without_token, help_heading = "Workload")]
    pub read_consistency: Option<ReadConsistency>,
}

/// What closed-loop writers do. Those of YCSB have its proportions and its skew: a Zipfian distribution with
/// the constant 0.99.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Workload {
    /// Write random keys.
    #[default]
    Write,
    /// Read rows, each as likely as any other.
    Read,
    /// Half reads, half writes of rows, each as likely as any other.
    Mixed,
    /// YCSB A: half reads, half writes.
    YcsbA,
    /// YCSB B: 95 % reads, 5 % writes.
    YcsbB,
    /// YCSB C: reads only.
    YcsbC,
    /// YCSB D: 95 % reads, mostly of the newest rows, and 5 % new rows.
    YcsbD,
    /// YCSB E: 95 % scans of 1 to 100 rows, and 5 % new rows.
    YcsbE,
    /// YCSB F: half reads, half reads that are followed by a write of the same row.
    YcsbF,
}

const KEYS_DEFAULT: u64 = 100_000;
const KEYS_MAX: u64 = 1_000_000_000;

impl WorkloadArguments {
    /// Whether rows are read.
    pub(in crate::bench) fn reads(&self) -> bool {
        self.workload != Workload::Write
    }

    /// Refuses what only says something of reads where there are none.
    ///
    /// # Errors
    /// [`BenchError::NothingRead`].
    pub(in crate::bench) fn check(&self) -> Result<(), BenchError> {
        let given =
            [("--keys", self.keys.is_some()), ("--read-consistency", self.read_consistency.is_some())];
        match given.iter().find(|(_, is_given)| *is_given && !self.reads()) {
            Some((argument, _)) => Err(BenchError::NothingRead { argument }),
            None => Ok(()),
        }
    }

    /// How many rows there are at the beginning.
    pub(in crate::bench) fn rows(&self) -> u64 {
        self.keys.unwrap_or(KEYS_DEFAULT)
    }

    /// What each read must have seen.
    pub(in crate::bench) fn consistency(&self) -> ReadConsistency {
        self.read_consistency.unwrap_or(ReadConsistency::Linearizable)
    }
}

/// A consistency that names no commit: those of the group to be measured are not known before.
fn without_token(text: &str) -> Result<ReadConsistency, String> {
    match text.parse().map_err(|error: crate::client::ReadConsistencyError| error.to_string())? {
        ReadConsistency::Token(_) => {
            Err("a token names a commit, and the group has none yet: write any, time:500ms or linearizable"
                .to_owned())
        }
        consistency => Ok(consistency),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_something_of_reads_needs_a_workload_that_reads() {
        let mut arguments = WorkloadArguments::default();
        arguments.check().unwrap();
        arguments.keys = Some(7);
        let error = arguments.check().unwrap_err().to_string();
        assert!(error.contains("--keys") && error.contains("--workload"), "{error}");
        arguments.workload = Workload::Read;
        arguments.check().unwrap();
    }

    #[test]
    fn a_read_cannot_be_asked_to_have_seen_a_commit_of_a_group_that_is_yet_to_be() {
        assert_eq!(without_token("any"), Ok(ReadConsistency::Any));
        let token = "token:00000000000000000000000000000abc-0000000000070002-0000000000000001";
        assert!(without_token(token).unwrap_err().contains("has none yet"));
        assert!(without_token("never").is_err());
    }
}
