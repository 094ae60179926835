use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What readers may still look at: every write has a number, and a snapshot shows those below its own.
#[derive(Default)]
pub(super) struct OpenSnapshots(Mutex<State>);

#[derive(Default)]
struct State {
    /// A new snapshot shows the writes below this number.
    visible: u64,
    /// How many snapshots of each number are open.
    open: BTreeMap<u64, usize>,
}

impl OpenSnapshots {
    /// Shows the writes below `number` to the snapshots to come.
    pub(super) fn publish(&self, number: u64) {
        let mut state = self.state();
        state.visible = state.visible.max(number);
    }

    /// A snapshot of what is visible now.
    pub(super) fn open(self: &Arc<Self>) -> OpenSnapshot {
        let mut state = self.state();
        let number = state.visible;
        *state.open.entry(number).or_default() += 1;
        OpenSnapshot { number, of: Arc::clone(self) }
    }

    /// No snapshot has a smaller number than this, now or later.
    pub(super) fn oldest(&self) -> u64 {
        let state = self.state();
        state.open.keys().next().copied().unwrap_or(state.visible)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps what one snapshot shows from being merged away, until it is dropped.
pub(super) struct OpenSnapshot {
    pub(super) number: u64,
    of: Arc<OpenSnapshots>,
}

impl Drop for OpenSnapshot {
    fn drop(&mut self) {
        let mut state = self.of.state();
        if let Some(count) = state.open.get_mut(&self.number) {
            *count -= 1;
            if *count == 0 {
                state.open.remove(&self.number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_number_waits_for_every_snapshot_that_has_it() {
        let snapshots = Arc::new(OpenSnapshots::default());
        snapshots.publish(3);
        let (first, second) = (snapshots.open(), snapshots.open());
        snapshots.publish(7);
        let later = snapshots.open();
        assert_eq!((first.number, second.number, later.number), (3, 3, 7));
        drop(first);
        assert_eq!(snapshots.oldest(), 3);
        drop(second);
        assert_eq!(snapshots.oldest(), 7);
        snapshots.publish(9);
        assert_eq!(snapshots.oldest(), 7);
        drop(later);
        assert_eq!(snapshots.oldest(), 9);
    }

    #[test]
    fn what_is_visible_never_goes_back() {
        let snapshots = Arc::new(OpenSnapshots::default());
        snapshots.publish(5);
        snapshots.publish(2);
        assert_eq!(snapshots.open().number, 5);
    }
}
