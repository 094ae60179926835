//! Clients: what they ask for, of whom, and what they make of the answers.

mod drawing;
mod outcomes;
mod tasks;

pub use outcomes::OutcomeCounts;

use crate::checker::Violation;
use crate::operation::{OperationId, ReadTicket, Reply, SnapshotTicket, Write};
use crate::sim_time::happens;
use crate::world::{Event, World};
use quorate_core::NodeId;
use quorate_policy::{CommitToken, ConsistencyPolicy};
use std::collections::BTreeSet;
use tasks::Task;

/// A call of a client on its way to a node.
#[derive(Debug)]
pub(crate) enum Call {
    Write(Vec<Write>),
    Read(ConsistencyPolicy, ReadTicket),
    Snapshot(SnapshotTicket),
}

impl Call {
    fn operations(&self) -> Vec<OperationId> {
        match self {
            Self::Write(writes) => writes.iter().map(|write| write.id).collect(),
            Self::Read(_, ticket) => vec![ticket.id],
            Self::Snapshot(ticket) => vec![ticket.id],
        }
    }
}

/// One caller: it does one thing after the other, or several writes at once.
#[derive(Debug)]
pub(crate) struct Client {
    /// Whom it takes for the master.
    guess: NodeId,
    pending: BTreeSet<OperationId>,
    /// What takes it several calls.
    task: Option<Task>,
    /// Its session, if it has one: its number, and that of the next request.
    session: Option<(u128, u64)>,
    /// How many sessions it has asked for.
    sessions: u64,
    /// A commit that it knows of, or believes in.
    token: Option<CommitToken>,
}

/// After this many microseconds a client no longer waits for an answer.
const PATIENCE_MICROS: u64 = 5_000_000;
/// How often a client asks any node to write, in chances of a thousand, where nodes pass writes on.
const ASKS_ANYBODY: u64 = 400;

impl Client {
    pub(crate) const fn new() -> Self {
        Self {
            guess: NodeId::new(1),
            pending: BTreeSet::new(),
            task: None,
            session: None,
            sessions: 0,
            token: None,
        }
    }
}

impl World {
    /// A client begins something new, or goes on with what takes several calls.
    pub(crate) fn client_begins(&mut self, client: usize) -> Result<(), Violation> {
        if !self.clients[client].pending.is_empty() {
            return Ok(());
        }
        if self.clients[client].task.is_some() {
            self.try_again(client);
        } else if !self.at_peace {
            self.begin_something(client);
        }
        Ok(())
    }

    fn begin_something(&mut self, client: usize) {
        if happens(&mut self.random, 400) {
            let node = self.draw_node();
            let call = self.draw_read(client);
            return self.send_call(client, node, call);
        }
        match self.random.below(20) {
            0..11 => {
                let (node, call) = (self.draw_target(client), self.draw_writes(client));
                self.send_call(client, node, call);
            }
            11..15 => self.begin_exactly_once(client),
            15..18 => self.begin_compare_and_set(client),
            _ => self.begin_list_transaction(client),
        }
    }

    /// Sends a call, and waits for so long for its answer.
    fn send_call(&mut self, client: usize, node: NodeId, call: Call) {
        let reply = if matches!(call, Call::Write(_)) { Reply::Unknown(None) } else { Reply::Gone };
        let give_up = self.soon(PATIENCE_MICROS, PATIENCE_MICROS + 1);
        for operation in call.operations() {
            self.clients[client].pending.insert(operation);
            self.queue.push(give_up, Event::GiveUp { operation, reply: reply.clone() });
        }
        let at = self.soon(50, 1_000);
        self.queue.push(at, Event::Call { node, call });
    }

    fn next_operation(&mut self, client: usize) -> OperationId {
        let id = OperationId(self.operations * self.clients.len() as u64 + client as u64);
        self.operations += 1;
        id
    }

    fn client_of(&self, operation: OperationId) -> usize {
        (operation.0 % self.clients.len() as u64) as usize
    }

    /// Whom a client asks to write: where nodes pass writes on, anybody now and then.
    fn draw_target(&mut self, client: usize) -> NodeId {
        if self.profile.forwards_writes && happens(&mut self.random, ASKS_ANYBODY) {
            return self.draw_node();
        }
        self.clients[client].guess
    }

    fn draw_node(&mut self) -> NodeId {
        NodeId::new(1 + self.random.below(u64::from(self.profile.nodes)) as u16)
    }

    /// A call reaches its node, if anybody is there.
    pub(crate) fn call(&mut self, node: NodeId, call: Call) -> Result<(), Violation> {
        if self.host(node).machine.process.is_none() {
            let refused = Reply::Refused(quorate_replica::ProposeError::NotMaster { master: None });
            let reply = if matches!(call, Call::Write(_)) { refused } else { Reply::Gone };
            for operation in call.operations() {
                self.client_hears(operation, reply.clone());
            }
            return Ok(());
        }
        let wall = self.hosts[&node].wall_micros(self.now);
        self.act(node, |process, now, checker, effects| match call {
            Call::Write(writes) => process.write(now, wall, &writes, checker, effects),
            Call::Read(policy, ticket) => process.read(now, &policy, ticket, checker, effects),
            Call::Snapshot(ticket) => process.take_snapshot(&ticket, checker, effects),
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
        let is_unlucky = matches!(reply, Reply::Refused(_) | Reply::Gone | Reply::Conflict);
        match self.clients[client].task.take() {
            Some(task) => self.go_on(client, task, reply),
            None => self.record_outcome(operation, &reply),
        }
        if self.clients[client].pending.is_empty() {
            let pause = if is_unlucky { 60_000 } else { 20_000 };
            let at = self.soon(pause / 2, pause * 3);
            self.queue.push(at, Event::Client { client });
        }
    }

    /// What the records say of a call that is over.
    fn record_outcome(&mut self, id: OperationId, reply: &Reply) {
        match reply {
            Reply::Done(_) => self.records.done(self.now, id),
            Reply::Value(value) => self.records.read(self.now, id, value.clone()),
            reply if reply.is_in_doubt() => {}
            _ => self.records.without_effect(self.now, id),
        }
    }

    fn learn(&mut self, client: usize, reply: &Reply) {
        let other = self.draw_node();
        let this = &mut self.clients[client];
        match reply {
            Reply::Done(token) | Reply::Unknown(Some(token)) => this.token = Some(*token),
            Reply::Refused(_) => this.guess = reply.master().unwrap_or(other),
            Reply::Unknown(None) => this.guess = other,
            _ => {}
        }
    }

    /// A client waits no longer; what it hears later it does not listen to.
    pub(crate) fn client_gives_up(&mut self, operation: OperationId, reply: Reply) -> Result<(), Violation> {
        self.client_hears(operation, reply);
        Ok(())
    }
}
