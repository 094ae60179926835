use crate::group::{Group, LONG, default_database};
use quorate::import::{SourceError, fjall_keyspaces, redb_table};
use quorate::testing::InMemoryGroup;
use quorate::{
    BytesDatabase, ConsistencyPolicy, ImportError, ImportOptions, Imported, ReplicatedEnvironment, WriteError,
};
use redb::{Database, MultimapTableDefinition, TableDefinition};
use std::path::Path;
use tempfile::TempDir;

const NAMES: TableDefinition<'static, &str, u64> = TableDefinition::new("names");
const ORDERS: TableDefinition<'static, u64, &str> = TableDefinition::new("orders");

/// A small window, so that an import has many batches.
const OPTIONS: ImportOptions = ImportOptions { batch_bytes: 1000, batches_under_way: 4, patience: LONG };

fn name(number: u64) -> String {
    format!("name {number:05}")
}

fn write_redb(path: &Path, rows: u64) {
    let database = Database::create(path).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut names = transaction.open_table(NAMES).unwrap();
        let mut orders = transaction.open_table(ORDERS).unwrap();
        for number in 0..rows {
            names.insert(&*name(number), number).unwrap();
            orders.insert(number, &*name(number)).unwrap();
        }
    }
    transaction.commit().unwrap();
}

fn see(node: &ReplicatedEnvironment, imported: &Imported) {
    let token = imported.token.expect("rows were imported");
    node.read(ConsistencyPolicy::CommitPointConsistency { token, timeout: LONG }).wait().unwrap();
}

fn rows(node: &ReplicatedEnvironment, database: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let rows = node.bytes(database).unwrap().scan(.., None).unwrap();
    rows.map(|row| row.map(|(key, value)| (key.to_vec(), value.to_vec())).unwrap()).collect()
}

#[test]
fn every_row_of_a_redb_table_arrives_on_all_nodes() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("old.redb");
    write_redb(&path, 3000);
    let table = redb_table(&path, NAMES).unwrap();
    assert_eq!(table.len().unwrap(), 3000);
    let group = Group::start(3);
    let node = group.node(group.master());
    let mut told = Vec::new();
    let imported = node
        .import(&node.bytes("names").unwrap(), table.rows().unwrap(), OPTIONS, |so_far| {
            told.push(so_far.rows)
        })
        .unwrap();
    assert_eq!((imported.rows, imported.bytes), (3000, 3000 * (10 + 8)));
    assert!(told.len() > 10 && told.is_sorted() && told.last() == Some(&3000), "{told:?}");
    let expected: Vec<_> =
        (0..3000).map(|number| (name(number).into_bytes(), number.to_le_bytes().to_vec())).collect();
    for node in group.running() {
        see(node, &imported);
        assert_eq!(rows(node, "names"), expected);
    }
}

#[test]
fn a_redb_table_with_numbers_as_keys_is_mapped_to_a_typed_database() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("old.redb");
    write_redb(&path, 600);
    let table = redb_table(&path, ORDERS).unwrap();
    let unordered = table.rows().err().unwrap();
    assert!(matches!(unordered, SourceError::Unordered { ref type_name, .. } if type_name == "u64"));
    let group = Group::start(1);
    let node = group.node(group.master());
    let orders = node.database::<u64, String>("orders").unwrap();
    let rows = table.map(|number, text| orders.encode_row(&number, &text.to_owned())).unwrap();
    node.import(orders.bytes(), rows, OPTIONS, |_| {}).unwrap();
    let found: Vec<_> = orders.scan(.., None).unwrap().map(Result::unwrap).collect();
    assert_eq!(found, (0..600).map(|number| (number, name(number))).collect::<Vec<_>>());
}

#[test]
fn every_keyspace_of_a_fjall_directory_arrives_on_all_nodes() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("old");
    {
        let old = fjall::Database::builder(&path).open().unwrap();
        for keyspace in ["ants", "bees"] {
            let keyspace = old.keyspace(keyspace, fjall::KeyspaceCreateOptions::default).unwrap();
            (0..1000).for_each(|number| keyspace.insert(name(number), number.to_be_bytes()).unwrap());
        }
    }
    let source = fjall_keyspaces(&path).unwrap();
    assert_eq!(source.names(), ["ants", "bees"]);
    let group = Group::start(3);
    let node = group.node(group.master());
    let expected: Vec<_> =
        (0..1000_u64).map(|number| (name(number).into_bytes(), number.to_be_bytes().to_vec())).collect();
    for keyspace in source.names() {
        let rows_of_it = source.rows(&keyspace).unwrap();
        let imported = node.import(&node.bytes(&keyspace).unwrap(), rows_of_it, OPTIONS, |_| {}).unwrap();
        assert_eq!(imported.rows, 1000);
        for node in group.running() {
            see(node, &imported);
            assert_eq!(rows(node, &keyspace), expected);
        }
    }
}

