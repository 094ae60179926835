//! An engine of one's own: an append-only file, and a map in memory of what it says.

use quorate::engine::{Bytes, Committed, Engine, EngineError, EntryId, EntryKind, Term, Vlsn};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// What the application reads: the engine's map.
pub(crate) type Map = Arc<Mutex<BTreeMap<String, String>>>;

/// The file is a row of records, one for each run of entries: length, checksum, then the position behind the
/// run and its `key=value` lines. So position and effects become one, or are torn off together.
pub(crate) struct FileEngine {
    file: File,
    map: Map,
    applied: Option<EntryId>,
}

impl FileEngine {
    /// Reads the file back into the map, and cuts off what a crash has left unfinished at its end.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::options().create(true).read(true).append(true).open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (mut engine, mut rest) = (Self { file, map: Map::default(), applied: None }, &bytes[..]);
        while let Some((record, behind)) = first_record(rest) {
            engine.take_over(record).ok_or(io::ErrorKind::InvalidData)?;
            rest = behind;
        }
        engine.file.set_len((bytes.len() - rest.len()) as u64)?;
        Ok(engine)
    }

    pub(crate) const fn map(&self) -> &Map {
        &self.map
    }

    /// Brings the map to where a whole record is.
    fn take_over(&mut self, record: &str) -> Option<()> {
        let (position, lines) = record.split_once('\n')?;
        let (term, vlsn) = position.split_once(' ')?;
        let (term, vlsn) = (Term::from_u64(term.parse().ok()?), Vlsn::new(vlsn.parse().ok()?)?);
        let mut map = self.map.lock().ok()?;
        map.extend(pairs(lines)?.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())));
        self.applied = Some(EntryId { term, vlsn });
        Some(())
    }
}

impl Engine for FileEngine {
    fn applied(&self) -> Option<EntryId> {
        self.applied
    }

    /// The result of an entry is how many keys it has set.
    fn apply(&mut self, entries: &[Committed], results: &mut Vec<Bytes>) -> Result<(), EngineError> {
        let Some(last) = entries.last() else { return Ok(()) };
        let mut record = format!("{} {}\n", last.id.term.as_u64(), last.id.vlsn);
        let mut counts = Vec::with_capacity(entries.len());
        for entry in entries {
            let payload = if entry.kind == EntryKind::Data { &entry.payload[..] } else { b"" };
            let lines = std::str::from_utf8(payload).ok().filter(|lines| pairs(lines).is_some());
            let unknown = || EngineError::Payload { id: entry.id, detail: "no key=value lines".into() };
            let lines = lines.ok_or_else(unknown)?;
            lines.lines().for_each(|line| record.extend([line, "\n"]));
            counts.push(Bytes::from(lines.lines().count().to_string()));
        }
        let prefix = [(record.len() as u32).to_le_bytes(), crc32c::crc32c(record.as_bytes()).to_le_bytes()];
        self.file.write_all(&[&prefix.concat(), record.as_bytes()].concat()).map_err(failed)?;
        self.take_over(&record).ok_or_else(|| failed("a reader has panicked"))?;
        results.extend(counts);
        Ok(())
    }

    fn flush(&mut self) -> Result<Option<EntryId>, EngineError> {
        self.file.sync_data().map_err(failed)?;
        Ok(self.applied)
    }
}

/// The first whole record, and what follows it; `None` at the end, and where the rest is torn.
fn first_record(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (checksum, rest) = rest.split_first_chunk()?;
    let (record, behind) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    let is_whole = crc32c::crc32c(record) == u32::from_le_bytes(*checksum);
    is_whole.then_some((std::str::from_utf8(record).ok()?, behind))
}

fn pairs(lines: &str) -> Option<Vec<(&str, &str)>> {
    lines.lines().map(|line| line.split_once('=')).collect()
}

fn failed(error: impl std::fmt::Display) -> EngineError {
    EngineError::Storage { engine: "file", detail: error.to_string() }
}
