use quorate::{Environment, NodeState, StateChangeEvent};
use std::time::Instant;
use tokio::sync::watch;

/// What a node is doing, and since when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StateNow {
    pub(crate) state: NodeState,
    pub(crate) since: Instant,
}

/// Follows a node's state. Clones follow the same node.
#[derive(Clone, Debug)]
pub(crate) struct StateWatch(watch::Receiver<StateNow>);

impl StateWatch {
    /// Follows an environment's node from now on.
    pub(crate) fn new(environment: &Environment) -> Self {
        let now = StateNow { state: environment.state(), since: Instant::now() };
        let (sender, receiver) = watch::channel(now);
        environment.add_listener(move |event: &StateChangeEvent| {
            sender.send_if_modified(|now| {
                let has_changed = now.state != event.state;
                if has_changed {
                    *now = StateNow { state: event.state, since: Instant::now() };
                }
                has_changed
            });
        });
        Self(receiver)
    }

    /// The state at hand.
    pub(crate) fn now(&self) -> StateNow {
        *self.0.borrow()
    }

    /// Waits for the next state; `None` once the environment is gone.
    pub(crate) async fn next(&mut self) -> Option<StateNow> {
        self.0.changed().await.ok()?;
        Some(*self.0.borrow_and_update())
    }
}
