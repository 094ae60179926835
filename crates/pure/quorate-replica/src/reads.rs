//! Linearizable reads: a master confirms that it still leads by a heartbeat round, or knows it by a lease; a replica asks its master.

use crate::messages::{Message, NotMaster};
use crate::node::{Node, Role};
use crate::{Output, ReadFailure, ReadId};
use alloc::vec::Vec;
use quorate_core::{NodeId, Time, Vlsn};

/// A read that waits for a heartbeat round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PendingRead {
    reader: Reader,
    /// Everything acknowledged before the read began lies at or below this position.
    at: Option<Vlsn>,
}

#[derive(Clone, Copy, Debug)]
enum Reader {
    Local(ReadId),
    Replica { node: NodeId, read: u64 },
}

/// Reads that this replica has passed on to its master.
#[derive(Debug, Default)]
pub(crate) struct ForwardedReads(Vec<ReadId>);

impl Node {
    /// Begins a linearizable read. It is answered by [`Output::ReadReady`] or [`Output::ReadFailed`]; if neither comes, a message was lost, and the
    /// read may be begun again.
    pub fn read(&mut self, now: Time, read: ReadId) {
        self.handle(now, crate::Input::Tick);
        let master = self.followed_master();
        match (&mut self.role, master) {
            (Role::Leading(_), _) => self.begin_round(now, Reader::Local(read)),
            (Role::Following(_), Some(master)) => {
                if !self.forwarded.0.contains(&read) {
                    self.forwarded.0.push(read);
                }
                let read = self.numbered(read.0);
                self.send(master, Message::ReadIndex { read });
            }
            _ => self.push(Output::ReadFailed { read, failure: ReadFailure::NoMaster }),
        }
        self.settle(now);
    }

    pub(crate) fn receive_read_index(&mut self, now: Time, from: NodeId, read: u64) {
        if self.is_leading() {
            self.begin_round(now, Reader::Replica { node: from, read });
        } else {
            self.send(from, Message::ReadIndexReply { read, at: Err(NotMaster) });
        }
    }

    pub(crate) fn receive_read_index_reply(&mut self, from: NodeId, read: u64, at: Option<Option<Vlsn>>) {
        // An answer to an earlier run of this process tells too little.
        let Some(read) = self.number_of(read).map(ReadId) else { return };
        let Some(place) = self.forwarded.0.iter().position(|waiting| *waiting == read) else { return };
        if self.followed_master() != Some(from) {
            return;
        }
        self.forwarded.0.swap_remove(place);
        self.push(match at {
            Some(at) => Output::ReadReady { read, at },
            None => Output::ReadFailed { read, failure: ReadFailure::MasterChanged },
        });
    }

    fn begin_round(&mut self, now: Time, reader: Reader) {
        let committed = self.applying.committed();
        if let Role::Leading(leading) = &mut self.role {
            // What earlier masters acknowledged lies below the term's start, whether or not its commit is known yet.
            let at = mistake!(self.config.mutation, ReadBeforeStart =>
                committed;
                committed.max(Some(leading.term_start())));
            let read = PendingRead { reader, at };
            leading.lease.want(now, self.config.lease);
            if leading.is_leased(now, &self.config) || breaks!(self.config.mutation, ReadWithoutRound) {
                return self.answer_read(read);
            }
            leading.rounds.begin_read(read);
            self.heartbeat_if_due(now);
        }
    }

    pub(crate) fn confirm_reads(&mut self) {
        let Role::Leading(leading) = &mut self.role else { return };
        for read in leading.rounds.confirmed(&self.group.quorums) {
            self.answer_read(read);
        }
    }

    fn answer_read(&mut self, PendingRead { reader, at }: PendingRead) {
        match reader {
            Reader::Local(read) => self.push(Output::ReadReady { read, at }),
            Reader::Replica { node, read } => self.send(node, Message::ReadIndexReply { read, at: Ok(at) }),
        }
    }

    /// Fails every linearizable read that waits for the present master.
    pub(crate) fn fail_reads(&mut self, failure: ReadFailure) {
        for read in core::mem::take(&mut self.forwarded.0) {
            self.push(Output::ReadFailed { read, failure });
        }
        let Role::Leading(leading) = &mut self.role else { return };
        let pending: Vec<PendingRead> = leading.rounds.drain_reads().collect();
        for PendingRead { reader, .. } in pending {
            match reader {
                Reader::Local(read) => self.push(Output::ReadFailed { read, failure }),
                Reader::Replica { node, read } => {
                    self.send(node, Message::ReadIndexReply { read, at: Err(NotMaster) })
                }
            }
        }
    }
}
