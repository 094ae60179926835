use super::Blow;
use super::watch::Seen;
use super::writers::{Acknowledged, Writers};
use crate::bench::BenchError;
use crate::bench::arguments::BenchArguments;
use crate::client::{Client, ClientOptions};
use crate::demo::{Cluster, NodeClient, NodeProcess, Route};
use quorate::CommitDurability;
use rustix::process::Signal;
use serde::Serialize;
use std::fmt;
use std::time::{Duration, Instant};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// How long the nodes may take for anything that must happen in the end.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// How many writers share a connection.
const WRITERS_PER_CLIENT: u32 = 64;
/// How long the load goes on when the old master is back.
const RETURN_SPAN: Duration = Duration::from_millis(300);

/// What rounds are played on.
pub(super) struct Stage<'a> {
    pub(super) cluster: &'a Cluster,
    pub(super) arguments: &'a BenchArguments,
    pub(super) writers: u32,
    pub(super) durability: CommitDurability,
}

/// What one failover meant to the clients.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Round {
    /// From the blow until a write of a later term was acknowledged, in milliseconds.
    pub(super) first_write_ms: f64,
    /// The longest time in which no write was acknowledged, in milliseconds.
    pub(super) gap_ms: f64,
    /// How many writes were under way at the blow.
    pub(super) under_way: u32,
}

impl Stage<'_> {
    /// Lets the master fail under load and come back, and waits until all nodes agree.
    ///
    /// # Errors
    /// [`BenchError`].
    pub(super) async fn play(&self, number: u32) -> Result<(Round, Vec<Acknowledged>), BenchError> {
        self.cluster.wait_for_master(&Route::new(), PATIENCE).await?;
        let mut writers =
            Writers::start(number, self.writers, self.arguments.value_bytes(), &self.clients()?);
        let enough = u64::from(self.writers);
        writers.until(PATIENCE, |watch| watch.acknowledged() >= enough).await?;
        sleep(Duration::from_secs(self.arguments.warm_up.into())).await;
        let master = self.cluster.wait_for_master(&Route::new(), PATIENCE).await?;
        self.strike(master, &writers).await?;
        writers.until(PATIENCE, |watch| watch.seen(Instant::now()).is_some()).await?;
        sleep(Duration::from_secs(self.arguments.seconds.into())).await;
        let seen = writers.watch().seen(Instant::now());
        self.bring_back(master, &writers).await?;
        sleep(RETURN_SPAN).await;
        let stale = writers.watch().stale();
        let acknowledged = writers.end().await?;
        if stale > 0 {
            return Err(BenchError::Stale { count: stale });
        }
        self.cluster.wait_for_agreement(PATIENCE).await?;
        let seen = seen.ok_or(BenchError::NoWrite { seconds: PATIENCE.as_secs() })?;
        Ok((Round::from(seen), acknowledged))
    }

    fn clients(&self) -> Result<Vec<Client>, BenchError> {
        let options = ClientOptions { timeout: PATIENCE, durability: Some(self.durability) };
        let addresses: Vec<String> =
            self.cluster.client_ports().iter().map(|port| format!("127.0.0.1:{port}")).collect();
        let client = |_| Client::with_options(&addresses, options);
        let clients = (0..self.writers.div_ceil(WRITERS_PER_CLIENT)).map(client);
        clients.collect::<Result<_, _>>().map_err(BenchError::from)
    }

    async fn strike(&self, master: usize, writers: &Writers) -> Result<(), BenchError> {
        let process = self.node(master);
        // Nothing is counted between the moment that is noted and the blow.
        let struck = {
            let mut watch = writers.watch();
            watch.strike(Instant::now());
            match self.arguments.failover.failover_by {
                Blow::Kill => process.killer().kill(),
                Blow::Stop => process.signal(Signal::STOP),
            }
        };
        struck.map_err(BenchError::system("letting the master fail"))?;
        if self.arguments.failover.failover_by == Blow::Kill {
            let killer = process.killer();
            spawn_blocking(move || killer.kill_and_reap())
                .await
                .map_err(|error| BenchError::system("waiting for the master's end")(error.into()))?
                .map_err(BenchError::system("waiting for the master's end"))?;
        }
        Ok(())
    }

    /// Starts the killed node again, or lets the stopped one go on while it is told to write.
    async fn bring_back(&self, old: usize, writers: &Writers) -> Result<(), BenchError> {
        let process = self.node(old);
        if self.arguments.failover.failover_by == Blow::Kill {
            return process.start().map_err(BenchError::system("starting the killed node"));
        }
        let begun = Instant::now();
        let client = NodeClient::new(self.cluster.client_ports()[old]);
        let temptation = client.put("tempted".into(), "".into());
        let woken = async {
            process.signal(Signal::CONT).map_err(BenchError::system("letting the old master go on"))
        };
        let (answer, woken) = tokio::join!(temptation, woken);
        if let Some(token) = answer.ok().flatten().and_then(crate::service::parse_token) {
            writers.watch().judge(begun, Instant::now(), token.term);
        }
        woken
    }

    fn node(&self, index: usize) -> &NodeProcess {
        &self.cluster.processes()[index]
    }
}

impl From<Seen> for Round {
    fn from(seen: Seen) -> Self {
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        Self { first_write_ms: millis(seen.first_write), gap_ms: millis(seen.gap), under_way: seen.under_way }
    }
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first_write_ms, gap_ms, under_way } = self;
        write!(
            f,
            "first write after {first_write_ms:.0} ms, longest gap {gap_ms:.0} ms, {under_way} writes under way"
        )
    }
}
