//! When writes that wait are proposed: how groups of writes form.
//!
//! A group of writes costs every node a sync of its log, a packet each way and a few turns of its threads, however
//! many writes are in it. So writes are proposed as few large groups, as long as nobody waits much longer for it.

use quorate_core::{Time, Vlsn};
use std::time::Duration;

/// What has been proposed and who is about to write again: whether to propose now, or for what to wait.
///
/// 1. While a group is under way the writes that come form the next one, for [`UNDER_WAY_MAX`] at most: over a link
///    with a long delay many groups are under way at a time.
/// 2. Writers that were answered just now are about to write again, and are waited for: [`RETURN_MAX`] at most,
///    and no longer than a quarter of the time that their group took.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// When the latest group was proposed.
    proposed_at: Time,
    /// Its last entry, until this node has applied it.
    under_way: Option<Vlsn>,
    returning: Option<Returning>,
}

/// Writers that were answered.
#[derive(Clone, Copy, Debug)]
struct Returning {
    /// How many writes wait once they all have written again.
    count: usize,
    until: Time,
}

/// What to do about the writes that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Propose them.
    Proposal,
    /// Wait for a group that is under way.
    Room,
    /// Wait until there are so many.
    Writes(usize),
}

/// How long writes wait for the group before them.
const UNDER_WAY_MAX: Duration = Duration::from_millis(2);
/// How long they wait for the writers of the group before them.
const RETURN_MAX: Duration = Duration::from_micros(200);

impl Pace {
    /// A group was proposed whose last entry is `last`.
    pub(super) fn proposed(&mut self, now: Time, last: Vlsn) {
        *self = Self { proposed_at: now, under_way: Some(last), returning: None };
    }

    /// So many writers are answered, while so many other writes wait.
    pub(super) fn answered(&mut self, now: Time, count: usize, waiting: usize) {
        let patience = RETURN_MAX.min(now.since(self.proposed_at) / 4);
        let count = count + waiting;
        self.returning = (count > 1).then_some(Returning { count, until: now + patience });
    }

    /// What to do while `waiting` writes wait, on a node that has applied everything up to `applied`.
    pub(super) fn wanted(&mut self, now: Time, waiting: usize, applied: Option<Vlsn>) -> Wanted {
        let has_passed = applied >= self.under_way || now >= self.proposed_at + UNDER_WAY_MAX;
        if !has_passed {
            return Wanted::Room;
        }
        self.under_way = None;
        match self.returning {
            Some(Returning { count, until }) if waiting < count && now < until => Wanted::Writes(count),
            _ => {
                self.returning = None;
                Wanted::Proposal
            }
        }
    }

    /// When something else may be wanted although nothing has come.
    pub(super) fn deadline(&self) -> Option<Time> {
        match self.under_way {
            Some(_) => Some(self.proposed_at + UNDER_WAY_MAX),
            None => self.returning.map(|returning| returning.until),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: Time = Time::from_nanos(1_000_000_000);
    const LATENCY: Duration = Duration::from_micros(300);

    fn vlsn(number: u64) -> Option<Vlsn> {
        Vlsn::new(number)
    }

    /// A group whose last entry is 5 was proposed at the beginning.
    fn under_way() -> Pace {
        let mut pace = Pace::default();
        pace.proposed(BEGIN, Vlsn::FIRST.advance(4));
        pace
    }

    #[test]
    fn a_write_is_proposed_at_once_where_nothing_is_under_way() {
        let mut pace = Pace::default();
        assert_eq!(pace.wanted(BEGIN, 1, None), Wanted::Proposal);
        assert_eq!(pace.deadline(), None);
    }

    #[test]
    fn writes_wait_until_the_group_before_them_is_applied_and_no_longer_than_the_limit() {
        let mut pace = under_way();
        assert_eq!(pace.wanted(BEGIN + LATENCY, 1, vlsn(4)), Wanted::Room);
        assert_eq!(pace.deadline(), Some(BEGIN + UNDER_WAY_MAX));
        assert_eq!(pace.wanted(BEGIN + LATENCY, 1, vlsn(5)), Wanted::Proposal);
        let mut pace = under_way();
        assert_eq!(pace.wanted(BEGIN + UNDER_WAY_MAX, 1, vlsn(4)), Wanted::Proposal);
        assert_eq!(pace.deadline(), None);
    }

    #[test]
    fn writers_that_were_answered_are_waited_for_until_all_are_back() {
        let (mut pace, now) = (under_way(), BEGIN + LATENCY);
        pace.answered(now, 4, 3);
        assert_eq!(pace.wanted(now, 6, vlsn(5)), Wanted::Writes(7));
        assert_eq!(pace.wanted(now, 7, vlsn(5)), Wanted::Proposal);
        assert_eq!(pace.deadline(), None);
    }

    #[test]
    fn writers_that_do_not_come_back_are_waited_for_a_quarter_of_the_time_that_they_have_waited() {
        let (mut pace, now) = (under_way(), BEGIN + LATENCY);
        pace.answered(now, 4, 0);
        assert_eq!(pace.wanted(now, 1, vlsn(5)), Wanted::Writes(4));
        let end = now + LATENCY / 4;
        assert_eq!(pace.deadline(), Some(end));
        assert_eq!(pace.wanted(end, 1, vlsn(5)), Wanted::Proposal);
        assert_eq!(pace.deadline(), None);
        let (mut pace, now) = (under_way(), BEGIN + Duration::from_secs(1));
        pace.answered(now, 4, 0);
        assert_eq!(pace.wanted(now + RETURN_MAX, 1, vlsn(5)), Wanted::Proposal);
    }

    #[test]
    fn nobody_is_waited_for_where_one_writer_alone_was_answered() {
        let (mut pace, now) = (under_way(), BEGIN + LATENCY);
        pace.answered(now, 1, 0);
        assert_eq!(pace.wanted(now, 0, vlsn(5)), Wanted::Proposal);
        assert_eq!(pace.deadline(), None);
    }
}
