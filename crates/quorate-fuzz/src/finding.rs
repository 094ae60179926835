use crate::{Target, Trial, Verdict};
use quorate_core::Fnv;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// An input that its target does not survive.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The target.
    pub target: &'static str,
    /// The input, cut down as far as it goes.
    pub input: Vec<u8>,
    /// What the target did.
    pub verdict: Verdict,
}

/// A finding could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be written: {source}", path.display())]
pub struct FindingError {
    /// The file.
    pub path: PathBuf,
    /// What the file system said.
    pub source: io::Error,
}

impl Finding {
    /// Cuts down an input as long as its target does the same sort of thing.
    #[must_use]
    pub fn minimised(trial: &Trial<'_>, target: &'static Target, input: Vec<u8>, verdict: Verdict) -> Self {
        let mut finding = Self { target: target.name, input, verdict };
        let mut step = finding.input.len() / 2;
        while step > 0 {
            let mut start = 0;
            while start < finding.input.len() {
                if !finding.try_without(trial, start, step) {
                    start += step;
                }
            }
            step /= 2;
        }
        finding
    }

    fn try_without(&mut self, trial: &Trial<'_>, start: usize, count: usize) -> bool {
        let mut shorter = self.input.clone();
        shorter.drain(start..(start + count).min(shorter.len()));
        let verdict = trial.run(&shorter);
        let same = std::mem::discriminant(&verdict) == std::mem::discriminant(&self.verdict);
        if same {
            (self.input, self.verdict) = (shorter, verdict);
        }
        same
    }

    /// Writes the input to a file of its own in `folder`.
    ///
    /// # Errors
    /// [`FindingError`].
    pub fn store(&self, folder: &Path) -> Result<PathBuf, FindingError> {
        let mut hash = Fnv::new();
        hash.write(&self.input);
        let path = folder.join(format!("{}-{:016x}", self.target, hash.finish() as u64));
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, &self.input));
        written.map_err(|source| FindingError { path: path.clone(), source })?;
        Ok(path)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verdict {
            Verdict::Survived(_) => write!(f, "{} survives it", self.target),
            Verdict::Panicked { message } => write!(f, "{} panicked: {message}", self.target),
            Verdict::Hungry { bytes } => {
                write!(f, "{} held {bytes} bytes for {} bytes of input", self.target, self.input.len())
            }
            Verdict::Slow { time } => write!(f, "{} took {time:?}", self.target),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Limits, Signature, hush_panics};

    fn no_seven(input: &[u8]) -> Signature {
        assert!(!input.contains(&7), "a seven");
        Signature::new()
    }

    static TARGET: Target = Target::plain("no-seven", "", no_seven, Vec::new);

    #[test]
    fn an_input_is_cut_down_to_what_matters() {
        hush_panics();
        let trial = Trial::new(&TARGET, Limits::default(), None);
        let input: Vec<u8> = (0..100).collect();
        let verdict = trial.run(&input);
        let finding = Finding::minimised(&trial, &TARGET, input, verdict);
        assert_eq!(finding.input, [7]);
        assert!(finding.to_string().contains("a seven"), "{finding}");
    }
}
