use super::{ConnectionArguments, ReadArguments, WriteArguments};
use clap::{Args, ValueEnum};
use std::ffi::OsString;
use std::path::PathBuf;

/// How keys and values are written on the command line, in files and on the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Args)]
pub struct EncodingArguments {
    /// Keys and values are hexadecimal digits.
    #[arg(long, conflicts_with = "base64")]
    pub hex: bool,
    /// Keys and values are Base64.
    #[arg(long)]
    pub base64: bool,
}

/// How to set a key.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct PutArguments {
    /// The key.
    pub key: OsString,
    /// Its value. Without it the value is read from stdin, byte for byte.
    pub value: Option<OsString>,
    /// Where to write.
    #[command(flatten)]
    pub write: WriteArguments,
    /// How keys and values are written.
    #[command(flatten)]
    pub encoding: EncodingArguments,
    /// Which group.
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

/// How to read a key.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct GetArguments {
    /// The key.
    pub key: OsString,
    /// Print a JSON object with key, value and the token of what the read has seen.
    #[arg(long)]
    pub json: bool,
    /// Where to read.
    #[command(flatten)]
    pub read: ReadArguments,
    /// How keys and values are written.
    #[command(flatten)]
    pub encoding: EncodingArguments,
    /// Which group.
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

/// How to remove a key.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct DelArguments {
    /// The key.
    pub key: OsString,
    /// Where to write.
    #[command(flatten)]
    pub write: WriteArguments,
    /// How keys and values are written.
    #[command(flatten)]
    pub encoding: EncodingArguments,
    /// Which group.
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

/// How to read a range of keys.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct ScanArguments {
    /// The first key, inclusive.
    #[arg(long, value_name = "KEY", conflicts_with = "prefix")]
    pub start: Option<OsString>,
    /// The last key, exclusive.
    #[arg(long, value_name = "KEY", conflicts_with = "prefix")]
    pub end: Option<OsString>,
    /// Only keys that begin so.
    #[arg(long, value_name = "KEY")]
    pub prefix: Option<OsString>,
    /// From the last key to the first.
    #[arg(long)]
    pub reverse: bool,
    /// How many rows to print at most.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub limit: Option<u64>,
    /// Print a JSON object per row instead of key, tab, value.
    #[arg(long)]
    pub json: bool,
    /// Where to read.
    #[command(flatten)]
    pub read: ReadArguments,
    /// How keys and values are written.
    #[command(flatten)]
    pub encoding: EncodingArguments,
    /// Which group.
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

/// How to carry out a script as one transaction.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct TxnArguments {
    /// The script. Without it, it is read from stdin.
    #[arg(long, value_name = "PATH")]
    pub file: Option<PathBuf>,
    /// Print one JSON object instead of a line per result.
    #[arg(long)]
    pub json: bool,
    /// Where to write.
    #[command(flatten)]
    pub write: WriteArguments,
    /// How keys and values are written.
    #[command(flatten)]
    pub encoding: EncodingArguments,
    /// Which group.
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

/// How rows lie in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RowFormat {
    /// A file per row: its relative path is the key, its content the value.
    Directory,
    /// A line per row: key, tab, value.
    Tsv,
    /// A JSON object per line: "key" and "value", or "key_base64" and "value_base64" for what is no text.
    Jsonl,
}

/// How to write many rows.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct ImportArguments {
    /// The directory or file; `-` is stdin.
    #[arg(value_name = "PATH", default_value = "-")]
    pub source: PathBuf,
    /// How the rows lie there. Without it: a directory is one, a name that ends in .jsonl or .json is JSON
    /// lines, all else is TSV.
    #[arg(long, value_enum)]
    pub format: Option<RowFormat>,
    /// How many writes are under way at a time.
    #[arg(long, value_name = "N", default_value_t = 16)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=256))]
    pub writers: u16,
    /// Where to write.
    #[command(flatten)]
    pub write: WriteArguments,
    /// How keys and values are written.
    #[command(flatten)]
    pub encoding: EncodingArguments,
    /// Which group.
    #[command(flatten)]
    pub connection: ConnectionArguments,
}

/// How to read all rows of a database.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct ExportArguments {
    /// The directory or file, which must not exist; `-` is stdout.
    #[arg(value_name = "PATH", default_value = "-")]
    pub target: PathBuf,
    /// How to lay the rows down there. Without it: JSON lines for a name that ends in .jsonl or .json, else
    /// TSV.
    #[arg(long, value_enum)]
    pub format: Option<RowFormat>,
    /// Where to read.
    #[command(flatten)]
    pub read: ReadArguments,
    /// How keys and values are written.
    #[command(flatten)]
    pub encoding: EncodingArguments,
    /// Which group.
    #[command(flatten)]
    pub connection: ConnectionArguments,
}
