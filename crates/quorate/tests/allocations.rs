//! What a write allocates. The allocator counts for the whole process, so this is a program of its own.

use quorate::testing::InMemoryGroup;
use quorate::{BytesDatabase, EngineKind};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const NODES: usize = 3;
const KEYS: u32 = 1024;
const ROUNDS: usize = 8;
/// For its caller the operation, the payload around it, the count of who shares that, and the slot for the answer;
/// on each node the row that the engine keeps.
const PER_WRITE: usize = 4 + NODES;

/// Sets every key once, with all writes under way together.
fn write_all(database: &BytesDatabase) {
    let writes: Vec<_> = (0..KEYS).map(|key| database.put(&key.to_be_bytes(), &[7; 100])).collect();
    writes.into_iter().for_each(|write| drop(write.wait().unwrap()));
}

#[test]
fn a_write_allocates_for_its_caller_and_for_each_engine_and_nothing_more() {
    let group = InMemoryGroup::builder(NODES).engine(EngineKind::Memory).start().unwrap();
    let master = group.wait_for_master().unwrap();
    let database = master.bytes("default").unwrap();
    // What is kept for use again is made here.
    (0..2).for_each(|_| write_all(&database));
    let region = Region::new(ALLOCATOR);
    (0..ROUNDS).for_each(|_| write_all(&database));
    let writes = ROUNDS * KEYS as usize;
    let per_write = region.change().allocations as f64 / writes as f64;
    // Groups of writes cost a number of allocations each, however long they are.
    let limit = PER_WRITE as f64 + 0.9;
    assert!(per_write < limit, "a write took {per_write} allocations, and needs {PER_WRITE}");
}
