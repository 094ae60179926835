//! What clients saw, for the judgement at the end: calls on single keys, and transactions on lists.

use crate::SimTime;
use crate::checker::{Rule, Violation};
use crate::operation::OperationId;
use bytes::Bytes;
use quorate_check::list_append::{self, Fate, Step, Transaction};
use quorate_check::{Register, RegisterCall, RegisterOperation, RegisterOutcome, Verdict, by_key};
use std::collections::BTreeMap;

/// The calls and transactions of one history.
#[derive(Debug, Default)]
pub(crate) struct Records {
    calls: BTreeMap<OperationId, (Vec<u8>, RegisterCall<Bytes>)>,
    transactions: BTreeMap<OperationId, Transaction<Vec<u8>, u64>>,
}

/// How much was judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// Calls on single keys.
    pub calls: usize,
    /// Those of them whose outcome nobody knows.
    pub pending: usize,
    /// Transactions on lists.
    pub transactions: usize,
}

impl Judged {
    /// Adds another history's.
    pub const fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.pending += other.pending;
        self.transactions += other.transactions;
    }
}

/// How many states of one key's search are looked at.
const BUDGET: u64 = 2_000_000;

impl Records {
    /// A call on a key begins.
    pub(crate) fn begin(
        &mut self,
        now: SimTime,
        client: usize,
        id: OperationId,
        key: Vec<u8>,
        operation: RegisterOperation<Bytes>,
    ) {
        let (client, began) = (client as u64, now.as_micros());
        let call = RegisterCall { client, began, ended: None, operation, outcome: None };
        self.calls.insert(id, (key, call));
    }

    /// A transaction on lists begins.
    pub(crate) fn begin_transaction(
        &mut self,
        now: SimTime,
        client: usize,
        id: OperationId,
        steps: Vec<Step<Vec<u8>, u64>>,
    ) {
        let (client, began) = (client as u64, now.as_micros());
        let transaction = Transaction { client, began, ended: None, fate: Fate::Unknown, steps };
        self.transactions.insert(id, transaction);
    }

    /// A write, or a transaction, took effect.
    pub(crate) fn done(&mut self, now: SimTime, id: OperationId) {
        if let Some((_, call)) = self.calls.get_mut(&id) {
            call.ended = Some(now.as_micros());
            call.outcome = Some(match call.operation {
                RegisterOperation::CompareAndSet { .. } => RegisterOutcome::Swapped(true),
                RegisterOperation::Read | RegisterOperation::Write(_) => RegisterOutcome::Written,
            });
        }
        self.decide(now, id, Fate::Committed);
    }

    /// A read has shown this.
    pub(crate) fn read(&mut self, now: SimTime, id: OperationId, value: Option<Bytes>) {
        if let Some((_, call)) = self.calls.get_mut(&id) {
            call.ended = Some(now.as_micros());
            call.outcome = Some(RegisterOutcome::Value(value));
        }
    }

    /// It had no effect, and has none in time to come.
    pub(crate) fn without_effect(&mut self, now: SimTime, id: OperationId) {
        self.calls.remove(&id);
        self.decide(now, id, Fate::Aborted);
    }

    fn decide(&mut self, now: SimTime, id: OperationId, fate: Fate) {
        if let Some(transaction) = self.transactions.get_mut(&id) {
            transaction.ended = Some(now.as_micros());
            transaction.fate = fate;
        }
    }

    /// Judges everything: each key's calls are linearizable, and the transactions strictly serializable.
    pub(crate) fn judge(&self) -> Result<Judged, Violation> {
        let transactions: Vec<_> = self.transactions.values().cloned().collect();
        if let Some(anomaly) = list_append::check(&transactions).first() {
            return Rule::ClientsSeeOneOrder.broken(anomaly.to_string());
        }
        for judged in by_key::<_, Register<Bytes>>(self.calls.values().cloned(), BUDGET) {
            let key = String::from_utf8_lossy(&judged.key).into_owned();
            match judged.verdict {
                Verdict::Linearizable => {}
                Verdict::NotLinearizable { prefix, stuck } => {
                    let last = prefix.last().map(|place| &judged.calls[*place]);
                    let stuck: Vec<_> = stuck.iter().map(|place| &judged.calls[*place]).collect();
                    return Rule::ClientsSeeOneOrder.broken(format!(
                        "{key} is not linearizable: none of {stuck:?} can follow {last:?}, nor any order before"
                    ));
                }
                Verdict::Unknown { states } => {
                    return Rule::ClientsSeeOneOrder.broken(format!(
                        "{key}: whether it is linearizable is unknown after {states} states"
                    ));
                }
            }
        }
        let pending = self.calls.values().filter(|(_, call)| call.is_pending()).count();
        Ok(Judged { calls: self.calls.len(), pending, transactions: transactions.len() })
    }
}
