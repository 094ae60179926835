use crate::SimTime;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Events in the order of their times; those of one time in the order in which they were put in.
#[derive(Debug)]
pub(crate) struct EventQueue<E> {
    heap: BinaryHeap<Scheduled<E>>,
    next: u64,
}

#[derive(Debug)]
struct Scheduled<E> {
    at: SimTime,
    number: u64,
    event: E,
}

impl<E> EventQueue<E> {
    pub(crate) const fn new() -> Self {
        Self { heap: BinaryHeap::new(), next: 0 }
    }

    pub(crate) fn push(&mut self, at: SimTime, event: E) {
        self.heap.push(Scheduled { at, number: self.next, event });
        self.next += 1;
    }

    /// The next event, unless it lies behind `limit`.
    pub(crate) fn pop_until(&mut self, limit: SimTime) -> Option<(SimTime, E)> {
        if self.heap.peek()?.at > limit {
            return None;
        }
        self.heap.pop().map(|scheduled| (scheduled.at, scheduled.event))
    }
}

impl<E> Ord for Scheduled<E> {
    /// The earliest is the greatest, since the heap gives out the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

impl<E> PartialOrd for Scheduled<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Scheduled<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<E> Eq for Scheduled<E> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_the_order_of_their_times_and_then_of_their_coming() {
        let mut queue = EventQueue::new();
        for (at, event) in [(5, 'c'), (1, 'a'), (5, 'd'), (2, 'b'), (6, 'e')] {
            queue.push(SimTime::from_micros(at), event);
        }
        let limit = SimTime::from_micros(5);
        let events: String = std::iter::from_fn(|| queue.pop_until(limit).map(|(_, event)| event)).collect();
        assert_eq!(events, "abcd");
    }
}
