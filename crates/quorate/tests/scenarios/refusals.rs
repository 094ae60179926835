//! What cannot be written is refused by type, and nothing of it is written.

use crate::cluster::{Cluster, patient};
use quorate::{Commit, DatabaseId, MasterAddress, Outcome, RepConfigBuilder, WriteBatch, WriteError};

const KEY_BYTES_MAX: usize = 65_535 - 5;
const VALUE_BYTES_MAX: usize = 1 << 20;

fn settings(config: RepConfigBuilder) -> RepConfigBuilder {
    patient(config).value_bytes_max(VALUE_BYTES_MAX)
}

/// The write is refused, for good, with all logs as they were.
fn assert_refused(cluster: &Cluster, write: impl FnOnce() -> Commit, expected: &WriteError) {
    let written = || (0..cluster.count()).map(|index| cluster.written(index)).collect::<Vec<_>>();
    let before = written();
    assert_eq!(write().wait().as_ref(), Err(expected));
    assert_eq!(expected.outcome(), Outcome::NotDone);
    assert_eq!(written(), before, "{expected}");
}

#[test]
fn a_replica_that_passes_nothing_on_refuses_writes_and_names_the_master_and_its_address() {
    let cluster = Cluster::running(3, |config| settings(config).forward_writes(false));
    let (master, replicas) = cluster.roles();
    let token = cluster.database(master).put(b"key", b"value").wait().unwrap().token;
    let address = MasterAddress { node: cluster.name(master).to_owned(), address: cluster.address(master) };
    let expected = WriteError::NotMaster { master: Some(address) };
    for replica in replicas {
        cluster.await_applied(replica, token);
        let database = cluster.database(replica);
        assert_refused(&cluster, || database.put(b"key", b"other"), &expected);
        assert_refused(&cluster, || database.delete(b"key"), &expected);
        let created = cluster.node(replica).create_database("orders").wait();
        assert_eq!(created.err(), Some(expected.clone()));
    }
}

#[test]
fn what_exceeds_a_limit_is_refused_before_it_is_written_and_what_meets_it_is_taken() {
    let cluster = Cluster::running(3, settings);
    let master = cluster.master();
    let database = cluster.database(master);
    let mut token = database.put(&vec![1; KEY_BYTES_MAX], b"").wait().unwrap().token;
    token = database
        .put(b"key", &vec![2; VALUE_BYTES_MAX])
        .wait()
        .unwrap_or_else(|error| panic!("{error} {token}"))
        .token;
    (0..3).for_each(|index| cluster.await_applied(index, token));

    assert_refused(&cluster, || database.put(b"", b"value"), &WriteError::EmptyKey);
    assert_refused(&cluster, || database.delete(b""), &WriteError::EmptyKey);
    let (bytes, limit) = (KEY_BYTES_MAX + 1, KEY_BYTES_MAX);
    let long_key = vec![1; bytes];
    assert_refused(&cluster, || database.put(&long_key, b""), &WriteError::KeyTooLong { bytes, limit });
    assert_refused(&cluster, || database.delete(&long_key), &WriteError::KeyTooLong { bytes, limit });
    let (bytes, limit) = (VALUE_BYTES_MAX + 1, VALUE_BYTES_MAX);
    let too_long = WriteError::ValueTooLong { bytes, limit };
    assert_refused(&cluster, || database.put(b"key", &vec![2; bytes]), &too_long);

    let mut batch = WriteBatch::new();
    assert_refused(&cluster, || cluster.node(master).write(&batch, None), &WriteError::EmptyBatch);
    batch.put(database.id(), b"good", b"value");
    batch.put(database.id(), b"", b"value");
    assert_refused(&cluster, || cluster.node(master).write(&batch, None), &WriteError::EmptyKey);
    assert_eq!(database.get(b"good", None), Ok(None));
}

#[test]
fn a_database_that_does_not_exist_is_unknown_everywhere_until_it_is_made() {
    let cluster = Cluster::running(3, settings);
    let master = cluster.master();
    for (_, node) in cluster.nodes() {
        assert!(node.find_database("orders").unwrap().is_none());
    }
    let mut batch = WriteBatch::new();
    batch.put(cluster.database(master).id(), b"key", b"value");
    batch.put(DatabaseId::new(77), b"key", b"value");
    let error = cluster.node(master).write(&batch, None).wait().unwrap_err();
    assert_eq!(error, WriteError::UnknownDatabase { database: DatabaseId::new(77) });
    assert_eq!(error.outcome(), Outcome::NotDone);
    let orders = cluster.node(master).bytes("orders").unwrap();
    let token = orders.put(b"42", b"apples").wait().unwrap().token;
    for (index, node) in cluster.nodes() {
        cluster.await_applied(index, token);
        assert_eq!(cluster.database(index).get(b"key", None), Ok(None), "all of a write or nothing of it");
        let here = node.find_database("orders").unwrap().unwrap();
        assert_eq!(here.get(b"42", None).unwrap().as_deref(), Some(&b"apples"[..]));
    }
    let orders_again = cluster.node(master).create_database("orders").wait().unwrap();
    assert_eq!(orders_again.id(), orders.id());
}
