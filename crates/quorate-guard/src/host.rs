use quorate_core::{BootId, HardState, Incarnation, LogSummary, MemberList, NodeId, Term, Time, Vlsn};
use quorate_replica::{Envelope, Input, Node, NodeConfig, Opened, Output, Proposal};
use std::collections::VecDeque;
use std::time::Duration;

/// Packets on their way, each with its sender and its receiver.
pub(crate) type Wires = VecDeque<(NodeId, NodeId, quorate_core::Packet)>;

/// One node over a log and an engine that do at once what they are asked for, and keep only how far they are.
pub(crate) struct Host {
    pub(crate) node: Node,
    id: NodeId,
    written: Option<Vlsn>,
    applied: Option<Vlsn>,
    /// What the log and the engine have done and not told yet.
    done: VecDeque<Input>,
}

impl Host {
    /// A node with empty files.
    pub(crate) fn new(id: NodeId, members: MemberList) -> Self {
        let hard_state = HardState {
            group: "group".to_owned(),
            node: members.member(id).expect("it is a member").name.clone(),
            id,
            incarnation: Incarnation(id.as_u16().into()),
            open_count: 1,
            promised: Term::ZERO,
            roster: None,
            unsynced_mark: None,
            recovering: false,
            lease_granted: Duration::ZERO,
        };
        let opened = Opened { hard_state, boot: BootId(1), log: LogSummary::default(), engine_applied: None };
        let config = NodeConfig { seed: id.as_u16().into(), ..NodeConfig::default() };
        let node = Node::new(config, opened, members, Time::ZERO);
        Self { node, id, written: None, applied: None, done: VecDeque::new() }
    }

    /// Hands in what happened, and carries out all that follows here.
    pub(crate) fn handle(&mut self, now: Time, input: Input, wires: &mut Wires) {
        self.node.handle(now, input);
        self.carry_out(now, wires);
    }

    /// Proposes on the master, and carries out all that follows here.
    pub(crate) fn propose(&mut self, now: Time, proposals: &[Proposal], wires: &mut Wires) {
        self.node.propose(now, 0, proposals).expect("the master of a whole group accepts");
        self.carry_out(now, wires);
    }

    fn carry_out(&mut self, now: Time, wires: &mut Wires) {
        loop {
            while let Some(output) = self.node.poll() {
                self.carry_out_one(output, wires);
            }
            let Some(done) = self.done.pop_front() else { return };
            self.node.handle(now, done);
        }
    }

    fn carry_out_one(&mut self, output: Output, wires: &mut Wires) {
        match output {
            Output::Send { to, message } => {
                let packet = Envelope { uuid: self.node.identity(), message }.encode();
                wires.push_back((self.id, to, packet));
            }
            Output::Append { batch, sync, epoch } => {
                let last = batch.last().vlsn;
                self.written = Some(last);
                self.done.push_back(Input::Written { epoch, last });
                if sync {
                    self.done.push_back(Input::Durable { epoch, last });
                }
            }
            Output::Sync { epoch } => {
                self.done.extend(self.written.map(|last| Input::Durable { epoch, last }));
            }
            Output::Apply { batch } => {
                let last = batch.last().vlsn;
                self.applied = Some(last);
                self.done.push_back(Input::Applied { last, bytes: batch.bytes() });
            }
            Output::FlushEngine => self.done.push_back(Input::EngineFlushed { durable: self.applied }),
            Output::StoreHardState(_) | Output::State { .. } | Output::Event(_) | Output::Trim { .. } => {}
            other => unreachable!("a whole group that loses nothing never asks for {other:?}"),
        }
    }
}
