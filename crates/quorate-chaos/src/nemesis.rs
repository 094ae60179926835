use crate::ChaosError;
use crate::disk;
use crate::fault_kind::FaultKind;
use crate::group::{Group, leads};
use crate::network::Direction;
use crate::stall::Stall;
use crate::timeline::Timeline;
use quorate_server::demo::node_name;
use rustix::process::Signal;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long faults last, and how long the group is left alone after them, in milliseconds.
const HOLD_MS: std::ops::Range<u64> = 1_500..6_000;
const CALM_MS: std::ops::Range<u64> = 1_000..4_000;
/// How long the other nodes may take to hold everything before a node's log is damaged.
const CATCH_UP_PATIENCE: Duration = Duration::from_secs(20);
/// How long the group is broken beyond the time asked for, if a kind of fault could not happen till then.
const OVERTIME: Duration = Duration::from_secs(60);
/// The thread of a node that writes its log.
const LOG_THREAD: &str = "quorate-log";

/// Breaks the group, one round of faults after another.
#[derive(Debug)]
pub(crate) struct Nemesis {
    random: fastrand::Rng,
    kinds: Vec<FaultKind>,
    /// The kinds that are still to come before all begin again, so that none is left out for long.
    deck: Vec<FaultKind>,
    under_way: UnderWay,
    /// Nodes whose disk has been full since they were started: they may end, or stop serving until they are
    /// started again.
    filled: BTreeSet<usize>,
}

/// What has to be undone.
#[derive(Debug, Default)]
struct UnderWay {
    paused: BTreeSet<usize>,
    full: BTreeSet<usize>,
    stalled: Vec<Stall>,
}

impl Nemesis {
    /// Can do everything that this group's surroundings allow.
    pub(crate) fn new(seed: u64, group: &Group) -> Self {
        let is_isolated = group.network.is_isolated();
        let possible = |kind: &FaultKind| is_isolated || !kind.needs_isolation();
        let kinds = FaultKind::ALL.into_iter().filter(possible).collect();
        let random = fastrand::Rng::with_seed(seed);
        let (under_way, filled) = (UnderWay::default(), BTreeSet::new());
        Self { random, kinds, deck: Vec::new(), under_way, filled }
    }

    /// The kinds of faults that are possible here.
    pub(crate) fn kinds(&self) -> &[FaultKind] {
        &self.kinds
    }

    /// Breaks the group until the deadline, and leaves it whole. A kind of fault that has not happened by then gets
    /// some more time.
    pub(crate) async fn run(
        &mut self,
        group: &mut Group,
        timeline: &mut Timeline,
        deadline: Instant,
    ) -> Result<(), ChaosError> {
        while let Some(kind) = self.next(timeline, deadline) {
            sleep(self.some(CALM_MS)).await;
            match kind {
                FaultKind::FlippedBit => self.flip_a_bit(group, timeline).await?,
                kind => {
                    self.inject(kind, group, timeline).await?;
                    if is_of_links(kind) && self.random.bool() {
                        sleep(self.some(200..2_000)).await;
                        self.inject(FaultKind::Kill, group, timeline).await?;
                    }
                    sleep(self.some(HOLD_MS)).await;
                    self.heal(group, timeline).await?;
                }
            }
        }
        Ok(())
    }

    /// Undoes all faults. Nodes that are not running, or have stopped serving, are started.
    pub(crate) async fn heal(
        &mut self,
        group: &mut Group,
        timeline: &mut Timeline,
    ) -> Result<(), ChaosError> {
        timeline.tell("the group is healed");
        self.under_way.stalled.clear();
        for node in std::mem::take(&mut self.under_way.paused) {
            signal(group, node, Signal::CONT)?;
        }
        let full = std::mem::take(&mut self.under_way.full);
        full.iter().try_for_each(|&node| group.free_disk(node))?;
        group.network.mend()?;
        for node in 0..group.size() {
            self.see_to_end(node, group, timeline)?;
        }
        self.see_to_faults(group, timeline).await
    }

    /// Starts a node that does not run. If nobody has killed it and its disk was not full, that is told as
    /// wrong.
    fn see_to_end(&mut self, node: usize, group: &Group, timeline: &mut Timeline) -> Result<(), ChaosError> {
        let process = &group.processes[node];
        let ended = process.ended().map_err(ChaosError::system("looking after a node"))?;
        if let Some(status) = ended {
            let (name, log) = (process.name(), process.log_tail());
            if self.filled.contains(&node) {
                timeline.tell(&format!("{name} has ended with its disk full: {status}"));
            } else {
                timeline.complain(format!("{name} has ended by itself: {status}; its log ends with:\n{log}"));
            }
        }
        if process.id().is_none() {
            self.filled.remove(&node);
            process.start().map_err(ChaosError::system("starting a node"))?;
        }
        Ok(())
    }

