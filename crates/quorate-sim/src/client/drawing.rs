//! What a client may ask for, drawn.

use super::Call;
use crate::operation::{OperationId, ReadPromise, ReadTicket, Write};
use crate::sim_time::happens;
use crate::world::World;
use bytes::Bytes;
use quorate_check::RegisterOperation;
use quorate_policy::{CommitDurability, ConsistencyPolicy, ReplicaAckPolicy, SyncPolicy};
use std::time::Duration;

/// How many keys there are.
const KEYS: u64 = 24;
/// How long a read waits.
const READ_TIMEOUT: Duration = Duration::from_millis(1_500);
/// How many writes a client sends at once, at most.
const BURST_MAX: u64 = 6;

impl World {
    pub(super) fn draw_key(&mut self) -> Vec<u8> {
        format!("key-{}", self.random.below(KEYS)).into_bytes()
    }

    /// A value that nothing else ever writes.
    pub(super) fn draw_value(&mut self, id: OperationId) -> Vec<u8> {
        let padding = self.random.below(120) as usize;
        format!("{}{}", id.0, ".".repeat(padding)).into_bytes()
    }

    /// Plain writes, sent together: whoever sent them does not ask again.
    pub(super) fn draw_writes(&mut self, client: usize) -> Call {
        let count = if happens(&mut self.random, 250) { 1 + self.random.below(BURST_MAX) } else { 1 };
        let durability = self.draw_durability();
        let writes = (0..count).map(|_| {
            let (id, key) = (self.next_operation(client), self.draw_key());
            let value = (!happens(&mut self.random, 100)).then(|| self.draw_value(id));
            let operation = RegisterOperation::Write(value.clone().map(Bytes::from));
            self.records.begin(self.now, client, id, key.clone(), operation);
            Write::plain(id, key, value, durability)
        });
        Call::Write(writes.collect())
    }

    fn draw_durability(&mut self) -> CommitDurability {
        let mut durability = CommitDurability::default();
        let syncs = [SyncPolicy::Sync, SyncPolicy::WriteNoSync, SyncPolicy::NoSync];
        if happens(&mut self.random, self.profile.relaxed) {
            durability.local = syncs[self.random.below(3) as usize];
            durability.replica = syncs[self.random.below(3) as usize];
        }
        durability.acks = match self.random.below(20) {
            0 => ReplicaAckPolicy::All,
            1 => ReplicaAckPolicy::None,
            _ => ReplicaAckPolicy::SimpleMajority,
        };
        durability
    }

    /// The durability of a write that its client waits for until it is committed.
    pub(super) fn draw_waiting_durability(&mut self) -> CommitDurability {
        let mut durability = self.draw_durability();
        if durability.acks == ReplicaAckPolicy::None {
            durability.acks = ReplicaAckPolicy::SimpleMajority;
        }
        durability
    }

    pub(super) fn draw_read(&mut self, client: usize) -> Call {
        let (id, key) = (self.next_operation(client), self.draw_key());
        let (policy, promise) = self.draw_policy(client);
        if matches!(promise, ReadPromise::Everything { .. }) {
            self.records.begin(self.now, client, id, key.clone(), RegisterOperation::Read);
        }
        Call::Read(policy, ReadTicket { id, key, promise })
    }

    fn draw_policy(&mut self, client: usize) -> (ConsistencyPolicy, ReadPromise) {
        let timeout = READ_TIMEOUT;
        let token = self.clients[client].token.filter(|_| happens(&mut self.random, 400));
        match (token, self.random.below(10)) {
            (Some(token), _) => {
                let policy = ConsistencyPolicy::CommitPointConsistency { token, timeout };
                (policy, ReadPromise::Commit(token))
            }
            (None, 0..5) => {
                let floor = self.checker.read_begins();
                (ConsistencyPolicy::Linearizable { timeout }, ReadPromise::Everything { floor })
            }
            (None, 5..8) => {
                let lag = Duration::from_millis(5 + self.random.below(1_000));
                (ConsistencyPolicy::TimeConsistency { lag, timeout }, ReadPromise::AtMostOld(lag))
            }
            (None, _) => (ConsistencyPolicy::NoConsistencyRequired, ReadPromise::Anything),
        }
    }
}
