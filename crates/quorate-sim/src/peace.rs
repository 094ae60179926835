//! The end of a history: nothing goes wrong any more, or a minority stays away, and the rest must come to
//! agree.

use crate::SimTime;
use crate::checker::{Ending, Rule, Violation};
use crate::network::{MessageRates, letter};
use crate::sim_time::happens;
use crate::world::{Event, World};
use bytes::Bytes;
use quorate_core::{NodeId, NodeState, Vlsn};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a group may take to agree once it is left in peace, beyond [`CONVERGENCE_ROUND_TRIPS`].
const CONVERGENCE: Duration = Duration::from_secs(30);
/// How many round trips that are slow of themselves it may take.
const CONVERGENCE_ROUND_TRIPS: u32 = 100;
/// How often it is asked.
const STEP: Duration = Duration::from_millis(100);

impl World {
    /// Ends all faults, in some histories but for one node that stays away, and waits until all others
    /// agree; then until all do.
    pub(crate) fn settle_in_peace(&mut self) -> Result<(), Violation> {
        let away = self.draw_absent();
        if let Some(node) = away {
            self.note(format_args!("{} stays away", letter(node)));
            self.host(node).is_kept_down = true;
            self.end_process(node, Ending::Process);
            self.make_peace();
            self.converge()?;
            self.host(node).is_kept_down = false;
        }
        self.make_peace();
        self.converge()
    }

    /// A node that the others can do without, in some histories.
    fn draw_absent(&mut self) -> Option<NodeId> {
        let node = NodeId::new(1 + self.random.below(u64::from(self.profile.nodes)) as u16);
        let stays_away = happens(&mut self.random, 300) && !self.hosts[&node].is_retired;
        (stays_away && self.checker.goes_on_without(node)).then_some(node)
    }

    /// Ends all faults and starts what is down.
    pub(crate) fn make_peace(&mut self) {
        self.note(format_args!("peace"));
        self.at_peace = true;
        self.profile.messages = MessageRates::default();
        self.network.heal();
        let nodes: Vec<NodeId> = self.hosts.keys().copied().collect();
        for node in nodes {
            let now = self.now;
            let host = self.host(node);
            host.paused_until = now;
            host.slow_until = now;
            host.awaits_sync_failure = false;
            host.is_full = false;
            host.planned = None;
            host.machine.disk.forget_faults();
            if let Some(process) = host.machine.process.as_mut() {
                process.crash_after(u64::MAX);
            }
            let at = self.soon(0, 100_000);
            self.queue.push(at, Event::Start { node });
        }
    }

    /// Waits until all agree: one master, equal logs and engines, every acknowledged write there.
    pub(crate) fn converge(&mut self) -> Result<(), Violation> {
        let patience = CONVERGENCE + self.profile.distance * 2 * CONVERGENCE_ROUND_TRIPS;
        let limit = self.now + patience;
        while self.disagreement().is_some() && self.now < limit {
            let next: SimTime = self.now + STEP;
            self.run_until(next)?;
        }
        match self.disagreement() {
            None => self.check_equal(),
            Some(disagreement) => {
                Rule::PeaceConverges.broken(format!("after {} s of peace {disagreement}", patience.as_secs()))
            }
        }
    }

    /// The nodes that take part.
    fn present(&self) -> Vec<NodeId> {
        let present = self.hosts.iter().filter(|(_, host)| !host.is_retired && !host.is_kept_down);
        present.map(|(node, _)| *node).collect()
    }

    /// What is still in the way of agreement.
    fn disagreement(&self) -> Option<String> {
        let present = self.present();
        let mut all = Vec::new();
        for node in &present {
            let Some(process) = self.hosts[node].machine.process.as_ref() else {
                return Some(format!("{} is not running", letter(*node)));
            };
            all.push((letter(*node), process.node().progress()));
        }
        let masters = all.iter().filter(|(_, progress)| progress.state == NodeState::Master).count();
        let replicas = all.iter().filter(|(_, progress)| progress.state == NodeState::Replica).count();
        if masters != 1 || replicas + 1 != all.len() {
            return Some(format!("there are {masters} masters and {replicas} replicas"));
        }
        let end = all[0].1.watermarks.written;
        let differs = all.iter().find(|(_, progress)| {
            let marks = progress.watermarks;
            let ails = progress.recovering || progress.damaged;
            ails || [marks.written, marks.durable, marks.committed, marks.applied] != [end; 4]
        });
        let Some((node, progress)) = differs else {
            return self.checker.is_under_way(&present).then(|| "entries are still on their way".to_owned());
        };
        let recovering = if progress.recovering { "recovering, " } else { "" };
        let damaged = if progress.damaged { "damaged, " } else { "" };
        Some(format!(
            "{node} is {recovering}{damaged}{} and the first node's log ends at {}",
            progress.watermarks,
            Vlsn::number(end)
        ))
    }

    /// All logs hold the canonical entries, and all engines the same rows.
    fn check_equal(&mut self) -> Result<(), Violation> {
        let present = self.present();
        self.checker.check_complete(&present)?;
        let Some(first) = present.first().copied() else { return Ok(()) };
        let rows = self.rows_of(first)?;
        for node in present {
            self.hosts[&node].machine.check_index(&self.checker)?;
            if rows != self.rows_of(node)? {
                return Rule::PeaceConverges.broken(format!(
                    "the engines of {} and {} differ",
                    letter(first),
                    letter(node)
                ));
            }
        }
        self.checker.check_rows(|key| rows.get(&crate::engine_disk::row_key(key)).cloned())
    }

    fn rows_of(&self, node: NodeId) -> Result<BTreeMap<Bytes, Bytes>, Violation> {
        let rows = self.hosts[&node].machine.rows();
        rows.or_else(|error| Rule::PeaceConverges.broken(format!("{}'s engine: {error}", letter(node))))
    }
}
