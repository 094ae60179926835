//! What can be damaged, and how.

use super::fixture::{Files, Fixture};
use quorate_codec::HEADER_BYTES;
use quorate_core::Random;
use quorate_log::vfs::MemoryVfs;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// What is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// How a segment begins.
    SegmentHeader,
    /// How a group of entries begins, in a sealed segment.
    GroupHeader,
    /// How an entry begins, in a sealed segment.
    FrameHeader,
    /// The rest of an entry, in a sealed segment.
    Payload,
    /// The last segment, as far as it was written.
    LogEnd,
    /// What no entry uses of a segment, and the next segment's space.
    Unused,
    /// The index of a sealed segment.
    IndexFile,
    /// A copy of the hard state, or both.
    HardState,
    /// A rollback file.
    RollbackFile,
    /// The engine's file.
    EngineFile,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::SegmentHeader,
        Self::GroupHeader,
        Self::FrameHeader,
        Self::Payload,
        Self::LogEnd,
        Self::Unused,
        Self::IndexFile,
        Self::HardState,
        Self::RollbackFile,
        Self::EngineFile,
    ];

    /// Its name in a report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SegmentHeader => "segment header",
            Self::GroupHeader => "group header",
            Self::FrameHeader => "frame header",
            Self::Payload => "payload",
            Self::LogEnd => "end of the log",
            Self::Unused => "unused space",
            Self::IndexFile => "index file",
            Self::HardState => "hard state",
            Self::RollbackFile => "rollback file",
            Self::EngineFile => "engine's file",
        }
    }
}

/// How it is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// One bit is another.
    Flip,
    /// A block of 512 bytes is zeros.
    Zero,
    /// The file ends early.
    Truncate,
    /// A block holds what belongs elsewhere, in this file or in another one.
    Misplace,
    /// The whole file is as it was at an earlier stop.
    Stale,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Flip, Self::Zero, Self::Truncate, Self::Misplace, Self::Stale];

    /// Its name in a report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flip => "flipped bit",
            Self::Zero => "zeroed block",
            Self::Truncate => "truncated file",
            Self::Misplace => "misplaced block",
            Self::Stale => "earlier version",
        }
    }
}

/// Bytes of one part.
struct Place {
    part: Part,
    path: PathBuf,
    bytes: Range<usize>,
}

/// Where every part of a node's files is.
pub(crate) struct Places(Vec<Place>);

/// Files before they are damaged and after.
pub(crate) struct Damage {
    pub(crate) part: Part,
    pub(crate) method: Method,
    /// What the damaged files hold now.
    pub(crate) files: Files,
    words: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

const BLOCK: usize = 512;
/// How groups begin, and where the first one does.
const GROUP_MAGIC: &[u8] = b"QGR\x01";
const GROUPS_AT: usize = 1024;
const GROUP_HEADER_BYTES: usize = 72;
/// How often another damage is drawn where one changes nothing.
const DRAWS_MAX: usize = 200;

impl Places {
    pub(crate) fn of(fixture: &Fixture) -> Self {
        let mut places = Vec::new();
        let last = fixture.files.keys().rfind(|path| is_segment(path));
        for (path, bytes) in &fixture.files {
            let mut add = |part, bytes| places.push(Place { part, path: path.clone(), bytes });
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if is_segment(path) {
                add_segment(bytes, Some(path) == last, fixture, &mut add);
            } else if name.ends_with(".index") {
                add(Part::IndexFile, 0..bytes.len());
            } else if name.starts_with("state") {
                // What stands behind the fields is never read.
                let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
                add(Part::HardState, 0..used);
            } else if name.starts_with("rollback") {
                add(Part::RollbackFile, 0..bytes.len());
            } else if name == "engine" {
                add(Part::EngineFile, 0..bytes.len());
            } else if name == "spare" {
                add(Part::Unused, 0..bytes.len());
            }
        }
        Self(places)
    }

    /// Draws a damage, and does it to `disk`. `None` if no damage of this kind changes anything.
    pub(crate) fn damage(
        &self,
        part: Part,
        method: Method,
        fixture: &Fixture,
        random: &mut Random,
        disk: &MemoryVfs,
    ) -> Option<Damage> {
        let places: Vec<&Place> = self.0.iter().filter(|place| place.part == part).collect();
        for _ in 0..DRAWS_MAX {
            let place = places.get(random.below(places.len() as u64) as usize)?;
            let offset = place.bytes.start + random.below(place.bytes.len() as u64) as usize;
            let mut files = Files::new();
            let words = self.apply(method, place, offset, fixture, random, &mut files);
            let Some(words) =
                words.filter(|_| files.iter().any(|(path, bytes)| fixture.files.get(path) != Some(bytes)))
            else {
                continue;
            };
            files.iter().for_each(|(path, bytes)| {
                disk.replace(path, bytes);
            });
            return Some(Damage { part, method, files, words });
        }
        None
    }

