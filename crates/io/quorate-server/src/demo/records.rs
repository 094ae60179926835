use super::InputError;
use bytes::Bytes;
use std::collections::HashMap;
use std::fs::{self, DirEntry, File};
use std::io::{self, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The longest key of a record in bytes: the nodes' own limit.
pub const KEY_BYTES_MAX: usize = quorate_env::kv::KEY_BYTES_MAX;
/// The longest value of a record in bytes: the nodes' limit unless they are configured otherwise.
pub const VALUE_BYTES_MAX: usize = 16 << 20;

/// What a demonstration writes: records with keys of their own, numbered from 0.
#[derive(Debug)]
pub struct Records {
    source: Source,
    skipped: Vec<SkippedFile>,
}

#[derive(Debug)]
enum Source {
    Generated { count: usize },
    Lines { text: Bytes, lines: Vec<Line> },
    Files { root: PathBuf, paths: Vec<PathBuf> },
}

/// Where a record lies in a file of lines.
#[derive(Debug)]
struct Line {
    key: Range<usize>,
    value: Range<usize>,
}

/// A file that is no record, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedFile {
    /// The file.
    pub path: PathBuf,
    /// Why, in words.
    pub reason: String,
}

impl Records {
    /// `count` generated records with keys of 16 bytes and values of 100, the same ones every time.
    #[must_use]
    pub const fn generated(count: usize) -> Self {
        Self { source: Source::Generated { count }, skipped: Vec::new() }
    }

    /// The records of a directory (one per regular file below it; symbolic links are not followed) or of a
    /// file of `key<TAB>value` lines.
    ///
    /// # Errors
    /// [`InputError`] says what is wrong, and in which line.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let kind = fs::metadata(path).map_err(unreadable(path))?;
        let records = if kind.is_dir() {
            read_directory(path)?
        } else if kind.is_file() {
            read_lines(path)?
        } else {
            return Err(InputError::NeitherKind { path: path.to_owned() });
        };
        if records.count() == 0 { Err(InputError::Empty { path: path.to_owned() }) } else { Ok(records) }
    }

    /// How many records there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        match &self.source {
            Source::Generated { count } => *count,
            Source::Lines { lines, .. } => lines.len(),
            Source::Files { paths, .. } => paths.len(),
        }
    }

    /// Whether a value is read from the file system when it is asked for.
    #[must_use]
    pub const fn are_files(&self) -> bool {
        matches!(self.source, Source::Files { .. })
    }

    /// The files that are no records because they cannot be.
    #[must_use]
    pub fn skipped(&self) -> &[SkippedFile] {
        &self.skipped
    }

    /// The key of a record.
    ///
    /// # Panics
    /// If `index` is not below [`count`](Self::count).
    #[must_use]
    pub fn key(&self, index: usize) -> Bytes {
        match &self.source {
            Source::Generated { count } => {
                assert!(index < *count, "record {index} of {count}");
                format!("{:016x}", scramble(index as u64)).into()
            }
            Source::Lines { text, lines } => text.slice(lines[index].key.clone()),
            Source::Files { paths, .. } => file_key(&paths[index]).into(),
        }
    }

    /// The value of a record. A file is read now.
    ///
    /// # Errors
    /// [`SkippedFile`] if a file cannot be read any more, or has become too long.
    pub fn value(&self, index: usize) -> Result<Bytes, SkippedFile> {
        match &self.source {
            Source::Generated { .. } => Ok(generated_value(index as u64)),
            Source::Lines { text, lines } => Ok(text.slice(lines[index].value.clone())),
            Source::Files { root, paths } => read_value(&root.join(&paths[index])),
        }
    }
}

