use super::CommandError;
use super::scan::tell_of_moments;
use crate::Encoding;
use crate::cli::{ExportArguments, RowFormat};
use crate::client::ScanQuery;
use crate::rows::{DirectorySink, JsonSink, RowError, RowSink, TsvSink};
use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write, stdout};
use std::path::Path;

/// Writes all rows of a database to a directory, a file or stdout.
pub(crate) async fn export(arguments: &ExportArguments) -> Result<(), CommandError> {
    let client = arguments.connection.client(None)?;
    let database = arguments.read.database.clone();
    let query = ScanQuery { database, consistency: arguments.read.consistency, ..ScanQuery::default() };
    let mut scan = client.scan(query).await?;
    let mut sink = open(arguments)?;
    let mut rows = 0_u64;
    while let Some((key, value)) = scan.next().await? {
        sink.add(&key, &value).map_err(failed)?;
        rows += 1;
    }
    sink.finish().map_err(failed)?;
    tell_of_moments(&scan, Encoding::from(arguments.encoding));
    eprintln!("{rows} rows exported");
    Ok(())
}

/// A file by its name: JSON lines, or else TSV.
pub(super) fn format_by_name(path: &Path) -> RowFormat {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("jsonl" | "json") => RowFormat::Jsonl,
        _ => RowFormat::Tsv,
    }
}

/// The place to write to, which must be new.
fn open(arguments: &ExportArguments) -> Result<Box<dyn RowSink + Send>, CommandError> {
    let path = arguments.target.as_path();
    let is_stream = path == Path::new("-");
    let format = arguments.format.unwrap_or_else(|| format_by_name(path));
    let refused = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => CommandError::Exists { path: path.to_owned() },
        _ => CommandError::system(format!("making {}", path.display()))(error),
    };
    if format == RowFormat::Directory {
        if is_stream {
            return Err(CommandError::DirectoryStream);
        }
        fs::create_dir(path).map_err(refused)?;
        return Ok(Box::new(DirectorySink::new(path.to_owned())));
    }
    let target: Box<dyn Write + Send> = if is_stream {
        Box::new(stdout())
    } else {
        Box::new(OpenOptions::new().write(true).create_new(true).open(path).map_err(refused)?)
    };
    let target = BufWriter::with_capacity(1 << 16, target);
    Ok(match format {
        RowFormat::Jsonl => Box::new(JsonSink::new(target)),
        _ => Box::new(TsvSink::new(target, Encoding::from(arguments.encoding))),
    })
}

/// Whoever reads the rows may stop at any time.
fn failed(error: RowError) -> CommandError {
    match error {
        RowError::Unwritable { source, .. } if source.kind() == io::ErrorKind::BrokenPipe => {
            CommandError::PipeClosed
        }
        error => CommandError::Row(error),
    }
}
