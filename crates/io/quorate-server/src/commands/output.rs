use super::CommandError;
use std::io::{self, BufWriter, IsTerminal, Write};

/// What a command prints. Whoever reads it may stop at any time.
pub(super) struct Output {
    sink: BufWriter<Box<dyn Write + Send>>,
    is_terminal: bool,
}

impl Output {
    pub(super) fn stdout() -> Self {
        let stdout = io::stdout();
        let is_terminal = stdout.is_terminal();
        Self { sink: BufWriter::new(Box::new(stdout)), is_terminal }
    }

    /// Whether somebody looks at it.
    pub(super) const fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), CommandError> {
        self.sink.write_all(bytes).map_err(failed)
    }

    pub(super) fn line(&mut self, text: impl AsRef<[u8]>) -> Result<(), CommandError> {
        self.write(text.as_ref())?;
        self.write(b"\n")
    }

    /// Hands on what was written so far.
    pub(super) fn flush(&mut self) -> Result<(), CommandError> {
        self.sink.flush().map_err(failed)
    }

    pub(super) fn finish(mut self) -> Result<(), CommandError> {
        self.flush()
    }
}

fn failed(error: io::Error) -> CommandError {
    CommandError::system("writing the output")(error)
}
