use crate::{Holds, StreamId};
use alloc::collections::VecDeque;
use quorate_core::{EntryId, Vlsn};

/// What a feeder wants to send next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feeding {
    /// The first entry to send.
    pub from: Vlsn,
    /// How many bytes the window still allows, at least 1.
    pub bytes_max: usize,
}

/// The sending half of one stream: how far the replica has been sent to, and how far it has acknowledged.
///
/// 1. Acknowledgements count only if they name the present stream. 2. What is on its way never exceeds the window by more than one batch.
/// 3. A new stream starts at nothing.
#[derive(Clone, Debug)]
pub struct Feeder {
    window_bytes_max: usize,
    stream: Option<StreamId>,
    next: Vlsn,
    holds: Holds,
    /// What the replica has received, whether or not its copies count.
    received: Option<Vlsn>,
    in_flight: VecDeque<(Vlsn, usize)>,
    in_flight_bytes: usize,
    /// Frames below the tail are being read from disk for this feeder.
    reading: bool,
    committed_sent: Option<Vlsn>,
}

impl Feeder {
    /// A feeder without a stream, whose window is `window_bytes_max` bytes.
    #[must_use]
    pub const fn new(window_bytes_max: usize) -> Self {
        Self {
            window_bytes_max,
            stream: None,
            next: Vlsn::FIRST,
            holds: Holds { written: None, durable: None },
            received: None,
            in_flight: VecDeque::new(),
            in_flight_bytes: 0,
            reading: false,
            committed_sent: None,
        }
    }

    /// A stream begins behind `matchpoint`.
    pub fn begin(&mut self, stream: StreamId, matchpoint: Option<EntryId>) {
        *self = Self::new(self.window_bytes_max);
        self.stream = Some(stream);
        self.next = Vlsn::after(matchpoint.map(|entry| entry.vlsn));
    }

    /// The stream ended: its link is gone.
    pub fn end(&mut self) {
        *self = Self::new(self.window_bytes_max);
    }

    /// The present stream.
    #[must_use]
    pub const fn stream(&self) -> Option<StreamId> {
        self.stream
    }

    /// What the replica has acknowledged on the present stream.
    #[must_use]
    pub const fn holds(&self) -> Holds {
        self.holds
    }

    /// The last position sent on the present stream, or its matchpoint.
    #[must_use]
    pub fn sent(&self) -> Option<Vlsn> {
        self.next.previous()
    }

    /// What the replica has said that it received, whether or not its copies count.
    #[must_use]
    pub const fn received(&self) -> Option<Vlsn> {
        self.received
    }

    /// Bytes sent and not yet acknowledged.
    #[must_use]
    pub const fn in_flight_bytes(&self) -> usize {
        self.in_flight_bytes
    }

    /// What to send next, if there is something up to `end` and the window allows it.
    #[must_use]
    pub fn wants(&self, end: Option<Vlsn>) -> Option<Feeding> {
        let allowed = self.window_bytes_max.saturating_sub(self.in_flight_bytes);
        let ready = self.stream.is_some() && !self.reading && allowed > 0 && end >= Some(self.next);
        ready.then_some(Feeding { from: self.next, bytes_max: allowed })
    }

    /// The commit point, if the replica has not been told of it.
    #[must_use]
    pub fn untold_commit(&self, committed: Option<Vlsn>) -> Option<Vlsn> {
        committed.filter(|_| self.stream.is_some() && committed > self.committed_sent)
    }

    /// The frames wanted are being read from disk: nothing is wanted until they come.
    pub const fn read_began(&mut self) {
        self.reading = true;
    }

    /// The read for `stream` ended. False if the stream has changed meanwhile: the frames are of no use.
    pub fn read_ended(&mut self, stream: StreamId) -> bool {
        let current = self.stream == Some(stream) && self.reading;
        if current {
            self.reading = false;
        }
        current
    }

