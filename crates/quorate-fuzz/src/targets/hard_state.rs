//! What a node must never forget, as it lies in two files.

use crate::mend;
use crate::{Seed, Signature, Target};
use quorate_core::{
    BootId, HardState, Incarnation, Member, MemberList, NodeId, NodeType, QuorumPolicy, Roster, RosterMember,
    StateStore, StateStoreError, Term,
};
use quorate_log::HardStateFile;
use quorate_log::vfs::{MemoryVfs, OpenMode, Vfs};
use std::io::IoSlice;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub(super) const HARD_STATE: Target = Target {
    name: "hard-state",
    about: "one copy of the hard state, the other missing or damaged; what is found is kept",
    run,
    mend: |bytes| mend::hard_state(bytes),
    seeds,
};

const DIRECTORY: &str = "node";

fn run(input: &[u8]) -> Signature {
    let damaged_other = input.len().is_multiple_of(2);
    let disk = MemoryVfs::new();
    put_file(&disk, DIRECTORY, "state-b", input);
    if damaged_other {
        put_file(&disk, DIRECTORY, "state-a", b"something else");
    }
    match store(&disk).load() {
        Err(error) => Signature::new().shape(&error),
        Ok(None) => Signature::new().word("none"),
        Ok(Some(state)) => {
            assert_kept(&disk, &state);
            let members = state.roster.as_ref().map_or(0, |roster| roster.list.members().len());
            let signature = Signature::new().shape(&state.recovering).shape(&state.unsynced_mark.is_some());
            signature.magnitude(members as u64).magnitude(state.group.len() as u64)
        }
    }
}

/// What was found was written to both copies, and either alone says it; and so do they after another store, which
/// is refused where the sequences end.
fn assert_kept(disk: &MemoryVfs, state: &HardState) {
    for lost in ["state-a", "state-b"] {
        let disk = disk.snapshot();
        disk.remove(&Path::new(DIRECTORY).join(lost)).expect("both copies are there");
        assert_eq!(store(&disk).load().as_ref(), Ok(&Some(state.clone())), "without {lost}");
    }
    let stored = store(disk).store(state);
    assert!(
        matches!(stored, Ok(()) | Err(StateStoreError::Damaged)),
        "only a copy of the last sequence is not written over: {stored:?}"
    );
    assert_eq!(store(disk).load().as_ref(), Ok(&Some(state.clone())));
}

fn store(disk: &MemoryVfs) -> HardStateFile {
    HardStateFile::new(Arc::new(disk.clone()), DIRECTORY)
}

/// A file with these bytes.
pub(super) fn put_file(disk: &MemoryVfs, directory: &str, name: &str, bytes: &[u8]) {
    disk.create_directory(directory.as_ref()).expect("the disk in memory has room");
    let file = disk.open(&Path::new(directory).join(name), OpenMode::Create).expect("a name of a file");
    file.write_at(0, &[IoSlice::new(bytes)]).expect("the disk in memory has room");
}

pub(super) fn sample_roster() -> Roster {
    let member = |name: &str, node_type, priority| Member {
        id: NodeId::default(),
        name: name.to_owned(),
        address: format!("{name}:7000"),
        node_type,
        priority,
    };
    let members = vec![
        member("ant", NodeType::Electable, 1),
        member("bee", NodeType::Electable, 5),
        member("cat", NodeType::Secondary, 1),
    ];
    let quorum = QuorumPolicy::Flexible { election: 2, write: 1 };
    let list = MemberList::found(members, quorum).expect("a member list");
    let incarnations = list.members().iter().zip(1..);
    let incarnations = incarnations
        .map(|(member, number)| RosterMember { id: member.id, incarnation: Incarnation(number << 90) })
        .collect();
    Roster { group: "orders".to_owned(), list, incarnations }
}

fn sample_state() -> HardState {
    HardState {
        group: "orders".to_owned(),
        node: "bee".to_owned(),
        id: NodeId::new(2),
        incarnation: Incarnation(2 << 90),
        open_count: 4,
        promised: Term::new(9, NodeId::new(1)),
        roster: None,
        unsynced_mark: None,
        recovering: false,
        lease_granted: Duration::ZERO,
    }
}

fn seeds() -> Vec<Seed> {
    let founded = HardState {
        roster: Some(sample_roster()),
        unsynced_mark: Some(BootId(77)),
        recovering: true,
        lease_granted: Duration::from_millis(500),
        ..sample_state()
    };
    vec![stored("fresh", &sample_state()), stored("founded", &founded)]
}

fn stored(name: &str, state: &HardState) -> Seed {
    let disk = MemoryVfs::new();
    disk.create_directory(DIRECTORY.as_ref()).expect("the disk in memory has room");
    store(&disk).store(state).expect("the disk in memory has room");
    let mut bytes = disk.contents(&Path::new(DIRECTORY).join("state-a")).expect("it was just written");
    let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    // Some of the zeros behind the fields, so that fields that end in zeros are whole.
    bytes.truncate(end + 32);
    Seed::new(name, bytes)
}
