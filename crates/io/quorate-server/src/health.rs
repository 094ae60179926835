use crate::service::QuorateService;
use crate::state_watch::{StateNow, StateWatch};
use crate::v1::quorate_server::QuorateServer;
use quorate::NodeState;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::server::{HealthReporter, health_reporter};

/// The standard health service. The program as a whole, named by the empty string, serves as long as it
/// answers; the service `quorate.v1.Quorate` serves while the node leads or follows a master.
pub(crate) async fn service(watch: StateWatch) -> HealthServer<impl Health> {
    let (reporter, service) = health_reporter();
    report(&reporter, watch.now()).await;
    tokio::spawn(follow(reporter, watch));
    service
}

async fn follow(reporter: HealthReporter, mut watch: StateWatch) {
    while let Some(now) = watch.next().await {
        report(&reporter, now).await;
    }
}

async fn report(reporter: &HealthReporter, now: StateNow) {
    let status = match now.state {
        NodeState::Master | NodeState::Replica => ServingStatus::Serving,
        _ => ServingStatus::NotServing,
    };
    let name = <QuorateServer<QuorateService> as tonic::server::NamedService>::NAME;
    reporter.set_service_status(name, status).await;
}
