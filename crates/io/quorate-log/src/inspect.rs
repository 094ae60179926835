//! Looks into the log of a node that is not running, and changes nothing.

use crate::names;
use crate::scan::{Contents, Follows, Scan, scan};
use crate::segment_header::{SEGMENT_HEADER_BYTES, SegmentHeader};
use quorate_codec::{HEADER_BYTES, Header};
use quorate_core::{DamagedRange, Vlsn};
use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Why a log cannot be looked into.
#[derive(Debug)]
#[non_exhaustive]
pub enum InspectError {
    /// A node uses the directory.
    InUse {
        /// The directory.
        directory: PathBuf,
    },
    /// There is no log.
    NoLog {
        /// The directory.
        directory: PathBuf,
    },
    /// The operating system refused.
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

impl std::fmt::Display for InspectError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::InUse { directory } => {
                write!(f, "{} is in use by another process: stop the node first", directory.display())
            }
            Self::NoLog { directory } => {
                write!(f, "{} holds no log: name a node's data directory", directory.display())
            }
            Self::Io { path, source } => write!(f, "reading {} failed: {source}", path.display()),
        }
    }
}

impl std::error::Error for InspectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::InUse { .. } | Self::NoLog { .. } => None,
        }
    }
}

/// The log in a node's data directory, as it lies there. While this lives the node cannot be started.
#[derive(Debug)]
pub struct LogInspection {
    segments: Vec<SegmentPlace>,
    /// Shared locks, released when dropped.
    _locks: Vec<File>,
}

/// A segment's file, and what the files beside it say of it.
#[derive(Debug)]
pub struct SegmentPlace {
    path: PathBuf,
    name: String,
    header: Option<SegmentHeader>,
    follows: Option<Follows>,
}

impl LogInspection {
    /// Opens the log of the node whose data directory this is, for reading alone.
    ///
    /// # Errors
    /// [`InspectError`].
    pub fn open(data_directory: &Path) -> Result<Self, InspectError> {
        let directory = data_directory.join("log");
        if !directory.is_dir() {
            return Err(InspectError::NoLog { directory: data_directory.to_owned() });
        }
        let locks = [data_directory.join("quorate.lock"), directory.join(names::LOCK)];
        let locks: Vec<Option<File>> = locks.iter().map(|path| lock(path)).collect::<Result<_, _>>()?;
        let segments = find(&directory)?;
        if segments.is_empty() {
            return Err(InspectError::NoLog { directory: data_directory.to_owned() });
        }
        Ok(Self { segments, _locks: locks.into_iter().flatten().collect() })
    }

    /// The segments in order.
    pub fn segments(&self) -> impl Iterator<Item = &SegmentPlace> {
        self.segments.iter()
    }
}

