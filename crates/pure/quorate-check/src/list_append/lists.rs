use super::{Anomaly, Fate, Step, Transaction};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

/// Everything that the lists of a history tell.
#[derive(Debug)]
pub(super) struct Lists<'a, K, E> {
    pub(super) keys: BTreeMap<&'a K, List<'a, E>>,
    /// The transactions that took effect: committed, or of unknown fate and seen by somebody.
    pub(super) effective: Vec<bool>,
}

/// What is known of one key.
#[derive(Debug)]
pub(super) struct List<'a, E> {
    /// Who appended each element.
    pub(super) writers: BTreeMap<&'a E, usize>,
    /// Each transaction's last append.
    last_appends: BTreeMap<usize, &'a E>,
    /// What committed transactions read, without what they had appended themselves.
    pub(super) reads: Vec<(usize, &'a [E])>,
    /// The longest list read, and its reader: the order of the appends.
    pub(super) longest: (usize, &'a [E]),
    /// Acknowledged appends that a later reader did not see, nor anybody else.
    pub(super) lost: BTreeSet<&'a E>,
}

impl<'a, K: Ord, E: Ord> Lists<'a, K, E> {
    pub(super) fn gather(history: &'a [Transaction<K, E>]) -> (Self, Vec<Anomaly<'a, K, E>>) {
        let mut anomalies = Vec::new();
        let mut keys = BTreeMap::new();
        for (number, transaction) in history.iter().enumerate() {
            gather_appends(number, transaction, &mut keys, &mut anomalies);
        }
        for (number, transaction) in history.iter().enumerate() {
            if transaction.fate == Fate::Committed {
                gather_reads(number, transaction, &mut keys, &mut anomalies);
            }
        }
        let mut effective: Vec<bool> =
            history.iter().map(|transaction| transaction.fate == Fate::Committed).collect();
        for (&key, list) in &mut keys {
            let seen = list.longest.1.iter().filter_map(|element| list.writers.get(element));
            seen.for_each(|&writer| effective[writer] |= history[writer].fate == Fate::Unknown);
            judge_reads(key, list, history, &mut anomalies);
            find_lost(key, list, history, &mut anomalies);
        }
        (Self { keys, effective }, anomalies)
    }
}

impl<E> Default for List<'_, E> {
    fn default() -> Self {
        Self {
            writers: BTreeMap::new(),
            last_appends: BTreeMap::new(),
            reads: Vec::new(),
            longest: (0, &[]),
            lost: BTreeSet::new(),
        }
    }
}

fn gather_appends<'a, K: Ord, E: Ord>(
    number: usize,
    transaction: &'a Transaction<K, E>,
    keys: &mut BTreeMap<&'a K, List<'a, E>>,
    anomalies: &mut Vec<Anomaly<'a, K, E>>,
) {
    for step in &transaction.steps {
        let Step::Append { key, element } = step else { continue };
        let list = keys.entry(key).or_default();
        list.last_appends.insert(number, element);
        if let Some(other) = list.writers.insert(element, number) {
            anomalies.push(Anomaly::AppendedTwice { key, element, transactions: [other, number] });
        }
    }
}

/// Notes what a transaction has read, and whether that agrees with what it had read and appended before.
fn gather_reads<'a, K: Ord, E: Ord>(
    reader: usize,
    transaction: &'a Transaction<K, E>,
    keys: &mut BTreeMap<&'a K, List<'a, E>>,
    anomalies: &mut Vec<Anomaly<'a, K, E>>,
) {
    let mut own = BTreeMap::<&K, (Option<&[E]>, Vec<&E>)>::new();
    for step in &transaction.steps {
        match step {
            Step::Append { key, element } => own.entry(key).or_default().1.push(element),
            Step::Read { list: None, .. } => {}
            Step::Read { key, list: Some(found) } => {
                let (before, appended) = own.entry(key).or_default();
                let base = &found[..found.len().saturating_sub(appended.len())];
                let ends_with_own = found[base.len()..].iter().eq(appended.iter().copied());
                if !ends_with_own || before.is_some_and(|before| before != base) {
                    anomalies.push(Anomaly::Internal { key, reader });
                    continue;
                }
                let list = keys.entry(key).or_default();
                if before.replace(base).is_none() {
                    list.reads.push((reader, base));
                }
                if found.len() > list.longest.1.len() {
                    list.longest = (reader, found);
                }
            }
        }
    }
}

/// Looks at each list by itself, and at whether the longest begins with it.
fn judge_reads<'a, K: Ord, E: Ord>(
    key: &'a K,
    list: &List<'a, E>,
    history: &[Transaction<K, E>],
    anomalies: &mut Vec<Anomaly<'a, K, E>>,
) {
    let (longest_reader, longest) = list.longest;
    judge_elements(key, list, (longest_reader, longest), history, anomalies);
    for &(reader, found) in &list.reads {
        if !longest.starts_with(found) {
            anomalies.push(Anomaly::IncompatibleOrders { key, readers: [reader, longest_reader] });
            judge_elements(key, list, (reader, found), history, anomalies);
        }
        if let Some((&element, writer)) = found.last().and_then(|last| list.writers.get_key_value(last))
            && list.last_appends.get(writer) != Some(&element)
            && *writer != reader
        {
            anomalies.push(Anomaly::IntermediateRead { key, element, writer: *writer, reader });
        }
    }
}

fn judge_elements<'a, K: Ord, E: Ord>(
    key: &'a K,
    list: &List<'a, E>,
    (reader, found): (usize, &'a [E]),
    history: &[Transaction<K, E>],
    anomalies: &mut Vec<Anomaly<'a, K, E>>,
) {
    let mut seen = BTreeSet::new();
    for element in found {
        if !seen.insert(element) {
            anomalies.push(Anomaly::Duplicated { key, element, reader });
        }
        match list.writers.get(element) {
            None => anomalies.push(Anomaly::Invented { key, element, reader }),
            Some(&writer) if history[writer].fate == Fate::Aborted => {
                anomalies.push(Anomaly::AbortedRead { key, element, writer, reader });
            }
            Some(_) => {}
        }
    }
}

/// Finds what was acknowledged and is in no list though somebody read the key later.
fn find_lost<'a, K: Ord, E: Ord>(
    key: &'a K,
    list: &mut List<'a, E>,
    history: &[Transaction<K, E>],
    anomalies: &mut Vec<Anomaly<'a, K, E>>,
) {
    let seen: BTreeSet<&E> = list.longest.1.iter().collect();
    let Some(&(reader, _)) = list.reads.iter().max_by_key(|(reader, _)| history[*reader].began) else {
        return;
    };
    for (&element, &writer) in &list.writers {
        let (is_committed, ended) = (history[writer].fate == Fate::Committed, history[writer].ended);
        if is_committed && !seen.contains(element) && ended.is_some_and(|end| end < history[reader].began) {
            list.lost.insert(element);
            anomalies.push(Anomaly::Lost { key, element, writer, reader });
        }
    }
}