    /// Starts again, as its operator would, each node that says that it has stopped serving. If its disk was
    /// not full, that is told as wrong.
    pub(crate) async fn see_to_faults(
        &mut self,
        group: &Group,
        timeline: &mut Timeline,
    ) -> Result<(), ChaosError> {
        for (node, status) in group.statuses().await.into_iter().enumerate() {
            let Some(fault) = status.map(|status| status.fault).filter(|fault| !fault.is_empty()) else {
                continue;
            };
            let text = format!("{} has stopped serving: {fault}", node_name(node));
            if self.filled.contains(&node) {
                timeline.tell(&format!("{text}; it is started again"));
            } else {
                timeline.complain(text);
            }
            kill(group, node)?;
            self.see_to_end(node, group, timeline)?;
        }
        Ok(())
    }

    async fn inject(
        &mut self,
        kind: FaultKind,
        group: &mut Group,
        timeline: &mut Timeline,
    ) -> Result<(), ChaosError> {
        let node = self.victim(group).await;
        match kind {
            FaultKind::Kill => self.kill(node, group, timeline),
            FaultKind::Pause => {
                signal(group, node, Signal::STOP)?;
                self.under_way.paused.insert(node);
                timeline.fault(kind, &format!("{} is paused", node_name(node)));
                Ok(())
            }
            FaultKind::FullDisk => {
                self.under_way.full.insert(node);
                self.filled.insert(node);
                disk::fill(&group.data_directory(node))?;
                timeline.fault(kind, &format!("the disk of {} is full", node_name(node)));
                Ok(())
            }
            FaultKind::StalledDisk => {
                let Some(process) = group.processes[node].id() else { return Ok(()) };
                let stall = Stall::begin(process, LOG_THREAD);
                self.under_way
                    .stalled
                    .push(stall.map_err(ChaosError::system("holding a node's log thread"))?);
                timeline.fault(kind, &format!("the disk of {} does not answer", node_name(node)));
                Ok(())
            }
            FaultKind::Split => self.split(group, timeline),
            FaultKind::OneWay => self.deafen(node, group, timeline),
            FaultKind::Bridge => self.bridge(node, group, timeline),
            FaultKind::FlippedBit => self.flip_a_bit(group, timeline).await,
        }
    }

    /// One node, or now and then all: what is acknowledged is on disks.
    fn kill(&mut self, node: usize, group: &Group, timeline: &mut Timeline) -> Result<(), ChaosError> {
        let victims = if self.random.u8(..6) == 0 { 0..group.size() } else { node..node + 1 };
        for victim in victims.clone() {
            kill(group, victim)?;
        }
        let names: Vec<String> = victims.map(node_name).collect();
        timeline.fault(FaultKind::Kill, &format!("kill -9 of {}", names.join(", ")));
        Ok(())
    }

    fn split(&mut self, group: &mut Group, timeline: &mut Timeline) -> Result<(), ChaosError> {
        let mut nodes: Vec<usize> = (0..group.size()).collect();
        self.random.shuffle(&mut nodes);
        let (one, other) = nodes.split_at(self.random.usize(1..nodes.len()));
        cut_between(group, one, other)?;
        let text = format!("partition: {} | {}", names(one), names(other));
        timeline.fault(FaultKind::Split, &text);
        Ok(())
    }

    fn deafen(&mut self, node: usize, group: &mut Group, timeline: &mut Timeline) -> Result<(), ChaosError> {
        let is_mute = self.random.bool();
        for other in (0..group.size()).filter(|&other| other != node) {
            let (from, to) = if is_mute { (node, other) } else { (other, node) };
            group.network.cut(Direction { from, to })?;
        }
        let what = if is_mute { "hears the others and is not heard" } else { "is heard and hears nobody" };
        timeline.fault(FaultKind::OneWay, &format!("one-way partition: {} {what}", node_name(node)));
        Ok(())
    }

