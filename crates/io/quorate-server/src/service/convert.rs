use crate::v1::consistency::Policy;
use crate::v1::{
    AckPolicy, CommitToken, Consistency, Durability, Session, SyncPolicy, WriteOutcome, WriteResponse,
};
use bytes::Bytes;
use quorate::{
    CommitDurability, CommitExtent, Committed, ConsistencyPolicy, EntryId, GroupUuid, ReplicaAckPolicy, Term,
    Vlsn,
};
use quorate_env::kv::Outcome;
use std::ops::Bound;
use std::time::Duration;
use tonic::Status;

/// What holds where a call does not say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Defaults {
    pub(super) durability: CommitDurability,
    pub(super) consistency: ConsistencyPolicy,
    pub(super) read_timeout: Duration,
}

impl Defaults {
    /// What a call asks of a write.
    pub(super) fn durability(&self, asked: Option<Durability>) -> Result<CommitDurability, Status> {
        let Some(asked) = asked else { return Ok(self.durability) };
        Ok(CommitDurability {
            local: sync_policy(asked.local, self.durability.local)?,
            replica: sync_policy(asked.replica, self.durability.replica)?,
            acks: ack_policy(asked.acks, self.durability.acks)?,
        })
    }

    /// What a call asks of a read.
    pub(super) fn consistency(&self, asked: Option<Consistency>) -> Result<ConsistencyPolicy, Status> {
        match asked.and_then(|asked| asked.policy) {
            None => Ok(self.consistency),
            Some(Policy::None(_)) => Ok(ConsistencyPolicy::NoConsistencyRequired),
            Some(Policy::CommitPoint(asked)) => {
                let token = asked.token.and_then(parse_token).ok_or_else(|| {
                    Status::invalid_argument("the commit point has no token, or half of one")
                })?;
                let timeout = self.timeout(asked.timeout_ms);
                Ok(ConsistencyPolicy::CommitPointConsistency { token, timeout })
            }
            Some(Policy::Linearizable(asked)) => {
                Ok(ConsistencyPolicy::Linearizable { timeout: self.timeout(asked.timeout_ms) })
            }
            Some(Policy::Time(asked)) => Ok(ConsistencyPolicy::TimeConsistency {
                lag: Duration::from_millis(asked.lag_ms),
                timeout: self.timeout(asked.timeout_ms),
            }),
        }
    }

    const fn timeout(&self, asked_ms: u64) -> Duration {
        if asked_ms == 0 { self.read_timeout } else { Duration::from_millis(asked_ms) }
    }
}

/// A token in the words of the protocol.
pub(crate) fn token_of(token: &quorate::CommitToken) -> CommitToken {
    let group = Bytes::copy_from_slice(&token.group.0.to_be_bytes());
    CommitToken { group, term: token.term.as_u64(), vlsn: token.vlsn.as_u64() }
}

/// A durability in the words of the protocol.
pub(crate) fn durability_of(durability: CommitDurability) -> Durability {
    let sync = |policy| match policy {
        quorate::SyncPolicy::Sync => SyncPolicy::Sync,
        quorate::SyncPolicy::WriteNoSync => SyncPolicy::WriteNoSync,
        quorate::SyncPolicy::NoSync => SyncPolicy::NoSync,
    };
    let acks = match durability.acks {
        ReplicaAckPolicy::All => AckPolicy::All,
        ReplicaAckPolicy::SimpleMajority => AckPolicy::SimpleMajority,
        ReplicaAckPolicy::None => AckPolicy::None,
    };
    Durability {
        local: sync(durability.local).into(),
        replica: sync(durability.replica).into(),
        acks: acks.into(),
    }
}

/// What is known of a write that succeeded.
pub(super) fn write_response(committed: &Committed) -> WriteResponse {
    let outcome = match committed.extent {
        CommitExtent::Committed => WriteOutcome::Committed,
        CommitExtent::Written => WriteOutcome::Written,
    };
    let fenced = Outcome::decode(&committed.result) == Some(Outcome::Fenced);
    WriteResponse { token: Some(token_of(&committed.token)), outcome: outcome.into(), fenced }
}

/// A request's place in a session.
pub(super) fn session(asked: &Session) -> Result<quorate::Session, Status> {
    let client = asked.client[..].try_into().map(u128::from_be_bytes);
    let client = client.map_err(|_| Status::invalid_argument("the session's client has not 16 bytes"))?;
    if asked.sequence == 0 {
        return Err(Status::invalid_argument("the session's sequence is 0: count from 1"));
    }
    Ok(quorate::Session { client, sequence: asked.sequence })
}

/// The range from `start` (inclusive; empty: the first key) to `end` (exclusive; empty: none).
pub(super) const fn bounds<'a>(start: &'a [u8], end: &'a [u8]) -> (Bound<&'a [u8]>, Bound<&'a [u8]>) {
    let lower = if start.is_empty() { Bound::Unbounded } else { Bound::Included(start) };
    let upper = if end.is_empty() { Bound::Unbounded } else { Bound::Excluded(end) };
    (lower, upper)
}

