use super::CommandError;
use super::put::create;
use crate::Encoding;
use crate::cli::{ImportArguments, RowFormat};
use crate::client::{Change, Client};
use crate::rows::{DirectoryRows, JsonRows, Row, RowError, TsvRows};
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::io::{BufReader, IsTerminal, Read, stderr, stdin};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;
use tokio::task::{JoinSet, spawn_blocking};

/// A write takes this many rows, or so many bytes, whatever comes first.
const BATCH_ROWS_MAX: usize = 256;
const BATCH_BYTES_MAX: usize = 256 << 10;
/// How many batches wait for each writer.
const BATCHES_WAITING_MAX: usize = 1;

type Source = Box<dyn Iterator<Item = Result<Row, RowError>> + Send>;

/// Rows that are written together.
#[derive(Default)]
struct Batch {
    changes: Vec<Change>,
    bytes: usize,
    source_bytes: u64,
}

/// What all writers share.
#[derive(Clone)]
struct Importing {
    client: Client,
    written: Arc<AtomicU64>,
    progress: ProgressBar,
}

/// Writes rows from a directory, a file or stdin.
pub(crate) async fn import(arguments: &ImportArguments) -> Result<(), CommandError> {
    let client = arguments.connection.client(arguments.write.durability)?;
    let (source, bytes) = open(arguments)?;
    create(&client, &arguments.write).await?;
    let importing = Importing { client, written: Arc::default(), progress: progress(bytes) };
    let result = importing.run(source, arguments).await;
    let rows = importing.written.load(Ordering::Relaxed);
    importing.progress.finish_and_clear();
    match result {
        Ok(()) => {
            eprintln!("{rows} rows imported");
            Ok(())
        }
        Err(source) => Err(CommandError::Import { rows, source: Box::new(source) }),
    }
}

/// The rows, and how many bytes they are, where that is known.
fn open(arguments: &ImportArguments) -> Result<(Source, Option<u64>), CommandError> {
    let path = arguments.source.as_path();
    let is_stream = path == Path::new("-");
    let is_directory = !is_stream && path.is_dir();
    let by_name = if is_directory { RowFormat::Directory } else { super::export::format_by_name(path) };
    let format = arguments.format.unwrap_or(by_name);
    if format == RowFormat::Directory {
        if is_stream {
            return Err(CommandError::DirectoryStream);
        }
        return Ok((Box::new(DirectoryRows::new(path)?), None));
    }
    let failed = || CommandError::system(format!("reading {}", path.display()));
    let (text, bytes): (Box<dyn Read + Send>, _) = if is_stream {
        (Box::new(stdin()), None)
    } else {
        let bytes = fs::metadata(path).map_err(failed())?.len();
        (Box::new(File::open(path).map_err(failed())?), Some(bytes))
    };
    let text = BufReader::with_capacity(1 << 20, text);
    let source: Source = match format {
        RowFormat::Jsonl => Box::new(JsonRows::new(text)),
        _ => Box::new(TsvRows::new(text, Encoding::from(arguments.encoding))),
    };
    Ok((source, bytes))
}

/// A bar where somebody looks at it.
fn progress(bytes: Option<u64>) -> ProgressBar {
    if !stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = |template: &str| ProgressStyle::with_template(template).ok();
    let (bar, style) = match bytes {
        Some(bytes) => (
            ProgressBar::new(bytes),
            style("{bar:40} {bytes} of {total_bytes}, {binary_bytes_per_sec}, {eta} left"),
        ),
        None => (ProgressBar::no_length(), style("{spinner} {bytes}, {binary_bytes_per_sec}")),
    };
    match style {
        Some(style) => bar.with_style(style),
        None => bar,
    }
}

impl Importing {
    /// Rows with the same key go to the same writer, so that the last one of them stays.
    async fn run(&self, source: Source, arguments: &ImportArguments) -> Result<(), CommandError> {
        let (mut senders, mut writers) = (Vec::new(), JoinSet::new());
        for _ in 0..arguments.writers {
            let (sender, receiver) = mpsc::channel(BATCHES_WAITING_MAX);
            senders.push(sender);
            writers.spawn(self.clone().write(receiver));
        }
        let database = arguments.write.database.clone();
        let reading = spawn_blocking(move || distribute(source, &database, &senders));
        let mut result = Ok(());
        while let Some(ended) = writers.join_next().await {
            let ended = ended.map_err(|error| CommandError::system("writing")(error.into()));
            if let Err(error) = ended.and_then(|ended| ended)
                && result.is_ok()
            {
                result = Err(error);
            }
        }
        let read = reading.await.map_err(|error| CommandError::system("reading")(error.into()))?;
        result.and(read)
    }

    async fn write(self, mut batches: mpsc::Receiver<Batch>) -> Result<(), CommandError> {
        while let Some(batch) = batches.recv().await {
            let rows = batch.changes.len() as u64;
            self.client.write(batch.changes).await?;
            self.written.fetch_add(rows, Ordering::Relaxed);
            self.progress.inc(batch.source_bytes);
        }
        Ok(())
    }
}

/// Reads all rows and hands them out, on a thread where waiting hinders nobody. Ends early once a writer has.
fn distribute(source: Source, database: &str, writers: &[mpsc::Sender<Batch>]) -> Result<(), CommandError> {
    let random = RandomState::new();
    let mut batches: Vec<Batch> = writers.iter().map(|_| Batch::default()).collect();
    for row in source {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                hand_out_all(batches, writers);
                return Err(error.into());
            }
        };
        let writer = (random.hash_one(&row.key) % writers.len() as u64) as usize;
        let batch = &mut batches[writer];
        if batch.is_full_with(&row) && writers[writer].blocking_send(std::mem::take(batch)).is_err() {
            return Ok(());
        }
        batch.add(database, row);
    }
    hand_out_all(batches, writers);
    Ok(())
}

fn hand_out_all(batches: Vec<Batch>, writers: &[mpsc::Sender<Batch>]) {
    for (batch, writer) in batches.into_iter().zip(writers) {
        if !batch.changes.is_empty() {
            // A writer that has ended says itself why.
            let _ = writer.blocking_send(batch);
        }
    }
}

impl Batch {
    fn is_full_with(&self, row: &Row) -> bool {
        let bytes = self.bytes + row.key.len() + row.value.len();
        !self.changes.is_empty() && (self.changes.len() >= BATCH_ROWS_MAX || bytes > BATCH_BYTES_MAX)
    }

    fn add(&mut self, database: &str, row: Row) {
        self.bytes += row.key.len() + row.value.len();
        self.source_bytes += row.source_bytes;
        self.changes.push(Change { database: database.to_owned(), key: row.key, value: Some(row.value) });
    }
}
