//! LZ4 blocks, without a frame around them: the packet's header says how long they are.

use lz4_flex::block;

pub(super) const IS_IN_THIS_BUILD: bool = true;
/// No byte of a block stands for more bytes of the body.
const RATIO_MAX: usize = 255;

pub(super) fn compress(body: &[u8]) -> Option<Vec<u8>> {
    Some(block::compress(body))
}

pub(super) fn decompress(packed: &[u8], length: usize) -> Option<Vec<u8>> {
    if length > packed.len().saturating_mul(RATIO_MAX) {
        return None;
    }
    let mut body = vec![0; length];
    let found = block::decompress_into(packed, &mut body).ok()?;
    body.truncate(found);
    Some(body)
}
