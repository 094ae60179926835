use super::client::Route;
use super::cluster::{Cluster, leads, node_name};
use super::{DemoError, Kill};
use crate::v1::StatusResponse;
use std::time::{Duration, Instant};

/// What the survivors of a master were seen to do.
#[derive(Clone, Copy, Debug)]
pub struct Failover {
    /// When a survivor no longer named the dead node as its master.
    pub detected: Instant,
    /// When a survivor first said that it leads.
    pub elected: Instant,
    /// Which one that was.
    pub master: usize,
}

impl Failover {
    /// Watches the survivors of a kill until one of them leads, and leads the writers there.
    ///
    /// # Errors
    /// [`DemoError::TimedOut`]; [`DemoError::NodeDied`] if a survivor dies too.
    pub async fn watch(
        cluster: &Cluster,
        kill: Kill,
        route: &Route,
        timeout: Duration,
    ) -> Result<Self, DemoError> {
        let dead = node_name(kill.node);
        let mut detected = None;
        let watching = cluster.wait_until("for a new master", timeout, |statuses| {
            let survivors = || statuses.iter().enumerate().filter(|(node, _)| *node != kill.node);
            if detected.is_none() && survivors().any(|(_, status)| has_left(status.as_ref(), &dead)) {
                detected = Some(Instant::now());
            }
            let (master, _) = survivors().find(|(_, status)| leads(status.as_ref()))?;
            route.lead_to(master);
            Some((master, Instant::now()))
        });
        let (master, elected) = watching.await?;
        Ok(Self { detected: detected.unwrap_or(elected), elected, master })
    }
}

/// Whether a node answers and follows somebody else than `dead`, or nobody.
fn has_left(status: Option<&StatusResponse>, dead: &str) -> bool {
    status.is_some_and(|status| status.master.as_ref().is_none_or(|master| master.name != dead))
}
