use crate::admission::Admission;
use crate::handle::Handle;
use crate::parts::{EngineSource, Machine};
use crate::{
    CloseError, Commit, EngineParts, GroupStatus, MasterAddress, OpenError, ReadError, RepConfig, RepStats,
    StateChangeEvent, StateChangeListener, WaitError,
};
use quorate_core::NodeState;
use quorate_policy::{CommitDurability, ConsistencyPolicy};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// One node of a group that replicates an application's own [`Engine`](quorate_core::Engine).
///
/// The application proposes bytes that only its engine understands; on every node the engine is given the
/// committed ones, in the same order, each once. What the engine says of an entry comes back to whoever
/// proposed it. The application reads from its engine in its own way, after a [`barrier`](Self::barrier)
/// where it asks for more than some committed state.
///
/// As an [`Environment`](crate::Environment) it can be used from any thread, blocking or asynchronous, and
/// outlives every change of roles. It is closed by [`close`](Self::close) or when it is dropped.
pub struct ReplicatedEngine(Handle);

impl ReplicatedEngine {
    /// Opens a node: its directory, its log and its engine; then it looks for the others by itself.
    ///
    /// # Errors
    /// [`OpenError`]; nothing runs.
    pub fn open(config: RepConfig, parts: EngineParts<'_>) -> Result<Self, OpenError> {
        let EngineParts { engine, transport, vfs, wall_clock } = parts;
        let machine = Machine { vfs, wall_clock };
        Handle::open(config, EngineSource::Application(engine), transport, machine).map(Self)
    }

    /// Proposes an entry, as durably as the configuration says. What the engine's `apply` returns for it is
    /// in [`Committed::result`](crate::Committed). On a replica it is passed on to the master, unless the
    /// configuration forbids that.
    ///
    /// It is refused with [`WriteError::BatchTooLong`](crate::WriteError) if it is longer than a write may be
    /// (the configuration's `value_bytes_max` and half a MiB).
    pub fn propose(&self, body: impl AsRef<[u8]>) -> Commit {
        self.propose_with(body, self.0.core.durability)
    }

    /// Proposes an entry.
    pub fn propose_with(&self, body: impl AsRef<[u8]>, durability: CommitDurability) -> Commit {
        self.0.core.propose(body.as_ref(), durability)
    }

    /// Waits until what this node's engine holds meets a policy, or the configuration's own where it is
    /// `None`: once it is over, what the application reads from its engine here is at least as recent as
    /// asked.
    pub fn barrier(&self, policy: impl Into<Option<ConsistencyPolicy>>) -> Barrier {
        Barrier(self.0.core.admit(policy.into().unwrap_or(self.0.core.consistency)))
    }

    /// The node's state.
    #[must_use]
    pub fn state(&self) -> NodeState {
        self.0.state()
    }

    /// Blocks until the node is in a state.
    ///
    /// # Errors
    /// [`WaitError`].
    pub fn wait_for_state(&self, state: NodeState, timeout: Duration) -> Result<StateChangeEvent, WaitError> {
        self.0.wait_for_state(state, timeout)
    }

    /// Blocks until the node knows a master, which may be itself.
    ///
    /// # Errors
    /// [`WaitError`].
    pub fn wait_for_master(&self, timeout: Duration) -> Result<MasterAddress, WaitError> {
        self.0.wait_for_master(timeout)
    }

    /// What the node has done since it was opened.
    #[must_use]
    pub fn stats(&self) -> RepStats {
        self.0.stats()
    }

    /// The node and its group as the node sees them. `None` only if the node failed by a bug of ours.
    #[must_use]
    pub fn status(&self) -> Option<GroupStatus> {
        self.0.status()
    }

    /// Adds a listener: as [`Environment::add_listener`](crate::Environment::add_listener).
    pub fn add_listener(&self, listener: impl StateChangeListener + 'static) {
        self.0.add_listener(listener);
    }

    /// Ends the node in order: as [`Environment::close`](crate::Environment::close). The engine is dropped.
    ///
    /// # Errors
    /// [`CloseError`]; it is closed all the same.
    pub fn close(&self) -> Result<(), CloseError> {
        self.0.close()
    }

    /// Ends the node as a crash of its process would: as [`Environment::kill`](crate::Environment::kill). The
    /// engine is dropped without being asked to flush.
    pub fn kill(&self) {
        self.0.kill();
    }
}

/// Waits until what a node holds meets a policy: with [`wait`](Self::wait), or as a future.
#[must_use = "a barrier does nothing until it was waited for"]
pub struct Barrier(Admission);

impl Barrier {
    /// Blocks until the policy is met: at most as long as the policy says.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn wait(self) -> Result<(), ReadError> {
        self.0.wait(|_| Ok(()))
    }
}

impl Future for Barrier {
    type Output = Result<(), ReadError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll(context, |_| Ok(()))
    }
}
