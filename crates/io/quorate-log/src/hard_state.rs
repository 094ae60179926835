mod encoding;

use crate::vfs::{OpenMode, Vfs, VfsFile};
use quorate_core::{HardState, StateStore, StateStoreError};
use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The hard state in two files, `state-a` and `state-b`, each a whole copy with a sequence number and a
/// checksum.
///
/// A store writes and syncs one copy, then the other, so that at every moment one of them is whole, and once
/// it has returned both hold the new state. A copy that was found damaged, or lagging behind, is written
/// first: the other one is all there is. Hence:
///
/// 1. A state that was stored is found though either copy is damaged later. 2. A store that was interrupted
///    leaves the new state or the one before, and nobody has been told that it succeeded. 3. A copy that
///    lags behind tells of an interrupted store, never of a promise.
///
/// The files keep their size, so that a full disk does not stop a node from promising.
#[derive(Debug)]
pub struct HardStateFile {
    vfs: Arc<dyn Vfs>,
    directory: PathBuf,
    /// The sequence of the state stored last; `None` until loaded.
    sequence: Option<u64>,
    /// The copies, in the order in which they are written.
    order: [&'static str; 2],
    /// The first failure of a store: what is on the disk is unknown since.
    poison: Option<StateStoreError>,
    /// A rule that is broken.
    #[cfg(feature = "mutations")]
    mutation: Option<crate::Mutation>,
}

/// The copies.
const COPIES: [&str; 2] = ["state-a", "state-b"];
/// A new copy comes into being under this name, so that it is never found half made.
const FRESH_COPY: &str = "state.new";
/// Copies are as long as a multiple of this, in bytes.
const COPY_BYTES_STEP: usize = 4096;

impl HardStateFile {
    /// The hard state kept in `directory`, which must exist. Nothing is read yet.
    #[must_use]
    pub fn new(vfs: Arc<dyn Vfs>, directory: impl Into<PathBuf>) -> Self {
        Self {
            vfs,
            directory: directory.into(),
            sequence: None,
            order: COPIES,
            poison: None,
            #[cfg(feature = "mutations")]
            mutation: None,
        }
    }

    /// The same file, with a rule broken.
    #[cfg(feature = "mutations")]
    #[must_use]
    pub const fn breaking(mut self, mutation: Option<crate::Mutation>) -> Self {
        self.mutation = mutation;
        self
    }

    fn load_copies(&mut self) -> Result<Option<Found>, StateStoreError> {
        self.order = COPIES;
        let copies = [self.read_copy(COPIES[0])?, self.read_copy(COPIES[1])?];
        let missing = copies.iter().all(|copy| matches!(copy, Copy::Missing));
        let whole = copies[0] == copies[1];
        if copies[1].sequence() < copies[0].sequence() {
            self.order.reverse();
        }
        let newest = copies.into_iter().filter_map(Copy::into_good).max_by_key(|(sequence, _)| *sequence);
        match newest {
            Some((sequence, state)) => {
                self.sequence = Some(sequence);
                Ok(Some(Found { sequence, state, whole }))
            }
            None if missing => {
                self.sequence = Some(0);
                Ok(None)
            }
            None => Err(StateStoreError::Damaged),
        }
    }

    fn read_copy(&self, name: &str) -> Result<Copy, StateStoreError> {
        let file = match self.vfs.open(&self.directory.join(name), OpenMode::Existing) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Copy::Missing),
            Err(error) => return Err(failed("reading", &error)),
        };
        let bytes = read_whole(&*file).map_err(|error| failed("reading", &error))?;
        Ok(encoding::decode(&bytes).map_or(Copy::Damaged, |(sequence, state)| Copy::Good(sequence, state)))
    }

    fn store_as(&mut self, sequence: u64, state: &HardState) -> Result<(), StateStoreError> {
        if let Some(poison) = &self.poison {
            return Err(poison.clone());
        }
        match self.store_copies(sequence, state) {
            Ok(()) => {
                self.sequence = Some(sequence);
                Ok(())
            }
            Err(error) => {
                self.poison = Some(error.clone());
                Err(error)
            }
        }
    }

    fn store_copies(&self, sequence: u64, state: &HardState) -> Result<(), StateStoreError> {
        let mut bytes = encoding::encode(sequence, state);
        bytes.resize(bytes.len().next_multiple_of(COPY_BYTES_STEP), 0);
        for name in self.order {
            self.write_copy(name, &bytes).map_err(|error| failed("storing", &error))?;
        }
        Ok(())
    }

    fn write_copy(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.directory.join(name);
        match self.vfs.open(&path, OpenMode::Existing) {
            Ok(file) if file.bytes()? >= bytes.len() as u64 => {
                file.write_at(0, &[IoSlice::new(bytes)])?;
                if breaks!(self.mutation, StateNotSynced) { Ok(()) } else { file.sync_data() }
            }
            Ok(_) => self.make_copy(&path, bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.make_copy(&path, bytes),
            Err(error) => Err(error),
        }
    }

    fn make_copy(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let fresh = self.directory.join(FRESH_COPY);
        let file = self.vfs.open(&fresh, OpenMode::Create)?;
        file.write_at(0, &[IoSlice::new(bytes)])?;
        file.sync_all()?;
        self.vfs.rename(&fresh, path)?;
        self.vfs.sync_directory(&self.directory)
    }
}

impl StateStore for HardStateFile {
    /// Finds the state stored last. A copy that an interrupted store left behind, or that is damaged, is
    /// written anew before this returns.
    fn load(&mut self) -> Result<Option<HardState>, StateStoreError> {
        let Some(found) = self.load_copies()? else { return Ok(None) };
        if !found.whole {
            self.store_as(found.sequence, &found.state)?;
        }
        Ok(Some(found.state))
    }

    fn store(&mut self, state: &HardState) -> Result<(), StateStoreError> {
        if self.sequence.is_none() {
            self.load_copies()?;
        }
        let sequence = self.sequence.unwrap_or(0) + 1;
        if sequence > encoding::SEQUENCE_MAX {
            // Nobody could read what would be written over what there is.
            return Err(StateStoreError::Damaged);
        }
        self.store_as(sequence, state)
    }
}

/// The newest state, and whether both copies are good and hold it.
struct Found {
    sequence: u64,
    state: HardState,
    whole: bool,
}

#[derive(PartialEq)]
enum Copy {
    Missing,
    Damaged,
    Good(u64, HardState),
}

impl Copy {
    fn sequence(&self) -> Option<u64> {
        match self {
            Self::Good(sequence, _) => Some(*sequence),
            Self::Missing | Self::Damaged => None,
        }
    }

    fn into_good(self) -> Option<(u64, HardState)> {
        match self {
            Self::Good(sequence, state) => Some((sequence, state)),
            Self::Missing | Self::Damaged => None,
        }
    }
}

fn read_whole(file: &dyn VfsFile) -> io::Result<Vec<u8>> {
    let length = usize::try_from(file.bytes()?).unwrap_or(usize::MAX).min(encoding::BYTES_MAX);
    let mut bytes = vec![0; length];
    let count = file.read_at(0, &mut bytes)?;
    bytes.truncate(count);
    Ok(bytes)
}

fn failed(operation: &'static str, error: &io::Error) -> StateStoreError {
    StateStoreError::Io { operation, detail: error.to_string() }
}
