//! The replicated log's frames: encoding, chained checksums, decoding of bytes that nobody trusts.
//!
//! A frame is one log entry, encoded once, on the master, and copied unchanged to every disk and every wire.
//! Integers are little endian.
//!
//! ```text
//!  0       4   5   6   7   8               16              24              32      36      40
//!  +-------+---+---+---+---+---------------+---------------+---------------+-------+-------+-----------
//!  |length |knd|flg|ver| 0 | term          | VLSN          | timestamp     |payload|header | payload
//!  |       |   |   |   |   |               |               | (Unix us)     | CRC   | CRC   | (length B)
//!  +-------+---+---+---+---+---------------+---------------+---------------+-------+-------+-----------
//!  |<------------------------- covered by the header checksum -------------------->|
//! ```
//!
//! Both checksums are CRC-32C. The header's is seeded with the header checksum of the frame before it (0
//! before VLSN 1), so the headers of a log form a *chain*: a frame that was lost, moved, or written by
//! another log does not fit its neighbours. The payload has a checksum apart, so a frame whose payload is
//! damaged still says, on good authority, which entry it is.
//!
//! - [`Encoder`] makes frames and hands them out as a [`Batch`]; [`decode`] is the only
//!   other way to one.
//! - [`frames`], [`prefix`], [`suffix`] and [`split_at_bytes`] look into a batch and cut it without copying
//!   frames.
//! - [`Header`] reads a single frame's header, for whoever must find out what is left of a damaged log.
//! - [`Envelope`] is what a payload begins with; [`WriteBatch`] is the body that the key-value environment
//!   understands.
//! - [`ReadSet`] is what a transaction has read: it travels with the writes to the master, which checks it, and
//!   never stands in the log.
//!
//! # Alone
//!
//! The crate needs no other part of Quorate: any log can frame its entries with it, and know afterwards which
//! of them are as they were written. The words that frames are made of come along.
//!
//! ```
//! use bytes::Bytes;
//! use quorate_codec::{Encoder, EntryId, EntryKind, NodeId, Requirement, Term, Vlsn, decode, frames};
//!
//! let id = EntryId { term: Term::new(1, NodeId::new(1)), vlsn: Vlsn::FIRST };
//! let mut encoder = Encoder::new(0);
//! encoder.push(id, EntryKind::Data, Requirement::SYNC, 0, b"put 42 apples");
//! let bytes = encoder.finish().unwrap().frames().clone();
//!
//! let batch = decode(bytes.clone(), Vlsn::FIRST, 0, id.term)?; // from a disk or a peer: nobody trusts it
//! assert_eq!(&frames(&batch).next().unwrap().payload[..], b"put 42 apples");
//! assert!(decode(bytes.slice(1..), Vlsn::FIRST, 0, id.term).is_err());
//! # Ok::<(), quorate_codec::FrameError>(())
//! ```
//!
//! `examples/detect_damage.rs` damages frames in three ways and names each damage.
#![no_std]
#![deny(unsafe_code)]
extern crate alloc;

mod checksum;
mod cut;
mod decode;
mod encoder;
mod envelope;
mod frame;
mod frame_error;
mod header;
mod operations;
mod read_set;
mod read_set_error;
mod runs;
mod varint;

pub use cut::{prefix, split_at_bytes, suffix};
pub use decode::decode;
pub use encoder::Encoder;
pub use envelope::{ENVELOPE_BYTES_MAX, Envelope, EnvelopeError, PayloadKind, Session};
pub use frame::{Frame, frames};
pub use frame_error::FrameError;
pub use header::{FORMAT_VERSION, HEADER_BYTES, Header, PAYLOAD_BYTES_MAX};
pub use operations::{
    DATABASE_NAME_BYTES_MAX, DatabaseId, Operation, OperationError, Operations, VALUE_BYTES_MAX_DEFAULT,
    WriteBatch,
};
pub use quorate_core::{Batch, EntryId, EntryKind, NodeId, Requirement, Term, Vlsn};
pub use read_set::ReadSet;
pub use read_set_error::ReadSetError;
