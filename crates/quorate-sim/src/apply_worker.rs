//! A node's apply thread: committed entries go into the engine, in order.

use crate::checker::Checker;
use crate::process::{Completion, Stop};
use quorate_core::{Batch, NodeId};
use quorate_env::Applier;
use quorate_replica::Input;
use std::collections::VecDeque;

/// Something for the apply thread to do.
#[derive(Debug)]
pub(crate) enum ApplyJob {
    Apply(Batch),
    Flush,
}

/// The engine and what waits for it.
pub(crate) struct ApplyWorker {
    node: NodeId,
    applier: Applier,
    queue: VecDeque<ApplyJob>,
}

impl ApplyWorker {
    pub(crate) const fn new(node: NodeId, applier: Applier) -> Self {
        Self { node, applier, queue: VecDeque::new() }
    }

    pub(crate) fn push(&mut self, job: ApplyJob) {
        self.queue.push_back(job);
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Does what is next, several batches in one step, and says what to tell the node.
    pub(crate) fn step(&mut self, checker: &mut Checker) -> Result<Option<Completion>, Stop> {
        let mut batches = Vec::new();
        while let Some(ApplyJob::Apply(_)) = self.queue.front()
            && let Some(ApplyJob::Apply(batch)) = self.queue.pop_front()
        {
            checker.applying(self.node, &batch)?;
            batches.push(batch);
        }
        if !batches.is_empty() {
            return self.apply(&batches).map(Some);
        }
        if let Some(ApplyJob::Flush) = self.queue.pop_front() {
            let durable = self.applier.checkpoint().map_err(Stop::failed)?;
            return Ok(Some(Input::EngineFlushed { durable: durable.map(|entry| entry.vlsn) }.into()));
        }
        Ok(None)
    }

    fn apply(&mut self, batches: &[Batch]) -> Result<Completion, Stop> {
        let applied = self.applier.apply_run(batches).map_err(Stop::failed)?;
        let bytes = batches.iter().map(Batch::bytes).sum();
        let last = batches[batches.len() - 1].last().vlsn;
        let results = applied.first.map(|first| (first, applied.results));
        Ok(Completion { input: Input::Applied { last, bytes }, results })
    }
}
