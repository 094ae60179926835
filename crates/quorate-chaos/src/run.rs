use crate::arguments::Arguments;
use crate::group::{Group, agreement, leads};
use crate::history::{History, Told};
use crate::judge::{Judgement, judge};
use crate::nemesis::Nemesis;
use crate::network::Network;
use crate::timeline::Timeline;
use crate::worker::{Worker, list_value, register_value, scan};
use crate::{ChaosError, keys};
use bytes::Bytes;
use quorate_check::list_append::Step;
use quorate_check::{RegisterOperation, RegisterOutcome};
use quorate_server::client::{Client, ClientOptions};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// How long each of a node's clients tries one call, in milliseconds: some give up so soon that the outcomes of
/// their calls stay unknown.
const CLIENTS_PATIENCE_MS: [u64; 3] = [4_000, 1_000, 250];
const CLIENTS_PER_NODE: usize = CLIENTS_PATIENCE_MS.len();
/// How long the last reads are tried, of a group that is whole.
const LAST_READ_PATIENCE: Duration = Duration::from_secs(30);
/// How long the group may take to begin, and to be whole once all faults have ended.
const START_PATIENCE: Duration = Duration::from_secs(30);
const HEAL_PATIENCE: Duration = Duration::from_secs(60);

/// Breaks a group for as long as is asked and judges it. The findings say what is wrong.
pub(crate) async fn run(
    arguments: &Arguments,
    seed: u64,
    program: &Path,
    directory: &Path,
) -> Result<Judgement, ChaosError> {
    let nodes = usize::from(arguments.nodes);
    let network = if arguments.isolated { Network::namespaces(nodes)? } else { Network::loopback(nodes)? };
    let mut group = Group::start(program, directory, network, nodes)?;
    let mut nemesis = Nemesis::new(seed, &group);
    tell_beginning(arguments, seed, &group, &nemesis);
    let a_master = |statuses: &Vec<_>| statuses.iter().flatten().any(leads).then_some(());
    group.wait_until("for a master", START_PATIENCE, a_master).await?;

    let mut timeline = Timeline::begin();
    let history = Arc::new(History::begin());
    let (stop, stopped) = watch::channel(false);
    let mut workers = start_clients(seed, &group, &history, &stopped)?;
    let deadline = Instant::now() + Duration::from_secs_f64(arguments.minutes * 60.0);
    nemesis.run(&mut group, &mut timeline, deadline).await?;
    stop.send_replace(true);
    while workers.join_next().await.is_some() {}

    nemesis.see_to_faults(&group, &mut timeline).await?;
    let last = match group.wait_until("for all nodes to agree", HEAL_PATIENCE, agreement).await {
        Ok(position) => {
            timeline.tell(&format!("all nodes agree, up to position {position}"));
            read_everything(&group, &history).await?
        }
        Err(error) => {
            timeline.complain(error.to_string());
            Vec::new()
        }
    };
    let mut judgement = judge(history.take(), &last);
    judge_faults(&nemesis, &timeline, &mut judgement);
    Ok(judgement)
}

fn tell_beginning(arguments: &Arguments, seed: u64, group: &Group, nemesis: &Nemesis) {
    let (minutes, nodes) = (arguments.minutes, group.size());
    let place = if group.network.is_isolated() {
        "in network namespaces of their own"
    } else {
        "on loopback addresses"
    };
    println!("seed {seed}: {nodes} nodes {place}, broken for {minutes} minutes");
    let kinds: Vec<String> = nemesis.kinds().iter().map(ToString::to_string).collect();
    println!("faults: {}", kinds.join(", "));
}

/// Each node has clients that know no other node at first, and one that knows all.
fn start_clients(
    seed: u64,
    group: &Group,
    history: &Arc<History>,
    stopped: &watch::Receiver<bool>,
) -> Result<JoinSet<()>, ChaosError> {
    let mut workers = JoinSet::new();
    for number in 0..group.size() * CLIENTS_PER_NODE {
        let (node, kind) = (number % group.size(), number / group.size());
        let timeout = Duration::from_millis(CLIENTS_PATIENCE_MS[kind]);
        let options = ClientOptions { timeout, ..ClientOptions::default() };
        let known = if kind == 0 { group.addresses() } else { &group.addresses()[node..=node] };
        let worker = Worker {
            number: number as u64,
            client: Client::with_options(known, options)?,
            random: fastrand::Rng::with_seed(seed.wrapping_add(1 + number as u64)),
            history: Arc::clone(history),
        };
        workers.spawn(worker.run(stopped.clone()));
    }
    Ok(workers)
}

/// Reads all keys from each node. The reads are part of the history: what was acknowledged and is not there is
/// found with everything else.
async fn read_everything(
    group: &Group,
    history: &History,
) -> Result<Vec<BTreeMap<String, Bytes>>, ChaosError> {
    let options = ClientOptions { timeout: LAST_READ_PATIENCE, ..ClientOptions::default() };
    let mut copies = Vec::with_capacity(group.size());
    for (node, address) in group.addresses().iter().enumerate() {
        let client = Client::with_options([address], options)?;
        let began = history.now();
        let rows = scan(&client, "").await.map_err(ChaosError::LastRead)?;
        note_last_reads((group.size() * CLIENTS_PER_NODE + node) as u64, began, &rows, history);
        copies.push(rows);
    }
    Ok(copies)
}

fn note_last_reads(client: u64, began: u64, rows: &BTreeMap<String, Bytes>, history: &History) {
    let epochs: BTreeSet<String> = (0..=began).step_by(1_000_000_000).map(keys::epoch).collect();
    let mut lists = Vec::new();
    for epoch in &epochs {
        for key in keys::all_lists(epoch) {
            let list = Some(list_value(rows.get(&key)));
            lists.push(Step::Read { key, list });
        }
        for key in keys::all_registers(epoch) {
            let outcome = RegisterOutcome::Value(register_value(rows.get(&key)));
            history.call((client, &key, began), RegisterOperation::Read, outcome, Told::Done);
        }
    }
    history.transaction(client, began, lists, Told::Done);
}

/// A kind of fault that never happened shows nothing; a node that ended by itself is a finding of its own.
fn judge_faults(nemesis: &Nemesis, timeline: &Timeline, judgement: &mut Judgement) {
    let counted = nemesis.kinds().iter().map(|&kind| (kind, timeline.count(kind)));
    let words: Vec<String> = counted.clone().map(|(kind, count)| format!("{kind} {count}")).collect();
    judgement.summary.push(format!("faults: {}", words.join(", ")));
    let missing = counted.filter(|(_, count)| *count == 0);
    judgement.findings.extend(missing.map(|(kind, _)| format!("{kind} never happened: run for longer")));
    judgement.findings.extend(timeline.complaints.iter().cloned());
}
