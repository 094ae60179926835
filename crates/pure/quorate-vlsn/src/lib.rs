//! An index from VLSN to log position, with a byte layout that is a view over a slice.
//!
//! | log | index being built | the same as bytes | lookup | bytes an entry |
//! |---|---|---|---|---|
//! | dense in VLSNs, one segment | [`DenseIndex`] | [`DenseView`] | exact, O(1) | 4 |
//! | sparse in VLSNs, many segments | [`BucketIndex`] | [`BucketView`] | floor and ceiling, O(log n) | 8 |
//!
//! A view borrows or owns any bytes, a mapped file for example. It checks all of them once, since nobody
//! trusts them, and copies none.
//!
//! # Alone
//!
//! The crate needs no other part of Quorate: a log that numbers its records can keep its index with it. The
//! words [`Vlsn`] and [`Lsn`] come along.
//!
//! ```
//! use quorate_vlsn::{DenseIndex, DenseView, Vlsn};
//!
//! let first = Vlsn::new(1000).unwrap();
//! let mut index = DenseIndex::new(first);
//! for offset in [0, 17, 40] {
//!     index.push(offset); // as the records are written
//! }
//! let bytes = index.encode(); // beside the sealed segment; read back without a copy
//! let view = DenseView::new(&bytes[..])?;
//! assert_eq!(view.offset(first.next()), Some(17));
//! # Ok::<(), quorate_vlsn::IndexError>(())
//! ```
//!
//! `examples/find_entries.rs` does both kinds.
#![no_std]
#![forbid(unsafe_code)]
extern crate alloc;

mod bucket_index;
mod bucket_view;
mod buckets;
mod dense_index;
mod dense_view;
mod index_error;
mod layout;

pub use bucket_index::BucketIndex;
pub use bucket_view::BucketView;
pub use dense_index::DenseIndex;
pub use dense_view::DenseView;
pub use index_error::IndexError;
pub use quorate_core::{Lsn, Vlsn};