fn read_lines(path: &Path) -> Result<Records, InputError> {
    let text = Bytes::from(fs::read(path).map_err(unreadable(path))?);
    let mut lines = Vec::new();
    let mut first_lines = HashMap::new();
    let mut start = 0;
    for (number, line) in (1..).zip(text.split_inclusive(|byte| *byte == b'\n')) {
        let end = start + line.len() - usize::from(line.ends_with(b"\n"));
        let found = parse_line(path, number, &text, start..end)?;
        if let Some(first) = first_lines.insert(text.slice(found.key.clone()), number) {
            return Err(InputError::DuplicateKey { path: path.to_owned(), line: number, first });
        }
        lines.push(found);
        start += line.len();
    }
    Ok(Records { source: Source::Lines { text, lines }, skipped: Vec::new() })
}

fn parse_line(path: &Path, line: usize, text: &[u8], range: Range<usize>) -> Result<Line, InputError> {
    let path = path.to_owned();
    let Some(tab) = text[range.clone()].iter().position(|byte| *byte == b'\t') else {
        return Err(InputError::NoTab { path, line });
    };
    let (key, value) = (range.start..range.start + tab, range.start + tab + 1..range.end);
    if key.is_empty() {
        return Err(InputError::EmptyKey { path, line });
    }
    if key.len() > KEY_BYTES_MAX {
        return Err(InputError::KeyTooLong { path, line, bytes: key.len(), limit: KEY_BYTES_MAX });
    }
    if value.len() > VALUE_BYTES_MAX {
        return Err(InputError::ValueTooLong { path, line, bytes: value.len(), limit: VALUE_BYTES_MAX });
    }
    Ok(Line { key, value })
}

fn read_directory(root: &Path) -> Result<Records, InputError> {
    let (mut paths, mut skipped) = (Vec::new(), Vec::new());
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(root.join(&folder)) {
            Ok(entries) => entries,
            Err(source) if folder.as_os_str().is_empty() => return Err(unreadable(root)(source)),
            Err(error) => {
                skipped.push(SkippedFile { path: root.join(&folder), reason: error.to_string() });
                continue;
            }
        };
        for entry in entries {
            let entry = entry.map_err(unreadable(root))?;
            let path = folder.join(entry.file_name());
            match classify(&entry) {
                Ok(Kind::Folder) => folders.push(path),
                Ok(Kind::Record) => paths.push(path),
                Err(reason) => skipped.push(SkippedFile { path: root.join(path), reason }),
            }
        }
    }
    paths.sort();
    Ok(Records { source: Source::Files { root: root.to_owned(), paths }, skipped })
}

/// What an entry of a directory is to a demonstration.
enum Kind {
    Folder,
    Record,
}

/// What an entry is, without following a symbolic link; or why it is nothing.
fn classify(entry: &DirEntry) -> Result<Kind, String> {
    let found = entry.metadata().map_err(|error| error.to_string())?;
    match found.len() {
        _ if found.is_dir() => Ok(Kind::Folder),
        _ if !found.is_file() => Err("not a regular file".to_owned()),
        bytes if bytes > VALUE_BYTES_MAX as u64 => Err(too_long(bytes)),
        _ => Ok(Kind::Record),
    }
}

fn read_value(path: &Path) -> Result<Bytes, SkippedFile> {
    let mut value = Vec::new();
    File::open(path)
        .and_then(|file| file.take(VALUE_BYTES_MAX as u64 + 1).read_to_end(&mut value))
        .map_err(|error| SkippedFile { path: path.to_owned(), reason: error.to_string() })?;
    if value.len() > VALUE_BYTES_MAX {
        return Err(SkippedFile { path: path.to_owned(), reason: too_long(value.len() as u64) });
    }
    Ok(value.into())
}

fn too_long(bytes: u64) -> String {
    format!("{bytes} bytes, the limit is {VALUE_BYTES_MAX}")
}

/// The names along a relative path, joined by `/` on every system.
fn file_key(path: &Path) -> Vec<u8> {
    let names: Vec<&[u8]> = path.iter().map(|name| name.as_encoded_bytes()).collect();
    names.join(&b'/')
}

fn generated_value(index: u64) -> Bytes {
    const BYTES: usize = 100;
    let words = (0..BYTES.div_ceil(8) as u64).map(|word| scramble(index ^ word.rotate_right(8)));
    let mut value: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
    value.truncate(BYTES);
    value.into()
}

