use super::apply_thread::ApplyCommand;
use super::event::Event;
use super::event_loop::{EventLoop, Workers};
use crate::core::End;
use crate::{CloseError, ReadError, StateChangeEvent, WriteError};
use quorate_core::{EngineError, LogError, NodeState};
use std::any::Any;
use std::thread::JoinHandle;

impl EventLoop {
    /// Ends everything: nobody is left waiting, and what is on the disk needs no recovery if all went well.
    pub(super) fn close(mut self) -> Result<(), CloseError> {
        if !self.core.kill_switch.is_pulled() {
            // What the transport has not passed on when it is closed is lost, and the others wait for the lease's end.
            self.node.end_lease(self.core.clock.now());
            self.carry_out();
        }
        self.core.read_lease.publish(None);
        self.transport.close();
        self.detach();
        self.core.end(End::Closed);
        self.interrupt();
        self.refuse_all(&WriteError::Closed);
        for read in self.reads.abandon() {
            read.ticket.resolve(Err(ReadError::Closed));
        }
        self.refuse_requests();
        self.publish();
        self.finish()
    }

    /// The last that listeners hear.
    pub(super) fn detach(&self) {
        let term = self.node.progress().term;
        self.announce(StateChangeEvent { state: NodeState::Detached, term, master: None });
    }

    /// Answers what came in behind the request to close.
    fn refuse_requests(&self) {
        for event in self.events.try_iter() {
            match event {
                Event::Read(request) => request.ticket.resolve(Err(ReadError::Closed)),
                Event::Inspect(ticket) => ticket.resolve(self.inspect()),
                _ => {}
            }
        }
    }

    /// Syncs the log, then lets the engine make durable what it holds, then forgets the mark of unsynced
    /// entries: in this order. A node that was killed leaves all of that as it is.
    fn finish(self) -> Result<(), CloseError> {
        let Self { core, workers, node, mut state, halted, directory: _kept, .. } = self;
        workers.close()?;
        if core.kill_switch.is_pulled() {
            return Ok(());
        }
        if let Some(reason) = halted {
            return Err(CloseError::Halted { reason });
        }
        let mut hard = node.hard_state().clone();
        if hard.unsynced_mark.is_some() && !hard.recovering {
            hard.unsynced_mark = None;
            state.store(&hard)?;
        }
        Ok(())
    }
}

impl Workers {
    fn close(self) -> Result<(), CloseError> {
        let Self { log, log_thread, log_reads, log_reads_thread, engine, engine_thread } = self;
        drop((log, log_reads));
        let log_outcome = join(log_thread).unwrap_or_else(|panic| Err(LogError::Poisoned { cause: panic }));
        if log_outcome.is_ok() {
            let _ = engine.send(ApplyCommand::Flush);
        }
        drop(engine);
        let engine_outcome = join(engine_thread)
            .unwrap_or_else(|panic| Err(EngineError::Storage { engine: "key-value", detail: panic }));
        let _ = join(log_reads_thread);
        log_outcome?;
        engine_outcome?;
        Ok(())
    }
}

/// A thread's outcome, or what it panicked with.
pub(crate) fn join<T>(thread: JoinHandle<T>) -> Result<T, String> {
    thread.join().map_err(|panic| words_of(&*panic))
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".to_owned())
}