/// The token that the protocol's words name, if they are one.
pub(crate) fn parse_token(token: CommitToken) -> Option<quorate::CommitToken> {
    let group = GroupUuid(u128::from_be_bytes(token.group[..].try_into().ok()?));
    let id = EntryId { term: Term::from_u64(token.term), vlsn: Vlsn::new(token.vlsn)? };
    Some(quorate::CommitToken::new(group, id))
}

fn sync_policy(asked: i32, default: quorate::SyncPolicy) -> Result<quorate::SyncPolicy, Status> {
    match SyncPolicy::try_from(asked) {
        Ok(SyncPolicy::Unspecified) => Ok(default),
        Ok(SyncPolicy::Sync) => Ok(quorate::SyncPolicy::Sync),
        Ok(SyncPolicy::WriteNoSync) => Ok(quorate::SyncPolicy::WriteNoSync),
        Ok(SyncPolicy::NoSync) => Ok(quorate::SyncPolicy::NoSync),
        Err(_) => Err(Status::invalid_argument(format!("there is no sync policy {asked}"))),
    }
}

fn ack_policy(asked: i32, default: ReplicaAckPolicy) -> Result<ReplicaAckPolicy, Status> {
    match AckPolicy::try_from(asked) {
        Ok(AckPolicy::Unspecified) => Ok(default),
        Ok(AckPolicy::All) => Ok(ReplicaAckPolicy::All),
        Ok(AckPolicy::SimpleMajority) => Ok(ReplicaAckPolicy::SimpleMajority),
        Ok(AckPolicy::None) => Ok(ReplicaAckPolicy::None),
        Err(_) => Err(Status::invalid_argument(format!("there is no ack policy {asked}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::{CommitPoint, Linearizable, NoConsistency};

    const DEFAULTS: Defaults = Defaults {
        durability: CommitDurability {
            local: quorate::SyncPolicy::WriteNoSync,
            replica: quorate::SyncPolicy::NoSync,
            acks: ReplicaAckPolicy::All,
        },
        consistency: ConsistencyPolicy::Linearizable { timeout: Duration::from_secs(6) },
        read_timeout: Duration::from_secs(7),
    };

    fn token() -> quorate::CommitToken {
        let id = EntryId { term: Term::from_u64(3), vlsn: Vlsn::new(4).unwrap() };
        quorate::CommitToken::new(GroupUuid(5 << 100), id)
    }

    #[test]
    fn a_durability_that_is_absent_or_unspecified_is_the_nodes() {
        assert_eq!(DEFAULTS.durability(None).unwrap(), DEFAULTS.durability);
        assert_eq!(DEFAULTS.durability(Some(Durability::default())).unwrap(), DEFAULTS.durability);
        let asked = Durability { acks: AckPolicy::None.into(), ..Durability::default() };
        assert_eq!(DEFAULTS.durability(Some(asked)).unwrap().to_string(), "write-no-sync,no-sync,none");
        let unknown = Durability { local: 77, ..Durability::default() };
        assert_eq!(DEFAULTS.durability(Some(unknown)).unwrap_err().code(), tonic::Code::InvalidArgument);
    }

    #[test]
    fn a_token_survives_the_way_to_the_client_and_back() {
        assert_eq!(parse_token(token_of(&token())), Some(token()));
        for broken in [
            CommitToken { group: vec![1; 15].into(), ..token_of(&token()) },
            CommitToken { vlsn: 0, ..token_of(&token()) },
        ] {
            let point = CommitPoint { token: Some(broken), timeout_ms: 1 };
            let asked = Consistency { policy: Some(Policy::CommitPoint(point)) };
            assert_eq!(DEFAULTS.consistency(Some(asked)).unwrap_err().code(), tonic::Code::InvalidArgument);
        }
    }

    #[test]
    fn each_demand_becomes_a_policy_with_its_own_or_the_nodes_timeout() {
        let policy = |policy| DEFAULTS.consistency(Some(Consistency { policy })).unwrap();
        assert_eq!(policy(None), DEFAULTS.consistency);
        assert_eq!(policy(Some(Policy::None(NoConsistency {}))), ConsistencyPolicy::NoConsistencyRequired);
        let linearizable = Policy::Linearizable(Linearizable { timeout_ms: 0 });
        assert_eq!(policy(Some(linearizable)).timeout(), Some(Duration::from_secs(7)));
        let point = CommitPoint { token: Some(token_of(&token())), timeout_ms: 9 };
        let timeout = Duration::from_millis(9);
        let expected = ConsistencyPolicy::CommitPointConsistency { token: token(), timeout };
        assert_eq!(policy(Some(Policy::CommitPoint(point))), expected);
    }
}
