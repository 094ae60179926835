use crate::common::{Group, PATIENCE};
use quorate_server::demo::free_ports;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

async fn channel(group: &Group, node: usize) -> Channel {
    let address = format!("http://{}", group.endpoints().await[node]);
    Channel::from_shared(address).unwrap().connect().await.unwrap()
}

async fn health(client: &mut HealthClient<Channel>, service: &str) -> i32 {
    let request = HealthCheckRequest { service: service.to_owned() };
    client.check(request).await.unwrap().into_inner().status
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_healthy_while_it_leads_or_follows() {
    let group = Group::start("").await;
    let replica = group.replicas()[0];
    let mut client = HealthClient::new(channel(&group, replica).await);
    for service in ["", "quorate.v1.Quorate"] {
        assert_eq!(health(&mut client, service).await, ServingStatus::Serving as i32, "{service:?}");
    }
    for node in [group.master, group.replicas()[1]] {
        group.cluster.processes()[node].killer().kill_and_reap().unwrap();
    }
    let lonely = async {
        while health(&mut client, "quorate.v1.Quorate").await != ServingStatus::NotServing as i32 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, lonely).await.expect("it notices that it is alone");
    assert_eq!(health(&mut client, "").await, ServingStatus::Serving as i32);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_tells_what_it_serves() {
    let group = Group::start("").await;
    let mut client = ServerReflectionClient::new(channel(&group, group.master).await);
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers = client
        .server_reflection_info(tonic::codegen::tokio_stream::once(request))
        .await
        .unwrap()
        .into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(services) = answer else { panic!("{answer:?}") };
    let names: Vec<&str> = services.service.iter().map(|service| service.name.as_str()).collect();
    assert!(names.contains(&"quorate.v1.Quorate") && names.contains(&"grpc.health.v1.Health"), "{names:?}");
}

async fn page(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).await.unwrap();
    page
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_finds_the_figures_of_a_node() {
    let directory = tempfile::tempdir().unwrap();
    let ports = free_ports(2).unwrap();
    let metrics = format!("127.0.0.1:{}", ports[0]);
    let members = format!("--members=a=127.0.0.1:{}", ports[1]);
    let mut node = tokio::process::Command::new(crate::common::PROGRAM)
        .args(["node", "--group=g", "--node=a", "--client=127.0.0.1:0", "--engine=memory", &members])
        .env("QUORATE_METRICS", &metrics)
        .env("QUORATE_DATA_DIR", directory.path())
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut ready = [0; 5];
    node.stdout.as_mut().unwrap().read_exact(&mut ready).await.unwrap();
    assert_eq!(&ready, b"ready");
    let leads = async {
        loop {
            let page = page(&metrics, "/metrics").await;
            if page.contains("quorate_state{group=\"g\",node=\"a\"} 3") {
                return page;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    let page_text = timeout(PATIENCE, leads).await.expect("it leads");
    assert!(page_text.starts_with("HTTP/1.1 200"), "{page_text}");
    for name in ["quorate_ballots_total", "quorate_log_sync_seconds_bucket", "quorate_watermark_vlsn"] {
        assert!(page_text.contains(name), "no {name} in {page_text}");
    }
    assert!(page(&metrics, "/elsewhere").await.starts_with("HTTP/1.1 404"));
}
