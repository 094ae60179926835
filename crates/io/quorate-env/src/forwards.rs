use crate::WriteError;
use crate::commit::{CommitExtent, CommitResult, Committed};
use quorate_core::{NodeId, Time, Vlsn};
use quorate_replica::RequestId;
use std::collections::{BTreeMap, BTreeSet};

/// The writes that were passed on to the master. `T` is whom to tell.
///
/// ```text
///  begin --> sent --committed there--> committed --applied here--> done
///              |                           +------its deadline---> unknown, with its token
///              +--refused, or only written there-----------------> as the master says
///              +--link lost, another master, its deadline--------> unknown
/// ```
///
/// 1. Not done is a write only if the master says so, or if it was never sent. 2. Every write leaves at its
///    deadline at the latest. 3. What is under way is bounded in bytes.
#[derive(Debug)]
pub struct Forwards<T> {
    bytes: usize,
    bytes_max: usize,
    sent: BTreeMap<RequestId, Sent<T>>,
    deadlines: BTreeSet<(Time, RequestId)>,
    /// Those that are committed, by the positions that must be applied here.
    committed: BTreeSet<(Vlsn, RequestId)>,
}

#[derive(Debug)]
struct Sent<T> {
    to: NodeId,
    bytes: usize,
    deadline: Time,
    committed: Option<Committed>,
    whom: T,
}

/// What a write is taken to hold besides its bytes, so that short ones are bounded too.
const OVERHEAD_BYTES: usize = 256;

impl<T> Forwards<T> {
    /// Nothing was passed on. So many bytes may be under way; a longer write may where nothing else is.
    #[must_use]
    pub const fn new(bytes_max: usize) -> Self {
        Self {
            bytes: 0,
            bytes_max,
            sent: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            committed: BTreeSet::new(),
        }
    }

    /// Makes room for a write, if there is some: for [`begin`](Self::begin) or [`release`](Self::release).
    pub const fn reserve(&mut self, bytes: usize) -> bool {
        let needed = self.bytes.saturating_add(bytes).saturating_add(OVERHEAD_BYTES);
        let fits = self.bytes == 0 || needed <= self.bytes_max;
        if fits {
            self.bytes = needed;
        }
        fits
    }

    /// A write for which room was made was not sent.
    pub const fn release(&mut self, bytes: usize) {
        self.bytes -= bytes + OVERHEAD_BYTES;
    }

    /// A write of `bytes`, for which room was made, was sent.
    pub fn begin(&mut self, request: RequestId, to: NodeId, bytes: usize, deadline: Time, whom: T) {
        self.deadlines.insert((deadline, request));
        self.sent.insert(request, Sent { to, bytes, deadline, committed: None, whom });
    }

    /// A write was not sent after all.
    pub fn unsent(&mut self, request: RequestId) -> Option<T> {
        self.remove(request).map(|sent| sent.whom)
    }

    /// Takes in what a node says became of a write: whom to tell at once, if that settles it here.
    pub fn answered(
        &mut self,
        from: NodeId,
        request: RequestId,
        result: CommitResult,
    ) -> Option<(T, CommitResult)> {
        let sent = self.sent.get_mut(&request).filter(|sent| sent.to == from && sent.committed.is_none())?;
        match result {
            Ok(committed) if committed.extent == CommitExtent::Committed => {
                self.committed.insert((committed.token.vlsn, request));
                sent.committed = Some(committed);
                None
            }
            settled => self.remove(request).map(|sent| (sent.whom, settled)),
        }
    }

    /// The engine here holds entries up to `applied`: whom to tell of a success.
    pub fn applied(&mut self, applied: Option<Vlsn>) -> Vec<(T, CommitResult)> {
        let mut done = Vec::new();
        while let Some((vlsn, request)) = self.committed.first().copied()
            && Some(vlsn) <= applied
        {
            let Some(Sent { committed: Some(committed), whom, .. }) = self.remove(request) else { break };
            done.push((whom, Ok(committed)));
        }
        done
    }

    /// The link to a node is lost: what it has not answered it never will.
    pub fn lost(&mut self, node: NodeId) -> Vec<(T, CommitResult)> {
        let unanswered = self.unanswered(|to| to == node);
        unanswered.into_iter().filter_map(|request| self.give_up(request)).collect()
    }

    /// Another node leads: whoever led before may know yet what became of its writes, and has until `by` to
    /// say so.
    pub fn master_changed(&mut self, master: NodeId, by: Time) {
        for request in self.unanswered(|to| to != master) {
            let Some(sent) = self.sent.get_mut(&request) else { continue };
            self.deadlines.remove(&(sent.deadline, request));
            sent.deadline = sent.deadline.min(by);
            self.deadlines.insert((sent.deadline, request));
        }
    }

    /// Gives up the writes whose deadline has come.
    pub fn expire(&mut self, now: Time) -> Vec<(T, CommitResult)> {
        let mut expired = Vec::new();
        while let Some((deadline, request)) = self.deadlines.first().copied()
            && deadline <= now
        {
            expired.extend(self.give_up(request));
        }
        expired
    }

    /// Gives up all writes: their outcome will not be heard here any more.
    pub fn abandon(&mut self) -> Vec<(T, CommitResult)> {
        self.expire(Time::from_nanos(u64::MAX))
    }

