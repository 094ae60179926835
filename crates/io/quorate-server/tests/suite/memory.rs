use crate::common::{Group, PATIENCE};
use bytes::Bytes;
use std::fs;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::interval;

const WRITERS: usize = 64;
const VALUE_BYTES: usize = 4_000_000;
const MEMORY_BYTES_MAX: u64 = 256 << 20;

/// The memory that a process has for itself, without what it maps of files, in bytes.
fn memory(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    let kibibytes: u64 = line.split_ascii_whitespace().nth(1).unwrap().parse().unwrap();
    kibibytes << 10
}

#[tokio::test(flavor = "multi_thread")]
async fn many_large_writes_at_once_do_not_exhaust_a_nodes_memory() {
    let group = Group::start("").await;
    let value = Bytes::from(vec![b'v'; VALUE_BYTES]);
    let mut writing = JoinSet::new();
    for number in 0..WRITERS {
        let (client, value) = (group.group_client().await, value.clone());
        writing.spawn(async move { client.put("", format!("k{number}"), value).await });
    }
    let mut looking = interval(Duration::from_millis(2));
    let mut peak = 0;
    while !writing.is_empty() {
        tokio::select! {
            Some(written) = writing.join_next() => drop(written.unwrap().unwrap()),
            _ = looking.tick() => {}
        }
        let memories = group.cluster.processes().iter().map(|process| memory(process.id().unwrap()));
        peak = memories.fold(peak, u64::max);
    }
    group.cluster.wait_for_agreement(PATIENCE).await.unwrap();
    assert!(peak > VALUE_BYTES as u64, "nothing was measured");
    assert!(peak < MEMORY_BYTES_MAX, "a node took {} MiB", peak >> 20);
}