/// Takes part in a lock that a node would have for itself. A lock file that is not there is not made.
fn lock(path: &Path) -> Result<Option<File>, InspectError> {
    let failed = |source| InspectError::Io { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => {
            Err(InspectError::InUse { directory: path.parent().unwrap_or(path).to_owned() })
        }
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn find(directory: &Path) -> Result<Vec<SegmentPlace>, InspectError> {
    let failed = |source| InspectError::Io { path: directory.to_owned(), source };
    let mut numbers = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        numbers.extend(name.to_str().and_then(names::segment_number));
    }
    numbers.sort_unstable();
    let mut found: Vec<SegmentPlace> = Vec::new();
    for number in numbers {
        let place = SegmentPlace::open(directory, number)?;
        let generation = found.iter().rev().find_map(|before| before.header).map(|before| before.generation);
        if place.header.is_some_and(|header| Some(header.generation) < generation) {
            continue;
        }
        if let (Some(before), Some(header)) = (found.last_mut(), &place.header) {
            before.is_followed_by(header);
        }
        found.push(place);
    }
    Ok(found)
}

impl SegmentPlace {
    fn open(directory: &Path, number: u64) -> Result<Self, InspectError> {
        let name = names::segment(number);
        let path = directory.join(&name);
        let failed = |source| InspectError::Io { path: path.clone(), source };
        let mut bytes = Vec::new();
        let file = File::open(&path).map_err(failed)?;
        file.take(SEGMENT_HEADER_BYTES as u64).read_to_end(&mut bytes).map_err(failed)?;
        let header = SegmentHeader::decode(&bytes).filter(|header| header.number == number);
        Ok(Self { path, name, header, follows: None })
    }

    /// Where a segment follows directly, its header says where this one ends.
    fn is_followed_by(&mut self, next: &SegmentHeader) {
        let follows = self.header.is_some_and(|header| {
            header.identity == next.identity && header.number + 1 == next.number && header.first <= next.first
        });
        self.follows = follows.then(|| Follows::from(next));
    }

    /// The file's name.
    #[must_use]
    pub fn file_name(&self) -> &str {
        &self.name
    }

    /// Reads the segment, all of it at once.
    ///
    /// # Errors
    /// [`InspectError::Io`].
    pub fn read(&self) -> Result<InspectedSegment, InspectError> {
        let bytes = fs::read(&self.path);
        let bytes = bytes.map_err(|source| InspectError::Io { path: self.path.clone(), source })?;
        let Some(header) = self.header else { return Ok(InspectedSegment { bytes, scan: None }) };
        let contents = Contents::of(bytes, &header);
        let scan = scan(&contents, &header, self.follows);
        Ok(InspectedSegment { bytes: contents.bytes, scan })
    }
}

/// What a segment holds.
#[derive(Debug)]
pub struct InspectedSegment {
    bytes: Vec<u8>,
    scan: Option<Scan>,
}

/// An entry as it lies in a segment.
#[derive(Clone, Copy, Debug)]
pub struct InspectedEntry<'a> {
    /// Its position.
    pub vlsn: Vlsn,
    /// Its header; `None` if that cannot be read.
    pub header: Option<Header>,
    /// Its payload; `None` if the entry is damaged.
    pub payload: Option<&'a [u8]>,
}

impl InspectedSegment {
    /// Whether so much is damaged that its entries cannot be counted.
    #[must_use]
    pub const fn is_beyond_recognition(&self) -> bool {
        self.scan.is_none()
    }

    /// The first entry; `None` if there is none.
    #[must_use]
    pub fn first(&self) -> Option<Vlsn> {
        self.scan.as_ref().filter(|scan| scan.index.last().is_some()).map(|scan| scan.index.first())
    }

    /// The last entry; `None` if there is none.
    #[must_use]
    pub fn last(&self) -> Option<Vlsn> {
        self.scan.as_ref()?.index.last()
    }

    /// How many entries there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        match (self.first(), self.last()) {
            (Some(first), Some(last)) => last.as_u64() - first.as_u64() + 1,
            _ => 0,
        }
    }

    /// Entries that had been durable and cannot be read.
    #[must_use]
    pub fn damaged(&self) -> &[DamagedRange] {
        self.scan.as_ref().map_or(&[], |scan| &scan.damaged)
    }

    /// Whether durable entries are missing from the log's end.
    #[must_use]
    pub fn lost_durable_end(&self) -> bool {
        self.scan.as_ref().is_some_and(|scan| scan.lost_durable_end)
    }

    /// Length of what an unfinished write has left behind the log's end, in bytes. That is no damage.
    #[must_use]
    pub fn torn_bytes(&self) -> u64 {
        self.scan.as_ref().and_then(|scan| scan.torn.as_ref()).map_or(0, |torn| torn.len() as u64)
    }

    /// The entries in order, the damaged ones among them.
    pub fn entries(&self) -> impl Iterator<Item = InspectedEntry<'_>> {
        let numbers = match (self.first(), self.last()) {
            (Some(first), Some(last)) => first.as_u64()..last.as_u64() + 1,
            _ => 0..0,
        };
        numbers.filter_map(Vlsn::new).map(|vlsn| self.entry(vlsn))
    }

    fn entry(&self, vlsn: Vlsn) -> InspectedEntry<'_> {
        let place = self.scan.as_ref().and_then(|scan| scan.index.offset(vlsn));
        let bytes = place.and_then(|place| self.bytes.get(place as usize..)).unwrap_or_default();
        let header = Header::parse(bytes).ok().filter(|header| header.id.vlsn == vlsn);
        let is_damaged = self.damaged().iter().any(|range| range.contains(vlsn));
        let payload = header.filter(|_| !is_damaged);
        let payload = payload.and_then(|header| bytes.get(HEADER_BYTES..header.frame_bytes()));
        InspectedEntry { vlsn, header, payload }
    }
}
