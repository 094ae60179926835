use crate::history::Records;
use crate::keys;
use bytes::Bytes;
use quorate_check::list_append::{self, Fate, Step};
use quorate_check::{Call, Register, RegisterCall, RegisterOperation, Verdict, by_key};
use std::collections::{BTreeMap, BTreeSet};

/// How many configurations the search may look at for each key.
const BUDGET: u64 = 20_000_000;
/// How many findings of a kind are told.
const FINDINGS_MAX: usize = 10;

/// What a history comes to.
#[derive(Debug)]
pub(crate) struct Judgement {
    /// What was found out, in words.
    pub(crate) summary: Vec<String>,
    /// What is wrong; nothing if the product kept its promises.
    pub(crate) findings: Vec<String>,
}

/// Judges a history and what all nodes hold at its end.
pub(crate) fn judge(records: Records, last: &[BTreeMap<String, Bytes>]) -> Judgement {
    let mut judgement = Judgement { summary: vec![counts(&records)], findings: Vec::new() };
    judge_copies(last, &mut judgement);
    if let Some(rows) = last.first() {
        judge_losses(&records, rows, &mut judgement);
    }
    judge_transactions(&records, &mut judgement);
    judge_registers(records.calls, &mut judgement);
    judgement
}

fn counts(records: &Records) -> String {
    let count = |wanted: fn(&RegisterOperation<u64>) -> bool| {
        records.calls.iter().filter(|(_, call)| wanted(&call.operation)).count()
    };
    let unknown = records.calls.iter().filter(|(_, call)| call.is_pending()).count()
        + records.transactions.iter().filter(|transaction| transaction.fate == Fate::Unknown).count();
    let reads = count(|operation| matches!(operation, RegisterOperation::Read));
    let writes = count(|operation| matches!(operation, RegisterOperation::Write(_)));
    let swaps = count(|operation| matches!(operation, RegisterOperation::CompareAndSet { .. }));
    format!(
        "operations: {reads} reads, {writes} writes, {swaps} compare-and-sets, {} list transactions; of these \
         {unknown} with unknown outcome; besides, {} that did nothing",
        records.transactions.len(),
        records.refusals
    )
}

fn judge_copies(last: &[BTreeMap<String, Bytes>], judgement: &mut Judgement) {
    let differ = last.windows(2).any(|pair| pair[0] != pair[1]);
    if differ {
        judgement.findings.push("the nodes hold different data at the end".to_owned());
    }
    let rows = last.first().map_or(0, BTreeMap::len);
    let word = if differ { "different" } else { "the same" };
    judgement.summary.push(format!("copies: {} nodes with {word} data, {rows} rows", last.len()));
}

/// Looks for each acknowledged append in the lists at the end: lists only grow, so all must be there. This
/// relies on no checker.
fn judge_losses(records: &Records, rows: &BTreeMap<String, Bytes>, judgement: &mut Judgement) {
    let lists: BTreeMap<&String, BTreeSet<u64>> = rows
        .iter()
        .filter(|(key, _)| keys::is_list(key))
        .map(|(key, value)| (key, keys::read_list(value).unwrap_or_default().into_iter().collect()))
        .collect();
    let (mut acknowledged, mut lost) = (0_u64, 0_u64);
    for transaction in records.transactions.iter().filter(|transaction| transaction.fate == Fate::Committed) {
        for step in &transaction.steps {
            let Step::Append { key, element } = step else { continue };
            acknowledged += 1;
            if !lists.get(key).is_some_and(|list| list.contains(element)) {
                lost += 1;
            }
        }
    }
    judgement.summary.push(format!("losses: {acknowledged} acknowledged appends, {lost} lost"));
    if lost > 0 {
        judgement.findings.push(format!("{lost} acknowledged appends are lost"));
    }
}

