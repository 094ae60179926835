//! VLSN indexes as they lie in files.

use crate::mend;
use crate::{Seed, Signature, Target};
use quorate_core::{Lsn, Vlsn};
use quorate_vlsn::{BucketIndex, BucketView, DenseIndex, DenseView};

pub(super) const DENSE_INDEX: Target = Target {
    name: "dense-index",
    about: "the index of one segment; the view and the index answer alike",
    run: dense,
    mend: |bytes| mend::index(bytes),
    seeds: dense_seeds,
};
pub(super) const BUCKET_INDEX: Target = Target {
    name: "bucket-index",
    about: "the index of a sparse log; the view, the index and a plain search answer alike",
    run: buckets,
    mend: |bytes| mend::index(bytes),
    seeds: bucket_seeds,
};

fn dense(input: &[u8]) -> Signature {
    let view = match DenseView::new(input) {
        Err(error) => return Signature::new().shape(&error),
        Ok(view) => view,
    };
    let index = view.to_index();
    assert_eq!(index.encode(), input, "one encoding an index");
    assert_eq!((view.first(), view.last(), view.len()), (index.first(), index.last(), index.len()));
    for number in around(view.first()).chain(view.last().into_iter().flat_map(around)) {
        let found = view.offset(number);
        assert_eq!(found, index.offset(number));
        assert_eq!(found.is_some(), number >= view.first() && Some(number) <= view.last());
    }
    Signature::new().magnitude(view.len() as u64).magnitude(view.first().as_u64())
}

fn buckets(input: &[u8]) -> Signature {
    let view = match BucketView::new(input) {
        Err(error) => return Signature::new().shape(&error),
        Ok(view) => view,
    };
    let index = view.to_index();
    let again = BucketView::new(index.encode()).expect("what was just encoded is an index");
    assert_eq!((view.len(), view.first(), view.last()), (index.len(), index.first(), index.last()));
    let ends = view.first().into_iter().chain(view.last()).map(|(vlsn, _)| vlsn);
    for vlsn in ends.chain([Vlsn::FIRST]).flat_map(around) {
        let (floor, ceiling) = (view.floor(vlsn), view.ceiling(vlsn));
        assert_eq!((floor, ceiling), (index.floor(vlsn), index.ceiling(vlsn)));
        assert_eq!((floor, ceiling), (again.floor(vlsn), again.ceiling(vlsn)));
        assert!(floor.is_none_or(|(found, _)| found <= vlsn));
        assert!(ceiling.is_none_or(|(found, _)| found >= vlsn));
    }
    Signature::new().magnitude(view.len() as u64).magnitude(input.len() as u64)
}

/// A position and those beside it.
fn around(vlsn: Vlsn) -> impl Iterator<Item = Vlsn> {
    vlsn.previous().into_iter().chain([vlsn, vlsn.next()])
}

fn dense_seeds() -> Vec<Seed> {
    let mut index = DenseIndex::new(Vlsn::new(1000).expect("not zero"));
    let empty = Seed::new("empty", index.encode());
    for offset in [1096, 1160, 1201, 4000] {
        index.push(offset);
    }
    vec![empty, Seed::new("four", index.encode())]
}

fn bucket_seeds() -> Vec<Seed> {
    let mut index = BucketIndex::new();
    let empty = Seed::new("empty", index.encode());
    for (number, segment, offset) in [(5, 0, 10), (9, 0, 70), (1 << 40, 0, 90), ((1 << 40) + 2, 3, 5)] {
        index.put(Vlsn::new(number).expect("not zero"), Lsn { segment, offset });
    }
    vec![empty, Seed::new("four", index.encode())]
}