    /// When to call [`expire`](Self::expire) next.
    #[must_use]
    pub fn deadline(&self) -> Option<Time> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sent.is_empty()
    }

    fn unanswered(&self, which: impl Fn(NodeId) -> bool) -> Vec<RequestId> {
        let found = self.sent.iter().filter(|(_, sent)| which(sent.to) && sent.committed.is_none());
        found.map(|(request, _)| *request).collect()
    }

    fn give_up(&mut self, request: RequestId) -> Option<(T, CommitResult)> {
        let sent = self.remove(request)?;
        let token = sent.committed.map(|committed| committed.token);
        Some((sent.whom, Err(WriteError::Interrupted { token })))
    }

    fn remove(&mut self, request: RequestId) -> Option<Sent<T>> {
        let sent = self.sent.remove(&request)?;
        self.release(sent.bytes);
        self.deadlines.remove(&(sent.deadline, request));
        if let Some(committed) = &sent.committed {
            self.committed.remove(&(committed.token.vlsn, request));
        }
        Some(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use quorate_core::{EntryId, GroupUuid, Term};
    use quorate_policy::CommitToken;

    const MASTER: NodeId = NodeId::new(1);
    const OTHER: NodeId = NodeId::new(2);
    const UNKNOWN: CommitResult = Err(WriteError::Interrupted { token: None });

    fn at(seconds: u64) -> Time {
        Time::from_nanos(seconds * 1_000_000_000)
    }

    fn token(number: u64) -> CommitToken {
        let id = EntryId { term: Term::new(1, MASTER), vlsn: Vlsn::new(number).unwrap() };
        CommitToken::new(GroupUuid(7), id)
    }

    fn committed(number: u64) -> CommitResult {
        let (token, result) = (token(number), Bytes::from_static(b"result"));
        Ok(Committed { token, extent: CommitExtent::Committed, result })
    }

    /// Writes called 1, 2 and so on, all sent to the master, until 10.
    fn sent(count: u64) -> Forwards<u64> {
        let mut forwards = Forwards::new(10_000);
        for number in 1..=count {
            assert!(forwards.reserve(100));
            forwards.begin(RequestId(number), MASTER, 100, at(10), number);
        }
        forwards
    }

    #[test]
    fn a_write_is_done_once_what_the_master_committed_is_applied_here() {
        let mut forwards = sent(2);
        assert_eq!(forwards.answered(MASTER, RequestId(2), committed(7)), None);
        assert_eq!(forwards.answered(MASTER, RequestId(1), committed(6)), None);
        assert_eq!(forwards.applied(Vlsn::new(5)), []);
        assert_eq!(forwards.applied(Vlsn::new(7)), [(1, committed(6)), (2, committed(7))]);
        assert!(forwards.is_empty() && forwards.deadline().is_none());
    }

    #[test]
    fn what_the_master_refused_or_only_wrote_is_told_at_once() {
        let mut forwards = sent(2);
        let busy = Err(WriteError::Busy);
        assert_eq!(forwards.answered(MASTER, RequestId(1), busy.clone()), Some((1, busy)));
        let written = Ok(Committed { token: token(9), extent: CommitExtent::Written, result: Bytes::new() });
        assert_eq!(forwards.answered(MASTER, RequestId(2), written.clone()), Some((2, written)));
    }

    #[test]
    fn answers_of_nodes_that_were_not_asked_and_second_answers_count_for_nothing() {
        let mut forwards = sent(1);
        assert_eq!(forwards.answered(OTHER, RequestId(1), Err(WriteError::Busy)), None);
        assert_eq!(forwards.answered(MASTER, RequestId(1), committed(6)), None);
        assert_eq!(forwards.answered(MASTER, RequestId(1), Err(WriteError::Busy)), None);
        assert_eq!(forwards.answered(MASTER, RequestId(9), Err(WriteError::Busy)), None);
        assert_eq!(forwards.applied(Vlsn::new(6)), [(1, committed(6))]);
    }

    #[test]
    fn a_lost_link_leaves_unanswered_writes_unknown_and_committed_ones_to_be_applied() {
        let mut forwards = sent(2);
        forwards.answered(MASTER, RequestId(2), committed(6));
        assert_eq!(forwards.lost(OTHER), []);
        assert_eq!(forwards.lost(MASTER), [(1, UNKNOWN)]);
        assert_eq!(forwards.applied(Vlsn::new(6)), [(2, committed(6))]);
    }

    #[test]
    fn a_master_that_leads_no_more_has_a_little_time_to_answer() {
        let mut forwards = sent(2);
        forwards.master_changed(MASTER, at(1));
        assert_eq!(forwards.deadline(), Some(at(10)));
        forwards.master_changed(OTHER, at(3));
        forwards.master_changed(OTHER, at(4));
        assert_eq!(forwards.answered(MASTER, RequestId(2), committed(6)), None);
        assert_eq!(
            forwards.expire(at(3)),
            [(1, UNKNOWN), (2, Err(WriteError::Interrupted { token: Some(token(6)) }))]
        );
    }

    #[test]
    fn every_write_leaves_at_its_deadline() {
        let mut forwards = sent(2);
        forwards.answered(MASTER, RequestId(2), committed(6));
        assert_eq!(forwards.expire(at(9)), []);
        let named = Err(WriteError::Interrupted { token: Some(token(6)) });
        assert_eq!(forwards.expire(at(10)), [(1, UNKNOWN), (2, named)]);
        assert_eq!((forwards.applied(Vlsn::new(6)), forwards.is_empty()), (vec![], true));
    }

    #[test]
    fn what_is_under_way_is_bounded_and_a_long_write_goes_where_nothing_else_does() {
        let mut forwards = sent(0);
        assert!(forwards.reserve(20_000));
        forwards.begin(RequestId(1), MASTER, 20_000, at(1), 1);
        assert!(!forwards.reserve(1));
        assert_eq!(forwards.unsent(RequestId(1)), Some(1));
        assert!(forwards.reserve(5_000));
        assert!(!forwards.reserve(5_000));
        forwards.release(5_000);
        assert!(forwards.reserve(9_000));
    }
}