    /// Frames from the wanted position up to `last` were sent, with word of `committed`.
    ///
    /// # Panics
    /// If `last` is before what was wanted: a bug of the caller.
    pub fn sent_through(&mut self, last: Vlsn, bytes: usize, committed: Option<Vlsn>) {
        assert!(last >= self.next, "a feeder sends forward");
        self.next = last.next();
        self.in_flight.push_back((last, bytes));
        self.in_flight_bytes += bytes;
        self.committed_sent = self.committed_sent.max(committed);
    }

    /// Word of `committed` was sent alone.
    pub fn told_commit(&mut self, committed: Option<Vlsn>) {
        self.committed_sent = self.committed_sent.max(committed);
    }

    /// The replica acknowledged; its copies count unless it is recovering. False if the acknowledgement belongs to another stream or claims
    /// what was never sent.
    pub fn acknowledged(&mut self, stream: StreamId, holds: Holds, counts: bool) -> bool {
        if self.stream != Some(stream) || holds.written > self.sent() || holds.durable > holds.written {
            return false;
        }
        if counts {
            self.holds.written = self.holds.written.max(holds.written);
            self.holds.durable = self.holds.durable.max(holds.durable);
        }
        self.received = self.received.max(holds.written);
        while let Some((last, bytes)) = self.in_flight.front().copied()
            && Some(last) <= self.received
        {
            self.in_flight.pop_front();
            self.in_flight_bytes -= bytes;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_core::{NodeId, Term};

    fn v(number: u64) -> Vlsn {
        Vlsn::new(number).unwrap()
    }
    fn holds(written: u64, durable: u64) -> Holds {
        Holds { written: Vlsn::new(written), durable: Vlsn::new(durable) }
    }
    fn feeder() -> Feeder {
        let mut feeder = Feeder::new(100);
        feeder.begin(StreamId(1), Some(EntryId { term: Term::new(1, NodeId::new(1)), vlsn: v(10) }));
        feeder
    }

    #[test]
    fn nothing_is_sent_beyond_the_window_until_it_is_acknowledged() {
        let mut feeder = feeder();
        assert_eq!(feeder.wants(Some(v(10))), None);
        assert_eq!(feeder.wants(Some(v(12))), Some(Feeding { from: v(11), bytes_max: 100 }));
        feeder.sent_through(v(15), 60, None);
        feeder.sent_through(v(20), 60, None);
        assert_eq!(feeder.wants(Some(v(99))), None);
        assert!(feeder.acknowledged(StreamId(1), holds(15, 0), true));
        assert_eq!(feeder.wants(Some(v(99))), Some(Feeding { from: v(21), bytes_max: 40 }));
    }

    #[test]
    fn acknowledgements_of_another_stream_or_of_what_was_never_sent_do_not_count() {
        let mut feeder = feeder();
        feeder.sent_through(v(15), 60, None);
        assert!(!feeder.acknowledged(StreamId(2), holds(15, 15), true));
        assert!(!feeder.acknowledged(StreamId(1), holds(16, 0), true));
        assert!(!feeder.acknowledged(StreamId(1), holds(11, 12), true));
        assert_eq!(feeder.holds(), Holds::default());
        feeder.begin(StreamId(2), None);
        assert!(!feeder.acknowledged(StreamId(1), holds(15, 15), true), "a new stream starts at nothing");
    }

    #[test]
    fn a_recovering_replica_frees_the_window_and_counts_for_nothing() {
        let mut feeder = feeder();
        feeder.sent_through(v(15), 100, None);
        assert!(feeder.acknowledged(StreamId(1), holds(15, 15), false));
        assert_eq!(feeder.holds(), Holds::default());
        assert!(feeder.wants(Some(v(16))).is_some());
    }

    #[test]
    fn a_late_read_for_an_ended_stream_is_of_no_use() {
        let mut feeder = feeder();
        feeder.read_began();
        assert_eq!(feeder.wants(Some(v(99))), None);
        feeder.begin(StreamId(2), None);
        assert!(!feeder.read_ended(StreamId(1)));
        assert!(feeder.wants(Some(v(99))).is_some());
    }
}
