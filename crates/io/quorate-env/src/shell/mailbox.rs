use super::combiner::Combiner;
use super::event::Event;
use super::event_loop::EventLoop;
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::sync::Arc;

/// Where news for the event loop is left. It never blocks; clones are the same mailbox.
#[derive(Clone)]
pub(crate) struct Mailbox {
    events: Sender<Event>,
    combiner: Arc<Combiner<EventLoop>>,
}

/// The loop has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closed;

impl Mailbox {
    /// A mailbox for the loop that `combiner` runs, and its end.
    pub(crate) fn new(combiner: Arc<Combiner<EventLoop>>) -> (Self, Receiver<Event>) {
        let (events, queue) = unbounded();
        (Self { events, combiner }, queue)
    }

    /// Leaves an event, for another thread to see to.
    pub(crate) fn send(&self, event: Event) -> Result<(), Closed> {
        self.events.send(event).map_err(|_| Closed)?;
        self.combiner.notify();
        Ok(())
    }

    /// Leaves an event and sees to it on this thread, which has nothing else to do, unless another does.
    pub(crate) fn send_and_help(&self, event: Event) -> Result<(), Closed> {
        self.events.send(event).map_err(|_| Closed)?;
        self.combiner.help();
        Ok(())
    }

    /// There are writes in their queue, and this thread sees to them unless another does.
    pub(crate) fn help(&self) {
        self.combiner.help();
    }
}
