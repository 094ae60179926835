//! The VLSN index of one segment. An operation is one entry, appended or looked up.

use crate::workload::Workload;
use quorate_core::Random;
use quorate_vlsn::{DenseIndex, DenseView, Vlsn};
use std::hint::black_box;

const ENTRIES: u32 = 8192;
const ENTRY_BYTES: u32 = 160;
const LOOK_UPS: usize = 1024;
const SEED: u64 = 7;

fn index() -> DenseIndex {
    let mut index = DenseIndex::new(Vlsn::FIRST);
    for number in 0..ENTRIES {
        index.push(black_box(number * ENTRY_BYTES));
    }
    index
}

/// Positions in the index, in no order.
fn positions() -> Vec<Vlsn> {
    let mut random = Random::new(SEED);
    (0..LOOK_UPS).map(|_| Vlsn::FIRST.advance(random.below(ENTRIES.into()))).collect()
}

/// Looks all positions up and returns how many that were.
fn look_up(positions: &[Vlsn], offset: impl Fn(Vlsn) -> Option<u32>) -> u64 {
    for position in black_box(positions) {
        black_box(offset(*position)).expect("the position is in the index");
    }
    positions.len() as u64
}

/// A segment's index as it grows.
pub(crate) struct Append;

impl Workload for Append {
    fn run(&mut self) -> u64 {
        black_box(index()).len() as u64
    }
}

/// The index of the segment that is written to.
pub(crate) struct LookUp {
    index: DenseIndex,
    positions: Vec<Vlsn>,
}

impl LookUp {
    pub(crate) fn new() -> Self {
        Self { index: index(), positions: positions() }
    }
}

impl Workload for LookUp {
    fn run(&mut self) -> u64 {
        look_up(&self.positions, |vlsn| self.index.offset(vlsn))
    }
}

/// The index of a sealed segment, where its bytes lie.
pub(crate) struct LookUpSealed {
    view: DenseView<Vec<u8>>,
    positions: Vec<Vlsn>,
}

impl LookUpSealed {
    pub(crate) fn new() -> Self {
        let view = DenseView::new(index().encode()).expect("it was encoded just so");
        Self { view, positions: positions() }
    }
}

impl Workload for LookUpSealed {
    fn run(&mut self) -> u64 {
        look_up(&self.positions, |vlsn| self.view.offset(vlsn))
    }
}