    fn bridge(&mut self, node: usize, group: &mut Group, timeline: &mut Timeline) -> Result<(), ChaosError> {
        let mut others: Vec<usize> = (0..group.size()).filter(|&other| other != node).collect();
        self.random.shuffle(&mut others);
        let (one, other) = others.split_at(others.len() / 2);
        cut_between(group, one, other)?;
        let text = format!("partition: {} | {}, bridged by {}", names(one), names(other), node_name(node));
        timeline.fault(FaultKind::Bridge, &text);
        Ok(())
    }

    /// Kills a node and turns over one bit of its log, once the others hold all that it may have
    /// acknowledged: the end of a log that is damaged cannot be told from one that was never written, so one
    /// good copy of it must be left for the promise to hold.
    async fn flip_a_bit(&mut self, group: &mut Group, timeline: &mut Timeline) -> Result<(), ChaosError> {
        let node = self.victim(group).await;
        kill(group, node)?;
        timeline.tell(&format!("kill -9 of {}, to damage its log", node_name(node)));
        if others_hold_everything(group, node).await.is_err() {
            timeline.tell("the others do not catch up: the log is left as it is");
        } else if let Some(flip) = disk::flip(&group.data_directory(node), &mut self.random)? {
            let disk::Flip { file, offset, bit } = flip;
            let text = format!("bit {bit} of byte {offset} in {file} of {} turns over", node_name(node));
            timeline.fault(FaultKind::FlippedBit, &text);
        }
        self.heal(group, timeline).await
    }

    /// The master as often as all others together.
    async fn victim(&mut self, group: &Group) -> usize {
        let any = self.random.usize(..group.size());
        if self.random.bool() {
            return any;
        }
        let statuses = group.statuses().await;
        statuses.iter().position(|status| status.as_ref().is_some_and(leads)).unwrap_or(any)
    }

    fn next(&mut self, timeline: &Timeline, deadline: Instant) -> Option<FaultKind> {
        let now = Instant::now();
        let missing = || self.kinds.iter().copied().find(|kind| timeline.count(*kind) == 0);
        match now {
            _ if now < deadline => Some(self.draw()),
            _ if now < deadline + OVERTIME => missing(),
            _ => None,
        }
    }

    fn draw(&mut self) -> FaultKind {
        if self.deck.is_empty() {
            self.deck.clone_from(&self.kinds);
            self.random.shuffle(&mut self.deck);
        }
        self.deck.pop().unwrap_or(FaultKind::Kill)
    }

    fn some(&mut self, milliseconds: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.random.u64(milliseconds))
    }
}

const fn is_of_links(kind: FaultKind) -> bool {
    matches!(kind, FaultKind::Split | FaultKind::OneWay | FaultKind::Bridge)
}

fn kill(group: &Group, node: usize) -> Result<(), ChaosError> {
    group.processes[node].killer().kill_and_reap().map_err(ChaosError::system("killing a node"))
}

fn signal(group: &Group, node: usize, signal: Signal) -> Result<(), ChaosError> {
    group.processes[node].signal(signal).map_err(ChaosError::system("signalling a node"))
}

fn cut_between(group: &mut Group, one: &[usize], other: &[usize]) -> Result<(), ChaosError> {
    for (&from, &to) in one.iter().flat_map(|from| other.iter().map(move |to| (from, to))) {
        group.network.cut(Direction { from, to })?;
        group.network.cut(Direction { from: to, to: from })?;
    }
    Ok(())
}

fn names(nodes: &[usize]) -> String {
    nodes.iter().map(|&node| node_name(node)).collect::<Vec<_>>().join(", ")
}

/// Waits until all nodes but one hold durably, and know to be committed, what any of them held when a master led
/// without it.
async fn others_hold_everything(group: &Group, without: usize) -> Result<(), ChaosError> {
    let mut goal = None;
    group
        .wait_until("for the others to hold everything", CATCH_UP_PATIENCE, |statuses| {
            let others = statuses.iter().enumerate().filter(|(node, _)| *node != without);
            let others: Vec<_> = others.map(|(_, status)| status.as_ref()).collect::<Option<_>>()?;
            if !others.iter().any(|status| leads(status)) || others.iter().any(|status| status.recovering) {
                return None;
            }
            let marks: Vec<_> = others.iter().map(|status| status.watermarks).collect::<Option<_>>()?;
            let goal = *goal.get_or_insert(marks.iter().map(|marks| marks.written).max()?);
            marks.iter().all(|marks| marks.durable.min(marks.committed) >= goal).then_some(())
        })
        .await
}
