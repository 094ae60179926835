use super::event::Event;
use super::mailbox::Mailbox;
use super::receive::{receive, receive_within};
use crate::kill_switch::KillSwitch;
use crate::tally::Tally;
use crossbeam_channel::{Receiver, RecvTimeoutError};
use metrics::Histogram;
use quorate_core::{Batch, LogError, LogStore, Requirement, Vlsn};
use quorate_replica::Input;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What the log writer is to do, in order.
pub(crate) enum LogCommand {
    Append {
        batch: Batch,
        sync: bool,
        epoch: u64,
    },
    Sync {
        epoch: u64,
    },
    Truncate {
        keep: Option<Vlsn>,
        epoch: u64,
    },
    Repair {
        batch: Batch,
    },
    Trim {
        through: Vlsn,
    },
    /// Say what is damaged, then that this read met it.
    TellDamage {
        read: Input,
    },
}

/// The only one to write to the log. While it syncs one group of entries, the next one gathers in its queue.
pub(crate) struct LogWriter {
    log: Box<dyn LogStore>,
    commands: Receiver<LogCommand>,
    events: Mailbox,
    kill_switch: KillSwitch,
    tally: Arc<Tally>,
    sync_seconds: Histogram,
    batches: Vec<Batch>,
    /// A command that ended the last group.
    held: Option<LogCommand>,
    /// The log has something to do ahead of need.
    wants_preparation: bool,
    /// Bytes appended since the log last did some of it.
    bytes_unprepared: usize,
}

/// Batches that are written together, for the next sync.
#[derive(Clone, Copy, Default)]
struct Group {
    sync: bool,
    epoch: u64,
    bytes: usize,
    /// Some entry counts once it is written.
    has_relaxed_entry: bool,
}

/// A group ends once it has so many bytes.
const GROUP_BYTES_MAX: usize = 8 << 20;
/// The log prepares for what comes once nothing has come for so long: a step may take a millisecond, for
/// which a write that comes meanwhile has to wait.
const IDLE_BEFORE_PREPARING: Duration = Duration::from_millis(20);
/// Under a load without pauses it does a step every so many bytes, fewer than a step makes room for, so that no
/// segment has to be made at once.
const BYTES_PER_PREPARATION: usize = 192 << 10;

impl LogWriter {
    pub(crate) const fn new(
        log: Box<dyn LogStore>,
        commands: Receiver<LogCommand>,
        events: Mailbox,
        kill_switch: KillSwitch,
        tally: Arc<Tally>,
        sync_seconds: Histogram,
    ) -> Self {
        Self {
            log,
            commands,
            events,
            kill_switch,
            tally,
            sync_seconds,
            batches: Vec::new(),
            held: None,
            wants_preparation: true,
            bytes_unprepared: 0,
        }
    }

    /// Carries out commands until their sender is gone, then syncs the log and closes it. Once the
    /// kill switch is pulled it does no more of either.
    pub(crate) fn run(mut self) -> Result<(), LogError> {
        let outcome = self.serve();
        if let Err(error) = &outcome {
            self.report(Input::Failed { reason: error.to_string() });
        }
        outcome
    }

    fn serve(&mut self) -> Result<(), LogError> {
        while let Some(command) = self.next()?.filter(|_| !self.kill_switch.is_pulled()) {
            match command {
                LogCommand::Append { .. } | LogCommand::Sync { .. } => {
                    let group = self.gather(command);
                    self.write(group)?;
                    self.prepare_under_load(group.bytes)?;
                }
                LogCommand::Truncate { keep, epoch } => self.truncate(keep, epoch)?,
                LogCommand::Repair { batch } => self.repair(&batch)?,
                LogCommand::Trim { through } => self.trim(through)?,
                LogCommand::TellDamage { read } => self.tell_damage(read),
            }
        }
        if self.kill_switch.is_pulled() { Ok(()) } else { self.log.sync().map(drop) }
    }

