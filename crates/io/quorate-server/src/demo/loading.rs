use super::{Acknowledged, DemoError, Flight, Kill, Load, Story};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinHandle;
use tokio::time::interval;

/// How often the load is looked after.
const WATCH_INTERVAL: Duration = Duration::from_millis(2);

/// A load under way. Dropping it ends it.
pub(super) struct Loading {
    task: JoinHandle<Result<Acknowledged, DemoError>>,
    ended: Option<Acknowledged>,
    flight: Arc<Flight>,
    total: u64,
}

impl Loading {
    pub(super) fn begin(load: Load, writers: usize) -> Self {
        let (flight, total) = (Arc::clone(&load.flight), load.records.count() as u64);
        Self { task: tokio::spawn(load.run(writers)), ended: None, flight, total }
    }

    /// Waits until the master was killed.
    pub(super) async fn until_kill(&mut self, story: &Story) -> Result<Kill, DemoError> {
        let kill = self.until(story, |flight| flight.kill().transpose()).await?;
        kill.ok_or_else(|| DemoError::NoKill { acked: self.flight.acked() })?
    }

    /// Waits until a survivor of the kill has acknowledged a write. `None` if the killed master had
    /// acknowledged all of them.
    pub(super) async fn until_first_ack(&mut self, story: &Story) -> Result<Option<Instant>, DemoError> {
        self.until(story, Flight::first_ack_after_kill).await
    }

    /// Waits until everything is acknowledged.
    pub(super) async fn until_end(mut self, story: &Story) -> Result<Acknowledged, DemoError> {
        self.until(story, |_| None::<()>).await?;
        story.progress_ends();
        Ok(self.ended.take().unwrap_or_default())
    }

    /// Shows the progress until `find` finds something, or the load has ended.
    async fn until<T>(
        &mut self,
        story: &Story,
        find: impl Fn(&Flight) -> Option<T>,
    ) -> Result<Option<T>, DemoError> {
        let mut ticks = interval(WATCH_INTERVAL);
        while self.ended.is_none() {
            tokio::select! {
                ended = &mut self.task => self.ended = Some(ended.map_err(DemoError::panicked)??),
                _ = ticks.tick() => story.progress(self.flight.acked(), self.total),
            }
            if let Some(found) = find(&self.flight) {
                return Ok(Some(found));
            }
        }
        Ok(find(&self.flight))
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        self.task.abort();
    }
}
