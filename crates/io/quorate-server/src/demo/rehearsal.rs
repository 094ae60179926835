use super::client::Route;
use super::{
    Acknowledged, Cluster, DemoError, Failover, Flight, Kill, Load, NODES, Records, Report, Story, Times,
    compare, node_name,
};
use crate::EngineChoice;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::interval;

/// How long the nodes may take to find a master, and later to agree and to stop.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often the load is looked after.
const WATCH_INTERVAL: Duration = Duration::from_millis(2);

/// What a demonstration is to do.
#[derive(Debug)]
pub struct Setting {
    /// The program whose `node` command runs the nodes.
    pub program: PathBuf,
    /// What to write.
    pub records: Records,
    /// The nodes' engine.
    pub engine: EngineChoice,
    /// How many writes are under way at a time.
    pub writers: usize,
    /// Where the nodes' directories are made.
    pub directory: PathBuf,
}

/// A demonstration up to the moment when all nodes have stopped: what is to be compared, and what was measured.
#[derive(Debug)]
pub struct Rehearsal {
    records: Arc<Records>,
    acknowledged: Acknowledged,
    homes: Vec<PathBuf>,
    engine: EngineChoice,
    report: Report,
    start: Instant,
}

impl Rehearsal {
    /// Starts the nodes, writes, kills the master half way, restarts it, waits until all agree, and stops all nodes.
    ///
    /// When this is dropped before it ends, no process of it is left.
    ///
    /// # Errors
    /// [`DemoError`].
    pub async fn run(setting: Setting, story: &Story) -> Result<Self, DemoError> {
        let start = Instant::now();
        let mut times = Times::default();
        let records = Arc::new(setting.records);
        introduce(&records, setting.engine, story);
        let cluster = Cluster::start(&setting.program, &setting.directory, setting.engine, "")?;
        let route = Route::new();
        let master = cluster.wait_for_master(&route, PATIENCE).await?;
        times.started = milliseconds(start.elapsed());
        story.tell(&format!("{} is the master, elected after {:.0} ms", node_name(master), times.started));

        let loading = Instant::now();
        let killers = cluster.processes().iter().map(|process| process.killer()).collect();
        let flight = Arc::new(Flight::new(records.count() as u64 / 2, killers));
        let load = Load {
            records: Arc::clone(&records),
            clients: cluster.clients().to_vec(),
            route: route.clone(),
            flight: Arc::clone(&flight),
        };
        let load = Loading(tokio::spawn(load.run(setting.writers)));
        let kill = load.until_kill(&flight, records.count() as u64, story).await?;
        let failover = watch_failover(&cluster, kill, &route, story).await?;
        let acknowledged = load.until_end(&flight, records.count() as u64, story).await?;
        times.loaded = milliseconds(loading.elapsed());
        times.detected = milliseconds(failover.detected - kill.at);
        times.elected = milliseconds(failover.elected - kill.at);
        times.first_write = flight
            .first_ack_after_kill()
            .map_or(0.0, |at| milliseconds(at.saturating_duration_since(kill.at)));
        story.tell(&format!(
            "the first write after the kill was acknowledged after {:.0} ms",
            times.first_write
        ));
        story.tell(&format!("all {} records are acknowledged", acknowledged.records.len()));

        times.caught_up = restart(&cluster, kill, story).await?;
        times.stopped = stop(&cluster, story).await?;
        let report = Report {
            records: (records.count() - acknowledged.skipped.len()) as u64,
            skipped: (records.skipped().len() + acknowledged.skipped.len()) as u64,
            acked: acknowledged.records.len() as u64,
            nodes: NODES as u64,
            in_flight_at_kill: kill.in_flight,
            times_ms: times,
            ..Report::default()
        };
        let homes = cluster.processes().iter().map(|process| process.directory().to_owned()).collect();
        Ok(Self { records, acknowledged, homes, engine: setting.engine, report, start })
    }

    /// The stopped nodes' directories.
    #[must_use]
    pub fn homes(&self) -> &[PathBuf] {
        &self.homes
    }

