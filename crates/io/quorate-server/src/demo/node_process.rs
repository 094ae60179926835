use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

/// How much of a node's log is shown when it has died, in bytes.
const LOG_TAIL_BYTES: usize = 2_000;

/// A `quorate node` that this process has started. Dropping it kills it.
#[derive(Debug)]
pub struct NodeProcess {
    name: String,
    program: PathBuf,
    launcher: Vec<String>,
    directory: PathBuf,
    running: Killer,
}

/// Kills a node's process, from any thread.
#[derive(Clone, Debug)]
pub struct Killer(Arc<Mutex<Option<Child>>>);

impl NodeProcess {
    /// A node that is not running yet, whose files lie in `directory`: its configuration (`node.toml`), its
    /// log (`node.log`) and its data.
    ///
    /// # Errors
    /// If the directory or the configuration cannot be written.
    pub fn prepare(program: &Path, directory: PathBuf, name: &str, config: &str) -> io::Result<Self> {
        fs::create_dir_all(&directory)?;
        fs::write(directory.join("node.toml"), config)?;
        let running = Killer(Arc::new(Mutex::new(None)));
        let (name, program, launcher) = (name.to_owned(), program.to_owned(), Vec::new());
        Ok(Self { name, program, launcher, directory, running })
    }

    /// The node, to be started by a command that becomes the program whose path and arguments follow its own:
    /// one that runs it in a network namespace, say.
    #[must_use]
    pub fn launched_by(mut self, launcher: Vec<String>) -> Self {
        self.launcher = launcher;
        self
    }

    /// The node's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The node's directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Where a node of this directory keeps its data.
    #[must_use]
    pub fn data_directory(directory: &Path) -> PathBuf {
        directory.join("data")
    }

    /// Starts the process. Its log is appended to.
    ///
    /// # Errors
    /// If the program cannot be run.
    pub fn start(&self) -> io::Result<()> {
        let log = OpenOptions::new().create(true).append(true).open(self.log_path())?;
        let child = self
            .command()
            .args(["node", "--config"])
            .arg(self.directory.join("node.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        *self.running.lock() = Some(child);
        Ok(())
    }

    /// What kills this node's process.
    #[must_use]
    pub fn killer(&self) -> Killer {
        self.running.clone()
    }

    /// The running process's number.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.running.lock().as_ref().map(Child::id)
    }

    /// Sends a signal to the process.
    ///
    /// # Errors
    /// If there is none any more.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        let running = self.running.lock();
        match running.as_ref().and_then(|child| Pid::from_raw(i32::try_from(child.id()).ok()?)) {
            Some(pid) => Ok(kill_process(pid, signal)?),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "the process has ended")),
        }
    }

    /// How the process has ended, if it has.
    ///
    /// # Errors
    /// If the operating system does not say.
    pub fn ended(&self) -> io::Result<Option<ExitStatus>> {
        let mut running = self.running.lock();
        let Some(child) = running.as_mut() else { return Ok(None) };
        let status = child.try_wait()?;
        if status.is_some() {
            *running = None;
        }
        Ok(status)
    }

    /// The end of the node's log.
    #[must_use]
    pub fn log_tail(&self) -> String {
        let log = fs::read(self.log_path()).unwrap_or_default();
        let tail = &log[log.len().saturating_sub(LOG_TAIL_BYTES)..];
        String::from_utf8_lossy(tail).into_owned()
    }

    fn command(&self) -> Command {
        let Some((first, rest)) = self.launcher.split_first() else { return Command::new(&self.program) };
        let mut command = Command::new(first);
        command.args(rest).arg(&self.program);
        command
    }

    fn log_path(&self) -> PathBuf {
        self.directory.join("node.log")
    }
}

impl Drop for NodeProcess {
    fn drop(&mut self) {
        if let Err(error) = self.running.kill_and_reap() {
            tracing::warn!(node = self.name, %error, "the node's process could not be ended");
        }
    }
}

impl Killer {
    /// `kill -9`: the process gets no chance to do anything more. It is still to be reaped.
    ///
    /// # Errors
    /// If the operating system refuses, or the node is not running.
    pub fn kill(&self) -> io::Result<()> {
        match self.lock().as_mut() {
            Some(child) => child.kill(),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "the process has ended")),
        }
    }

    /// Kills the process, if it runs, and waits until it is gone.
    ///
    /// # Errors
    /// If the operating system refuses.
    pub fn kill_and_reap(&self) -> io::Result<()> {
        let Some(mut child) = self.lock().take() else { return Ok(()) };
        child.kill()?;
        child.wait().map(drop)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