fn judge_transactions(records: &Records, judgement: &mut Judgement) {
    let anomalies = list_append::check(&records.transactions);
    let count = records.transactions.len();
    judgement.summary.push(match anomalies.len() {
        0 => format!("transactions: {count}, strictly serializable"),
        found => format!("transactions: {count}, with {found} anomalies"),
    });
    judgement.findings.extend(anomalies.iter().take(FINDINGS_MAX).map(ToString::to_string));
}

fn judge_registers(calls: Vec<(String, RegisterCall<u64>)>, judgement: &mut Judgement) {
    let count = calls.len();
    let judged = by_key::<_, Register<u64>>(calls, BUDGET);
    let (mut good, mut findings) = (0, Vec::new());
    for key in &judged {
        match &key.verdict {
            Verdict::Linearizable => good += 1,
            Verdict::NotLinearizable { prefix, stuck } => {
                let told = |places: &[usize]| places.iter().map(|&place| words(&key.calls[place])).collect();
                let before: Vec<String> = told(&prefix[prefix.len().saturating_sub(5)..]);
                let stuck: Vec<String> = told(stuck);
                findings.push(format!(
                    "{} is not linearizable: behind {} nothing explains {}",
                    key.key,
                    before.join("; "),
                    stuck.join("; ")
                ));
            }
            Verdict::Unknown { states } => {
                findings.push(format!("{} is undecided after {states} configurations", key.key));
            }
        }
    }
    judgement.summary.push(format!("registers: {count} calls, {good} of {} keys linearizable", judged.len()));
    judgement.findings.extend(findings.into_iter().take(FINDINGS_MAX));
}

fn words<O: std::fmt::Debug, R: std::fmt::Debug>(call: &Call<O, R>) -> String {
    let Call { client, began, ended, operation, outcome } = call;
    let seconds = |time: u64| time as f64 / 1e9;
    let ended = ended.map_or_else(|| "?".to_owned(), |ended| format!("{:.6}", seconds(ended)));
    format!("client {client}, {:.6}-{ended} s, {operation:?} -> {outcome:?}", seconds(*began))
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_check::RegisterOutcome;
    use quorate_check::list_append::Transaction;

    fn rows(list: &[u64]) -> BTreeMap<String, Bytes> {
        BTreeMap::from([("epoch00000/list0".to_owned(), keys::written_list(list))])
    }

    fn append(element: u64, fate: Fate) -> Transaction<String, u64> {
        let steps = vec![Step::Append { key: "epoch00000/list0".to_owned(), element }];
        Transaction { client: 1, began: 0, ended: Some(1), fate, steps }
    }

    #[test]
    fn acknowledged_appends_are_looked_for_at_the_end() {
        let history = || Records {
            transactions: vec![append(1, Fate::Committed), append(2, Fate::Unknown)],
            ..Records::default()
        };
        assert!(judge(history(), &[rows(&[1]), rows(&[1])]).findings.is_empty());
        assert_eq!(judge(history(), &[rows(&[2])]).findings, ["1 acknowledged appends are lost"]);
    }

    #[test]
    fn copies_that_differ_are_found() {
        let found = judge(Records::default(), &[rows(&[1]), rows(&[1, 2])]).findings;
        assert_eq!(found, ["the nodes hold different data at the end"]);
    }

    #[test]
    fn a_stale_read_is_told_in_words() {
        let call = |began, operation, outcome| {
            let ended = Some(began + 1_000_000);
            ("key".to_owned(), Call { client: 7, began, ended, operation, outcome: Some(outcome) })
        };
        let calls = vec![
            call(0, RegisterOperation::Write(Some(5)), RegisterOutcome::Written),
            call(2_000_000, RegisterOperation::Read, RegisterOutcome::Value(None)),
        ];
        let found = judge(Records { calls, ..Records::default() }, &[]).findings;
        assert_eq!(
            found,
            [
                "key is not linearizable: behind client 7, 0.000000-0.001000 s, Write(Some(5)) -> Some(Written) \
              nothing explains client 7, 0.002000-0.003000 s, Read -> Some(Value(None))"
            ]
        );
    }
}
