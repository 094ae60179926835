use super::event::Event;
use super::mailbox::Mailbox;
use super::receive::receive;
use crate::Applier;
use crate::kill_switch::KillSwitch;
use crate::tally::Tally;
use crossbeam_channel::Receiver;
use metrics::Histogram;
use quorate_core::{Batch, EngineError};
use quorate_replica::Input;
use std::sync::Arc;
use std::time::Instant;

/// What the apply thread is to do, in order.
pub(crate) enum ApplyCommand {
    Apply {
        batch: Batch,
    },
    /// Make durable what is worth it by now.
    Checkpoint,
    /// Make everything durable.
    Flush,
}

/// The only one to write to the engine. Batches that wait are applied in one atomic step.
pub(crate) struct ApplyThread {
    applier: Applier,
    commands: Receiver<ApplyCommand>,
    events: Mailbox,
    kill_switch: KillSwitch,
    tally: Arc<Tally>,
    step_seconds: Histogram,
    batches: Vec<Batch>,
    /// What ended the last run of batches: a checkpoint, or a flush.
    interruption: Option<Interruption>,
}

enum Interruption {
    Checkpoint,
    Flush,
}

/// A step ends once it has so many bytes.
const STEP_BYTES_MAX: usize = 4 << 20;

impl ApplyThread {
    pub(crate) const fn new(
        applier: Applier,
        commands: Receiver<ApplyCommand>,
        events: Mailbox,
        kill_switch: KillSwitch,
        tally: Arc<Tally>,
        step_seconds: Histogram,
    ) -> Self {
        Self {
            applier,
            commands,
            events,
            kill_switch,
            tally,
            step_seconds,
            batches: Vec::new(),
            interruption: None,
        }
    }

    /// Carries out commands until their sender is gone, or the kill switch is pulled.
    pub(crate) fn run(mut self) -> Result<(), EngineError> {
        let outcome = self.serve();
        if let Err(error) = &outcome {
            self.report(Event::Completed(Input::Failed { reason: error.to_string() }));
        }
        outcome
    }

    fn serve(&mut self) -> Result<(), EngineError> {
        while let Some(command) = receive(&self.commands)
            && !self.kill_switch.is_pulled()
        {
            let bytes = self.gather(command);
            if !self.batches.is_empty() {
                self.apply(bytes)?;
            }
            if let Some(interruption) = self.interruption.take() {
                self.flush(&interruption)?;
            }
        }
        Ok(())
    }

    /// Collects batches that wait, up to the first interruption, and returns their length in bytes.
    fn gather(&mut self, first: ApplyCommand) -> usize {
        let mut bytes = 0;
        let mut command = Some(first);
        while let Some(next) = command {
            let batch = match next {
                ApplyCommand::Apply { batch } => batch,
                ApplyCommand::Checkpoint => {
                    self.interruption = Some(Interruption::Checkpoint);
                    break;
                }
                ApplyCommand::Flush => {
                    self.interruption = Some(Interruption::Flush);
                    break;
                }
            };
            bytes += batch.bytes();
            self.batches.push(batch);
            command = if bytes < STEP_BYTES_MAX { self.commands.try_recv().ok() } else { None };
        }
        bytes
    }

    fn apply(&mut self, bytes: usize) -> Result<(), EngineError> {
        let span = tracing::trace_span!("apply", bytes, last = tracing::field::Empty).entered();
        let begun = Instant::now();
        let applied = self.applier.apply_run(&self.batches)?;
        self.step_seconds.record(begun.elapsed());
        span.record("last", tracing::field::display(applied.last.vlsn));
        self.batches.clear();
        self.tally.engine_steps.increment();
        self.tally.entries_applied.add(applied.results.len());
        self.report(Event::Applied { applied, bytes });
        Ok(())
    }

    fn flush(&mut self, how: &Interruption) -> Result<(), EngineError> {
        let durable = match how {
            Interruption::Checkpoint => self.applier.checkpoint()?,
            Interruption::Flush => self.applier.flush()?,
        };
        let durable = durable.map(|entry| entry.vlsn);
        self.tally.engine_flushes.increment();
        self.report(Event::Completed(Input::EngineFlushed { durable }));
        Ok(())
    }

    /// The event loop outlives this thread.
    fn report(&self, event: Event) {
        let is_idle = self.commands.is_empty();
        let _ = if is_idle { self.events.send_and_help(event) } else { self.events.send(event) };
    }
}
