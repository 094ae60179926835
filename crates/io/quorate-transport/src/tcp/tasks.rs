use quorate_core::{NodeId, Service};
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::task::JoinHandle;

/// What runs on behalf of one group.
#[derive(Default)]
pub(crate) struct Tasks(Mutex<Running>);

#[derive(Default)]
struct Running {
    /// Each dials one link for ever, and writes it while it stands.
    writers: Vec<JoinHandle<()>>,
    /// Each reads one link that stands: one for each member and service.
    readers: HashMap<(NodeId, Service), JoinHandle<()>>,
}

impl Tasks {
    pub(crate) fn add_writers(&self, writers: impl Iterator<Item = JoinHandle<()>>) {
        self.lock().writers.extend(writers);
    }

    /// Starts to read a link. An earlier one of the same member and service ends first: its other end has
    /// given it up.
    ///
    /// All tasks share one thread, so a task that is aborted here is not running and never runs again:
    /// nothing of the earlier link reaches the inbox after something of the later one.
    pub(crate) fn start_reader(
        &self,
        link: (NodeId, Service),
        reader: impl Future<Output = ()> + Send + 'static,
    ) {
        let mut running = self.lock();
        if let Some(earlier) = running.readers.remove(&link) {
            earlier.abort();
        }
        running.readers.insert(link, tokio::spawn(reader));
    }

    /// Ends all tasks; once it is done, what they held has been let go of.
    pub(crate) async fn end(&self) {
        let Running { writers, readers } = std::mem::take(&mut *self.lock());
        for task in writers.into_iter().chain(readers.into_values()) {
            task.abort();
            // That it was aborted is no news.
            let _ = task.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
