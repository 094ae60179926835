use crate::{BrokenRule, Rehearsal, Rule, Violation};
use std::time::Duration;

/// How many writes come at once.
const WRITES: u64 = 2_000;
/// How many bytes of its log a node of the simulator may have to keep in memory.
const KEPT_BYTES_MAX: usize = 32 << 10;

/// More writes come than disks can take: the master refuses them before it keeps too much.
pub(in super::super) fn flood(seed: u64, broken: Option<BrokenRule>) -> Result<(), Violation> {
    let mut group = Rehearsal::breaking(seed, 3, broken);
    group.run(Duration::from_secs(5))?;
    let Some(master) = group.masters().first().copied() else { return Ok(()) };
    group.write(master, WRITES)?;
    let kept = group.kept_bytes(master);
    if kept <= KEPT_BYTES_MAX {
        return group.converge();
    }
    Rule::LoadIsBounded.broken(format!("the master keeps {kept} bytes of its log in memory"))
}
