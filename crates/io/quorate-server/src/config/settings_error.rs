use quorate::ConfigError;
use quorate_policy::CommitDurabilityError;
use std::io;
use std::path::{Path, PathBuf};

/// What is wrong with a node's configuration file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("{} cannot be read ({source}): give --config the path of a TOML file", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The file is not TOML, or has a field that is unknown, missing or of another type.
    #[error("{}: {detail}(`quorate node --help` shows an example)", place(path, *line))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1, if it concerns one.
        line: Option<usize>,
        /// What is wrong, with the line.
        detail: String,
    },
    /// This node is not in its own list of members.
    #[error(
        "{}: node: {node:?} is not among the members ({}): declare this node like the others",
        place(path, Some(*line)), members.join(", ")
    )]
    NotAMember {
        /// The file.
        path: PathBuf,
        /// The line that names the node, from 1.
        line: usize,
        /// This node's name.
        node: String,
        /// The members' names.
        members: Vec<String>,
    },
    /// An address has no host or no port.
    #[error(
        "{}: {field}: {address:?} is not an address: write host:port, ip:port or [ipv6]:port",
        place(path, Some(*line))
    )]
    Address {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The field.
        field: &'static str,
        /// Its value.
        address: String,
    },
    /// The durability is not of its form.
    #[error("{}: durability: {source}", place(path, Some(*line)))]
    Durability {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        source: CommitDurabilityError,
    },
    /// No call could be made.
    #[error(
        "{}: calls_max: it is 0, so that no client could call: choose 1 or more",
        place(path, Some(*line))
    )]
    NoCalls {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The environment's settings are not sound.
    #[error("{}: {source}", place(path, *line))]
    Unsound {
        /// The file.
        path: PathBuf,
        /// The line that sets the field, from 1; `None` if its default, or several fields together, are not
        /// sound.
        line: Option<usize>,
        /// What is wrong.
        source: ConfigError,
    },
}

fn place(path: &Path, line: Option<usize>) -> String {
    let path = path.display();
    line.map_or_else(|| path.to_string(), |line| format!("{path}:{line}"))
}
