//! What a failing history takes: faults are left out as long as it goes on failing.

use crate::profile::Profile;
use crate::report::{Report, run_profile};
use crate::{FaultKind, Rule, Selection};

/// Something that can be left out.
#[derive(Clone, Copy, Debug)]
enum Part {
    Strike(usize),
    Ambient(FaultKind),
}

/// How often a history is played at most.
const RUNS_MAX: usize = 100;

/// The faults that are enough for the history of a failing `report` to break the same rule. Larger groups of
/// faults are left out first, then single ones; a hundred histories are played at most.
///
/// `None` if the history breaks another rule, or none, with its own faults left in: then something other than
/// the seed decides what happens.
#[must_use]
pub fn minimise(profile: &Profile, report: &Report) -> Option<Selection> {
    let rule = report.failure.as_ref()?.violation.rule;
    let mut left = parts_of(report);
    if !breaks(profile, report.seed, &left, rule) {
        return None;
    }
    let mut runs = 1;
    let mut size = left.len().div_ceil(2).max(1);
    loop {
        let mut start = 0;
        while start < left.len() && runs < RUNS_MAX {
            let mut fewer = left.clone();
            fewer.drain(start..(start + size).min(left.len()));
            runs += 1;
            if breaks(profile, report.seed, &fewer, rule) { left = fewer } else { start += size }
        }
        if size == 1 || runs >= RUNS_MAX {
            return Some(selection(&left));
        }
        size = size.div_ceil(2);
    }
}

/// The last faults first: they are the least likely to matter.
fn parts_of(report: &Report) -> Vec<Part> {
    let ambient = FaultKind::ALL.into_iter().filter(|kind| kind.is_ambient() && report.faults.of(*kind) > 0);
    let strikes = report.strikes.iter().rev().map(|strike| Part::Strike(strike.number));
    ambient.map(Part::Ambient).chain(strikes).collect()
}

fn breaks(profile: &Profile, seed: u64, parts: &[Part], rule: Rule) -> bool {
    let profile = Profile { only: Some(selection(parts)), ..profile.clone() };
    run_profile(seed, profile, false).failure.is_some_and(|failure| failure.violation.rule == rule)
}

fn selection(parts: &[Part]) -> Selection {
    let mut selection = Selection::default();
    for part in parts {
        match part {
            Part::Strike(number) => drop(selection.strikes.insert(*number)),
            Part::Ambient(kind) => drop(selection.ambient.insert(*kind)),
        }
    }
    selection
}
