use super::BenchError;
use super::job::{Ask, Job};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// A [`Worker`](super::worker::Worker) in a process of its own. Dropping it ends the process.
pub(super) struct WorkerProcess {
    who: String,
    child: Child,
    orders: ChildStdin,
    answers: UnboundedReceiver<io::Result<String>>,
}

impl WorkerProcess {
    /// Starts a process, called `who` where it fails. Ctrl-C does not reach it: it ends with its input.
    pub(super) fn start(who: impl Into<String>) -> Result<Self, BenchError> {
        let failed = BenchError::system;
        let program = std::env::current_exe().map_err(failed("finding this program"))?;
        let mut child = Command::new(program)
            .arg("bench-node")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed("starting a process"))?;
        let (Some(orders), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(failed("starting a process")(io::ErrorKind::BrokenPipe.into()));
        };
        let (sender, answers) = unbounded_channel();
        thread::spawn(move || hear(output, &sender));
        Ok(Self { who: who.into(), child, orders, answers })
    }

    /// Starts `count` processes, each called `who` with its number.
    pub(super) fn start_many(who: &str, count: u32) -> Result<Vec<Self>, BenchError> {
        (1..=count).map(|number| Self::start(format!("{who} {number}"))).collect()
    }

    /// The process's number.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends the process at once, as `kill -9` does.
    pub(super) fn end(&mut self) -> Result<(), BenchError> {
        self.child
            .kill()
            .and_then(|()| self.child.wait())
            .map(drop)
            .map_err(BenchError::system("ending a process"))
    }

    /// Sends the process a signal.
    pub(super) fn signal(&self, signal: Signal) -> Result<(), BenchError> {
        kill_process(Pid::from_child(&self.child), signal)
            .map_err(|error| BenchError::system("signalling a process")(error.into()))
    }

    /// Has a job done and waits for the answer.
    pub(super) async fn ask<A: Ask>(&mut self, job: A) -> Result<A::Answer, BenchError> {
        self.order(job)?;
        self.answer::<A>().await
    }

    /// Has a job begun. Its answer is to be taken with [`answer`](Self::answer).
    pub(super) fn order<A: Ask>(&mut self, job: A) -> Result<(), BenchError> {
        let job: Job = job.into();
        let mut line = serde_json::to_vec(&job)?;
        line.push(b'\n');
        // A process that has ended cannot be written to; the missing answer says so better.
        let _ = self.orders.write_all(&line).and_then(|()| self.orders.flush());
        Ok(())
    }

    /// The answer to a job that was begun.
    pub(super) async fn answer<A: Ask>(&mut self) -> Result<A::Answer, BenchError> {
        let Some(line) = self.answers.recv().await else { return Err(self.death()) };
        let line = line.map_err(BenchError::system("hearing a process"))?;
        let answer: Result<A::Answer, String> = serde_json::from_str(&line)?;
        answer.map_err(|detail| BenchError::Worker { who: self.who.clone(), detail })
    }

    fn death(&mut self) -> BenchError {
        match self.child.wait() {
            Ok(status) => BenchError::WorkerDied { who: self.who.clone(), status },
            Err(error) => BenchError::system("looking after a process")(error),
        }
    }
}

/// Has all of them do a job at once, and waits for all answers.
pub(super) async fn ask_all<A: Ask>(
    workers: &mut [WorkerProcess],
    mut job: impl FnMut(usize) -> A,
) -> Result<Vec<A::Answer>, BenchError> {
    for (index, worker) in workers.iter_mut().enumerate() {
        worker.order(job(index))?;
    }
    let mut answers = Vec::with_capacity(workers.len());
    for worker in workers {
        answers.push(worker.answer::<A>().await?);
    }
    Ok(answers)
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        let ended = self.child.kill().and_then(|()| self.child.wait());
        if let Err(error) = ended {
            eprintln!("the process of {} could not be ended: {error}", self.who);
        }
    }
}

/// Passes on what a process says, until it has nothing more to say or nobody listens.
fn hear(output: ChildStdout, listener: &UnboundedSender<io::Result<String>>) {
    for line in BufReader::new(output).lines() {
        if listener.send(line).is_err() {
            return;
        }
    }
}
