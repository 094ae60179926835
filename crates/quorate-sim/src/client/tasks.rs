//! What takes a client several calls: requests that are carried out once however often they are sent, and
//! transactions, which read before they write.

use super::Call;
use crate::operation::{OperationId, Reply, Request, SnapshotTicket, Write};
use crate::world::World;
use bytes::Bytes;
use quorate_check::RegisterOperation;
use quorate_check::list_append::Step;
use quorate_codec::{ReadSet, Session};
use quorate_core::EntryId;
use quorate_env::kv::DEFAULT_DATABASE;
use quorate_policy::CommitDurability;

/// What a client is at.
#[derive(Debug)]
pub(super) enum Task {
    /// It opens a session.
    OpenSession { number: u128, attempts: u32 },
    /// It asks for the same again until it is told what came of it.
    Once {
        record: OperationId,
        request: Request,
        durability: CommitDurability,
        attempts: u32,
        in_doubt: bool,
    },
    /// It waits for what its transaction reads.
    Reading(Change),
    /// It waits for its transaction to be committed.
    Writing { record: OperationId },
}

/// What a transaction does with what it has read.
#[derive(Debug)]
pub(super) enum Change {
    /// Sets a key that nobody has written meanwhile.
    CompareAndSet { key: Vec<u8> },
    /// Appends an element to the first of these lists, having read them all.
    Append { lists: Vec<Vec<u8>> },
}

/// How often something is sent at most.
const ATTEMPTS_MAX: u32 = 12;
/// How many lists there are.
const LISTS: u64 = 8;

impl World {
    /// Writes a key exactly once, under the client's session, which is opened first if there is none.
    pub(super) fn begin_exactly_once(&mut self, client: usize) {
        let Some((number, sequence)) = self.clients[client].session else {
            let this = &mut self.clients[client];
            this.sessions += 1;
            let number = (client as u128) << 64 | u128::from(this.sessions);
            this.task = Some(Task::OpenSession { number, attempts: 0 });
            return self.try_again(client);
        };
        self.clients[client].session = Some((number, sequence + 1));
        let (record, key) = (self.next_operation(client), self.draw_key());
        let value = self.draw_value(record);
        let operation = RegisterOperation::Write(Some(Bytes::from(value.clone())));
        self.records.begin(self.now, client, record, key.clone(), operation);
        let session = Some(Session { client: number, sequence });
        let request = Request::Set { rows: vec![(key, Some(value))], session, reads: None };
        let durability = self.draw_waiting_durability();
        let task = Task::Once { record, request, durability, attempts: 0, in_doubt: false };
        self.clients[client].task = Some(task);
        self.try_again(client);
    }

    pub(super) fn begin_compare_and_set(&mut self, client: usize) {
        let key = self.draw_key();
        self.begin_transaction(client, vec![key.clone()], Change::CompareAndSet { key });
    }

    pub(super) fn begin_list_transaction(&mut self, client: usize) {
        let first = self.random.below(LISTS);
        let count = 1 + self.random.below(3);
        let lists: Vec<Vec<u8>> =
            (first..first + count).map(|list| format!("list-{}", list % LISTS).into_bytes()).collect();
        self.begin_transaction(client, lists.clone(), Change::Append { lists });
    }

    fn begin_transaction(&mut self, client: usize, keys: Vec<Vec<u8>>, change: Change) {
        let id = self.next_operation(client);
        let node = self.draw_node();
        self.clients[client].task = Some(Task::Reading(change));
        self.send_call(client, node, Call::Snapshot(SnapshotTicket { id, keys }));
    }

    /// Sends what the client is at, again or for the first time.
    pub(super) fn try_again(&mut self, client: usize) {
        let (request, durability) = match &self.clients[client].task {
            Some(Task::OpenSession { number, .. }) => {
                (Request::OpenSession { client: *number }, CommitDurability::default())
            }
            Some(Task::Once { request, durability, .. }) => (request.clone(), *durability),
            Some(Task::Reading(_) | Task::Writing { .. }) | None => return,
        };
        self.send_request(client, request, durability);
    }

