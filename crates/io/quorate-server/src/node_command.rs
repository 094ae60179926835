use crate::metrics::{self, MetricsError};
use crate::program::told_to_stop;
use crate::{
    Audience, DESCRIPTORS, ListenError, NodeArguments, NodeSettings, QuorateService, RequestBudget,
    SettingsError, configuration_reference, health, listen,
};
use quorate::{CloseError, OpenError, ReplicatedEnvironment};
use std::io::{self, Write, stdout};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::time::timeout;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;
use tonic_reflection::server::v1::{ServerReflection, ServerReflectionServer};
use tracing_subscriber::EnvFilter;

/// How long calls under way may take to end after the node was told to stop.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// Threads for work that waits for a disk, at most.
const BLOCKING_THREADS_MAX: usize = 64;
/// How often a silent client is asked whether it is still there, and how long it may take to answer.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(20);

/// Why a node could not start, or had to stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum NodeError {
    /// The configuration is wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The log filter is none.
    #[error(
        "log: {filter:?} is not a filter ({detail}): write off, error, warn, info, debug, trace, or \
        target=level,..."
    )]
    LogFilter {
        /// The filter.
        filter: String,
        /// What is wrong.
        detail: String,
    },
    /// Clients, or those who fetch metrics, cannot be listened for.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Metrics cannot be recorded.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The environment cannot be opened.
    #[error(transparent)]
    Open(OpenError),
    /// The environment was not closed in order.
    #[error("the node has not stopped in order: {0}")]
    Close(#[from] CloseError),
    /// The server has failed.
    #[error("serving clients has failed: {0}")]
    Serve(#[from] tonic::transport::Error),
    /// The protocol's description is broken.
    #[error("the description of the protocol in this program is broken ({0}): build it again")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The operating system refused.
    #[error("{operation} failed: {source}")]
    System {
        /// What was tried.
        operation: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
}

/// Runs one node until it is told to stop.
pub(crate) fn run(arguments: &NodeArguments) -> Result<(), NodeError> {
    if arguments.print_configuration_reference {
        return print(&configuration_reference());
    }
    let settings = NodeSettings::read(arguments.config.as_deref(), &arguments.given)?;
    start_logging(settings.log.as_ref())?;
    let runtime = runtime().map_err(system("starting threads"))?;
    let insecure_no_auth = settings.environment.insecure_no_auth;
    let listener = runtime.block_on(listen(&settings.client, Audience::Clients, insecure_no_auth))?;
    serve_metrics(&runtime, &settings)?;
    let environment = open(&settings)?;
    let served = runtime.block_on(serve(listener, Arc::clone(&environment), &settings));
    runtime.shutdown_timeout(DRAIN_TIMEOUT);
    environment.close()?;
    served
}

fn print(text: &str) -> Result<(), NodeError> {
    stdout().lock().write_all(text.as_bytes()).map_err(system("writing to stdout"))
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().max_blocking_threads(BLOCKING_THREADS_MAX).build()
}

/// Records and serves metrics, if that is asked for: before the environment is opened, which registers them.
fn serve_metrics(runtime: &Runtime, settings: &NodeSettings) -> Result<(), NodeError> {
    let Some(address) = &settings.metrics else { return Ok(()) };
    let insecure_no_auth = settings.environment.insecure_no_auth;
    let listener = runtime.block_on(listen(address, Audience::Metrics, insecure_no_auth))?;
    runtime.spawn(metrics::serve(listener, metrics::record()?));
    Ok(())
}

fn open(settings: &NodeSettings) -> Result<Arc<ReplicatedEnvironment>, NodeError> {
    let environment =
        ReplicatedEnvironment::new(settings.environment.clone()).map_err(|error| match error {
            OpenError::Config(error) => NodeError::Settings(settings.unsound(error)),
            error => NodeError::Open(error),
        })?;
    if settings.environment.insecure_no_auth {
        tracing::warn!("this node is open: nobody who calls it is authenticated (insecure_no_auth)");
    }
    Ok(Arc::new(environment))
}

/// Serves clients until the process is told to stop, then lets the calls under way end.
async fn serve(
    listener: TcpListener,
    environment: Arc<ReplicatedEnvironment>,
    settings: &NodeSettings,
) -> Result<(), NodeError> {
    let address = listener.local_addr().map_err(system("listening for clients"))?;
    let stopping = told_to_stop();
    let (stop, stopped) = oneshot::channel::<()>();
    let service = QuorateService::new(environment, settings);
    let budget = RequestBudget::new(settings.requests_bytes_max, service.message_bytes_max());
    let server = Server::builder()
        .layer(budget)
        .max_concurrent_streams(settings.calls_max)
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .http2_keepalive_timeout(Some(KEEPALIVE_INTERVAL))
        .add_service(health::service(service.state()).await)
        .add_service(reflection()?)
        .add_service(service.into_server())
        .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), async {
            // A dropped sender means the same as a message: stop.
            let _ = stopped.await;
        });
    let server = tokio::spawn(server);
    announce(settings, address).map_err(system("writing to stdout"))?;
    let signal = stopping.await.map_err(system("catching signals"))?;
    tracing::info!(signal, "told to stop");
    drop(stop);
    match timeout(DRAIN_TIMEOUT, server).await {
        Ok(Ok(ended)) => Ok(ended?),
        Ok(Err(panic)) => Err(system("serving clients")(io::Error::other(panic))),
        Err(_) => {
            tracing::warn!(timeout = ?DRAIN_TIMEOUT, "calls still under way are given up");
            Ok(())
        }
    }
}

/// Tells clients that ask what this node serves.
fn reflection() -> Result<ServerReflectionServer<impl ServerReflection>, NodeError> {
    let descriptors = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
    Ok(descriptors.build_v1()?)
}

/// Says, on one line of stdout, that the node serves clients, and where.
fn announce(settings: &NodeSettings, client: SocketAddr) -> io::Result<()> {
    let config = &settings.environment;
    let own = config.members.iter().find(|member| member.name == config.node);
    let nodes = config.listen.as_ref().or(own.map(|own| &own.address)).map_or("", String::as_str);
    let mut out = stdout().lock();
    writeln!(
        out,
        "ready: node {} of group {}, clients at {client}, nodes at {nodes}",
        config.node, config.group
    )?;
    out.flush()
}

/// Logs to stderr: what `filter` says, else what the variable RUST_LOG says, else from `info` up.
fn start_logging(filter: Option<&String>) -> Result<(), NodeError> {
    let filter = filter.cloned().or_else(|| std::env::var(EnvFilter::DEFAULT_ENV).ok());
    let filter = filter.unwrap_or_else(|| "info".to_owned());
    let parsed = EnvFilter::builder().parse(&filter);
    let parsed = parsed.map_err(|error| NodeError::LogFilter { filter, detail: error.to_string() })?;
    tracing_subscriber::fmt().with_env_filter(parsed).with_writer(io::stderr).with_ansi(false).init();
    Ok(())
}

fn system(operation: &'static str) -> impl FnOnce(io::Error) -> NodeError {
    move |source| NodeError::System { operation, source }
}
