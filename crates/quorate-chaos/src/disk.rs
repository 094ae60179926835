use crate::ChaosError;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

const FILLER: &str = "filler";
static CHUNK: [u8; 64 << 10] = [0x5a; 64 << 10];

/// Where a bit was turned over.
#[derive(Debug)]
pub(crate) struct Flip {
    pub(crate) file: String,
    pub(crate) offset: u64,
    pub(crate) bit: u8,
}

/// Takes up all space that is left on the file system of a directory.
pub(crate) fn fill(directory: &Path) -> Result<(), ChaosError> {
    let failed = ChaosError::system("filling a disk");
    let filled = File::create(directory.join(FILLER)).and_then(|mut file| {
        loop {
            match file.write(&CHUNK) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    });
    filled.map_err(failed)
}

/// Gives the space back.
pub(crate) fn free(directory: &Path) -> Result<(), ChaosError> {
    match fs::remove_file(directory.join(FILLER)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(ChaosError::System { operation: "emptying a disk", source: error })
        }
        _ => Ok(()),
    }
}

/// Turns over one bit of what has been written of a node's log. The node must not run.
pub(crate) fn flip(data: &Path, random: &mut fastrand::Rng) -> Result<Option<Flip>, ChaosError> {
    let flipped = segments(&data.join("log")).and_then(|segments| match random.choice(segments) {
        Some((path, written)) => turn_over(&path, random.u64(..written), random.u8(..8)).map(Some),
        None => Ok(None),
    });
    flipped.map_err(ChaosError::system("damaging a log"))
}

/// The log's segments and up to where each has been written: the rest is prepared space.
fn segments(directory: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let mut segments = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let is_segment = path.file_name().and_then(|name| name.to_str());
        if !is_segment.is_some_and(|name| name.starts_with("segment-") && name.ends_with(".log")) {
            continue;
        }
        let bytes = fs::read(&path)?;
        if let Some(last) = bytes.iter().rposition(|byte| *byte != 0) {
            segments.push((path, last as u64 + 1));
        }
    }
    segments.sort();
    Ok(segments)
}

fn turn_over(path: &Path, offset: u64, bit: u8) -> io::Result<Flip> {
    let mut file = File::options().read(true).write(true).open(path)?;
    let mut byte = [0];
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(&mut byte)?;
    byte[0] ^= 1 << bit;
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(&byte)?;
    file.sync_all()?;
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Flip { file, offset, bit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bit_of_what_was_written_turns_over() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        fs::create_dir(&log).unwrap();
        let mut before = vec![1_u8; 100];
        before.resize(4_096, 0);
        fs::write(log.join("segment-0000000000000001.log"), &before).unwrap();
        fs::write(log.join("segment-0000000000000001.index"), [1; 10]).unwrap();
        let flip = flip(directory.path(), &mut fastrand::Rng::with_seed(7)).unwrap().unwrap();
        let after = fs::read(log.join(&flip.file)).unwrap();
        let changed: Vec<usize> = (0..before.len()).filter(|&place| before[place] != after[place]).collect();
        assert_eq!(changed, [usize::try_from(flip.offset).unwrap()]);
        assert!(flip.offset < 100);
        assert_eq!((before[changed[0]] ^ after[changed[0]]).count_ones(), 1);
    }

    #[test]
    fn a_log_without_segments_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("log")).unwrap();
        assert!(flip(directory.path(), &mut fastrand::Rng::with_seed(7)).unwrap().is_none());
    }
}
