use crate::{BrokenRule, Rehearsal, Rule, Violation};
use std::time::Duration;

/// A replica is cut off for a while: no term grows by it, and when it is back the master is still the same.
pub(in super::super) fn isolation(seed: u64, broken: Option<BrokenRule>) -> Result<(), Violation> {
    let mut group = Rehearsal::breaking(seed, 3, broken);
    group.run(Duration::from_secs(5))?;
    let before = (group.masters(), group.round());
    let Some(lonely) = (1..=3).find(|node| !before.0.contains(node)) else { return Ok(()) };
    let others: Vec<u16> = (1..=3).filter(|node| *node != lonely).collect();
    group.part(&[&others, &[lonely]]);
    group.run(Duration::from_secs(10))?;
    group.heal();
    group.run(Duration::from_secs(5))?;
    let after = (group.masters(), group.round());
    if before == after {
        return group.converge();
    }
    Rule::TermsRest.broken(format!(
        "node {lonely} was cut off and came back; masters and round were {before:?} and are {after:?}"
    ))
}
