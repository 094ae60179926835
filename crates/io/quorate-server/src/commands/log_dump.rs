use super::CommandError;
use super::output::Output;
use crate::cli::LogDumpArguments;
use quorate::Vlsn;
use quorate_codec::Envelope;
use quorate_log::{InspectedEntry, LogInspection};
use serde_json::json;

/// Prints a line for each entry.
pub(super) fn run(arguments: &LogDumpArguments) -> Result<(), CommandError> {
    let log = LogInspection::open(&arguments.data_dir)?;
    let mut output = Output::stdout();
    let mut left = arguments.limit.unwrap_or(u64::MAX);
    let from = Vlsn::new(arguments.from).unwrap_or(Vlsn::FIRST);
    for segment in log.segments() {
        for entry in segment.read()?.entries() {
            if entry.vlsn < from {
                continue;
            }
            if left == 0 {
                return output.finish();
            }
            left -= 1;
            output.line(if arguments.json { as_json(&entry) } else { as_text(&entry) })?;
        }
    }
    output.finish()
}

fn as_text(entry: &InspectedEntry<'_>) -> String {
    let Some(header) = &entry.header else { return format!("{}\tDAMAGED: header unreadable", entry.vlsn) };
    let envelope = entry.payload.and_then(|payload| Envelope::decode(payload).ok());
    let kind = envelope.map_or_else(|| format!("{:?}", header.kind), |found| format!("{:?}", found.kind));
    let session = envelope
        .and_then(|found| found.session)
        .map_or_else(|| "-".to_owned(), |session| format!("{:032x}/{}", session.client, session.sequence));
    let check = if entry.payload.is_some() { "ok" } else { "DAMAGED: payload" };
    format!(
        "{}\tterm {}\t{kind}\t{} us\t{} bytes\tsession {session}\tchecksum {:08x}\t{check}",
        entry.vlsn, header.id.term, header.timestamp_micros, header.payload_bytes, header.checksum
    )
}

fn as_json(entry: &InspectedEntry<'_>) -> String {
    let Some(header) = &entry.header else {
        return json!({ "vlsn": entry.vlsn.as_u64(), "damaged": "header" }).to_string();
    };
    let envelope = entry.payload.and_then(|payload| Envelope::decode(payload).ok());
    let session = envelope
        .and_then(|found| found.session)
        .map(|session| json!({ "client": format!("{:032x}", session.client), "sequence": session.sequence }));
    json!({
        "vlsn": entry.vlsn.as_u64(),
        "term": header.id.term.to_string(),
        "kind": format!("{:?}", header.kind),
        "payload": envelope.map(|found| format!("{:?}", found.kind)),
        "timestamp_micros": header.timestamp_micros,
        "payload_bytes": header.payload_bytes,
        "checksum": format!("{:08x}", header.checksum),
        "session": session,
        "damaged": entry.payload.is_none().then_some("payload"),
    })
    .to_string()
}
