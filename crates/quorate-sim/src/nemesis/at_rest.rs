//! Damage to what lies on disks. It is done only where what it may cost is held by a write quorum of others
//! that are well: beyond that no system keeps what it has acknowledged.

use super::Mending;
use crate::checker::Ending;
use crate::machine::SegmentFile;
use crate::network::letter;
use crate::sim_time::micros_between;
use crate::world::{Event, World};
use crate::{FaultKind, SimTime};
use quorate_core::{NodeId, Random};

/// How long a block is, in bytes, that is found in another one's place.
const BLOCK_BYTES: u64 = 512;
/// How long a segment's header is, in bytes.
const SEGMENT_HEADER_BYTES: u64 = 1024;

/// Damage that waits for its node to be down.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    kind: FaultKind,
    details: Random,
}

impl World {
    /// Damages a sealed segment of any node at once, or any segment of a node that is down.
    pub(super) fn damage_log(&mut self, kind: FaultKind, details: &mut Random) -> Option<String> {
        if details.below(2) == 0 {
            return self.damage_at_next_start(kind, details);
        }
        let node = self.any_node(details);
        let mut segments = self.hosts[&node].machine.segments();
        let next = segments.pop()?.first;
        let segment = segments.get(details.below(segments.len() as u64) as usize)?;
        let may_lose = self.checker.may_lose(node, segment.first, Some(next));
        if self.hosts[&node].is_retired || !may_lose {
            return None;
        }
        self.damage_segment(node, kind, segment, SEGMENT_HEADER_BYTES, details)
    }

    /// Ends a process if there is one; before another one is started its disk is damaged.
    pub(super) fn damage_at_next_start(&mut self, kind: FaultKind, details: &mut Random) -> Option<String> {
        let node = self.any_node(details);
        if self.hosts[&node].is_retired || self.hosts[&node].planned.is_some() {
            return None;
        }
        if self.hosts[&node].machine.process.is_some() {
            self.end_process(node, Ending::Process);
        }
        self.host(node).planned = Some(Planned { kind, details: Random::new(details.next_u64()) });
        Some(format!("{}'s disk suffers before it is started again", letter(node)))
    }

    /// Copies a node's directory; after a while its process ends, and the copy is put back.
    pub(super) fn copy_directory(&mut self, details: &mut Random) -> Option<String> {
        let node = self.any_node(details);
        if self.hosts[&node].is_retired || self.hosts[&node].backup.is_some() {
            return None;
        }
        let longest = if details.below(4) == 0 { 10_000_000 } else { 300_000 };
        let until = self.now + micros_between(details, 20_000, longest);
        let copy = self.checker.copy_of(node);
        let host = self.host(node);
        host.backup = Some(host.machine.back_up(copy));
        self.queue.push(until, Event::Mend(Mending::OldDirectory { node }));
        Some(format!("{}'s directory is copied, to be put back at {until}", letter(node)))
    }

    /// Ends a process, and puts back the copy of its directory before another one is started.
    pub(super) fn go_back(&mut self, node: NodeId) {
        let host = &self.hosts[&node];
        if self.at_peace || host.is_retired || host.planned.is_some() {
            self.host(node).backup = None;
            return;
        }
        if host.machine.process.is_some() {
            self.end_process(node, Ending::Process);
        }
        self.host(node).planned = Some(Planned { kind: FaultKind::StaleCopy, details: Random::new(0) });
    }

    /// Does the damage that waited for this node to be down.
    pub(crate) fn carry_out_planned_damage(&mut self, node: NodeId) {
        let Some(Planned { kind, mut details }) = self.host(node).planned.take() else { return };
        let words = match kind {
            FaultKind::StateRot => self.damage_state(node, &mut details),
            FaultKind::EngineRot => self.damage_engine(node, &mut details),
            FaultKind::StaleCopy => self.put_back(node),
            kind => self.damage_any_segment(node, kind, &mut details),
        };
        match words {
            Some(words) => self.note(format_args!("{words}")),
            None => self.note(format_args!("{}'s disk is spared", letter(node))),
        }
    }

    pub(crate) fn damage_any_segment(
        &mut self,
        node: NodeId,
        kind: FaultKind,
        details: &mut Random,
    ) -> Option<String> {
        let segments = self.hosts[&node].machine.segments();
        let segment = segments.get(details.below(segments.len() as u64) as usize)?;
        let may_lose = self.checker.may_lose(node, segment.first, None);
        may_lose.then(|| self.damage_segment(node, kind, segment, 0, details)).flatten()
    }

    /// Changes bytes of a segment, none of them before `start`.
    fn damage_segment(
        &mut self,
        node: NodeId,
        kind: FaultKind,
        segment: &SegmentFile,
        start: u64,
        details: &mut Random,
    ) -> Option<String> {
        let offset = start + details.below(segment.used_bytes.checked_sub(start)?);
        let disk = self.hosts[&node].machine.disk.clone();
        let (letter, name) = (letter(node), segment.path.display());
        let words = if kind == FaultKind::LogRot {
            let bit = details.below(8) as u8;
            disk.flip_bit(&segment.path, offset, bit).then_some(())?;
            format!("{letter}: bit {bit} of byte {offset} of {name} flips")
        } else {
            let contents = disk.contents(&segment.path)?;
            let source = details.below(contents.len() as u64 / BLOCK_BYTES) * BLOCK_BYTES;
            let target = offset / BLOCK_BYTES * BLOCK_BYTES;
            let block = contents.get(source as usize..(source + BLOCK_BYTES) as usize)?;
            if contents.get(target as usize..(target + BLOCK_BYTES) as usize)? == block {
                return None;
            }
            disk.corrupt(&segment.path, target, block);
            format!("{letter}: what {name} holds at {source} stands at {target} too")
        };
        self.checker.was_damaged(node, segment.first);
        self.faults.count(kind);
        Some(words)
    }

    fn damage_state(&mut self, node: NodeId, details: &mut Random) -> Option<String> {
        let words = self.host(node).machine.flip_bit_of_state(details)?;
        self.faults.count(FaultKind::StateRot);
        Some(format!("{}: {words}", letter(node)))
    }

    /// What an engine has lost may be gone from its node's log too: the node may have to stop for good.
    pub(crate) fn damage_engine(&mut self, node: NodeId, details: &mut Random) -> Option<String> {
        if !self.checker.may_stop_for_good(node) {
            return None;
        }
        let words = self.host(node).machine.flip_bit_of_engine(details)?;
        self.checker.engine_was_damaged(node);
        self.faults.count(FaultKind::EngineRot);
        Some(format!("{}: {words}", letter(node)))
    }

    fn put_back(&mut self, node: NodeId) -> Option<String> {
        let backup = self.host(node).backup.take()?;
        let is_late = self.now > SimTime::ZERO + self.profile.duration * 2 / 3;
        if !self.checker.may_go_back(node, &backup.model, is_late) {
            return None;
        }
        // What was to go wrong with the disk goes with it.
        self.host(node).awaits_sync_failure = false;
        let model = self.host(node).machine.put_back(backup);
        self.checker.put_back(node, model);
        self.make_room(node);
        self.faults.count(FaultKind::StaleCopy);
        Some(format!("{} goes back to the copy of its directory", letter(node)))
    }
}
