use super::Dependency::{ReadWrite, RealTime, WriteRead, WriteWrite};
use super::graph::Graph;
use super::lists::{List, Lists};
use super::{Fate, Transaction};
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

/// Gathers what must come before what, between transactions that took effect.
pub(super) fn gather<K: Ord, E: Ord>(history: &[Transaction<K, E>], lists: &Lists<'_, K, E>) -> Graph {
    let mut graph = Graph::new(history.len());
    for list in lists.keys.values() {
        gather_list(list, &lists.effective, &mut graph);
    }
    gather_clients(history, &mut graph);
    gather_time(history, &lists.effective, &mut graph);
    graph
}

/// Appends come in the order of the longest list; those that nobody read come after all of it, since lists
/// only grow.
fn gather_list<E: Ord>(list: &List<'_, E>, effective: &[bool], graph: &mut Graph) {
    let order: Vec<usize> =
        list.longest.1.iter().filter_map(|element| list.writers.get(element).copied()).collect();
    for pair in order.windows(2) {
        graph.add(pair[0], pair[1], WriteWrite);
    }
    let seen: BTreeSet<&E> = list.longest.1.iter().chain(list.lost.iter().copied()).collect();
    let unseen =
        list.writers.iter().filter(|(element, writer)| !seen.contains(*element) && effective[**writer]);
    let unseen: Vec<usize> = unseen.map(|(_, writer)| *writer).collect();
    if let Some(&last) = order.last() {
        unseen.iter().for_each(|&writer| graph.add(last, writer, WriteWrite));
    }
    for &(reader, found) in &list.reads {
        if let Some(&writer) = found.last().and_then(|last| list.writers.get(last)) {
            graph.add(writer, reader, WriteRead);
        }
        let rest = list.longest.1.get(found.len()..).unwrap_or_default();
        match rest.iter().find_map(|element| list.writers.get(element).filter(|writer| **writer != reader)) {
            Some(&writer) => graph.add(reader, writer, ReadWrite),
            None => unseen.iter().for_each(|&writer| graph.add(reader, writer, ReadWrite)),
        }
    }
}

fn gather_clients<K, E>(history: &[Transaction<K, E>], graph: &mut Graph) {
    let mut last = BTreeMap::new();
    let mut order: Vec<usize> = (0..history.len()).collect();
    order.sort_by_key(|&number| history[number].began);
    for number in order.into_iter().filter(|&number| history[number].fate == Fate::Committed) {
        if let Some(before) = last.insert(history[number].client, number) {
            graph.add(before, number, RealTime);
        }
    }
}

/// One moment for each end: what has ended comes before it, moments come in order, and what begins later comes
/// after the last moment before it. So the edges are as many as the transactions, not their square.
fn gather_time<K, E>(history: &[Transaction<K, E>], effective: &[bool], graph: &mut Graph) {
    let committed = |number: &usize| history[*number].fate == Fate::Committed;
    let ends = (0..history.len()).filter(committed);
    let mut ends: Vec<(u64, usize)> =
        ends.filter_map(|number| Some((history[number].ended?, number))).collect();
    ends.sort_unstable();
    let mut moments = Vec::<(u64, usize)>::with_capacity(ends.len());
    for (time, number) in ends {
        let moment = graph.add_moment();
        graph.add(number, moment, RealTime);
        if let Some((_, before)) = moments.last() {
            graph.add(*before, moment, RealTime);
        }
        moments.push((time, moment));
    }
    for number in (0..history.len()).filter(|&number| effective[number]) {
        let before = moments.partition_point(|(time, _)| *time < history[number].began);
        if let Some((_, moment)) = before.checked_sub(1).map(|place| moments[place]) {
            graph.add(moment, number, RealTime);
        }
    }
}
