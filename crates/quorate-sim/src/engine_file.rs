use quorate_engine::{RedbFiles, StorageBackend};
use quorate_log::vfs::{MemoryFile, MemoryVfs, OpenMode, Vfs, VfsFile};
use std::io::{self, ErrorKind, IoSlice};
use std::path::Path;

/// A simulated disk, as a redb store uses it.
pub(crate) struct EngineFiles(pub(crate) MemoryVfs);

impl RedbFiles for EngineFiles {
    type File = EngineFile;

    fn open(&self, path: &Path) -> io::Result<Option<EngineFile>> {
        match self.0.open_file(path, OpenMode::Existing) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Ok(file) if file.bytes()? == 0 => Ok(None),
            opened => Ok(Some(EngineFile(opened?))),
        }
    }

    fn create(&self, path: &Path) -> io::Result<EngineFile> {
        self.0.open_file(path, OpenMode::Create).map(EngineFile)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, to)?;
        self.0.sync_directory(to.parent().unwrap_or_else(|| Path::new("")))
    }
}

/// One of its files.
#[derive(Debug)]
pub(crate) struct EngineFile(MemoryFile);

impl StorageBackend for EngineFile {
    fn len(&self) -> io::Result<u64> {
        self.0.bytes()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let count = self.0.read_at(offset, out)?;
        if count < out.len() { Err(ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.resize(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write_at(offset, &[IoSlice::new(data)])
    }
}
