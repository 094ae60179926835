use std::path::PathBuf;

/// Why a task failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A command ran and said no.
    #[error("`{command}` failed ({status})")]
    Command { command: String, status: String },
    /// A command could not be started.
    #[error("`{command}` could not be started: {source}")]
    NotStarted { command: String, source: std::io::Error },
    /// A file or folder could not be read or written.
    #[error("{path}: {source}", path = path.display())]
    File { path: PathBuf, source: std::io::Error },
    /// A file is not what this program reads.
    #[error("{file} cannot be understood: {detail}")]
    Format { file: String, detail: String },
    /// One of our own checks found something; each finding has been printed.
    #[error("{check} found {count} violation(s), printed above")]
    Violations { check: &'static str, count: usize },
    /// A file that a task works on is not there.
    #[error("{path} does not exist: {advice}", path = path.display())]
    Missing { path: PathBuf, advice: &'static str },
    /// A program that a task runs is not on this machine.
    #[error("{program} is not installed: {advice}")]
    NotInstalled { program: &'static str, advice: &'static str },
    /// A check says nothing on a machine of this kind.
    #[error("{check} are those of {machine}: run this there")]
    OtherMachine { check: &'static str, machine: &'static str },
    /// Generated code differs from what its source says.
    #[error("{path} is not what is generated now: run `cargo xtask codegen` and commit the result")]
    Stale { path: &'static str },
}

impl Failure {
    /// A failed operation on the file or folder at `path`.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    /// Fails if there are violations, after printing them.
    pub(crate) fn unless_empty(check: &'static str, violations: &[String]) -> Result<(), Self> {
        for violation in violations {
            println!("{violation}");
        }
        match violations.len() {
            0 => Ok(()),
            count => Err(Self::Violations { check, count }),
        }
    }
}
