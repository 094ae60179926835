//! Zstandard frames. Each thread keeps what it compresses with, which is dear to make.

use std::cell::RefCell;
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::get_frame_content_size;

pub(super) const IS_IN_THIS_BUILD: bool = true;
/// Replicas wait for what is being compressed, and higher levels take several times as long for a few bytes.
const LEVEL: i32 = 1;

thread_local! {
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

pub(super) fn compress(body: &[u8]) -> Option<Vec<u8>> {
    // There is no room for more than the body: what would get longer is given up.
    let mut packed = Vec::with_capacity(body.len());
    COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = kept.take().map_or_else(|| Compressor::new(LEVEL), Ok).ok()?;
        kept.insert(compressor).compress_to_buffer(body, &mut packed).ok()
    })?;
    Some(packed)
}

pub(super) fn decompress(packed: &[u8], length: usize) -> Option<Vec<u8>> {
    // Whatever `compress` has written says how long the body is.
    let announced = get_frame_content_size(packed).ok()??;
    if announced != length as u64 {
        return None;
    }
    let mut body = Vec::with_capacity(length);
    DECOMPRESSOR.with_borrow_mut(|kept| {
        let decompressor = kept.take().map_or_else(Decompressor::new, Ok).ok()?;
        kept.insert(decompressor).decompress_to_buffer(packed, &mut body).ok()
    })?;
    Some(body)
}
