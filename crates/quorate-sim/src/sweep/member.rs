use super::storage::{Storage, StorageError};
use quorate_core::{Batch, BootId, LogError, LogReader, LogStore, MemberList, NodeId, Time, Vlsn};
use quorate_log::vfs::MemoryVfs;
use quorate_replica::{Event, Input, LogReadFor, Message, Node, NodeConfig, Opened, Output};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// One node of a group: the protocol over a storage, and what its threads would do done at once.
pub(crate) struct Member {
    pub(crate) id: NodeId,
    pub(crate) disk: MemoryVfs,
    process: Option<Process>,
    /// Why it does not run, if that is not by order.
    pub(crate) stopped: Option<String>,
    /// It has said that something is wrong with its storage.
    pub(crate) complained: bool,
}

struct Process {
    node: Node,
    storage: Storage,
    reader: Arc<dyn LogReader>,
    completions: VecDeque<Input>,
}

/// A message on its way.
pub(crate) struct Sending {
    pub(crate) from: NodeId,
    pub(crate) to: NodeId,
    pub(crate) message: Message,
}

impl Member {
    pub(crate) fn new(id: NodeId, disk: MemoryVfs) -> Self {
        Self { id, disk, process: None, stopped: None, complained: false }
    }

    /// Starts the process, and reads the whole log for damage as a scrub would. What cannot be opened stops it.
    pub(crate) fn start(&mut self, now: Time, list: &MemberList) {
        match self.open(now, list) {
            Ok(process) => self.process = Some(process),
            Err(error) => self.stopped = Some(error.to_string()),
        }
    }

    fn open(&mut self, now: Time, list: &MemberList) -> Result<Process, StorageError> {
        let storage = Storage::open_as(&self.disk, self.id, true)?;
        let summary = storage.log.summary();
        let damaged = storage.log.verify()?;
        self.complained |= !damaged.is_empty() || summary.lost_durable_end;
        let opened = Opened {
            hard_state: storage.hard.clone(),
            boot: BootId(1),
            log: summary,
            engine_applied: storage.engine.applied(),
        };
        let node = Node::new(config(self.id), opened, list.clone(), now);
        let reader = storage.log.reader();
        Ok(Process { node, storage, reader, completions: VecDeque::from([Input::Damaged { damaged }]) })
    }

    /// Ends the process in order.
    pub(crate) fn stop(&mut self) {
        self.process = None;
        self.disk.kill();
    }

    pub(crate) fn node(&self) -> Option<&Node> {
        self.process.as_ref().map(|process| &process.node)
    }

    pub(crate) fn node_mut(&mut self) -> Option<&mut Node> {
        self.process.as_mut().map(|process| &mut process.node)
    }

    pub(crate) fn storage(&mut self) -> Option<&mut Storage> {
        self.process.as_mut().map(|process| &mut process.storage)
    }

    /// Takes in what happened, and what comes of it; adds what is to be sent.
    pub(crate) fn handle(&mut self, now: Time, input: Input, sends: &mut Vec<Sending>) {
        let Some(process) = &mut self.process else { return };
        process.node.handle(now, input);
        if let Err(stop) = self.work(now, sends) {
            self.stopped = Some(stop);
            self.stop();
        }
    }

    /// Carries out all that the node wants.
    fn work(&mut self, now: Time, sends: &mut Vec<Sending>) -> Result<(), String> {
        loop {
            let Some(process) = &mut self.process else { return Ok(()) };
            if let Some(output) = process.node.poll() {
                self.carry_out(output, sends)?;
            } else if let Some(completion) = process.completions.pop_front() {
                process.node.handle(now, completion);
            } else {
                return Ok(());
            }
        }
    }

