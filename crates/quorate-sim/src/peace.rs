//! The end of a history: nothing goes wrong any more, and the group must come to agree.

use crate::checker::{Rule, Violation};
use crate::network::{MessageRates, letter};
use crate::world::{Event, World};
use crate::{SimTime, host::Host};
use quorate_core::{NodeId, NodeState, Vlsn};
use std::time::Duration;

/// How long a group may take to agree once it is left in peace.
const CONVERGENCE: Duration = Duration::from_secs(30);
/// How often it is asked.
const STEP: Duration = Duration::from_millis(100);

impl World {
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
            host.machine.disk.crash_at(u64::MAX);
            if let Some(process) = host.machine.process.as_mut() {
                process.crash_after(u64::MAX);
            }
            let at = self.soon(0, 100_000);
            self.queue.push(at, Event::Start { node });
        }
    }

    /// Waits until all agree: one master, equal logs and engines, every acknowledged write there.
    pub(crate) fn converge(&mut self) -> Result<(), Violation> {
        let limit = self.now + CONVERGENCE;
        while self.disagreement().is_some() && self.now < limit {
            let next: SimTime = self.now + STEP;
            self.run_until(next)?;
        }
        match self.disagreement() {
            None => self.check_equal(),
            Some(disagreement) => Rule::PeaceConverges
                .broken(format!("after {} s of peace {disagreement}", CONVERGENCE.as_secs())),
        }
    }

    /// What is still in the way of agreement.
    fn disagreement(&self) -> Option<String> {
        let progress = |host: &Host| host.machine.process.as_ref().map(|process| process.node().progress());
        let all: Vec<_> = self.hosts.iter().map(|(node, host)| (letter(*node), progress(host))).collect();
        if let Some((node, _)) = all.iter().find(|(_, progress)| progress.is_none()) {
            return Some(format!("{node} is not running"));
        }
        let all: Vec<_> = all.into_iter().filter_map(|(node, progress)| Some((node, progress?))).collect();
        let masters = all.iter().filter(|(_, progress)| progress.state == NodeState::Master).count();
        let replicas = all.iter().filter(|(_, progress)| progress.state == NodeState::Replica).count();
        if masters != 1 || replicas + 1 != all.len() {
            return Some(format!("there are {masters} masters and {replicas} replicas"));
        }
        let end = all[0].1.watermarks.written;
        let differs = all.iter().find(|(_, progress)| {
            let marks = progress.watermarks;
            progress.recovering || [marks.written, marks.durable, marks.committed, marks.applied] != [end; 4]
        });
        let Some((node, progress)) = differs else {
            return self.checker.is_under_way().then(|| "entries are still on their way".to_owned());
        };
        let recovering = if progress.recovering { "recovering, " } else { "" };
        Some(format!(
            "{node} is {recovering}{} and the first node's log ends at {}",
            progress.watermarks,
            Vlsn::number(end)
        ))
    }

    /// All logs hold the canonical entries, and all engines the same rows.
    fn check_equal(&mut self) -> Result<(), Violation> {
        self.checker.check_complete()?;
        let mut engines = self.hosts.iter().map(|(node, host)| (*node, host.machine.engine.rows()));
        let Some((first, rows)) = engines.next() else { return Ok(()) };
        for (node, others) in engines {
            if rows != others {
                return Rule::PeaceConverges.broken(format!(
                    "the engines of {} and {} differ",
                    letter(first),
                    letter(node)
                ));
            }
        }
        self.checker.check_rows(|key| rows.get(&crate::engine_disk::row_key(key)).cloned())
    }
}
