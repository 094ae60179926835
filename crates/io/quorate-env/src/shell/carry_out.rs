use super::apply_thread::ApplyCommand;
use super::event_loop::EventLoop;
use super::listeners::ListenerCommand;
use super::log_reader::LogRead;
use super::log_writer::LogCommand;
use crate::{ReadError, StateChangeEvent, WriteError};
use quorate_core::{HardState, NodeId, NodeState, Term};
use quorate_replica::{ElectionEvent, Envelope, Event, Halt, Input, Message, Output, RequestId};

impl EventLoop {
    /// Carries out everything that the node asks for, in its order.
    pub(super) fn carry_out(&mut self) {
        self.renew_read_lease();
        while let Some(output) = self.next_output() {
            let says_why = matches!(output, Output::State { .. } | Output::Event(_) | Output::Halt(_));
            if !self.is_broken || says_why {
                self.carry_out_one(output);
            }
        }
        if !self.hello_is_final {
            self.renew_hello();
        }
    }

    /// Tells readers until when they need not ask: before anything is carried out that the node has asked for since it was told something.
    fn renew_read_lease(&mut self) {
        if self.core.read_lease.take_use() {
            self.node.want_lease(self.core.clock.now());
        }
        self.core.read_lease.publish(self.node.readable_until());
    }

    /// What the node asks for next, unless it waits for the owner.
    fn next_output(&mut self) -> Option<Output> {
        let output = self.held.take().or_else(|| self.node.poll())?;
        let may_block = matches!(output, Output::StoreHardState(_) | Output::Halt(_));
        if self.is_lent && may_block {
            self.held = Some(output);
            return None;
        }
        Some(output)
    }

    /// A thread that is gone has reported why; what it is asked for then is of no interest any more.
    fn carry_out_one(&mut self, output: Output) {
        match output {
            Output::StoreHardState(state) => self.store(&state),
            Output::Append { batch, sync, epoch } => {
                self.order_log(LogCommand::Append { batch, sync, epoch })
            }
            Output::Sync { epoch } => self.order_log(LogCommand::Sync { epoch }),
            Output::Truncate { keep, epoch } => self.order_log(LogCommand::Truncate { keep, epoch }),
            Output::Repair { batch } => self.order_log(LogCommand::Repair { batch }),
            Output::Trim { through } => self.order_log(LogCommand::Trim { through }),
            Output::ReadLog { reader, from, through, bytes_max } => {
                let _ = self.workers.log_reads.send(LogRead { reader, from, through, bytes_max });
            }
            Output::Send { to, message } => self.send(to, message),
            Output::Apply { batch } => {
                tracing::trace!(last = %batch.last().vlsn, "committed");
                let _ = self.workers.engine.send(ApplyCommand::Apply { batch });
            }
            Output::FlushEngine => drop(self.workers.engine.send(ApplyCommand::Checkpoint)),
            Output::State { state, term, master } => self.change_state(state, term, master),
            Output::ReadReady { read, at } => self.reads.ready(read, at),
            Output::ReadFailed { read, failure } => {
                tracing::trace!(?read, ?failure, "a read is asked for again")
            }
            Output::WriteAsked { from, write } => self.write_asked(from, write),
            Output::WriteAnswered { from, request, outcome } => self.write_answered(from, request, outcome),
            Output::Event(event) => report(&event),
            Output::Halt(halt) => self.halt(&halt),
        }
    }

    fn order_log(&self, command: LogCommand) {
        let _ = self.workers.log.send(command);
    }

    fn store(&mut self, state: &HardState) {
        if let Err(error) = self.state.store(state) {
            self.is_broken = true;
            self.node.handle(self.core.clock.now(), Input::Failed { reason: error.to_string() });
            self.renew_read_lease();
        }
    }

    fn send(&mut self, to: NodeId, message: Message) {
        let service = message.service();
        let dropped = Dropped::of(&message);
        let packet = Envelope { uuid: self.node.identity(), message }.encode();
        match self.transport.send(to, service, packet) {
            Ok(()) => self.core.tally.packets_sent.increment(),
            Err(_) => {
                self.core.tally.packets_dropped.increment();
                match dropped {
                    Dropped::Forward(request) => self.forward_dropped(request),
                    Dropped::Answer => {}
                    Dropped::Protocol => {
                        self.node.handle(self.core.clock.now(), Input::SendDropped { to, service });
                        self.renew_read_lease();
                    }
                }
            }
        }
    }