    /// Compares everything that was acknowledged with what every node holds, and concludes the report.
    ///
    /// # Errors
    /// [`DemoError::Store`] if a node's data cannot be read.
    pub async fn conclude(self, story: &Story) -> Result<Report, DemoError> {
        let Self { records, acknowledged, homes, engine, mut report, start } = self;
        let compared = spawn_blocking(move || compare(&records, &acknowledged.records, &homes, engine));
        let comparison = compared.await.map_err(DemoError::panicked)??;
        for difference in &comparison.differences {
            story.tell(difference);
        }
        story.tell(&format!("compared {} copies, read from the stopped nodes' engines", comparison.compared));
        report.times_ms.total = milliseconds(start.elapsed());
        Ok(report.concluded(comparison))
    }
}

/// The load under way. Dropping it ends it.
struct Loading(JoinHandle<Result<Acknowledged, DemoError>>);

impl Loading {
    /// Shows the progress until the master was killed.
    async fn until_kill(&self, flight: &Flight, total: u64, story: &Story) -> Result<Kill, DemoError> {
        let mut ticks = interval(WATCH_INTERVAL);
        loop {
            ticks.tick().await;
            story.progress(flight.acked(), total);
            if let Some(kill) = flight.kill()? {
                return Ok(kill);
            }
            if self.0.is_finished() {
                return Err(DemoError::NoKill { acked: flight.acked() });
            }
        }
    }

    /// Shows the progress until everything is acknowledged.
    async fn until_end(
        mut self,
        flight: &Flight,
        total: u64,
        story: &Story,
    ) -> Result<Acknowledged, DemoError> {
        let mut ticks = interval(WATCH_INTERVAL);
        loop {
            tokio::select! {
                ended = &mut self.0 => {
                    story.progress_ends();
                    return ended.map_err(DemoError::panicked)?;
                }
                _ = ticks.tick() => story.progress(flight.acked(), total),
            }
        }
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn introduce(records: &Records, engine: EngineChoice, story: &Story) {
    for skipped in records.skipped() {
        story.tell(&format!("skipped {}: {}", skipped.path.display(), skipped.reason));
    }
    let (count, engine) = (records.count(), engine.name());
    story.tell(&format!(
        "{NODES} nodes with {engine} engines are to hold {count} records, fsynced by a majority"
    ));
}

async fn watch_failover(
    cluster: &Cluster,
    kill: Kill,
    route: &Route,
    story: &Story,
) -> Result<Failover, DemoError> {
    let (dead, in_flight) = (node_name(kill.node), kill.in_flight);
    story.tell(&format!("kill -9 of the master, {dead}, with {in_flight} writes under way"));
    let killed = cluster.processes()[kill.node].killer();
    killed.kill_and_reap().map_err(DemoError::system("waiting for the killed node's end"))?;
    let failover = Failover::watch(cluster, kill, route, PATIENCE).await?;
    let (detected, elected) = (failover.detected - kill.at, failover.elected - kill.at);
    story.tell(&format!("its death was noticed after {:.0} ms", milliseconds(detected)));
    let master = node_name(failover.master);
    story.tell(&format!("{master} was seen to lead after {:.0} ms", milliseconds(elected)));
    Ok(failover)
}

/// Starts the dead node again and waits until all agree. Returns how long that took, in milliseconds.
async fn restart(cluster: &Cluster, kill: Kill, story: &Story) -> Result<f64, DemoError> {
    let (process, began) = (&cluster.processes()[kill.node], Instant::now());
    process.start().map_err(DemoError::system("restarting the killed node"))?;
    let position = cluster.wait_for_agreement(PATIENCE).await?;
    let caught_up = milliseconds(began.elapsed());
    let name = process.name();
    story.tell(&format!(
        "{name} is back and has caught up after {caught_up:.0} ms; all are at position {position}"
    ));
    Ok(caught_up)
}

/// Stops all nodes. Returns how long that took, in milliseconds.
async fn stop(cluster: &Cluster, story: &Story) -> Result<f64, DemoError> {
    let began = Instant::now();
    cluster.stop(PATIENCE).await?;
    let stopped = milliseconds(began.elapsed());
    story.tell(&format!("all nodes have stopped cleanly, after {stopped:.0} ms"));
    Ok(stopped)
}

/// Rounded to microseconds.
fn milliseconds(time: Duration) -> f64 {
    time.as_micros() as f64 / 1_000.0
}
