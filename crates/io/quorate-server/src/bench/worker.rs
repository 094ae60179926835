use super::disk;
use super::engine_limit;
use super::floor::{self, Leader};
use super::history;
use super::host::{Host, HostError};
use super::job::Job;
use serde::Serialize;
use serde_json::Value;
use std::io::{self, BufRead, Write, stdin, stdout};

/// The benchmark's own process: it does one job after the other.
#[derive(Default)]
pub(super) struct Worker {
    host: Option<Host>,
    leader: Option<Leader>,
}

/// Why a job was not done. It is told to the benchmark as text.
#[derive(Debug, thiserror::Error)]
enum JobError {
    #[error("{0}")]
    Host(Box<HostError>),
    #[error(transparent)]
    Engine(#[from] engine_limit::EngineLimitError),
    #[error(transparent)]
    History(#[from] history::HistoryError),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("no node is open in this process")]
    NoNode,
    #[error("this process leads no bare loop")]
    NoLoop,
    #[error("the job is not understood: {0}")]
    Job(#[from] serde_json::Error),
}

impl Worker {
    /// Takes jobs from standard input until it ends, and answers each on standard output.
    pub(super) fn serve(mut self) -> io::Result<()> {
        let mut out = stdout().lock();
        for line in stdin().lock().lines() {
            let outcome = self.take(&line?).map_err(|error| error.to_string());
            serde_json::to_writer(&mut out, &outcome)?;
            out.write_all(b"\n")?;
            out.flush()?;
        }
        Ok(())
    }

    fn take(&mut self, line: &str) -> Result<Value, JobError> {
        match serde_json::from_str(line)? {
            Job::OpenNode(job) => {
                self.host = Some(Host::open(job)?);
                answer(())
            }
            Job::SayWhetherLeading(_) => answer(self.host()?.leads()),
            Job::LoadNode(job) => answer(self.host()?.load(&job.0)?),
            Job::FillNode(job) => answer(self.host()?.fill(job)?),
            Job::RunWorkload(job) => answer(self.host()?.run_workload(&job)?),
            Job::AwaitWrite(job) => {
                self.host()?.await_write(&job.token)?;
                answer(())
            }
            Job::CountApplied(_) => answer(self.host()?.count_applied()),
            Job::Follow(job) => answer(floor::follow(&job.directory)?),
            Job::Lead(job) => {
                self.leader = Some(Leader::start(&job.directory, &job.followers)?);
                answer(())
            }
            Job::LoadLoop(job) => answer(self.leader.as_mut().ok_or(JobError::NoLoop)?.load(&job.0)?),
            Job::Apply(job) => answer(engine_limit::apply(&job)?),
            Job::SyncDisk(job) => answer(disk::measure(&job.directory, job.span)?),
            Job::ReadLocal(job) => answer(self.host()?.read_local(&job)?),
            Job::WriteLog(job) => answer(history::write(&job)?),
            Job::OpenLog(job) => answer(history::open(&job)?),
        }
    }

    fn host(&self) -> Result<&Host, JobError> {
        self.host.as_ref().ok_or(JobError::NoNode)
    }
}

impl From<HostError> for JobError {
    fn from(error: HostError) -> Self {
        Self::Host(Box::new(error))
    }
}

fn answer<T: Serialize>(answer: T) -> Result<Value, JobError> {
    Ok(serde_json::to_value(answer)?)
}
