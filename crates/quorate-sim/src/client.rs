//! Clients: what they ask for, of whom, and what they make of the answers.

use crate::checker::Violation;
use crate::operation::{OperationId, ReadTicket, Reply, Write};
use crate::sim_time::happens;
use crate::world::{Event, World};
use quorate_core::NodeId;
use quorate_env::ReadOutcome;
use quorate_policy::{CommitDurability, CommitToken, ConsistencyPolicy, ReplicaAckPolicy, SyncPolicy};
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

/// What clients were told, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutcomeCounts {
    /// Writes committed and acknowledged as asked.
    pub done: u64,
    /// Writes that asked for nobody's acknowledgement, written.
    pub written: u64,
    /// Writes that will never be committed.
    pub lost: u64,
    /// Writes that were not taken.
    pub refused: u64,
    /// Writes of which nobody could say.
    pub unknown: u64,
    /// Reads served.
    pub read: u64,
    /// Reads of a commit that was rolled back.
    pub commit_lost: u64,
    /// Reads not served in time, or by a node that ended.
    pub read_failed: u64,
}

impl OutcomeCounts {
    /// How many operations ended.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.done
            + self.written
            + self.lost
            + self.refused
            + self.unknown
            + self.read
            + self.commit_lost
            + self.read_failed
    }

    /// Adds another run's counts.
    pub const fn add(&mut self, other: &Self) {
        self.done += other.done;
        self.written += other.written;
        self.lost += other.lost;
        self.refused += other.refused;
        self.unknown += other.unknown;
        self.read += other.read;
        self.commit_lost += other.commit_lost;
        self.read_failed += other.read_failed;
    }

    const fn count(&mut self, reply: &Reply) {
        match reply {
            Reply::Done(_) => self.done += 1,
            Reply::Written => self.written += 1,
            Reply::Lost => self.lost += 1,
            Reply::Refused(_) => self.refused += 1,
            Reply::Unknown(_) => self.unknown += 1,
            Reply::Read(ReadOutcome::Ready) => self.read += 1,
            Reply::Read(ReadOutcome::CommitLost { .. }) => self.commit_lost += 1,
            Reply::Read(_) | Reply::Gone => self.read_failed += 1,
        }
    }
}

impl fmt::Display for OutcomeCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  writes done                  {:>10}", self.done)?;
        writeln!(f, "  writes written by the master {:>10}", self.written)?;
        writeln!(f, "  writes rolled back           {:>10}", self.lost)?;
        writeln!(f, "  writes refused               {:>10}", self.refused)?;
        writeln!(f, "  writes of unknown outcome    {:>10}", self.unknown)?;
        writeln!(f, "  reads served                 {:>10}", self.read)?;
        writeln!(f, "  reads of a lost commit       {:>10}", self.commit_lost)?;
        write!(f, "  reads not served             {:>10}", self.read_failed)
    }
}

/// A call of a client on its way to a node.
#[derive(Debug)]
pub(crate) enum Call {
    Write(Vec<Write>),
    Read(ConsistencyPolicy, ReadTicket),
}

/// One caller: it does one thing after the other, or several writes at once.
#[derive(Debug)]
pub(crate) struct Client {
    /// Whom it takes for the master.
    guess: NodeId,
    pending: BTreeSet<OperationId>,
    /// A commit that it knows of, or believes in.
    token: Option<CommitToken>,
}

/// How many keys there are.
const KEYS: u64 = 24;
/// How long a read waits.
const READ_TIMEOUT: Duration = Duration::from_millis(1_500);
/// After this many microseconds a client no longer waits for an answer.
const PATIENCE_MICROS: u64 = 5_000_000;
/// How many writes a client sends at once, at most.
const BURST_MAX: u64 = 6;

impl Client {
    pub(crate) const fn new() -> Self {
        Self { guess: NodeId::new(1), pending: BTreeSet::new(), token: None }
    }
}

impl World {
    /// A client begins something new.
    pub(crate) fn client_begins(&mut self, client: usize) -> Result<(), Violation> {
        if self.at_peace || !self.clients[client].pending.is_empty() {
            return Ok(());
        }
        let (node, call) = if happens(&mut self.random, 600) {
            (self.clients[client].guess, self.draw_writes(client))
        } else {
            (NodeId::new(1 + self.random.below(u64::from(self.profile.nodes)) as u16), self.draw_read(client))
        };
        let reply = if matches!(call, Call::Write(_)) { Reply::Unknown(None) } else { Reply::Gone };
        let at = self.soon(50, 1_000);
        self.queue.push(at, Event::Call { node, call });
        let give_up = self.soon(PATIENCE_MICROS, PATIENCE_MICROS + 1);
        for operation in self.clients[client].pending.clone() {
            self.queue.push(give_up, Event::GiveUp { operation, reply });
        }
        Ok(())
    }