#[test]
fn an_import_goes_on_through_a_change_of_master_and_has_every_row_once() {
    let group = InMemoryGroup::start(3).unwrap();
    let master = group.wait_for_master().unwrap();
    let importing = group.nodes().into_iter().find(|node| node.name() != master.name()).unwrap();
    let database = default_database(&importing);
    let source: Vec<_> = (0..4000_u64).map(|number| (name(number), number.to_be_bytes())).collect();
    let mut master = Some(master.name().to_owned());
    let imported = importing.import(&database, source.clone(), OPTIONS, |_| {
        if let Some(master) = master.take() {
            group.kill(&master).unwrap();
        }
    });
    let imported = imported.unwrap();
    assert_eq!(imported.rows, 4000);
    let expected: Vec<_> =
        source.into_iter().map(|(key, value)| (key.into_bytes(), value.to_vec())).collect();
    for node in group.nodes() {
        see(&node, &imported);
        assert_eq!(rows(&node, "default"), expected);
    }
}

#[test]
fn of_two_rows_with_one_key_the_later_one_stays_and_an_import_can_be_done_again() {
    let group = Group::start(1);
    let node = group.node(group.master());
    let database = default_database(node);
    let source = || (0..2000_u32).map(|number| ((number % 100).to_be_bytes(), number.to_be_bytes()));
    for _ in 0..2 {
        node.import(&database, source(), OPTIONS, |_| {}).unwrap();
        let found = rows(node, "default");
        let newest = (1900..2000_u32).map(|number| number.to_be_bytes().to_vec());
        assert!(found.into_iter().map(|(_, value)| value).eq(newest));
    }
}

#[test]
fn a_source_or_a_row_that_fails_ends_the_import_with_what_came_before_it() {
    let group = Group::start(1);
    let node = group.node(group.master());
    let database = default_database(node);
    let import = |database: &BytesDatabase, bad: Result<(Vec<u8>, Vec<u8>), &'static str>| {
        let good = (0..50_u8).map(|number| Ok((vec![number], vec![0; 100])));
        node.import(database, good.chain([bad]), OPTIONS, |_| {}).unwrap_err()
    };
    let error = import(&database, Err("the disk is gone"));
    assert!(matches!(&error, ImportError::Source { error, .. } if error.to_string() == "the disk is gone"));
    assert_eq!((error.imported().rows, rows(node, "default").len()), (50, 50));
    let error = import(&database, Ok((vec![], vec![])));
    assert!(matches!(error, ImportError::Row { error: WriteError::EmptyKey, .. }));
    node.close().unwrap();
    let error = import(&database, Err("never asked"));
    assert!(matches!(error, ImportError::Write { error: WriteError::Closed, .. }));
    assert_eq!(error.imported(), Imported::default());
}

#[test]
fn an_import_that_nobody_can_take_gives_up_in_the_end() {
    let mut group = Group::start(2);
    let master = group.master();
    let database = default_database(group.node(master));
    group.stop(1 - master);
    let options = ImportOptions { patience: std::time::Duration::ZERO, ..OPTIONS };
    let error = group.node(master).import(&database, [(b"key", b"value")], options, |_| {}).unwrap_err();
    assert!(matches!(error, ImportError::Write { .. }), "{error}");
    assert_eq!(error.imported(), Imported::default());
}

#[test]
fn a_source_that_cannot_be_read_is_named_and_left_alone() {
    let directory = TempDir::new().unwrap();
    let (file, missing) = (directory.path().join("old.redb"), directory.path().join("missing"));
    assert!(matches!(redb_table(&missing, NAMES).err(), Some(SourceError::Missing { .. })));
    assert!(matches!(fjall_keyspaces(&missing).err(), Some(SourceError::Missing { .. })));
    assert!(!missing.exists());
    assert!(matches!(fjall_keyspaces(directory.path()).err(), Some(SourceError::Foreign { .. })));
    assert_eq!(directory.path().read_dir().unwrap().count(), 0);

    write_redb(&file, 1);
    let none = redb_table(&file, TableDefinition::<u64, u64>::new("none")).err();
    assert!(matches!(none, Some(SourceError::NoTable { present, .. }) if present == ["names", "orders"]));
    let other = redb_table(&file, TableDefinition::<u64, u64>::new("names")).err();
    assert!(matches!(other, Some(SourceError::OtherTypes { .. })));
    let database = Database::open(&file).unwrap();
    assert!(matches!(redb_table(&file, NAMES).err(), Some(SourceError::InUse { .. })));
    let transaction = database.begin_write().unwrap();
    let multimap = MultimapTableDefinition::<u64, u64>::new("multimap");
    transaction.open_multimap_table(multimap).unwrap().insert(1, 2).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let other = redb_table(&file, TableDefinition::<u64, u64>::new("multimap")).err();
    assert!(matches!(other, Some(SourceError::OtherTypes { .. })));
    std::fs::write(&file, b"something else").unwrap();
    assert!(matches!(redb_table(&file, NAMES).err(), Some(SourceError::Foreign { .. })));
}