    fn carry_out(&mut self, output: Output, sends: &mut Vec<Sending>) -> Result<(), String> {
        let Some(process) = &mut self.process else { return Ok(()) };
        match output {
            Output::Send { to, message } => sends.push(Sending { from: self.id, to, message }),
            Output::Event(event) => {
                self.complained |= matches!(
                    event,
                    Event::Recovering
                        | Event::Repaired { .. }
                        | Event::RestoreNeeded { .. }
                        | Event::Stranger
                );
            }
            Output::Halt(halt) => return Err(format!("{halt:?}")),
            output => process.store(output).map_err(|error| error.to_string())?,
        }
        Ok(())
    }
}

impl Process {
    /// What the log, the hard state and the engine are asked for.
    fn store(&mut self, output: Output) -> Result<(), StorageError> {
        match output {
            Output::StoreHardState(hard) => self.storage.store(hard)?,
            Output::Append { batch, sync, epoch } => self.append(batch, sync, epoch)?,
            Output::Sync { epoch } => self.sync(epoch)?,
            Output::Truncate { keep, epoch } => {
                let truncated = self.storage.log.truncate_after(keep);
                self.storage.log.sync()?;
                let log = self.storage.log.summary();
                self.completions.push_back(match truncated {
                    Err(LogError::Damaged { .. }) => Input::NotTruncated { epoch, log },
                    truncated => Input::Truncated { epoch, truncated: truncated?, log },
                });
            }
            Output::Repair { batch } => self.repair(&batch)?,
            // A log need not drop what it may: the peers keep what this node may come to lack.
            Output::Trim { .. } => {
                let log = self.storage.log.summary();
                self.completions.push_back(Input::Trimmed { base: log.terms.base(), damaged: log.damaged });
            }
            Output::ReadLog { reader, from, through, bytes_max } => {
                self.read(reader, from, through, bytes_max);
            }
            Output::Apply { batch } => {
                let (last, bytes) = (batch.last().vlsn, batch.bytes());
                self.storage.engine.apply_run(&[batch])?;
                self.completions.push_back(Input::Applied { last, bytes });
            }
            Output::FlushEngine => {
                let durable = self.storage.engine.checkpoint()?.map(|entry| entry.vlsn);
                self.completions.push_back(Input::EngineFlushed { durable });
            }
            _ => {}
        }
        Ok(())
    }

    fn append(&mut self, batch: Batch, sync: bool, epoch: u64) -> Result<(), StorageError> {
        let last = batch.last().vlsn;
        self.storage.log.append(&[batch])?;
        self.completions.push_back(Input::Written { epoch, last });
        if sync { self.sync(epoch) } else { Ok(()) }
    }

    fn sync(&mut self, epoch: u64) -> Result<(), StorageError> {
        if let Some(last) = self.storage.log.sync()? {
            self.completions.push_back(Input::Durable { epoch, last });
        }
        Ok(())
    }

    fn repair(&mut self, batch: &Batch) -> Result<(), StorageError> {
        match self.storage.log.repair(batch) {
            Ok(()) | Err(LogError::NotTheDamaged) => {}
            Err(error) => return Err(error.into()),
        }
        self.completions.push_back(Input::Repaired { damaged: self.storage.log.summary().damaged });
        Ok(())
    }

    fn read(&mut self, reader: LogReadFor, from: Vlsn, through: Vlsn, bytes_max: usize) {
        let result = self.reader.read(from, through, bytes_max);
        if matches!(result, Err(LogError::Damaged { .. })) {
            self.completions.push_back(Input::Damaged { damaged: self.storage.log.summary().damaged });
        }
        self.completions.push_back(Input::LogRead { reader, result });
    }
}

/// Small windows and batches, so that feeders and engines read from the disk too.
fn config(id: NodeId) -> NodeConfig {
    NodeConfig {
        window_bytes_max: 4 << 10,
        batch_bytes_max: 1 << 10,
        apply_lag_bytes_max: 8 << 10,
        engine_flush_interval: Duration::from_millis(300),
        seed: u64::from(id.as_u16()),
        ..NodeConfig::default()
    }
}
