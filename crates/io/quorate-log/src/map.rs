//! Memory maps, which need `unsafe`.

use crate::vfs::Mapping;
use std::fs::File;
use std::io;

/// Maps a whole file for reading.
#[allow(unsafe_code)]
pub(crate) fn read_only(file: &File) -> io::Result<Mapping> {
    // SAFETY: a map is unsound if the file changes under it. The log maps sealed segments and finished index
    // files only. Neither is written again in place: a repair renames a new file over the old name, a
    // truncation writes a new segment, and a file is reused for a later segment only after the last holder
    // of its map is gone. Other processes are kept off by the directory's lock.
    let map = unsafe { memmap2::Mmap::map(file)? };
    Ok(Box::new(map))
}
