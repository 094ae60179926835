use super::{DemoError, Digest, NodeProcess, Records};
use crate::EngineChoice;
use quorate::KvStore;
use quorate_engine::{FjallConfig, FjallStore, MemoryStore, OpenError, RedbConfig, RedbStore};
use quorate_env::kv::{DEFAULT_DATABASE, KvReader};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many differences are described.
const DIFFERENCES_SHOWN: usize = 10;

/// What a comparison of acknowledged records with the nodes' data found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// How many copies were compared.
    pub compared: u64,
    /// How many acknowledged records are not, with their value, on every node.
    pub lost: u64,
    /// The first of them, in words.
    pub differences: Vec<String>,
}

/// Compares every acknowledged record with what each stopped node's engine holds. `homes` are the nodes'
/// directories.
///
/// # Errors
/// [`DemoError::Store`] if a node's data cannot be read.
pub fn compare(
    records: &Records,
    acknowledged: &[(usize, Digest)],
    homes: &[PathBuf],
    engine: EngineChoice,
) -> Result<Comparison, DemoError> {
    let mut comparison = Comparison::default();
    let mut lost = BTreeSet::new();
    for home in homes {
        let data = NodeProcess::data_directory(home);
        let unreadable = |detail: String| DemoError::Store { directory: data.clone(), detail };
        let store = open_store(&data, engine).map_err(|error| unreadable(error.to_string()))?;
        let reader = KvReader::open(store).map_err(|error| unreadable(error.to_string()))?;
        let snapshot = reader.snapshot().map_err(|error| unreadable(error.to_string()))?;
        for (index, expected) in acknowledged {
            let key = records.key(*index);
            let found =
                snapshot.get(DEFAULT_DATABASE, &key).map_err(|error| unreadable(error.to_string()))?;
            comparison.compared += 1;
            let found = found.map(|value| Digest::of(&value));
            if found != Some(*expected) {
                lost.insert(*index);
                comparison.describe(home, &key, found.is_some());
            }
        }
    }
    comparison.lost = lost.len() as u64;
    Ok(comparison)
}

/// Opens the store of a node that does not run.
///
/// # Errors
/// What the store says.
pub fn open_store(data: &Path, engine: EngineChoice) -> Result<Arc<dyn KvStore>, OpenError> {
    let path = data.join("engine");
    Ok(match engine {
        EngineChoice::Memory => Arc::new(MemoryStore::new()),
        EngineChoice::Redb => Arc::new(RedbStore::open(&path, &RedbConfig::default())?),
        EngineChoice::Fjall => Arc::new(FjallStore::open(&path, &FjallConfig::default())?),
    })
}

impl Comparison {
    fn describe(&mut self, home: &Path, key: &[u8], is_there: bool) {
        if self.differences.len() < DIFFERENCES_SHOWN {
            let what = if is_there { "holds another value of" } else { "lacks" };
            let key = String::from_utf8_lossy(key);
            self.differences.push(format!("{} {what} {key:?}", home.display()));
        }
    }
}
