use super::etcd::EtcdError;
use crate::client::{ClientError, EndpointError};
use crate::demo::DemoError;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use tonic::Status;

/// Why a benchmark did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The operating system refused.
    #[error("{operation} failed: {source}")]
    System {
        /// What was tried.
        operation: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// A process of the benchmark has ended though nobody had asked it to.
    #[error("the process of {who} has ended by itself ({status}): its reason stands above, on stderr")]
    WorkerDied {
        /// What it was to do.
        who: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// A process of the benchmark could not do what it was asked to.
    #[error("{who} failed: {detail}")]
    Worker {
        /// What it was to do.
        who: String,
        /// What it said.
        detail: String,
    },
    /// The nodes did not get as far as they had to.
    #[error("the nodes of the benchmark failed: {0}")]
    Group(#[from] DemoError),
    /// No node said that it leads.
    #[error("waited {seconds} s for a master, in vain: is the machine too busy?")]
    NoMaster {
        /// How long.
        seconds: u64,
    },
    /// An endpoint has no meaning.
    #[error("--endpoints: {endpoint:?} is no address: write host:port, ip:port or [ipv6]:port")]
    Endpoint {
        /// As given.
        endpoint: String,
    },
    /// None of the endpoints is a master's.
    #[error("none of the endpoints is a master's; the last one answered: {last}")]
    NoMasterAmongEndpoints {
        /// What the last one answered.
        last: String,
    },
    /// The etcd cluster to compare with did not do what it had to.
    #[error("etcd: {0}")]
    Etcd(#[from] EtcdError),
    /// A write was refused, or its outcome is unknown.
    #[error("a write failed: {}", .0.message())]
    Write(Box<Status>),
    /// A client of the group failed.
    #[error("a client of the benchmark failed: {0}")]
    Client(#[from] ClientError),
    /// A client has no meaning.
    #[error(transparent)]
    Endpoints(#[from] EndpointError),
    /// No write was acknowledged when it had to be.
    #[error("waited {seconds} s for a write to be acknowledged, in vain: is the machine too busy?")]
    NoWrite {
        /// How long.
        seconds: u64,
    },
    /// Acknowledged writes are not where they should be.
    #[error(
        "{lost} acknowledged writes are lost, the first one of the key {}: keep what it took to see this, and \
        report it as a bug",
        HEXLOWER.encode(first)
    )]
    Lost {
        /// How many.
        lost: u64,
        /// The key of the first one.
        first: Bytes,
    },
    /// A master that had been replaced went on accepting writes.
    #[error(
        "{count} writes were accepted by the old master after the new one's first: keep what it took to see \
        this, and report it as a bug"
    )]
    Stale {
        /// How many.
        count: u64,
    },
    /// A read or a write was refused, or the outcome of a write is unknown.
    #[error("a call failed: {}", .0.message())]
    Call(Box<Status>),
    /// An argument says something of reads, and there are none.
    #[error("{argument} is for workloads that read: give one with --workload too, or leave it out")]
    NothingRead {
        /// The argument.
        argument: &'static str,
    },
    /// One value of an argument is measured here, and several are given.
    #[error("{argument} takes one value here: several are compared where writes alone are measured")]
    SeveralValues {
        /// The argument.
        argument: &'static str,
    },
    /// The process was told to stop.
    #[error("stopped by {signal}; the nodes are ended and their directories removed")]
    Interrupted {
        /// The signal's name.
        signal: &'static str,
    },
    /// The page with the report has no folder to be in.
    #[error("--html {}: its folder does not exist: make it first", .path.display())]
    PageFolder {
        /// Where the page was to be.
        path: PathBuf,
    },
    /// The page with the report cannot be written.
    #[error("--html {}: {source}", .path.display())]
    Page {
        /// Where it was to be.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The report cannot be written as JSON.
    #[error("printing failed: {0}")]
    Json(#[from] serde_json::Error),
}

impl BenchError {
    /// What the operating system said of an operation.
    pub(super) fn system(operation: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { operation, source }
    }
}
