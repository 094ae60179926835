//! A node's configuration, from its text to the node that it describes.

use super::memory;
use crate::{Seed, Signature, Target};
use clap::Parser;
use quorate::{OpenError, RepConfig, WriteBatch};
use quorate_codec::DatabaseId;
use quorate_log::DirectoryLock;
use quorate_log::vfs::MemoryVfs;
use quorate_server::{
    Cli, Command, GivenSettings, NodeSettings, QuorateService, RequestBudget, SettingsError,
};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use tempfile::NamedTempFile;

pub(super) const SETTINGS: Target = Target::plain(
    "settings",
    "a node's file and flags: refused with the place named, or what they describe opens and serves",
    run,
    seeds,
);

const DIRECTORY: &str = "node";
/// What stands between the file and each flag.
const SEPARATOR: u8 = 0;
/// So many flags are looked at.
const FLAGS_MAX: usize = 8;

fn run(input: &[u8]) -> Signature {
    let mut parts = input.split(|byte| *byte == SEPARATOR);
    let text = parts.next().unwrap_or_default();
    let flags: Vec<_> = parts.take(FLAGS_MAX).map(String::from_utf8_lossy).collect();
    let Some(given) = given(&flags) else { return Signature::new().word("no flags") };
    let file = file_of(text);
    match NodeSettings::read(Some(file.path()), &given) {
        Err(error) => refused(&error, file.path(), text, &given),
        Ok(settings) => match check(&settings) {
            Some(error) => refused(&error, file.path(), text, &given),
            None => serve(&settings),
        },
    }
}

/// What flags say, if they are flags.
fn given(flags: &[impl AsRef<str>]) -> Option<GivenSettings> {
    if flags.is_empty() {
        return Some(GivenSettings::default());
    }
    let flags = flags.iter().map(|flag| format!("--{}", flag.as_ref()));
    let words = ["quorate", "node"].map(str::to_owned).into_iter().chain(flags);
    match Cli::try_parse_from(words).ok()?.command {
        Command::Node(arguments) => Some(arguments.given),
        _ => None,
    }
}

fn file_of(text: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("this machine has room for a file");
    file.write_all(text).expect("this machine has room for a file");
    file
}

/// A refusal is the same every time, and names the file and a line that it has, unless it names a flag.
fn refused(error: &SettingsError, path: &Path, text: &[u8], given: &GivenSettings) -> Signature {
    let words = error.to_string();
    let path = path.to_str().expect("names of temporary files are text");
    if *given == GivenSettings::default() {
        let behind = words.strip_prefix(path).unwrap_or_else(|| panic!("{words}: names the file first"));
        let line =
            behind.strip_prefix(':').and_then(|behind| behind.split(':').next()?.parse::<usize>().ok());
        let lines = text.split(|byte| *byte == b'\n').count();
        assert!(line.is_none_or(|line| (1..=lines).contains(&line)), "{words}: there are {lines} lines");
    }
    // Lines with a bar show the file.
    let own: String = words.lines().filter(|line| !line.contains('|')).collect();
    Signature::new().message(&own.replace(path, ""))
}

/// What is found wrong when the environment is opened, before anything is touched.
fn check(settings: &NodeSettings) -> Option<SettingsError> {
    let disk = MemoryVfs::new();
    let _in_use = DirectoryLock::acquire(&disk, Path::new(DIRECTORY)).expect("the disk in memory has room");
    let config = RepConfig { data_dir: Some(DIRECTORY.into()), ..settings.environment.clone() };
    match memory::open(config, &disk, memory::nobody()) {
        Err(OpenError::Config(error)) => Some(settings.unsound(error)),
        Err(OpenError::InUse { .. }) => None,
        Err(error) => panic!("neither sound nor unsound: {error}"),
        Ok(_) => panic!("a directory in use was opened"),
    }
}

/// Opens the node, and asks something of it.
fn serve(settings: &NodeSettings) -> Signature {
    let config = RepConfig {
        data_dir: Some(DIRECTORY.into()),
        // The disk in memory is small.
        segment_bytes: settings.environment.segment_bytes.min(64 << 10),
        ..settings.environment.clone()
    };
    let environment = memory::open(config, &MemoryVfs::new(), memory::nobody());
    let environment = Arc::new(environment.expect("a sound configuration opens"));
    let service = QuorateService::new(Arc::clone(&environment), settings);
    let _budget = RequestBudget::new(settings.requests_bytes_max, service.message_bytes_max());
    let mut batch = WriteBatch::new();
    batch.put(DatabaseId::new(1), b"key", b"value");
    let (write, read) = (environment.write(&batch, None), environment.read(None));
    memory::assert_serves(&environment);
    drop((write, read));
    environment.kill();
    let members = settings.environment.members.len() as u64;
    Signature::new().word("sound").magnitude(members).shape(&settings.environment.engine)
}

const EXAMPLE: &str = include_str!("../../../io/quorate-server/src/config/example.toml");

fn seeds() -> Vec<Seed> {
    let small = "group = \"g\"\nnode = \"a\"\nclient = \"[::1]:0\"\ndata_dir = \"/d\"\n\
                 [[members]]\nname = \"a\"\naddress = \"h:7\"\n";
    let flags =
        "group=g\0node=a\0client=h:0\0data-dir=/d\0members=a=h:7;client=h:1;priority=2,b=h:8;type=secondary";
    vec![
        Seed::new("example", EXAMPLE),
        Seed::new("everything-set", uncommented(EXAMPLE)),
        Seed::new("small", small),
        Seed::new("greatest-numbers", greatest_numbers(EXAMPLE)),
        Seed::new("flags", [small, "\0ack-timeout-ms=7\0quorum-write=1\0writes-forward=false"].concat()),
        Seed::new("only-flags", ["\0", flags].concat()),
    ]
}

/// The example with limits and times that have no end.
fn greatest_numbers(example: &str) -> String {
    let sizes = ["window_bytes_max", "apply_lag_bytes_max", "connections_max", "requests_bytes_max"];
    let times = ["election_timeout_ms", "ack_timeout_ms", "read_timeout_ms", "engine_flush_interval_ms"];
    let greatest = |name: &str| format!("{name} = {}\n", i64::MAX);
    let (sizes, times) = (sizes.map(greatest).concat(), times.map(greatest).concat());
    format!("{example}[limits]\n{sizes}[timeouts]\n{times}")
}

/// The example with all that it shows as a default set.
fn uncommented(example: &str) -> String {
    let lines = example.lines().map(|line| line.strip_prefix("# ").unwrap_or(line).to_owned() + "\n");
    lines.collect::<String>().replace("The rest may", "#")
}
