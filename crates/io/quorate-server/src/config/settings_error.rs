use quorate::ConfigError;
use quorate_policy::CommitDurabilityError;
use std::io;
use std::path::PathBuf;

/// What is wrong with a node's settings. `place` is the file and the line, the flag, or the environment
/// variable that gives what is wrong.
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
    /// The file is not TOML, or has a field that is unknown or of another type.
    #[error("{place}: {detail}(`quorate node --help` shows an example)")]
    Malformed {
        /// Where.
        place: String,
        /// What is wrong, with the line.
        detail: String,
    },
    /// A flag or a variable is not of its form.
    #[error("{place}: {detail}")]
    Given {
        /// The flag or the variable.
        place: String,
        /// What is wrong.
        detail: String,
    },
    /// A setting is missing that has no default.
    #[error("{place}: {setting} is missing: set it there, by --{flag}, or by {variable}")]
    Missing {
        /// The file, or what there is in its stead.
        place: String,
        /// The setting.
        setting: &'static str,
        /// The flag that would give it.
        flag: String,
        /// The variable that would give it.
        variable: String,
    },
    /// This node is not in its own list of members.
    #[error(
        "{place}: node: {node:?} is not among the members ({}): declare this node like the others",
        members.join(", ")
    )]
    NotAMember {
        /// Where the node is named.
        place: String,
        /// This node's name.
        node: String,
        /// The members' names.
        members: Vec<String>,
    },
    /// An address has no host or no port.
    #[error("{place}: {field}: {address:?} is not an address: write host:port, ip:port or [ipv6]:port")]
    Address {
        /// Where.
        place: String,
        /// The field.
        field: &'static str,
        /// Its value.
        address: String,
    },
    /// The durability is not of its form.
    #[error("{place}: durability: {source}")]
    Durability {
        /// Where.
        place: String,
        /// What is wrong.
        source: CommitDurabilityError,
    },
    /// The consistency is not of its form, or names one commit.
    #[error("{place}: consistency: {consistency:?} is none: write any, linearizable, or time:500ms")]
    Consistency {
        /// Where.
        place: String,
        /// Its value.
        consistency: String,
    },
    /// No call could be made.
    #[error("{place}: calls_max: it is 0, so that no client could call: choose 1 or more")]
    NoCalls {
        /// Where.
        place: String,
    },
    /// The largest write could never be made.
    #[error(
        "{place}: requests_bytes_max: {bytes} bytes are too few for the largest write: choose {needed} or \
        more, or lower \
         value_bytes_max"
    )]
    Requests {
        /// Where.
        place: String,
        /// The setting.
        bytes: usize,
        /// What the largest write takes.
        needed: usize,
    },
    /// The environment's settings are not sound.
    #[error("{place}: {source}")]
    Unsound {
        /// Where the field is set, or the file if its default, or several fields together, are not sound.
        place: String,
        /// What is wrong.
        source: ConfigError,
    },
}
