use super::event::Event;
use crossbeam_channel::{Receiver, Sender};
use quorate_core::{LogReader, Vlsn};
use quorate_replica::{Input, LogReadFor};
use std::sync::Arc;

/// A read of the log that is not to hold up the event loop.
pub(crate) struct LogRead {
    pub(crate) reader: LogReadFor,
    pub(crate) from: Vlsn,
    pub(crate) through: Vlsn,
    pub(crate) bytes_max: usize,
}

/// Carries out reads until their sender is gone.
pub(crate) fn run(log: &Arc<dyn LogReader>, reads: &Receiver<LogRead>, events: &Sender<Event>) {
    for LogRead { reader, from, through, bytes_max } in reads {
        let result = log.read(from, through, bytes_max);
        let _ = events.send(Event::Completed(Input::LogRead { reader, result }));
    }
}
