use quorate_core::{HardState, StateStore, StateStoreError, Term};
use quorate_log::HardStateFile;

/// The hard state's file; on request one that forgets promises.
#[derive(Debug)]
pub(crate) struct StateFile {
    file: HardStateFile,
    /// The broken rule: whatever is promised, this is what the disk holds.
    remembers_only: Option<Term>,
}

impl StateFile {
    pub(crate) fn new(file: HardStateFile, forgets_promises: bool) -> Self {
        Self { file, remembers_only: forgets_promises.then_some(Term::ZERO) }
    }

    pub(crate) fn store(&mut self, state: &HardState) -> Result<(), StateStoreError> {
        match self.remembers_only {
            None => self.file.store(state),
            Some(promised) => self.file.store(&HardState { promised, ..state.clone() }),
        }
    }
}
