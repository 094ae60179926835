use super::directive::{Directive, Selector, Setup};
use crate::SimTime;
use crate::checker::{Checker, Rule, Violation};
use crate::log_writer::LogStep;
use crate::machine::Machine;
use crate::network::letter;
use crate::operation::{OperationId, ReadPromise, ReadTicket, Reply, Write};
use crate::process::{Completion, Effects, Process, Stop};
use crate::profile::Profile;
use crate::words::InWords;
use crate::world::members;
use quorate_core::{MemberList, NodeId, Packet, Random, Service, Vlsn};
use quorate_log::vfs::Retain;
use quorate_policy::{CommitDurability, ConsistencyPolicy, Quorums, ReplicaAckPolicy, SyncPolicy};
use quorate_replica::{Input, Message, StreamMessage};
use std::collections::BTreeMap;
use std::time::Duration;

/// A group in which nothing happens but what a script says.
pub(crate) struct Stage {
    list: MemberList,
    actors: BTreeMap<NodeId, Actor>,
    /// Messages on their way, in the order in which they were sent.
    bag: Vec<Held>,
    checker: Checker,
    random: Random,
    writes: u64,
    /// What has happened since the directive began.
    lines: Vec<String>,
}

/// A machine with a clock of its own, which moves only when a directive moves it.
struct Actor {
    machine: Machine,
    now: SimTime,
    committed: Option<Vlsn>,
}

#[derive(Debug)]
struct Held {
    from: NodeId,
    to: NodeId,
    message: Message,
    packet: Packet,
}

/// How far a clock goes on at most for one directive.
const PATIENCE: Duration = Duration::from_millis(200);
/// How long a read waits for its answer.
const READ_PATIENCE: Duration = Duration::from_secs(60);
/// How many exchanges of introductions a start takes at most.
const INTRODUCTIONS_MAX: usize = 1_000;

impl Stage {
    /// The group's processes started, its links standing, everybody introduced.
    pub(crate) fn open(setup: &Setup) -> Result<Self, Violation> {
        let list = members(setup.nodes, setup.quorum, &setup.priorities);
        let Ok(quorums) = Quorums::new(&list) else {
            return Rule::NoPanic.broken("the script's quorums can miss each other");
        };
        let profile = Profile { broken: setup.broken, lease: setup.lease, ..Profile::calm(setup.nodes) };
        let actor = |id| {
            let machine = Machine::new(id, &profile);
            (id, Actor { machine, now: SimTime::ZERO, committed: None })
        };
        let nodes: Vec<NodeId> = list.electable().iter().collect();
        let mut stage = Self {
            actors: nodes.iter().copied().map(actor).collect(),
            list,
            bag: Vec::new(),
            checker: Checker::new(quorums),
            random: Random::new(1),
            writes: 0,
            lines: Vec::new(),
        };
        for node in nodes {
            stage.start(node)?;
        }
        Ok(stage)
    }

    /// Does what a directive says, and tells what came of it.
    pub(crate) fn perform(&mut self, directive: &Directive) -> Result<Vec<String>, Violation> {
        self.lines.clear();
        match directive {
            Directive::Nothing | Directive::Setup(_) => {}
            Directive::Propose(node) => {
                self.act(*node, |process, now, checker, effects| process.call_ballot(now, checker, effects))?;
            }
            Directive::Deliver(selector) => self.deliver(selector, false)?,
            Directive::Duplicate(selector) => self.deliver(selector, true)?,
            Directive::Nominate(node) => self.nominate(*node)?,
            Directive::Send { from, to } => self.send(*from, *to)?,
            Directive::Write { node, sync } => self.write(*node, *sync)?,
            Directive::Read(node) => self.read(*node)?,
            Directive::Wait { node, span } => self.wait(*node, *span)?,
            Directive::Flush(node) => self.run_log(*node, false)?,
            Directive::Fsync(node) => self.run_log(*node, true)?,
            Directive::Kill(node) => self.kill(*node),
            Directive::Crash { node, after } => {
                if let Some(process) = self.actor(*node).machine.process.as_mut() {
                    process.crash_after(*after);
                }
            }
            Directive::PowerLoss { node, keeps } => self.lose_power(*node, *keeps)?,
            Directive::Start(node) => self.start(*node)?,
        }
        Ok(std::mem::take(&mut self.lines))
    }