    /// The next command; `None` once there will be none.
    fn next(&mut self) -> Result<Option<LogCommand>, LogError> {
        if let Some(held) = self.held.take() {
            return Ok(Some(held));
        }
        let mut patience = IDLE_BEFORE_PREPARING;
        while self.wants_preparation {
            match receive_within(&self.commands, patience) {
                Ok(command) => return Ok(Some(command)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => self.prepare()?,
            }
            patience = Duration::ZERO;
        }
        Ok(receive(&self.commands))
    }

    fn prepare_under_load(&mut self, bytes_appended: usize) -> Result<(), LogError> {
        self.wants_preparation = true;
        self.bytes_unprepared += bytes_appended;
        if self.bytes_unprepared >= BYTES_PER_PREPARATION { self.prepare() } else { Ok(()) }
    }

    /// A disk that is too full for the next segment may have room again when that is needed.
    fn prepare(&mut self) -> Result<(), LogError> {
        self.bytes_unprepared = 0;
        self.wants_preparation = match self.log.prepare() {
            Err(LogError::DiskFull) => false,
            prepared => prepared?,
        };
        Ok(())
    }

    /// Collects appends and syncs that wait, up to the first command of another kind.
    fn gather(&mut self, first: LogCommand) -> Group {
        let mut group = Group::default();
        let mut command = Some(first);
        while let Some(next) = command {
            match next {
                LogCommand::Append { batch, sync, epoch } => {
                    group.sync |= sync;
                    group.epoch = epoch;
                    group.bytes += batch.bytes();
                    group.has_relaxed_entry |=
                        batch.runs().iter().any(|run| run.requirement != Requirement::SYNC);
                    self.batches.push(batch);
                }
                LogCommand::Sync { epoch } => {
                    group.sync = true;
                    group.epoch = epoch;
                }
                other => {
                    self.held = Some(other);
                    break;
                }
            }
            command = if group.bytes < GROUP_BYTES_MAX { self.commands.try_recv().ok() } else { None };
        }
        group
    }

    /// Where every entry counts only once synced, a report that they are written would wake the event loop
    /// for nothing.
    fn write(&mut self, group: Group) -> Result<(), LogError> {
        let last = self.batches.last().map(|batch| batch.last().vlsn);
        if let Some(last) = last {
            let _span = tracing::trace_span!("append", %last, bytes = group.bytes).entered();
            self.log.append(&self.batches)?;
            self.tally.log_groups.increment();
            self.tally.log_batches.add(self.batches.len());
            self.batches.clear();
            if group.has_relaxed_entry || !group.sync {
                self.report(Input::Written { epoch: group.epoch, last });
            }
        }
        if group.sync
            && let Some(last) = self.sync()?
        {
            self.report(Input::Durable { epoch: group.epoch, last });
        }
        Ok(())
    }

    fn sync(&mut self) -> Result<Option<Vlsn>, LogError> {
        let span = tracing::trace_span!("sync", last = tracing::field::Empty).entered();
        let begun = Instant::now();
        let durable = self.log.sync()?;
        span.record("last", durable.map(tracing::field::display));
        self.sync_seconds.record(begun.elapsed());
        self.tally.log_syncs.increment();
        Ok(durable)
    }

    fn truncate(&mut self, keep: Option<Vlsn>, epoch: u64) -> Result<(), LogError> {
        let truncated = match self.log.truncate_after(keep) {
            Err(LogError::Damaged { .. }) => None,
            truncated => Some(truncated?),
        };
        self.sync()?;
        let log = self.log.summary();
        self.report(match truncated {
            Some(truncated) => Input::Truncated { epoch, truncated, log },
            None => {
                tracing::warn!(?keep, "the log cannot be cut behind a damaged entry; it is fetched first");
                Input::NotTruncated { epoch, log }
            }
        });
        Ok(())
    }

    /// Entries that do not fit the damage were refused, nothing was written, and the node may ask another
    /// peer.
    fn repair(&mut self, batch: &Batch) -> Result<(), LogError> {
        match self.log.repair(batch) {
            Ok(()) | Err(LogError::NotTheDamaged) => {
                let damaged = self.log.summary().damaged;
                self.report(Input::Repaired { damaged });
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn trim(&mut self, through: Vlsn) -> Result<(), LogError> {
        self.log.trim_through(through)?;
        let summary = self.log.summary();
        self.report(Input::Trimmed { base: summary.terms.base(), damaged: summary.damaged });
        Ok(())
    }

    fn tell_damage(&self, read: Input) {
        let damaged = self.log.summary().damaged;
        tracing::warn!(?damaged, "entries of the log cannot be read; they are fetched from a peer");
        self.report(Input::Damaged { damaged });
        self.report(read);
    }

    /// The event loop outlives this thread.
    fn report(&self, input: Input) {
        let event = Event::Completed(input);
        let is_idle = self.held.is_none() && self.commands.is_empty();
        let _ = if is_idle { self.events.send_and_help(event) } else { self.events.send(event) };
    }
}