    fn change_state(&mut self, state: NodeState, term: Term, master: Option<NodeId>) {
        if let Some(master) = master {
            self.forward_to_another(master);
        }
        if state != NodeState::Master {
            self.conflicts = None;
        }
        let master = master.and_then(|master| self.core.master_address(master));
        let event = StateChangeEvent { state, term, master };
        tracing::info!(%state, %term, master = ?event.master, "state changed");
        self.announce(event);
        self.reads.state_changed(self.core.clock.now());
    }

    pub(super) fn announce(&self, event: StateChangeEvent) {
        self.core.role.change(event, |event| {
            self.core.tally.state_changes.increment();
            let _ = self.listeners.send(ListenerCommand::Tell(event));
        });
    }

    /// Stops serving: from here on everybody is refused until the environment is closed.
    fn halt(&mut self, halt: &Halt) {
        let reason = reason(halt);
        tracing::error!(%reason, "this node stops serving");
        self.core.end(crate::core::End::Halted { reason: reason.clone() });
        self.detach();
        self.transport.close();
        self.interrupt();
        self.refuse_all(&WriteError::Halted { reason: reason.clone() });
        for read in self.reads.abandon() {
            read.ticket.resolve(Err(ReadError::Halted { reason: reason.clone() }));
        }
        self.halted = Some(reason);
        self.publish();
    }

    /// Keeps what new links are told in step with the node.
    fn renew_hello(&mut self) {
        self.uuid = self.uuid.or_else(|| self.node.uuid());
        let mut hello = self.hello.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        hello.uuid = self.uuid;
        if self.node.is_bound() {
            hello.member_list_hash = None;
            self.hello_is_final = self.uuid.is_some();
        }
    }
}

/// Whom it concerns that a message was not sent.
enum Dropped {
    /// The caller whose write it was.
    Forward(RequestId),
    /// A replica, whose caller's time runs out.
    Answer,
    /// The node.
    Protocol,
}

impl Dropped {
    const fn of(message: &Message) -> Self {
        match message {
            Message::Forward(write) => Self::Forward(write.request),
            Message::ForwardReply { .. } => Self::Answer,
            _ => Self::Protocol,
        }
    }
}

fn reason(halt: &Halt) -> String {
    match halt {
        Halt::RollbackProhibited { matchpoint, committed } => {
            let shared =
                matchpoint.map_or_else(|| "nothing".to_owned(), |entry| format!("entries up to {entry}"));
            let committed = committed.map_or_else(|| "none".to_owned(), |vlsn| vlsn.to_string());
            format!(
                "the master's log shares {shared} with this node's, where entries up to {committed} are \
                 committed: it is another group's log, or more copies were lost than the durability of \
                 those entries provides for; keep this node's directory, and restore the group from it \
                 or this node from the group"
            )
        }
        Halt::EngineForeign { applied } => format!(
            "the engine holds entry {applied}, which the group's log does not: move this node's \
             directory away and let the node be added anew"
        ),
        Halt::EngineBehind { applied, base } => {
            let held =
                applied.map_or_else(|| "nothing".to_owned(), |applied| format!("entries up to {applied}"));
            format!(
                "the engine holds {held}, and the log no longer has those up to {base}: put back the engine's \
                 own store, or move this node's directory away and let the node be added anew"
            )
        }
        Halt::Failed { reason } => {
            format!("{reason}; close the environment, see to the cause, and open it again")
        }
    }
}

/// Tells the operator.
fn report(event: &Event) {
    match event {
        Event::Election(ElectionEvent::NoBallotLeft { highest }) => tracing::error!(
            %highest,
            "a member has named the last round that there is: this node can propose no master any more; please \
             report this"
        ),
        Event::Election(event) => tracing::debug!(?event, "election"),
        Event::ForeignGroup { node } => {
            tracing::warn!(%node, "a member speaks for another group; it is refused")
        }
        Event::Stranger => tracing::error!(
            "this directory is not one that founded the group: the node takes no part until it is added anew"
        ),
        Event::Founded(uuid) => tracing::info!(%uuid, "the group is founded"),
        Event::RolledBack(truncated) => {
            tracing::warn!(
                ?truncated,
                "entries that never committed were dropped; the rollback file keeps them"
            );
        }
        Event::Recovering => tracing::warn!(
            "this node may have lost entries; it counts in no quorum until its log is refilled"
        ),
        Event::Recovered => tracing::info!("this node's log is refilled; it counts again"),
        Event::Repaired { left } => tracing::info!(left, "damaged entries were fetched from a peer"),
        Event::QuorumLost => tracing::warn!("a write quorum does not answer; the master steps down"),
        Event::Deposed { promised } => {
            tracing::info!(%promised, "a later term was promised; the master steps down")
        }
        Event::RestoreNeeded { base } => {
            tracing::error!(%base, "the master has trimmed what this node lacks: the node must be restored");
        }
    }
}
