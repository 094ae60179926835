use crate::core::Core;
use crate::parts::{EngineSource, Machine};
use crate::shell::combiner;
use crate::shell::event::Event;
use crate::shell::listeners::ListenerCommand;
use crate::shell::startup::{self, Running};
use crate::{
    CloseError, GroupStatus, MasterAddress, OpenError, RepConfig, RepStats, StateChangeEvent,
    StateChangeListener, TransportStarter, WaitError,
};
use crossbeam_channel::Sender;
use quorate_core::NodeState;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::Duration;

/// One running node, whatever its engine is: what every public handle is made of. It ends the node when it is
/// dropped.
pub(crate) struct Handle {
    pub(crate) core: Arc<Core>,
    listeners: Mutex<Option<Sender<ListenerCommand>>>,
    threads: Mutex<Option<Threads>>,
    own_threads: [ThreadId; 2],
}

struct Threads {
    event_loop: JoinHandle<Result<(), CloseError>>,
    listeners: JoinHandle<()>,
}

impl Handle {
    pub(crate) fn open(
        config: RepConfig,
        engine: EngineSource<'_>,
        transport: TransportStarter<'_>,
        machine: Machine,
    ) -> Result<Self, OpenError> {
        let running = startup::open(config, engine, transport, machine)?;
        let Running { core, listeners, listener_thread, loop_thread } = running;
        let own_threads = [loop_thread.thread().id(), listener_thread.thread().id()];
        let threads = Threads { event_loop: loop_thread, listeners: listener_thread };
        Ok(Self {
            core,
            listeners: Mutex::new(Some(listeners)),
            threads: Mutex::new(Some(threads)),
            own_threads,
        })
    }

    pub(crate) fn state(&self) -> NodeState {
        self.core.role.now().state
    }

    pub(crate) fn wait_for_state(
        &self,
        state: NodeState,
        timeout: Duration,
    ) -> Result<StateChangeEvent, WaitError> {
        self.core.role.wait(timeout, |event| event.state == state)
    }

    pub(crate) fn wait_for_master(&self, timeout: Duration) -> Result<MasterAddress, WaitError> {
        self.core.role.wait_for_master(timeout)
    }

    pub(crate) fn stats(&self) -> RepStats {
        self.core.inspect().map_or_else(|| self.core.tally.read(Default::default()), |found| found.stats)
    }

    pub(crate) fn status(&self) -> Option<GroupStatus> {
        self.core.inspect().map(|found| found.status)
    }

    pub(crate) fn add_listener(&self, listener: impl StateChangeListener + 'static) {
        if let Some(listeners) = &*lock(&self.listeners) {
            let _ = listeners.send(ListenerCommand::Add(Box::new(listener)));
        }
    }

    pub(crate) fn close(&self) -> Result<(), CloseError> {
        let _ = self.core.events.send(Event::Close);
        drop(lock(&self.listeners).take());
        if self.own_threads.contains(&thread::current().id()) || combiner::is_running_here() {
            return Ok(());
        }
        let mut threads = lock(&self.threads);
        match threads.take() {
            Some(Threads { event_loop, listeners }) => startup::await_end(event_loop, listeners),
            None => Ok(()),
        }
    }

    /// What goes wrong with an end without order is of no interest.
    pub(crate) fn kill(&self) {
        self.core.kill_switch.pull();
        let _ = self.close();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(%error, "the node was not closed in order");
        }
    }
}

/// No code panics while it holds one of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
