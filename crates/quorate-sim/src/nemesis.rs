//! What goes wrong, when, and for how long.

mod at_rest;
mod disks;
mod links;
mod nodes;

pub(crate) use at_rest::Planned;

use crate::FaultKind;
use crate::SimTime;
use crate::checker::Violation;
use crate::sim_time::micros_between;
use crate::world::{Event, World};
use quorate_core::{NodeId, Random};
use std::fmt;

/// What ends of itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mending {
    /// Everybody hears everybody again.
    Network,
    /// A disk has room again.
    Room {
        /// Whose.
        node: NodeId,
    },
    /// A node ends, and the copy that was taken of its directory is put back.
    OldDirectory {
        /// Whose.
        node: NodeId,
    },
}

/// One fault that struck by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strike {
    /// Its number within the history, whichever others were left out.
    pub number: usize,
    /// When.
    pub at: SimTime,
    /// Which kind.
    pub kind: FaultKind,
    /// What it did, and to whom.
    pub words: String,
}

impl fmt::Display for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} #{} {}: {}", self.at, self.number, self.kind.name(), self.words)
    }
}

impl World {
    pub(crate) fn schedule_fault(&mut self) {
        let mean = self.profile.fault_interval.as_micros() as u64;
        if mean == 0 {
            return;
        }
        let at = self.now + micros_between(&mut self.chaos, mean / 4, mean * 7 / 4);
        self.queue.push(at, Event::Fault);
    }

    /// Lets one thing go wrong, drawn by the profile's weights. Leaving one out changes neither the number
    /// nor the time nor the details of any other.
    pub(crate) fn strike(&mut self) -> Result<(), Violation> {
        if self.at_peace {
            return Ok(());
        }
        self.schedule_fault();
        let number = self.drawn;
        self.drawn += 1;
        let kind = self.profile.weights.draw(&mut self.chaos);
        let mut details = Random::new(self.chaos.next_u64());
        let Some(kind) = kind.filter(|_| self.profile.has_strike(number)) else { return Ok(()) };
        if let Some(words) = self.inflict(kind, &mut details) {
            self.note(format_args!("fault {number}: {words}"));
            self.strikes.push(Strike { number, at: self.now, kind, words });
        }
        Ok(())
    }

    /// Lets this go wrong; `None` if it cannot now. Kinds that only show later are counted when they do.
    fn inflict(&mut self, kind: FaultKind, details: &mut Random) -> Option<String> {
        match kind {
            FaultKind::Crash => self.plan_crash(details),
            FaultKind::CrashInStorage => self.plan_crash_in_storage(details),
            FaultKind::PowerLoss => self.lose_power_of_one(details),
            FaultKind::PowerLossOfAll => self.lose_power_of_all(),
            FaultKind::Pause => self.pause(details),
            FaultKind::ClockJump => self.jump_clock(details),
            FaultKind::StaleCopy => self.copy_directory(details),
            FaultKind::StateRot | FaultKind::EngineRot => self.damage_at_next_start(kind, details),
            FaultKind::LinkReset => self.reset_link(details),
            FaultKind::Partition => self.partition(details),
            FaultKind::OneWayPartition => self.partition_one_way(details),
            FaultKind::BridgePartition => self.partition_with_bridge(details),
            FaultKind::SlowDisk => self.slow_disk(details),
            FaultKind::DiskFull => self.fill_disk(details),
            FaultKind::SyncFailure => self.plan_sync_failure(details),
            FaultKind::LogRot | FaultKind::MisplacedWrite => self.damage_log(kind, details),
            FaultKind::Loss
            | FaultKind::Duplication
            | FaultKind::Reordering
            | FaultKind::Delay
            | FaultKind::EngineAhead
            | FaultKind::ClockSkew => None,
        }
    }

    pub(crate) fn mend(&mut self, mending: Mending) -> Result<(), Violation> {
        match mending {
            Mending::Network => {
                self.note(format_args!("the network heals"));
                self.network.heal();
            }
            Mending::Room { node } => self.make_room(node),
            Mending::OldDirectory { node } => self.go_back(node),
        }
        Ok(())
    }

    fn any_node(&self, details: &mut Random) -> NodeId {
        NodeId::new(1 + details.below(u64::from(self.profile.nodes)) as u16)
    }
}
