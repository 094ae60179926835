use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Tells the threads of a node to end as if their process had died. Clones are the same switch.
#[derive(Clone, Debug, Default)]
pub(crate) struct KillSwitch(Arc<AtomicBool>);

impl KillSwitch {
    /// From now on nothing more is written, synced or flushed than what is under way.
    pub(crate) fn pull(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(crate) fn is_pulled(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}
