use super::latencies::{Latencies, Percentiles};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

/// A file that is filled with zeros beforehand and written from its start again once its end is reached, so
/// that a sync has no metadata to flush.
pub(super) struct PreparedFile {
    file: File,
    position: u64,
}

/// Length of the file in bytes.
const FILE_BYTES: u64 = 64 << 20;
const FILL_BYTES: usize = 1 << 20;
/// What is written before each sync that is measured, in bytes.
const WRITE_BYTES: usize = 4 << 10;

impl PreparedFile {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let file = File::create_new(path)?;
        let zeros = vec![0; FILL_BYTES];
        for position in (0..FILE_BYTES).step_by(FILL_BYTES) {
            file.write_all_at(&zeros, position)?;
        }
        file.sync_all()?;
        Ok(Self { file, position: 0 })
    }

    /// Writes behind what was written last, and syncs.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.position + bytes.len() as u64 > FILE_BYTES {
            self.position = 0;
        }
        self.file.write_all_at(bytes, self.position)?;
        self.position += bytes.len() as u64;
        self.file.sync_data()
    }
}

/// How long it takes to write 4 KiB to a prepared file in `directory` and sync it.
pub(super) fn measure(directory: &Path, span: Duration) -> io::Result<Percentiles> {
    let path = directory.join(format!("sync-{}", std::process::id()));
    let mut file = PreparedFile::create(&path)?;
    let (mut latencies, block, end) = (Latencies::new(), [1; WRITE_BYTES], Instant::now() + span);
    let mut start = Instant::now();
    while start < end {
        file.append(&block)?;
        let now = Instant::now();
        latencies.record(now - start);
        start = now;
    }
    std::fs::remove_file(path)?;
    Ok(latencies.percentiles())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prepared_file_never_grows() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let mut file = PreparedFile::create(&path).unwrap();
        file.position = FILE_BYTES - 3;
        file.append(b"end").unwrap();
        file.append(b"start").unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(bytes.len() as u64, FILE_BYTES);
        assert_eq!((&bytes[..5], &bytes[bytes.len() - 3..]), (&b"start"[..], &b"end"[..]));
    }
}
