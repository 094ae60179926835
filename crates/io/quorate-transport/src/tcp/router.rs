use super::shared::Shared;
use super::stats::ListenerCounters;
use crate::TransportError;
use quorate_core::PeerEvent;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Which group a caller is brought to.
pub(crate) struct Router {
    pub(crate) counters: ListenerCounters,
    pub(crate) connections_max: usize,
    pub(crate) handshake_timeout: Duration,
    /// Every group that was ever opened here; `None` once it is closed.
    groups: Mutex<HashMap<String, Option<Arc<Shared>>>>,
}

impl Router {
    pub(crate) fn new(connections_max: usize, handshake_timeout: Duration) -> Self {
        let (counters, groups) = (ListenerCounters::default(), Mutex::default());
        Self { counters, connections_max, handshake_timeout, groups }
    }

    /// Opens a group: from now on its callers are brought to it.
    pub(crate) fn open(&self, group: &Arc<Shared>) -> Result<(), TransportError> {
        let mut groups = self.lock();
        let place = groups.entry(group.name.clone()).or_default();
        if place.is_some() {
            return Err(TransportError::GroupInUse { group: group.name.clone() });
        }
        *place = Some(Arc::clone(group));
        Ok(())
    }

    /// Closes a group, unless it has been opened anew since.
    pub(crate) fn close(&self, group: &Arc<Shared>) {
        if let Some(place) = self.lock().get_mut(&group.name)
            && place.as_ref().is_some_and(|open| Arc::ptr_eq(open, group))
        {
            *place = None;
        }
    }

    /// The group to judge a caller that names `wanted`, if it is open.
    ///
    /// Where there was never more than one group, that one judges every caller: it can say what it is itself,
    /// which tells more than that the other is not here.
    pub(crate) fn judge(&self, wanted: &str) -> Option<Arc<Shared>> {
        let groups = self.lock();
        match groups.get(wanted) {
            Some(place) => place.clone(),
            None if groups.len() == 1 => groups.values().next().cloned().flatten(),
            None => None,
        }
    }

    /// Tells every group of a caller that got as far as none.
    pub(crate) fn notice(&self, event: &PeerEvent) {
        let open: Vec<_> = self.lock().values().flatten().cloned().collect();
        for group in open {
            group.notice(event.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Option<Arc<Shared>>>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
