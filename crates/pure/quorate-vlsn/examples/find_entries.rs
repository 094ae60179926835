//! An engine with a log of its own finds entries by their VLSN: first where every record of a segment has
//! one, then where only some records have, spread over many segments.

use quorate_vlsn::{BucketIndex, BucketView, DenseIndex, DenseView, IndexError, Lsn, Vlsn};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let records = ["create orders", "put 42 apples", "put 43 pears", "delete 42"];
    let first = vlsn(1000);

    // While the segment is written, the index grows with it: 4 bytes a record.
    let (mut segment, mut index) = (Vec::new(), DenseIndex::new(first));
    for record in records {
        index.push(u32::try_from(segment.len())?);
        segment.push(u8::try_from(record.len())?);
        segment.extend_from_slice(record.as_bytes());
    }

    // Once the segment is sealed, the index's bytes lie beside it and are read where they lie: here in a
    // slice, elsewhere in a mapped file.
    let file = index.encode();
    let view = DenseView::new(&file[..])?;
    for position in [1000, 1002, 1003] {
        let offset = view.offset(vlsn(position)).ok_or("the segment holds it")?;
        println!("{position}: {:?}", read(&segment, offset).ok_or("a whole record")?);
    }
    assert_eq!(view.offset(vlsn(1004)), None, "not in this segment");

    // Nobody trusts a file: a single flipped bit is found before anything is looked up.
    let mut damaged = file.clone();
    damaged[30] ^= 1;
    assert!(matches!(DenseView::new(damaged), Err(IndexError::Checksum)));

    find_in_a_sparse_log()
}

/// Here only commit records have a VLSN, and a recovery asks for the one at or before, or at or behind, some
/// position.
fn find_in_a_sparse_log() -> Result<(), Box<dyn std::error::Error>> {
    let mut index = BucketIndex::new();
    for (position, segment, offset) in [(10, 1, 96), (25, 1, 4_000), (31, 2, 32), (90, 3, 700)] {
        index.put(vlsn(position), Lsn { segment, offset });
    }
    let bytes = index.encode();
    let view = BucketView::new(&bytes[..])?;
    let (at, lsn) = view.floor(vlsn(30)).ok_or("there is one before")?;
    println!("at or before 30: {at}, in segment {} at {}", lsn.segment, lsn.offset);
    assert_eq!((at, lsn), (vlsn(25), Lsn { segment: 1, offset: 4_000 }));
    assert_eq!(view.ceiling(vlsn(32)), Some((vlsn(90), Lsn { segment: 3, offset: 700 })));
    assert_eq!(view.floor(vlsn(9)), None, "nothing is that old");
    Ok(())
}

fn read(segment: &[u8], offset: u32) -> Option<&str> {
    let (length, rest) = segment.get(offset as usize..)?.split_first()?;
    std::str::from_utf8(rest.get(..usize::from(*length))?).ok()
}

fn vlsn(number: u64) -> Vlsn {
    Vlsn::new(number).expect("positions count from 1")
}
