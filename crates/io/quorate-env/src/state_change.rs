use crate::MasterAddress;
use quorate_core::{NodeState, Term};

/// A change of a node's state, as its application sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChangeEvent {
    /// The state from now on.
    pub state: NodeState,
    /// The term in which it is so: the one led or followed, else the one promised.
    pub term: Term,
    /// The master, if one is known; this node itself where it leads.
    pub master: Option<MasterAddress>,
}

/// Hears of every change of a node's state.
///
/// A listener is first told the state at hand, then every change, in order, once. It is called on a thread
/// that does nothing else, so it may block; the listeners of an environment wait for each other. The last
/// event is [`NodeState::Detached`].
pub trait StateChangeListener: Send {
    /// The state has changed.
    fn state_change(&mut self, event: &StateChangeEvent);
}

impl<F: FnMut(&StateChangeEvent) + Send> StateChangeListener for F {
    fn state_change(&mut self, event: &StateChangeEvent) {
        self(event);
    }
}
