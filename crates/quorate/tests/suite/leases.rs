//! Linearizable reads by leases.

use quorate::testing::{InMemoryGroup, TestNode};
use quorate::{BytesDatabase, ConsistencyPolicy};
use std::time::Duration;

/// As long as an election timeout may be waited for here.
const LEASE: Duration = Duration::from_secs(10);
const POLICY: ConsistencyPolicy = ConsistencyPolicy::Linearizable { timeout: Duration::from_secs(30) };

fn group(lease: Option<Duration>) -> InMemoryGroup {
    InMemoryGroup::builder(3)
        .configure(move |config| {
            let config = config.election_timeout(LEASE);
            match lease {
                Some(lease) => config.lease(lease),
                None => config,
            }
        })
        .start()
        .unwrap()
}

fn orders(node: &TestNode) -> BytesDatabase {
    let orders = node.bytes("orders").unwrap();
    orders.put(b"42", b"three apples").wait().unwrap();
    orders
}

/// Whether a master that has just read, and was then cut off, reads once more.
fn cut_off_and_read(group: &InMemoryGroup, policy: ConsistencyPolicy) -> bool {
    let master = group.wait_for_master().unwrap();
    let orders = orders(&master);
    assert!(orders.get(b"42", POLICY).unwrap().is_some());
    let others: Vec<&str> = group.names().filter(|name| *name != master.name()).collect();
    group.partition(&[master.name()], &others).unwrap();
    let read = orders.get(b"42", policy);
    group.heal();
    read.is_ok_and(|value| value.as_deref() == Some(b"three apples"))
}

#[test]
fn a_master_reads_by_its_lease_without_asking_anybody() {
    assert!(cut_off_and_read(&group(Some(LEASE)), POLICY));
}

#[test]
fn without_leases_a_master_that_is_cut_off_reads_nothing() {
    let policy = ConsistencyPolicy::Linearizable { timeout: Duration::from_millis(200) };
    assert!(!cut_off_and_read(&group(None), policy));
}