    fn next_operation(&mut self, client: usize) -> OperationId {
        let id = OperationId(self.operations * self.clients.len() as u64 + client as u64);
        self.operations += 1;
        self.clients[client].pending.insert(id);
        id
    }

    fn client_of(&self, operation: OperationId) -> usize {
        (operation.0 % self.clients.len() as u64) as usize
    }

    fn draw_key(&mut self) -> Vec<u8> {
        format!("key-{}", self.random.below(KEYS)).into_bytes()
    }

    fn draw_writes(&mut self, client: usize) -> Call {
        let count = if happens(&mut self.random, 250) { 1 + self.random.below(BURST_MAX) } else { 1 };
        let durability = self.draw_durability();
        let writes = (0..count).map(|_| {
            let (id, key) = (self.next_operation(client), self.draw_key());
            let padding = self.random.below(120) as usize;
            let value = (!happens(&mut self.random, 100))
                .then(|| format!("{}{}", id.0, ".".repeat(padding)).into_bytes());
            Write { id, key, value, durability }
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

    fn draw_read(&mut self, client: usize) -> Call {
        let (id, key) = (self.next_operation(client), self.draw_key());
        let token = self.clients[client].token.filter(|_| happens(&mut self.random, 400));
        match token {
            Some(token) => {
                let policy = ConsistencyPolicy::CommitPointConsistency { token, timeout: READ_TIMEOUT };
                Call::Read(policy, ReadTicket { id, key, token: Some(token), floor: None })
            }
            None if happens(&mut self.random, 600) => {
                let floor = Some(self.checker.read_begins());
                let policy = ConsistencyPolicy::Linearizable { timeout: READ_TIMEOUT };
                Call::Read(policy, ReadTicket { id, key, token: None, floor })
            }
            None => {
                let policy = ConsistencyPolicy::NoConsistencyRequired;
                Call::Read(policy, ReadTicket { id, key, token: None, floor: None })
            }
        }
    }

    /// A call reaches its node, if anybody is there.
    pub(crate) fn call(&mut self, node: NodeId, call: Call) -> Result<(), Violation> {
        if self.host(node).machine.process.is_none() {
            let operations: Vec<OperationId> = match &call {
                Call::Write(writes) => writes.iter().map(|write| write.id).collect(),
                Call::Read(_, ticket) => vec![ticket.id],
            };
            let refused = Reply::Refused(quorate_replica::ProposeError::NotMaster { master: None });
            let reply = if matches!(call, Call::Write(_)) { refused } else { Reply::Gone };
            for operation in operations {
                self.client_hears(operation, reply);
            }
            return Ok(());
        }
        let wall = self.hosts[&node].wall_micros(self.now);
        self.act(node, |process, now, checker, effects| match call {
            Call::Write(writes) => process.write(now, wall, &writes, checker, effects),
            Call::Read(policy, ticket) => process.read(now, &policy, ticket, checker, effects),
        })
    }

    /// An operation ended.
    pub(crate) fn client_hears(&mut self, operation: OperationId, reply: Reply) {
        let client = self.client_of(operation);
        if !self.clients[client].pending.remove(&operation) {
            return;
        }
        self.outcomes.count(&reply);
        self.trace.line(self.now, format_args!("client {client} hears of {}: {reply:?}", operation.0));
        self.learn(client, &reply);
        if self.clients[client].pending.is_empty() {
            let pause = if matches!(reply, Reply::Refused(_) | Reply::Gone) { 60_000 } else { 10_000 };
            let at = self.soon(pause / 2, pause * 3);
            self.queue.push(at, Event::Client { client });
        }
    }

    fn learn(&mut self, client: usize, reply: &Reply) {
        let other = NodeId::new(1 + self.random.below(u64::from(self.profile.nodes)) as u16);
        let this = &mut self.clients[client];
        match reply {
            Reply::Done(token) | Reply::Unknown(Some(token)) => this.token = Some(*token),
            Reply::Refused(_) => this.guess = reply.master().unwrap_or(other),
            Reply::Unknown(None) => this.guess = other,
            Reply::Lost | Reply::Written | Reply::Read(_) | Reply::Gone => {}
        }
    }

    /// A client waits no longer; what it hears later it does not listen to.
    pub(crate) fn client_gives_up(&mut self, operation: OperationId, reply: Reply) -> Result<(), Violation> {
        self.client_hears(operation, reply);
        Ok(())
    }
}
