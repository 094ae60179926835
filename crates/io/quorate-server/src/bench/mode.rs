use super::arguments::BenchArguments;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    /// Writes alone, next to whatever else is asked for.
    Writes,
    /// Reads and writes in the proportions of a workload.
    Workload,
    /// So many failovers.
    Failover(u32),
    /// A catch-up over so many entries.
    CatchUp(u64),
    /// A restart with so many entries to apply.
    Replay(u64),
    /// Reads next to those of a bare engine, and to commits.
    Reads,
    /// What a stopped replica costs.
    StoppedReplica,
    /// Logs of given lengths.
    History,
}

impl Mode {
    /// What is asked for. The arguments that name a mode exclude each other.
    pub(super) fn of(arguments: &BenchArguments) -> Self {
        let BenchArguments { failover, catch_up, replay, reads, stopped, history, workload, .. } = arguments;
        let named = [
            failover.failover.map(Self::Failover),
            catch_up.catch_up.map(Self::CatchUp),
            replay.replay.map(Self::Replay),
            reads.reads.then_some(Self::Reads),
            stopped.stopped_replica.then_some(Self::StoppedReplica),
            (!history.history.is_empty()).then_some(Self::History),
            workload.reads().then_some(Self::Workload),
        ];
        named.into_iter().flatten().next().unwrap_or(Self::Writes)
    }
}