    fn send_request(&mut self, client: usize, request: Request, durability: CommitDurability) {
        let id = self.next_operation(client);
        let node = self.draw_target(client);
        self.send_call(client, node, Call::Write(vec![Write { id, request, durability }]));
    }

    /// Takes in the answer to the last call of a task.
    pub(super) fn go_on(&mut self, client: usize, task: Task, reply: Reply) {
        match task {
            Task::OpenSession { number, attempts } => match reply {
                Reply::Done(_) => self.clients[client].session = Some((number, 1)),
                _ if attempts < ATTEMPTS_MAX => {
                    self.clients[client].task = Some(Task::OpenSession { number, attempts: attempts + 1 });
                }
                _ => {}
            },
            Task::Once { record, request, durability, attempts, in_doubt } => {
                let in_doubt = in_doubt || reply.is_in_doubt();
                let is_over = matches!(reply, Reply::Done(_) | Reply::WithoutEffect);
                if is_over || attempts >= ATTEMPTS_MAX {
                    return self.end_once(client, record, &reply, in_doubt);
                }
                let attempts = attempts + 1;
                let task = Task::Once { record, request, durability, attempts, in_doubt };
                self.clients[client].task = Some(task);
            }
            Task::Reading(change) => {
                if let Reply::Snapshot { at, values } = reply {
                    self.write_transaction(client, change, at, &values);
                }
            }
            Task::Writing { record } => self.record_outcome(record, &reply),
        }
    }

    fn end_once(&mut self, client: usize, record: OperationId, reply: &Reply, in_doubt: bool) {
        if matches!(reply, Reply::WithoutEffect) {
            self.clients[client].session = None;
        }
        match reply {
            Reply::Done(_) => self.records.done(self.now, record),
            _ if in_doubt => {}
            _ => self.records.without_effect(self.now, record),
        }
    }

    fn write_transaction(
        &mut self,
        client: usize,
        change: Change,
        at: Option<EntryId>,
        values: &[Option<Bytes>],
    ) {
        let record = self.next_operation(client);
        let mut reads = ReadSet::new(at);
        let row = match change {
            Change::CompareAndSet { key } => {
                reads.add_point(DEFAULT_DATABASE, &key);
                let new = self.draw_value(record);
                let (expected, set) = (values[0].clone(), Some(Bytes::from(new.clone())));
                let operation = RegisterOperation::CompareAndSet { expected, new: set };
                self.records.begin(self.now, client, record, key.clone(), operation);
                (key, Some(new))
            }
            Change::Append { lists } => {
                lists.iter().for_each(|list| reads.add_point(DEFAULT_DATABASE, list));
                let found: Vec<Vec<u64>> = values.iter().map(|value| elements(value.as_deref())).collect();
                let appended = written(found[0].iter().copied().chain([record.0]));
                let key = lists[0].clone();
                let mut steps: Vec<_> = lists
                    .into_iter()
                    .zip(found)
                    .map(|(key, list)| Step::Read { key, list: Some(list) })
                    .collect();
                steps.push(Step::Append { key: key.clone(), element: record.0 });
                self.records.begin_transaction(self.now, client, record, steps);
                (key, Some(appended))
            }
        };
        let durability = self.draw_waiting_durability();
        self.clients[client].task = Some(Task::Writing { record });
        let request = Request::Set { rows: vec![row], session: None, reads: Some(reads) };
        self.send_request(client, request, durability);
    }
}

/// The elements of a list, as they are written in its row.
fn elements(row: Option<&[u8]>) -> Vec<u64> {
    let text = row.map(String::from_utf8_lossy).unwrap_or_default();
    text.split(',').filter_map(|element| element.parse().ok()).collect()
}

fn written(elements: impl Iterator<Item = u64>) -> Vec<u8> {
    elements.map(|element| element.to_string()).collect::<Vec<_>>().join(",").into_bytes()
}
