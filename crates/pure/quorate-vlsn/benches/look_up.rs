//! Random lookups in the index of a sealed segment, against independent random reads of four bytes of the same memory:
//! the least that a lookup has to do.
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quorate_core::Random;
use quorate_vlsn::{DenseIndex, DenseView, Vlsn};
use std::hint::black_box;

/// 16 MiB of offsets: more than a processor's second cache.
const ENTRIES: u32 = 4 << 20;
const ENTRY_BYTES: u32 = 160;
const LOOK_UPS: usize = 4096;

fn index() -> DenseIndex {
    let mut index = DenseIndex::new(Vlsn::FIRST);
    (0..ENTRIES).for_each(|number| index.push(number * ENTRY_BYTES));
    index
}

fn look_up(criterion: &mut Criterion) {
    let bytes = index().encode();
    let view = DenseView::new(&bytes[..]).expect("it was encoded just so");
    let mut random = Random::new(7);
    let places: Vec<u64> = (0..LOOK_UPS).map(|_| random.below(ENTRIES.into())).collect();
    let words = bytes.as_chunks::<4>().0;
    let mut group = criterion.benchmark_group("random lookups");
    group.throughput(Throughput::Elements(LOOK_UPS as u64));
    group.bench_function("floor: random reads", |bencher| {
        let read = |place: &u64| u64::from(u32::from_le_bytes(words[*place as usize]));
        bencher.iter(|| black_box(&places).iter().map(read).sum::<u64>());
    });
    group.bench_function("look up", |bencher| {
        let offset = |place: &u64| u64::from(view.offset(Vlsn::FIRST.advance(*place)).unwrap_or_default());
        bencher.iter(|| black_box(&places).iter().map(offset).sum::<u64>());
    });
    group.finish();
}

criterion_group!(benches, look_up);
criterion_main!(benches);