    /// Makes the damaged version of a file; of the hard state one time in two of both copies. An earlier version
    /// is that of one copy.
    fn apply(
        &self,
        method: Method,
        place: &Place,
        offset: usize,
        fixture: &Fixture,
        random: &mut Random,
        files: &mut Files,
    ) -> Option<String> {
        let both = place.part == Part::HardState && method != Method::Stale && random.below(2) == 0;
        let others = self.0.iter().filter(|other| both && other.part == Part::HardState);
        let mut paths: Vec<&Path> = others.map(|other| &*other.path).collect();
        if !both {
            paths.push(&place.path);
        }
        let (bit, source) = (random.below(8), self.source(place, random));
        let stop = random.below(fixture.earlier.len() as u64) as usize;
        for path in &paths {
            let mut bytes = fixture.files.get(*path)?.clone();
            let block = offset / BLOCK * BLOCK..(offset / BLOCK * BLOCK + BLOCK).min(bytes.len());
            match method {
                Method::Flip => *bytes.get_mut(offset)? ^= 1 << bit,
                Method::Zero => bytes[block].fill(0),
                Method::Truncate => bytes.truncate(offset),
                Method::Misplace => {
                    let source_bytes = fixture.files.get(&source.0)?;
                    let end = (source.1 + block.len()).min(source_bytes.len());
                    let moved = &source_bytes[source.1.min(end)..end];
                    bytes[block.start..block.start + moved.len()].copy_from_slice(moved);
                }
                Method::Stale => bytes = fixture.earlier[stop].get(*path)?.clone(),
            }
            files.insert(path.to_path_buf(), bytes);
        }
        let what = paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" and ");
        Some(match method {
            Method::Flip => format!("bit {bit} flipped at {offset} of {what}"),
            Method::Zero => format!("zeros in the block of {offset} of {what}"),
            Method::Truncate => format!("{what} cut off at {offset}"),
            Method::Misplace => {
                format!(
                    "the block at {} of {} in the place of {offset} of {what}",
                    source.1,
                    source.0.display()
                )
            }
            Method::Stale => format!("{what} as it was at stop {stop}"),
        })
    }

    /// A block of this file, or of another one of its kind.
    fn source(&self, place: &Place, random: &mut Random) -> (PathBuf, usize) {
        let others: Vec<&Place> = self.0.iter().filter(|other| other.part == place.part).collect();
        let source =
            if random.below(2) == 0 { place } else { others[random.below(others.len() as u64) as usize] };
        let offset = source.bytes.start + random.below(source.bytes.len() as u64) as usize;
        (source.path.clone(), offset / BLOCK * BLOCK)
    }
}

fn is_segment(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "log")
        && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("segment"))
}

/// Finds the parts of a segment.
fn add_segment(bytes: &[u8], is_last: bool, fixture: &Fixture, add: &mut impl FnMut(Part, Range<usize>)) {
    add(Part::SegmentHeader, 0..64);
    add(Part::SegmentHeader, BLOCK..BLOCK + 64);
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(GROUPS_AT, |last| last + 1).max(GROUPS_AT);
    if is_last {
        add(Part::LogEnd, GROUPS_AT..used.max(GROUPS_AT + 1).min(bytes.len()));
    } else {
        for offset in (GROUPS_AT..used).step_by(8).filter(|offset| bytes[*offset..].starts_with(GROUP_MAGIC))
        {
            add(Part::GroupHeader, offset..(offset + GROUP_HEADER_BYTES).min(bytes.len()));
        }
        for frame in fixture.contents.frames.values() {
            if let Some(offset) = bytes.windows(frame.len()).position(|window| window == &frame[..]) {
                add(Part::FrameHeader, offset..offset + HEADER_BYTES);
                if frame.len() > HEADER_BYTES {
                    add(Part::Payload, offset + HEADER_BYTES..offset + frame.len());
                }
            }
        }
    }
    if used < bytes.len() {
        add(Part::Unused, used..bytes.len());
    }
}
