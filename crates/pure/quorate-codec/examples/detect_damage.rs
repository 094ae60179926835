//! Entries are framed once, damaged in three ways, and every damage is found and named.

use bytes::Bytes;
use quorate_codec::{
    Encoder, EntryId, EntryKind, FrameError, HEADER_BYTES, Header, NodeId, Requirement, Term, Vlsn, decode,
    frames,
};

/// Before the first entry of a log: nothing to follow.
const EMPTY_LOG: u32 = 0;

fn main() -> Result<(), FrameError> {
    let term = Term::new(1, NodeId::new(1));
    let mut encoder = Encoder::new(EMPTY_LOG);
    for (vlsn, payload) in (1..).map_while(Vlsn::new).zip(["one", "two", "three"]) {
        encoder.push(EntryId { term, vlsn }, EntryKind::Data, Requirement::SYNC, 0, payload.as_bytes());
    }
    let written = encoder.finish().expect("three entries were pushed").frames().clone();

    // As they should be: any bytes from a disk or a peer go through here.
    let read = |bytes: Vec<u8>| decode(Bytes::from(bytes), Vlsn::FIRST, EMPTY_LOG, term);
    let batch = read(written.to_vec())?;
    for frame in frames(&batch) {
        println!("{}: {:?}, {} bytes framed", frame.id, frame.payload, HEADER_BYTES + frame.payload.len());
    }

    // A flipped bit in the second payload: the header is good, so the entry can be fetched from elsewhere.
    let second = batch.offsets()[1] as usize;
    let mut damaged = written.to_vec();
    damaged[second + HEADER_BYTES] ^= 1;
    let lost = EntryId { term, vlsn: batch.first().next() };
    assert_eq!(read(damaged.clone()).err(), Some(FrameError::PayloadChecksum { id: lost }));
    assert_eq!(Header::parse(&damaged[second..])?.id, lost);
    println!("damaged payload: entry {lost} is missing, and is known to be");

    // A good frame in the wrong place: each header's checksum is seeded with the one before it.
    let third = batch.offsets()[2] as usize;
    let without_second = [&written[..second], &written[third..]].concat();
    let misplaced = read(without_second).expect_err("a frame is missing");
    println!("missing frame: {misplaced}");
    assert!(matches!(misplaced, FrameError::HeaderChecksum { .. }));

    // A write that a crash has cut off.
    let torn = read(written[..written.len() - 2].to_vec()).expect_err("two bytes are missing");
    println!("torn write: {torn}");
    assert_eq!(torn, FrameError::Truncated { needed: 5, found: 3 });
    Ok(())
}
