use super::CommandError;
use super::output::Output;
use crate::cli::LogVerifyArguments;
use quorate_log::{InspectedSegment, LogInspection};
use serde_json::json;

/// What was found in all of the log.
#[derive(Default)]
struct Found {
    segments: usize,
    entries: u64,
    first: Option<u64>,
    last: Option<u64>,
    torn_bytes: u64,
    damages: Vec<String>,
}

/// Reads all of the log and reports each damage.
pub(super) fn run(arguments: &LogVerifyArguments) -> Result<(), CommandError> {
    let log = LogInspection::open(&arguments.data_dir)?;
    let mut found = Found::default();
    for segment in log.segments() {
        found.take(&segment.read()?, segment.file_name());
    }
    let mut output = Output::stdout();
    if arguments.json {
        output.line(found.json())?;
    } else {
        found.print(&mut output)?;
    }
    output.finish()?;
    match found.damages.len() {
        0 => Ok(()),
        damages => Err(CommandError::Damaged { damages }),
    }
}

impl Found {
    fn take(&mut self, segment: &InspectedSegment, name: &str) {
        self.segments += 1;
        self.entries += segment.count();
        let (first, last) =
            (segment.first().map(|vlsn| vlsn.as_u64()), segment.last().map(|vlsn| vlsn.as_u64()));
        self.first = self.first.or(first);
        self.last = last.or(self.last);
        self.torn_bytes += segment.torn_bytes();
        let damages = segment.damaged().iter().map(|range| match range.first == range.last {
            true => format!("{name}: entry {} is damaged", range.first),
            false => format!("{name}: entries {} to {} are damaged", range.first, range.last),
        });
        self.damages.extend(damages);
        if segment.lost_durable_end() {
            self.damages.push(format!("{name}: entries that had been durable are missing from the end"));
        }
        if segment.is_beyond_recognition() {
            self.damages.push(format!("{name}: damaged beyond recognition"));
        }
    }

    fn print(&self, output: &mut Output) -> Result<(), CommandError> {
        for damage in &self.damages {
            output.line(damage)?;
        }
        let range = match (self.first, self.last) {
            (Some(first), Some(last)) => format!("entries {first} to {last}"),
            _ => "no entry".to_owned(),
        };
        let torn = match self.torn_bytes {
            0 => String::new(),
            bytes => format!("; {bytes} bytes of an unfinished write at the end, which is no damage"),
        };
        output.line(format!("{} segments, {range}; damaged: {}{torn}", self.segments, self.damages.len()))
    }

    fn json(&self) -> String {
        json!({
            "segments": self.segments,
            "entries": self.entries,
            "first": self.first,
            "last": self.last,
            "torn_bytes": self.torn_bytes,
            "damages": self.damages,
        })
        .to_string()
    }
}
