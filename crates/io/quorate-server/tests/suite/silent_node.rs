//! What a client makes of a node that hangs.

use crate::common::Group;
use quorate_server::client::{Client, ClientOptions};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;

/// As long as any one attempt may take, or less: whoever waits for a node until its time is over has none left.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Somebody who takes connections, keeps them, and never says anything on them.
struct Hung {
    address: String,
    connections: Arc<AtomicUsize>,
}

impl Hung {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let connections = Arc::new(AtomicUsize::new(0));
        tokio::spawn(hang(listener, Arc::clone(&connections)));
        Self { address, connections }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn hang(listener: TcpListener, connections: Arc<AtomicUsize>) {
    let mut kept = Vec::new();
    loop {
        kept.push(listener.accept().await.unwrap());
        connections.store(kept.len(), Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_to_a_node_that_hangs_is_answered_by_the_next_one_and_later_calls_keep_away() {
    let group = Group::start("").await;
    let hung = Hung::start().await;
    let master = group.endpoints().await.swap_remove(group.master);
    let options = ClientOptions { timeout: TIMEOUT, durability: None };
    let client = Client::with_options([hung.address.clone(), master], options).unwrap();

    client.put("", "k", "first").await.unwrap();
    assert_eq!(hung.connections(), 1, "the node that hangs was asked first");
    client.put("", "k", "second").await.unwrap();
    assert_eq!(hung.connections(), 1, "it was not asked again");
}
