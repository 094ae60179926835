//! A write on its way to the master; its payload is the packet's body.

use super::WireError;
use crate::messages::{ForwardedWrite, RequestId};
use bytes::Bytes;
use core::time::Duration;
use quorate_policy::{CommitDurability, ReplicaAckPolicy, SyncPolicy};

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct WireForward {
    #[prost(uint64, tag = "1")]
    request: u64,
    #[prost(bytes = "bytes", tag = "2")]
    reads: Bytes,
    #[prost(uint32, tag = "3")]
    local: u32,
    #[prost(uint32, tag = "4")]
    replica: u32,
    #[prost(uint32, tag = "5")]
    acks: u32,
    #[prost(uint64, tag = "6")]
    timeout_micros: u64,
}

impl From<ForwardedWrite> for WireForward {
    fn from(write: ForwardedWrite) -> Self {
        let CommitDurability { local, replica, acks } = write.durability;
        Self {
            request: write.request.0,
            reads: write.reads,
            local: sync_code(local),
            replica: sync_code(replica),
            acks: acks_code(acks),
            timeout_micros: u64::try_from(write.timeout.as_micros()).unwrap_or(u64::MAX),
        }
    }
}

impl WireForward {
    pub(super) fn into_write(self, payload: Bytes) -> Result<ForwardedWrite, WireError> {
        let invalid = WireError::Invalid { part: "durability" };
        let (local, replica, acks) = (sync(self.local), sync(self.replica), acks(self.acks));
        let (Some(local), Some(replica), Some(acks)) = (local, replica, acks) else { return Err(invalid) };
        Ok(ForwardedWrite {
            request: RequestId(self.request),
            payload,
            reads: self.reads,
            durability: CommitDurability { local, replica, acks },
            timeout: Duration::from_micros(self.timeout_micros),
        })
    }
}

const fn sync_code(policy: SyncPolicy) -> u32 {
    match policy {
        SyncPolicy::Sync => 0,
        SyncPolicy::WriteNoSync => 1,
        SyncPolicy::NoSync => 2,
    }
}

const fn sync(code: u32) -> Option<SyncPolicy> {
    match code {
        0 => Some(SyncPolicy::Sync),
        1 => Some(SyncPolicy::WriteNoSync),
        2 => Some(SyncPolicy::NoSync),
        _ => None,
    }
}

const fn acks_code(policy: ReplicaAckPolicy) -> u32 {
    match policy {
        ReplicaAckPolicy::SimpleMajority => 0,
        ReplicaAckPolicy::All => 1,
        ReplicaAckPolicy::None => 2,
    }
}

const fn acks(code: u32) -> Option<ReplicaAckPolicy> {
    match code {
        0 => Some(ReplicaAckPolicy::SimpleMajority),
        1 => Some(ReplicaAckPolicy::All),
        2 => Some(ReplicaAckPolicy::None),
        _ => None,
    }
}