    fn actor(&mut self, node: NodeId) -> &mut Actor {
        self.actors.get_mut(&node).expect("scripts name members")
    }

    fn say(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// Lets a node do something, then all that no script holds back.
    fn act(
        &mut self,
        node: NodeId,
        act: impl FnOnce(&mut Process, SimTime, &mut Checker, &mut Effects) -> Result<(), Stop>,
    ) -> Result<(), Violation> {
        let Some(actor) = self.actors.get_mut(&node) else {
            self.say(format!("{} is no member", letter(node)));
            return Ok(());
        };
        let now = actor.now;
        let Some(process) = actor.machine.process.as_mut() else {
            self.say(format!("{} is not running", letter(node)));
            return Ok(());
        };
        let mut effects = Effects::default();
        let result = act(process, now, &mut self.checker, &mut effects);
        self.take_in(node, effects);
        result.or_else(|stop| self.stopped(node, stop))?;
        self.run_unheld(node)
    }

    fn stopped(&mut self, node: NodeId, stop: Stop) -> Result<(), Violation> {
        match stop {
            Stop::Violation(violation) => Err(violation),
            Stop::Crash => {
                self.kill(node);
                self.say(format!("{} crashes", letter(node)));
                Ok(())
            }
            Stop::Failed(_) | Stop::DiskFull | Stop::Unusable(_) | Stop::Halted(_) => {
                self.kill(node);
                self.say(format!("{} stops: {stop:?}", letter(node)));
                Ok(())
            }
        }
    }

    /// Engines apply, and logs are read, as soon as there is something to apply and to read.
    fn run_unheld(&mut self, node: NodeId) -> Result<(), Violation> {
        loop {
            let Some(process) = self.actor(node).machine.process.as_mut() else { return Ok(()) };
            let completion = match process.read_log() {
                Some(completion) => Some(completion),
                None => {
                    let actor = self.actors.get_mut(&node).expect("it has just acted");
                    let Some(process) = actor.machine.process.as_mut() else { return Ok(()) };
                    match process.apply.step(&mut self.checker) {
                        Ok(completion) => completion,
                        Err(stop) => return self.stopped(node, stop),
                    }
                }
            };
            let Some(completion) = completion else { return Ok(()) };
            self.hand_in(node, completion)?;
        }
    }

    fn hand_in(&mut self, node: NodeId, completion: Completion) -> Result<(), Violation> {
        let actor = self.actors.get_mut(&node).expect("it has just acted");
        let Some(process) = actor.machine.process.as_mut() else { return Ok(()) };
        let mut effects = Effects::default();
        let result = process.handle(actor.now, completion, &mut self.checker, &mut effects);
        self.take_in(node, effects);
        result.or_else(|stop| self.stopped(node, stop))
    }

    fn take_in(&mut self, node: NodeId, effects: Effects) {
        for note in effects.notes {
            self.say(format!("{} {note}", letter(node)));
        }
        for sending in effects.sends {
            if is_told(&sending.message) {
                let (from, to) = (letter(node), letter(sending.to));
                self.say(format!("{from}->{to} {}", InWords(&sending.message)));
            }
            self.bag.push(Held {
                from: node,
                to: sending.to,
                message: sending.message,
                packet: sending.packet,
            });
        }
        for (_, reply) in effects.replies {
            self.say(match reply {
                Reply::Done(token) => format!("the client hears that {} is committed", token.id()),
                Reply::Refused(error) => format!("the client hears {error:?}"),
                reply => format!("the client hears {reply:?}"),
            });
        }
        self.tell_commit(node);
    }

    fn tell_commit(&mut self, node: NodeId) {
        let actor = self.actor(node);
        let Some(process) = &actor.machine.process else { return };
        let committed = process.node().progress().watermarks.committed;
        if committed > actor.committed {
            actor.committed = committed;
            self.say(format!("{} commits up to {}", letter(node), Vlsn::number(committed)));
        }
    }

    fn find(&self, selector: &Selector) -> Option<usize> {
        self.bag.iter().position(|held| {
            let words = InWords(&held.message).to_string();
            let mut parts = words.split_whitespace();
            held.from == selector.from
                && held.to == selector.to
                && parts.next() == Some(&selector.kind)
                && selector.fields.iter().all(|field| words.split_whitespace().any(|word| word == field))
        })
    }

    fn deliver(&mut self, selector: &Selector, stays: bool) -> Result<(), Violation> {
        let Some(place) = self.find(selector) else {
            self.say("no such message is on its way");
            return Ok(());
        };
        let packet = self.bag[place].packet.clone();
        if !stays {
            self.bag.remove(place);
        }
        self.receive(selector.from, selector.to, packet)
    }

    fn receive(&mut self, from: NodeId, to: NodeId, packet: Packet) -> Result<(), Violation> {
        let said = self.lines.len();
        self.act(to, |process, now, checker, effects| process.receive(now, from, packet, checker, effects))?;
        if self.lines.len() == said {
            self.say("nothing comes of it");
        }
        Ok(())
    }

    /// Moves a node's clock to the judgement of its ballot.
    fn nominate(&mut self, node: NodeId) -> Result<(), Violation> {
        let end = self.actor(node).now + PATIENCE;
        while let Some(process) = &self.actor(node).machine.process
            && let Some(deadline) = process.deadline().filter(|deadline| *deadline <= end)
        {
            let actor = self.actor(node);
            actor.now = actor.now.max(deadline);
            self.act(node, |process, now, checker, effects| {
                process.handle(now, Input::Tick.into(), checker, effects)
            })?;
            if self.lines.iter().any(|line| line.contains(" nominates ")) {
                return Ok(());
            }
        }
        self.say(format!("{} nominates nobody", letter(node)));
        Ok(())
    }

    /// Lets a heartbeat through, and what a replica and its master have to agree on before frames flow.
    fn send(&mut self, from: NodeId, to: NodeId) -> Result<(), Violation> {
        if let Some(deadline) = self.actor(from).machine.process.as_ref().and_then(Process::deadline) {
            let actor = self.actor(from);
            actor.now = actor.now.max(deadline);
        }
        self.act(from, |process, now, checker, effects| {
            process.handle(now, Input::Tick.into(), checker, effects)
        })?;
        while let Some(place) = self.bag.iter().position(|held| {
            let pair = (held.from, held.to);
            (pair == (from, to) || pair == (to, from)) && is_auxiliary(&held.message)
        }) {
            let Held { from, to, packet, .. } = self.bag.remove(place);
            self.act(to, |process, now, checker, effects| {
                process.receive(now, from, packet, checker, effects)
            })?;
            self.run_truncation(to)?;
        }
        Ok(())
    }

    /// A truncation is no write that a script holds back.
    fn run_truncation(&mut self, node: NodeId) -> Result<(), Violation> {
        let truncates = |process: &Process| process.log.is_about_to_truncate();
        if self.actor(node).machine.process.as_ref().is_some_and(truncates) {
            self.run_log(node, true)?;
        }
        Ok(())
    }

    fn write(&mut self, node: NodeId, sync: bool) -> Result<(), Violation> {
        self.writes += 1;
        let policy = if sync { SyncPolicy::Sync } else { SyncPolicy::NoSync };
        let durability =
            CommitDurability { local: policy, replica: policy, acks: ReplicaAckPolicy::SimpleMajority };
        let value = Some(self.writes.to_string().into_bytes());
        let write = Write::plain(OperationId(self.writes), b"key".to_vec(), value, durability);
        self.act(node, |process, now, checker, effects| {
            process.write(now, now.as_micros(), &[write], checker, effects)
        })
    }

    /// A client wants to see everything that was acknowledged until now.
    fn read(&mut self, node: NodeId) -> Result<(), Violation> {
        self.writes += 1;
        let promise = ReadPromise::Everything { floor: self.checker.read_begins() };
        let ticket = ReadTicket { id: OperationId(self.writes), key: b"key".to_vec(), promise };
        let policy = ConsistencyPolicy::Linearizable { timeout: READ_PATIENCE };
        self.act(node, |process, now, checker, effects| process.read(now, &policy, ticket, checker, effects))
    }

    /// The node's clock goes on, and the others' do not.
    fn wait(&mut self, node: NodeId, span: Duration) -> Result<(), Violation> {
        let actor = self.actor(node);
        actor.now = actor.now + span;
        self.act(node, |process, now, checker, effects| {
            process.handle(now, Input::Tick.into(), checker, effects)
        })
    }

    /// Lets a node's log writer work until nothing is left but, unless asked for, a sync.
    fn run_log(&mut self, node: NodeId, sync: bool) -> Result<(), Violation> {
        loop {
            let actor = self.actors.get_mut(&node).expect("scripts name members");
            let Some(process) = actor.machine.process.as_mut() else {
                self.say(format!("{} is not running", letter(node)));
                return Ok(());
            };
            match process.log.next() {
                Some(LogStep::Write) => {}
                Some(LogStep::Sync) if sync => {}
                _ => return Ok(()),
            }
            match process.log.step(&mut self.checker) {
                Ok(completions) => {
                    for completion in completions {
                        self.hand_in(node, completion)?;
                    }
                }
                Err(stop) => return self.stopped(node, stop),
            }
            self.run_unheld(node)?;
        }
    }

    fn kill(&mut self, node: NodeId) {
        let actor = self.actor(node);
        actor.machine.disk.kill();
        actor.machine.engine.crash(false);
        drop(actor.machine.process.take());
    }

    fn lose_power(&mut self, node: NodeId, keeps: u64) -> Result<(), Violation> {
        let before = self.checker.log_lengths(node);
        let retain = if keeps == before.0 { Retain::Everything } else { Retain::Nothing };
        if keeps != before.0 && keeps != before.1 {
            let (written, durable) = before;
            self.say(format!(
                "{} has {written} entries, {durable} of them durable: it keeps those",
                letter(node)
            ));
        }
        drop(self.actor(node).machine.lose_power(retain));
        Ok(())
    }

    fn start(&mut self, node: NodeId) -> Result<(), Violation> {
        let Self { actors, checker, random, list, .. } = self;
        let actor = actors.get_mut(&node).expect("scripts name members");
        let mut effects = Effects::default();
        actor.committed = None;
        let started = actor.machine.start(actor.now, 1_000, list, random, checker, &mut effects);
        self.take_in(node, effects);
        started.or_else(|stop| self.stopped(node, stop))?;
        let running = self.actors.iter().filter(|(_, actor)| actor.machine.process.is_some());
        let peers: Vec<NodeId> = running.map(|(peer, _)| *peer).filter(|peer| *peer != node).collect();
        for peer in peers {
            for service in Service::ALL {
                self.hand_in(node, Input::PeerUp { node: peer, service }.into())?;
                self.hand_in(peer, Input::PeerUp { node, service }.into())?;
            }
        }
        self.introduce()
    }

    fn introduce(&mut self) -> Result<(), Violation> {
        for _ in 0..INTRODUCTIONS_MAX {
            let introduction = |held: &Held| matches!(held.message, Message::Introduce { .. });
            let Some(place) = self.bag.iter().position(introduction) else { return Ok(()) };
            let Held { from, to, packet, .. } = self.bag.remove(place);
            if self.actor(to).machine.process.is_some() {
                self.act(to, |process, now, checker, effects| {
                    process.receive(now, from, packet, checker, effects)
                })?;
            }
        }
        Ok(())
    }
}

/// Whether a message is one that a story is about.
const fn is_told(message: &Message) -> bool {
    match message {
        Message::Election(_) | Message::Repair { .. } | Message::RepairRequest { .. } => true,
        Message::LeaseRelease { .. } => true,
        Message::Heartbeat(heartbeat) => heartbeat.lease.is_some(),
        Message::HeartbeatReply(reply) => reply.granted,
        Message::Stream(message) => {
            matches!(message, StreamMessage::Append { .. } | StreamMessage::Ack { .. })
        }
        _ => false,
    }
}

/// Whether a message only prepares for the frames to flow.
const fn is_auxiliary(message: &Message) -> bool {
    match message {
        Message::Heartbeat(_) | Message::HeartbeatReply(_) => true,
        Message::Stream(message) => {
            matches!(message, StreamMessage::Syncup { .. } | StreamMessage::SyncupReply { .. })
        }
        _ => false,
    }
}
