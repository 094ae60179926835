use crate::{Seed, Target};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The inputs that are kept in files: a folder a target.
#[derive(Clone, Debug)]
pub struct Corpus {
    root: PathBuf,
}

impl Corpus {
    /// The corpus that is kept with this crate.
    #[must_use]
    pub fn committed() -> Self {
        Self { root: Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus") }
    }

    /// A target's inputs in the order of their names. None, if there is no folder.
    ///
    /// # Errors
    /// What the file system says.
    pub fn load(&self, target: &Target) -> io::Result<Vec<Seed>> {
        let folder = self.root.join(target.name);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut seeds = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            seeds.push(Seed { name, bytes: fs::read(entry.path())? });
        }
        seeds.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(seeds)
    }

    /// Writes what production encoders make for a target, over what is there under the same names.
    ///
    /// # Errors
    /// What the file system says.
    pub fn store_seeds(&self, target: &Target) -> io::Result<usize> {
        let folder = self.root.join(target.name);
        fs::create_dir_all(&folder)?;
        let seeds = (target.seeds)();
        for seed in &seeds {
            fs::write(folder.join(&seed.name), &seed.bytes)?;
        }
        Ok(seeds.len())
    }
}
