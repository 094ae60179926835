use super::history::OpenedLog;
use super::key_space::KeySpace;
use super::latencies::Percentiles;
use super::load::Load;
use super::reads::LocalReads;
use super::step::Step;
use super::workload::{Plan, WorkloadLoad};
use crate::{CompressionChoice, EngineChoice};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;

/// What a worker is to do; see [`Ask`] for the answers.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Job {
    OpenNode(OpenNode),
    SayWhetherLeading(SayWhetherLeading),
    LoadNode(LoadNode),
    FillNode(FillNode),
    RunWorkload(RunWorkload),
    AwaitWrite(AwaitWrite),
    CountApplied(CountApplied),
    Follow(Follow),
    Lead(Lead),
    LoadLoop(LoadLoop),
    Apply(Apply),
    SyncDisk(SyncDisk),
    ReadLocal(ReadLocal),
    WriteLog(WriteLog),
    OpenLog(OpenLog),
}

/// A job with its answer, which is a `Result` of this type and the text of a failure, as a line of JSON.
pub(super) trait Ask: Into<Job> {
    type Answer: DeserializeOwned;
}

macro_rules! jobs {
    ($($job:ident => $answer:ty;)*) => {
        $(impl Ask for $job {
            type Answer = $answer;
        }

        impl From<$job> for Job {
            fn from(job: $job) -> Self {
                Self::$job(job)
            }
        })*
    };
}

jobs! {
    OpenNode => ();
    SayWhetherLeading => bool;
    LoadNode => NodeLoad;
    FillNode => Option<String>;
    RunWorkload => WorkloadLoad;
    AwaitWrite => ();
    CountApplied => AppliedCount;
    Follow => u16;
    Lead => ();
    LoadLoop => Load;
    Apply => AppliedLoad;
    SyncDisk => Percentiles;
    ReadLocal => LocalReads;
    WriteLog => Duration;
    OpenLog => OpenedLog;
}

/// Open a node of a group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct OpenNode {
    pub(super) name: String,
    /// Names and addresses of all members.
    pub(super) members: Vec<(String, String)>,
    pub(super) directory: PathBuf,
    pub(super) engine: EngineChoice,
    pub(super) compression: CompressionChoice,
    /// In its text form.
    pub(super) durability: String,
    /// How long leases are, in milliseconds, if there are any.
    pub(super) lease_ms: Option<u64>,
}

/// Say whether the open node leads its group.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SayWhetherLeading;

/// Run a step's writers against the open node, in this process.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LoadNode(pub(super) Step);

/// Write the first rows of a key space through the open node, in this process, and answer the last write's
/// token.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct FillNode {
    pub(super) keys: KeySpace,
    pub(super) rows: u64,
}

/// Run a workload's writers against the open node, in this process.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RunWorkload {
    pub(super) plan: Plan,
    /// What each read must have seen, in its text form.
    pub(super) consistency: String,
}

/// What a load did, and the token of its last write.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct NodeLoad {
    pub(super) load: Load,
    pub(super) last: Option<String>,
}

/// Wait until the open node has applied a write.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AwaitWrite {
    pub(super) token: String,
}

/// Say what the open node's engine has been given so far.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CountApplied;

/// What an engine was given.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct AppliedCount {
    pub(super) entries: u64,
    pub(super) steps: u64,
    /// Of the log, sent to other nodes: bytes before compression.
    pub(super) bytes_sent: u64,
    /// The same as they went over the wire.
    pub(super) bytes_on_wire: u64,
}

/// Follow the bare loop's leader, who will call at the port that is answered.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Follow {
    pub(super) directory: PathBuf,
}

/// Lead the bare loop of the followers at these ports.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Lead {
    pub(super) directory: PathBuf,
    pub(super) followers: Vec<u16>,
}

/// Run a step's writers against the bare loop led here.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LoadLoop(pub(super) Step);

/// Apply entries to an engine as fast as it takes them, `entries` in each of its steps.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Apply {
    pub(super) directory: PathBuf,
    pub(super) engine: EngineChoice,
    pub(super) step: Step,
    pub(super) entries: u64,
}

/// What an engine took.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct AppliedLoad {
    pub(super) entries: u64,
    pub(super) elapsed: Duration,
}

/// Sync a zero-filled file again and again after writing a little to it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SyncDisk {
    pub(super) directory: PathBuf,
    pub(super) span: Duration,
}

/// Read rows of the open node, which has the first rows of a key space, and of a new engine with the same rows.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ReadLocal {
    /// Where the new engine is made.
    pub(super) directory: PathBuf,
    pub(super) engine: EngineChoice,
    pub(super) keys: KeySpace,
    pub(super) rows: u64,
    pub(super) span: Duration,
}

/// Write a new log, and answer how long that took.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct WriteLog {
    pub(super) directory: PathBuf,
    pub(super) entries: u64,
    pub(super) payload_bytes: u32,
}

/// Open a log and look up entries in it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct OpenLog {
    pub(super) directory: PathBuf,
    /// How many it has.
    pub(super) entries: u64,
}
