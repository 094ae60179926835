use super::event::Event;
use super::log_writer::LogCommand;
use super::mailbox::Mailbox;
use crossbeam_channel::{Receiver, Sender};
use quorate_core::{LogError, LogReader, Vlsn};
use quorate_replica::{Input, LogReadFor};
use std::sync::Arc;

/// A read of the log that is not to hold up the event loop.
pub(crate) struct LogRead {
    pub(crate) reader: LogReadFor,
    pub(crate) from: Vlsn,
    pub(crate) through: Vlsn,
    pub(crate) bytes_max: usize,
}

/// Carries out reads until their sender is gone. Those that meet damage are told by the log writer, who
/// knows how far it reaches.
pub(crate) fn run(
    log: &Arc<dyn LogReader>,
    reads: &Receiver<LogRead>,
    writer: &Sender<LogCommand>,
    events: &Mailbox,
) {
    for LogRead { reader, from, through, bytes_max } in reads {
        let result = log.read(from, through, bytes_max);
        let is_damaged = matches!(result, Err(LogError::Damaged { .. }));
        let read = Input::LogRead { reader, result };
        if is_damaged {
            let _ = writer.send(LogCommand::TellDamage { read });
        } else {
            let _ = events.send(Event::Completed(read));
        }
    }
}
