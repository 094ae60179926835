use super::client::Route;
use super::loading::Loading;
use super::report::milliseconds;
use super::{
    Acknowledged, Cluster, DemoError, Failover, Kill, Load, NODES, Records, Report, Story, Times, compare,
    node_name,
};
use crate::EngineChoice;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::spawn_blocking;

/// How long the nodes may take to find a master, and later to agree and to stop.
const PATIENCE: Duration = Duration::from_secs(120);

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

/// A demonstration up to the moment when all nodes have stopped: what is to be compared, and what was
/// measured.
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
    /// Starts the nodes, writes, kills the master half way, restarts it, waits until all agree, and stops all
    /// nodes.
    ///
    /// When this is dropped before it ends, no process of it is left.
    ///
    /// # Errors
    /// [`DemoError`].
    pub async fn run(setting: Setting, story: &Story) -> Result<Self, DemoError> {
        let Setting { program, records, engine, writers, directory } = setting;
        let start = Instant::now();
        let mut times = Times::default();
        let records = Arc::new(records);
        introduce(&records, engine, story);
        let cluster = Cluster::start(&program, &directory, engine, "")?;
        let route = Route::new();
        let master = cluster.wait_for_master(&route, PATIENCE).await?;
        times.started = milliseconds(start.elapsed());
        story.tell(&format!("{} is the master, elected after {:.0} ms", node_name(master), times.started));
        let load = Load::new(Arc::clone(&records), &cluster, route);
        let (kill, acknowledged) = write(&cluster, load, writers, &mut times, story).await?;
        times.caught_up = restart(&cluster, kill, story).await?;
        times.stopped = stop(&cluster, story).await?;
        let report = Report::of_load(&records, &acknowledged, kill, times);
        let homes = cluster.processes().iter().map(|process| process.directory().to_owned()).collect();
        Ok(Self { records, acknowledged, homes, engine, report, start })
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

fn introduce(records: &Records, engine: EngineChoice, story: &Story) {
    for skipped in records.skipped() {
        story.tell(&format!("skipped {}: {}", skipped.path.display(), skipped.reason));
    }
    let (count, engine) = (records.count(), engine.name());
    story.tell(&format!(
        "{NODES} nodes with {engine} engines are to hold {count} records, fsynced by a majority"
    ));
}

/// Writes everything and sees the master die half way.
async fn write(
    cluster: &Cluster,
    load: Load,
    writers: usize,
    times: &mut Times,
    story: &Story,
) -> Result<(Kill, Acknowledged), DemoError> {
    let (began, route) = (Instant::now(), load.route.clone());
    let mut loading = Loading::begin(load, writers);
    let kill = loading.until_kill(story).await?;
    let failover = watch_failover(cluster, kill, &route, story).await?;
    let first_ack = loading.until_first_ack(story).await?;
    times.fail_over(kill, failover, first_ack);
    tell_failover(times, failover, story);
    let acknowledged = loading.until_end(story).await?;
    times.loaded = milliseconds(began.elapsed());
    story.tell(&format!("all {} records are acknowledged", acknowledged.records.len()));
    Ok((kill, acknowledged))
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
    Failover::watch(cluster, kill, route, PATIENCE).await
}

fn tell_failover(times: &Times, failover: Failover, story: &Story) {
    let Times { detected, elected, .. } = times;
    let master = node_name(failover.master);
    story.tell(&format!("the others noticed after {detected:.0} ms; {master} led after {elected:.0} ms"));
    if let Some(first_write) = times.first_write {
        story.tell(&format!("the first write after the kill was acknowledged after {first_write:.0} ms"));
    }
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
