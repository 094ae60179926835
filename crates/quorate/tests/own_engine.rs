//! The example engine keeps every promise that an engine makes.

#[path = "../examples/own_engine/file_engine.rs"]
mod file_engine;

use file_engine::FileEngine;
use quorate::engine::{Bytes, Engine};
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// Each engine has a file of its own. The keys that begin with `n` are the set of numbers, the key `latest`
/// is the one place.
struct Files {
    directory: TempDir,
    count: u32,
}

quorate::engine_conformance!(the_example_engine_conforms, Files::new());

impl Files {
    fn new() -> Self {
        Self { directory: TempDir::new().unwrap(), count: 0 }
    }

    fn newest(&self) -> PathBuf {
        self.directory.path().join(self.count.to_string())
    }
}

impl quorate::conformance::engine::Subject for Files {
    type Engine = FileEngine;

    fn fresh(&mut self) -> FileEngine {
        self.count += 1;
        FileEngine::open(&self.newest()).unwrap()
    }

    fn reopen(&mut self, engine: FileEngine) -> Option<FileEngine> {
        drop(engine);
        Some(FileEngine::open(&self.newest()).unwrap())
    }

    fn payload(&self, number: u64) -> Bytes {
        format!("n{number}=\nlatest={number}").into()
    }

    fn bad_payload(&self) -> Bytes {
        Bytes::from_static(b"no equals sign")
    }

    fn numbers(&self, engine: &FileEngine) -> Vec<u64> {
        let map = engine.map().lock().unwrap();
        let mut numbers: Vec<_> = map.keys().filter_map(|key| key.strip_prefix('n')?.parse().ok()).collect();
        numbers.sort_unstable();
        numbers
    }

    fn latest(&self, engine: &FileEngine) -> Option<u64> {
        engine.map().lock().unwrap().get("latest")?.parse().ok()
    }
}

#[test]
fn a_run_that_a_crash_has_cut_off_is_gone_with_its_position() {
    use quorate::conformance::engine::Subject;
    let mut files = Files::new();
    let mut engine = files.fresh();
    let entry = |vlsn| quorate::engine::Committed {
        id: quorate::EntryId {
            term: quorate::Term::new(1, quorate::NodeId::new(1)),
            vlsn: quorate::Vlsn::new(vlsn).unwrap(),
        },
        kind: quorate::engine::EntryKind::Data,
        payload: files.payload(vlsn),
    };
    engine.apply(&[entry(1)], &mut Vec::new()).unwrap();
    let before = fs::metadata(files.newest()).unwrap().len();
    engine.apply(&[entry(2), entry(3)], &mut Vec::new()).unwrap();
    drop(engine);

    let whole = fs::read(files.newest()).unwrap();
    for length in before..whole.len() as u64 {
        fs::write(files.newest(), &whole[..length as usize]).unwrap();
        let mut engine = FileEngine::open(&files.newest()).unwrap();
        assert_eq!(engine.applied(), Some(entry(1).id), "cut off at {length}");
        assert_eq!((files.numbers(&engine), files.latest(&engine)), (vec![1], Some(1)));
        engine.apply(&[entry(2)], &mut Vec::new()).unwrap();
        assert_eq!(
            files.numbers(&FileEngine::open(&files.newest()).unwrap()),
            [1, 2],
            "it goes on behind it"
        );
    }
}
