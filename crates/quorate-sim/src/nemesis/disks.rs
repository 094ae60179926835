//! Faults of disks that show in what they answer.

use super::Mending;
use crate::FaultKind;
use crate::network::letter;
use crate::sim_time::micros_between;
use crate::world::{Event, World};
use quorate_core::{NodeId, Random};
use quorate_log::vfs::Operation;
use std::io::ErrorKind;
use std::time::Duration;

/// How much room a disk that fills up still has at most, in bytes.
const ROOM_BYTES_MAX: u64 = 24 << 10;

impl World {
    pub(super) fn slow_disk(&mut self, details: &mut Random) -> Option<String> {
        let node = self.any_node(details);
        let until = self.now + Duration::from_secs(1) + micros_between(details, 0, 3_000_000);
        self.host(node).slow_until = until;
        self.faults.count(FaultKind::SlowDisk);
        Some(format!("{}'s disk is slow until {until}", letter(node)))
    }

    pub(super) fn fill_disk(&mut self, details: &mut Random) -> Option<String> {
        let node = self.any_node(details);
        let room = details.below(ROOM_BYTES_MAX);
        let until = self.now + micros_between(details, 2_000_000, 12_000_000);
        let host = self.host(node);
        host.is_full = true;
        let disk = &host.machine.disk;
        disk.set_capacity(Some(disk.used_bytes() + room));
        self.queue.push(until, Event::Mend(Mending::Room { node }));
        Some(format!("{}'s disk has {room} bytes of room until {until}", letter(node)))
    }

    pub(crate) fn make_room(&mut self, node: NodeId) {
        self.note(format_args!("{}'s disk has room", letter(node)));
        let host = self.host(node);
        host.is_full = false;
        host.machine.disk.set_capacity(None);
    }

    pub(super) fn plan_sync_failure(&mut self, details: &mut Random) -> Option<String> {
        let node = self.any_node(details);
        let host = self.host(node);
        if host.machine.disk.awaits_failure() {
            return None;
        }
        host.awaits_sync_failure = true;
        host.machine.disk.fail_next(Operation::Sync, ErrorKind::Other);
        Some(format!("{}'s next fsync fails", letter(node)))
    }
}