/// Mixes a number into one that looks random; no two numbers give the same (the finaliser of SplitMix64).
const fn scramble(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn unreadable(path: &Path) -> impl FnOnce(io::Error) -> InputError {
    let path = path.to_owned();
    move |source| InputError::Unreadable { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn lines(text: &[u8]) -> Result<Records, InputError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("input.tsv");
        fs::write(&path, text).unwrap();
        Records::read(&path)
    }

    fn refusal(text: &[u8]) -> String {
        let text = lines(text).expect_err("the input is wrong").to_string();
        text.rsplit_once("input.tsv").map(|(_, rest)| rest.to_owned()).unwrap()
    }

    #[test]
    fn generated_records_have_distinct_keys_of_16_bytes_and_values_of_100() {
        let records = Records::generated(1_000);
        let keys: HashSet<Bytes> = (0..1_000).map(|index| records.key(index)).collect();
        assert_eq!(keys.len(), 1_000);
        assert!(keys.iter().all(|key| key.len() == 16));
        assert_eq!(records.value(7).unwrap().len(), 100);
        assert_ne!(records.value(7), records.value(8));
    }

    #[test]
    fn lines_are_split_at_their_first_tab_whether_or_not_the_last_one_ends() {
        let records = lines(b"a\t1\nb\t2\t3\nc\t").unwrap();
        let found: Vec<_> = (0..3).map(|index| (records.key(index), records.value(index).unwrap())).collect();
        let expected = [("a", "1"), ("b", "2\t3"), ("c", "")];
        assert_eq!(found, expected.map(|(key, value)| (Bytes::from(key), Bytes::from(value))));
    }

    #[test]
    fn a_bad_line_is_named_with_its_number() {
        assert!(refusal(b"a\t1\nb\n").starts_with(":2: there is no tab"));
        assert!(refusal(b"a\t1\n\tx\n").starts_with(":2: the key in front of the tab is empty"));
        assert!(refusal(b"a\t1\nb\t\na\t2\n").starts_with(":3: line 1 has the same key"));
        assert!(refusal(b"").contains("holds no record"));
        let long = [&vec![b'k'; KEY_BYTES_MAX + 1][..], b"\tv\n"].concat();
        assert!(refusal(&long).starts_with(&format!(":1: the key has {} bytes", KEY_BYTES_MAX + 1)));
        let large = [b"k\t", &vec![b'v'; VALUE_BYTES_MAX + 1][..]].concat();
        assert!(refusal(&large).starts_with(":1: the value has 16777217 bytes"));
    }

    #[test]
    fn a_directory_gives_a_record_per_regular_file_and_tells_what_it_skips() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("x/y")).unwrap();
        fs::write(root.join("x/y/b"), "2").unwrap();
        fs::write(root.join("a"), "1").unwrap();
        File::create(root.join("large")).unwrap().set_len(VALUE_BYTES_MAX as u64 + 1).unwrap();
        std::os::unix::fs::symlink(root, root.join("x/link")).unwrap();
        let records = Records::read(root).unwrap();
        let keys: Vec<Bytes> = (0..records.count()).map(|index| records.key(index)).collect();
        assert_eq!(keys, ["a", "x/y/b"]);
        assert_eq!(records.value(1).unwrap(), "2");
        let mut skipped: Vec<&Path> =
            records.skipped().iter().map(|skipped| skipped.path.as_path()).collect();
        skipped.sort();
        assert_eq!(skipped, [root.join("large"), root.join("x/link")]);
    }

    #[test]
    fn a_file_that_has_gone_is_skipped_when_its_turn_comes() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "1").unwrap();
        let records = Records::read(folder.path()).unwrap();
        fs::remove_file(folder.path().join("a")).unwrap();
        assert_eq!(records.value(0).unwrap_err().path, folder.path().join("a"));
    }

    #[test]
    fn an_input_that_is_not_there_is_named() {
        let text = Records::read(Path::new("/no/such/input")).unwrap_err().to_string();
        assert!(text.starts_with("/no/such/input cannot be read"), "{text}");
    }
}
