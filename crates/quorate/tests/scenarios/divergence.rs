//! What only a deposed master has written is taken back, told, kept in a file, and was never seen.

use crate::cluster::{Cluster, LONG, nimble, seeing};
use crate::load::{fill, key, value};
use crate::log_image::put_of;
use quorate::{
    CommitDurability, CommitExtent, CommitToken, NodeState, Outcome, ReadError, ReplicaAckPolicy, WriteError,
};
use quorate_log::RollbackFile;
use quorate_log::vfs::OsVfs;

const NO_ACKS: CommitDurability = CommitDurability {
    acks: ReplicaAckPolicy::None,
    local: quorate::SyncPolicy::Sync,
    replica: quorate::SyncPolicy::Sync,
};

/// A master that was cut off and has written what nobody else holds, and the one that took its place and
/// has written other things.
struct Split {
    cluster: Cluster,
    deposed: usize,
    lost: Vec<CommitToken>,
    newest: CommitToken,
}

const COMMON: std::ops::Range<u64> = 0..100;
const LOST: std::ops::Range<u64> = 1000..1050;
const LATER: std::ops::Range<u64> = 2000..2080;

fn split() -> Split {
    let cluster = Cluster::running(3, nimble);
    let (deposed, others) = cluster.roles();
    let database = cluster.database(deposed);
    let common = fill(&database, COMMON, |number| value(number, 50));
    cluster.nodes().for_each(|(index, _)| cluster.await_applied(index, common));
    cluster.isolate(deposed);
    let writes: Vec<_> =
        LOST.map(|number| database.put_with(&key(number), &value(number, 50), NO_ACKS)).collect();
    let released = writes.into_iter().map(|write| write.wait().unwrap());
    let lost: Vec<_> = released
        .map(|written| {
            assert_eq!(written.extent, CommitExtent::Written);
            written.token
        })
        .collect();
    assert_rows(&cluster, deposed, COMMON);
    let master = cluster.master_of(&others);
    let newest = fill(&cluster.database(master), LATER, |number| value(number, 50));
    cluster.node(deposed).wait_for_state(NodeState::Unknown, LONG).unwrap();
    assert_rows(&cluster, deposed, COMMON);
    Split { cluster, deposed, lost, newest }
}

/// A node shows exactly these keys.
fn assert_rows(cluster: &Cluster, index: usize, numbers: impl IntoIterator<Item = u64>) {
    let rows = cluster.database(index).scan(.., None).unwrap();
    let found: Vec<_> = rows.map(|row| row.unwrap().0.to_vec()).collect();
    let expected: Vec<_> = numbers.into_iter().map(|number| key(number).to_vec()).collect();
    assert_eq!(found, expected, "what {} shows", cluster.name(index));
}

#[test]
fn a_deposed_master_truncates_to_the_matchpoint_in_one_round_trip_and_keeps_what_it_dropped() {
    let Split { mut cluster, deposed, lost, newest } = split();
    let before = cluster.node(deposed).stats().protocol;
    cluster.heal();
    cluster.await_applied(deposed, newest);
    let after = cluster.node(deposed).stats().protocol;
    assert_eq!(after.syncups - before.syncups, 1, "one question, one answer");
    assert_eq!(after.entries_rolled_back - before.entries_rolled_back, lost.len() as u64);
    for (index, _) in cluster.nodes() {
        cluster.await_applied(index, newest);
        assert_rows(&cluster, index, COMMON.chain(LATER));
    }
    cluster.stop_and_compare_logs();
    let files = RollbackFile::list(&OsVfs, &cluster.log_directory(deposed)).unwrap();
    let [file] = &files[..] else { panic!("{files:?}") };
    assert_eq!((file.first, file.last), (lost[0].vlsn, lost[lost.len() - 1].vlsn));
    let batches = file.read(&OsVfs).unwrap();
    let kept: Vec<_> = batches.iter().flat_map(quorate_codec::frames).collect();
    assert_eq!(kept.len(), lost.len());
    for ((frame, token), number) in kept.iter().zip(&lost).zip(LOST) {
        assert_eq!(frame.id, token.id());
        assert_eq!(put_of(&frame.payload), Some((key(number).to_vec(), value(number, 50))));
    }
}

#[test]
fn the_token_of_a_write_that_was_rolled_back_says_so_on_every_node() {
    let Split { cluster, deposed, lost, .. } = split();
    let assert_lost = |index: usize| {
        for token in &lost {
            let error = cluster.node(index).read(seeing(*token)).wait().err();
            let Some(ReadError::CommitLost { token: named, by }) = error else {
                panic!("{}: {error:?}", cluster.name(index))
            };
            assert_eq!(named, *token);
            assert!(by.term > token.term, "{by} is a later master's");
        }
    };
    cluster.nodes().map(|(index, _)| index).filter(|index| *index != deposed).for_each(assert_lost);
    cluster.heal();
    assert_lost(deposed);
}

#[test]
fn a_caller_that_still_waits_for_acknowledgements_learns_that_its_write_was_rolled_back() {
    let cluster = Cluster::running(3, nimble);
    let (deposed, others) = cluster.roles();
    cluster.isolate(deposed);
    let write = cluster.database(deposed).put(b"key", b"lost");
    let master = cluster.master_of(&others);
    let newest = cluster.database(master).put(b"key", b"kept").wait().unwrap().token;
    cluster.heal();
    let error = write.wait().unwrap_err();
    let WriteError::RolledBack { token } = error else { panic!("{error}") };
    assert_eq!(error.outcome(), Outcome::NotDone);
    assert!(token.term < newest.term);
    for (index, _) in cluster.nodes() {
        let value = cluster.database(index).get(b"key", seeing(newest)).unwrap();
        assert_eq!(value.as_deref(), Some(&b"kept"[..]));
    }
}
