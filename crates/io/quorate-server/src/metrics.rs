//! A node's metrics, for Prometheus to fetch.
//!
//! Their names and meanings are those of the environment, see [`quorate_env`]; besides, the service counts
//! `quorate_requests_refused_total`: requests refused since those under way took all the memory set aside.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::interval;

/// What times are sorted into, in seconds: from a fast disk's sync to what an operator wants to hear of.
const BUCKETS_SECONDS: [f64; 12] =
    [0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 5.0];
/// How often what was recorded is taken together, whether or not anybody fetches it.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);
/// What Prometheus calls its text format.
const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Why metrics cannot be recorded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum MetricsError {
    /// The recorder cannot be built.
    #[error("metrics cannot be recorded: {0}")]
    Build(#[from] BuildError),
    /// This process records metrics already.
    #[error("metrics are recorded elsewhere in this process already")]
    Installed,
}

/// Records all metrics of this process from now on.
pub(crate) fn record() -> Result<PrometheusHandle, MetricsError> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS_SECONDS)?;
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    ::metrics::set_global_recorder(recorder).map_err(|_| MetricsError::Installed)?;
    Ok(handle)
}

/// Serves what is recorded at `/metrics`, until the process ends.
pub(crate) async fn serve(listener: TcpListener, handle: PrometheusHandle) {
    tokio::spawn(keep_up(handle.clone()));
    let page = get(move || {
        let text = handle.render();
        async move { ([(CONTENT_TYPE, TEXT_FORMAT)], text) }
    });
    let router = Router::new().route("/metrics", page);
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "metrics can no longer be fetched");
    }
}

async fn keep_up(handle: PrometheusHandle) {
    let mut ticks = interval(UPKEEP_INTERVAL);
    loop {
        ticks.tick().await;
        handle.run_upkeep();
    }
}
