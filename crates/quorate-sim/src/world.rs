//! A simulated group and its surroundings: the loop over events.

use crate::checker::{Checker, Ending, Rule, Violation};
use crate::client::{Call, Client, OutcomeCounts};
use crate::host::Host;
use crate::machine::Machine;
use crate::nemesis::{Mending, Strike};
use crate::network::{Link, Network, letter};
use crate::operation::{OperationId, Reply};
use crate::process::{Completion, Effects, Process, Sending, Stop};
use crate::profile::Profile;
use crate::queue::EventQueue;
use crate::records::{Judged, Records};
use crate::shortage::Shortage;
use crate::sim_time::{happens, micros_between};
use crate::trace::Trace;
use crate::words::InWords;
use crate::{FaultCounts, FaultKind, SimTime};
use quorate_core::{Member, MemberList, NodeId, NodeType, Packet, QuorumPolicy, Random};
use quorate_policy::Quorums;
use quorate_replica::{Halt, Input, Message};
use std::collections::BTreeMap;
use std::time::Duration;

/// Something that happens at its time.
#[derive(Debug)]
pub(crate) enum Event {
    /// A message arrives.
    Deliver { link: Link, message: Message, packet: Packet },
    /// A node's deadline comes.
    Tick { node: NodeId, life: u64, at: SimTime },
    /// A thread of a node reports to its event loop.
    Report { node: NodeId, life: u64, completion: Completion },
    /// What a node's log writer is at is done.
    Log { node: NodeId, life: u64 },
    /// What a node's apply thread is at is done.
    Apply { node: NodeId, life: u64 },
    /// A read of a node's log is done.
    ReadLog { node: NodeId, life: u64 },
    /// A node dials a peer.
    Dial { link: Link, life: u64 },
    /// A link that a node has dialled is gone, and the node is about to notice.
    LinkLost { link: Link, life: u64 },
    /// A client begins something new.
    Client { client: usize },
    /// A client's call reaches a node.
    Call { node: NodeId, call: Call },
    /// A client has waited long enough.
    GiveUp { operation: OperationId, reply: Reply },
    /// Something goes wrong.
    Fault,
    /// A fault ends.
    Mend(Mending),
    /// A process is started.
    Start { node: NodeId },
}

impl Event {
    /// The process that must be awake for it.
    const fn subject(&self) -> Option<NodeId> {
        match self {
            Self::Deliver { link, .. } => Some(link.to),
            Self::Dial { link, .. } | Self::LinkLost { link, .. } => Some(link.from),
            Self::Tick { node, .. }
            | Self::Report { node, .. }
            | Self::Log { node, .. }
            | Self::Apply { node, .. }
            | Self::ReadLog { node, .. }
            | Self::Call { node, .. } => Some(*node),
            Self::Client { .. } | Self::GiveUp { .. } | Self::Fault | Self::Mend(_) | Self::Start { .. } => {
                None
            }
        }
    }
}

/// A group, its network, its clients, and what goes wrong.
pub(crate) struct World {
    pub(crate) profile: Profile,
    pub(crate) random: Random,
    /// Draws faults, and nothing else.
    pub(crate) chaos: Random,
    /// How many faults were drawn.
    pub(crate) drawn: usize,
    /// Those that struck.
    pub(crate) strikes: Vec<Strike>,
    /// How many nodes had to stop for good.
    pub(crate) retired: u64,
    pub(crate) now: SimTime,
    pub(crate) queue: EventQueue<Event>,
    pub(crate) list: MemberList,
    pub(crate) hosts: BTreeMap<NodeId, Host>,
    pub(crate) network: Network,
    pub(crate) clients: Vec<Client>,
    pub(crate) operations: u64,
    /// How many engines were refused as damaged when they were opened.
    pub(crate) engines_refused: u64,
    /// How many writes replicas have passed on.
    pub(crate) forwarded: u64,
    pub(crate) checker: Checker,
    pub(crate) faults: FaultCounts,
    pub(crate) outcomes: OutcomeCounts,
    pub(crate) records: Records,
    /// What of them was judged at the end.
    pub(crate) judged: Judged,
    /// What has not happened in all the time that a history may take.
    pub(crate) lacks: Option<Shortage>,
    pub(crate) trace: Trace,
    /// Faults are over, and clients begin nothing new.
    pub(crate) at_peace: bool,
}

/// The members of a simulated group of `count` nodes, named A, B, ..., of priority 1 but for those listed.
pub(crate) fn members(count: u16, quorum: QuorumPolicy, priorities: &[(NodeId, u32)]) -> MemberList {
    let priority = |id| priorities.iter().find(|(node, _)| *node == id).map_or(1, |(_, priority)| *priority);
    let member = |number| Member {
        id: NodeId::new(number),
        name: letter(NodeId::new(number)).to_string(),
        address: format!("{}:1", letter(NodeId::new(number))),
        node_type: NodeType::Electable,
        priority: priority(NodeId::new(number)),
    };
    MemberList::found((1..=count).map(member).collect(), quorum).expect("letters are distinct names")
}

/// After so many steps of a log its index is compared with its files.
const INDEX_CHECK_STRIDE: u64 = 512;
/// How many times its duration a history takes at most, if too little happens in it.
const DURATION_FACTOR_MAX: u32 = 4;

impl World {
    pub(crate) fn new(seed: u64, profile: Profile, trace: Trace) -> Self {
        let mut random = Random::new(seed);
        let mut profile = profile;
        profile.messages = profile.selected_rates();
        let list = members(profile.nodes, QuorumPolicy::SimpleMajority, &[]);
        let quorums = Quorums::new(&list).expect("majorities meet");
        let mut faults = FaultCounts::default();
        let network = Network::over(profile.distance);
        let host = |id| (id, Host::new(Machine::new(id, &profile)));
        let mut hosts: BTreeMap<NodeId, Host> = list.electable().iter().map(host).collect();
        for host in hosts.values_mut() {
            let rate = 1_000 - profile.skew_per_mille + random.below(2 * profile.skew_per_mille + 1);
            if rate != 1_000 && profile.has_ambient(FaultKind::ClockSkew) {
                host.clock_rate = rate;
                faults.count(FaultKind::ClockSkew);
            }
        }
        Self {
            clients: (0..profile.clients).map(|_| Client::new()).collect(),
            profile,
            random,
            chaos: Random::new(seed ^ 0x1bd1_1bda_a9fc_1a22),
            drawn: 0,
            strikes: Vec::new(),
            retired: 0,
            now: SimTime::ZERO,
            queue: EventQueue::new(),
            list,
            hosts,
            network,
            operations: 0,
            engines_refused: 0,
            forwarded: 0,
            checker: Checker::new(quorums),
            faults,
            outcomes: OutcomeCounts::default(),
            records: Records::default(),
            judged: Judged::default(),
            lacks: None,
            trace,
            at_peace: false,
        }
    }

    /// Plays the history to its end.
    pub(crate) fn run(&mut self) -> Result<(), Violation> {
        self.begin();
        self.run_until(SimTime::ZERO + self.profile.duration)?;
        let longest = SimTime::ZERO + self.profile.duration * DURATION_FACTOR_MAX;
        while self.shortage().is_some() && self.now < longest {
            self.run_until(self.now + Duration::from_secs(1))?;
        }
        self.lacks = self.shortage();
        self.settle_in_peace()?;
        self.judged = self.records.judge()?;
        Ok(())
    }

    /// What a history should tell of and has not, so far.
    fn shortage(&self) -> Option<Shortage> {
        let draws_all = !self.profile.fault_interval.is_zero() && self.profile.only.is_none();
        let shortage = Shortage {
            operations: self.outcomes.total(),
            operations_min: self.profile.operations_min,
            faults: self.faults.total(),
            faults_min: if draws_all { self.profile.faults_min } else { 0 },
        };
        shortage.is_one().then_some(shortage)
    }

    /// Has all processes started, and clients and faults begin.
    pub(crate) fn begin(&mut self) {
        let nodes: Vec<NodeId> = self.hosts.keys().copied().collect();
        for node in nodes {
            let at = self.soon(0, 20_000);
            self.queue.push(at, Event::Start { node });
        }
        for client in 0..self.clients.len() {
            let at = self.soon(200_000, 600_000);
            self.queue.push(at, Event::Client { client });
        }
        self.schedule_fault();
    }

    /// Plays all events up to `limit`.
    pub(crate) fn run_until(&mut self, limit: SimTime) -> Result<(), Violation> {
        while let Some((at, event)) = self.queue.pop_until(limit) {
            self.now = at;
            self.checker.now = at;
            self.play(event)?;
        }
        self.now = limit;
        Ok(())
    }

    /// A moment between `low` and `high` microseconds from now.
    pub(crate) fn soon(&mut self, low: u64, high: u64) -> SimTime {
        self.now + micros_between(&mut self.random, low, high)
    }

    pub(crate) fn note(&mut self, text: std::fmt::Arguments<'_>) {
        self.trace.line(self.now, text);
    }

    pub(crate) fn host(&mut self, node: NodeId) -> &mut Host {
        self.hosts.get_mut(&node).expect("every member has a host")
    }

    fn play(&mut self, event: Event) -> Result<(), Violation> {
        if let Some(node) = event.subject() {
            let paused_until = self.host(node).paused_until;
            if paused_until > self.now {
                self.queue.push(paused_until, event);
                return Ok(());
            }
        }
        match event {
            Event::Deliver { link, message, packet } => self.deliver(link, &message, packet),
            Event::Tick { node, life, at } => self.tick(node, life, at),
            Event::Report { node, life, completion } => self.report(node, life, completion),
            Event::Log { node, life } => self.log_step(node, life),
            Event::Apply { node, life } => self.apply_step(node, life),
            Event::ReadLog { node, life } => self.read_log(node, life),
            Event::Dial { link, life } => self.dial(link, life),
            Event::LinkLost { link, life } => self.link_lost(link, life),
            Event::Client { client } => self.client_begins(client),
            Event::Call { node, call } => self.call(node, call),
            Event::GiveUp { operation, reply } => self.client_gives_up(operation, reply),
            Event::Fault => self.strike(),
            Event::Mend(mending) => self.mend(mending),
            Event::Start { node } => self.start(node),
        }
    }

    fn deliver(&mut self, link: Link, message: &Message, packet: Packet) -> Result<(), Violation> {
        if self.host(link.to).machine.process.is_none() {
            return Ok(());
        }
        self.note(format_args!("{link} {}", InWords(message)));
        self.act(link.to, |process, now, checker, effects| {
            process.receive(now, link.from, packet, checker, effects)
        })
    }

    fn tick(&mut self, node: NodeId, life: u64, at: SimTime) -> Result<(), Violation> {
        let now = self.now;
        let host = self.host(node);
        if host.life() != Some(life) || host.tick_at != Some(at) {
            return Ok(());
        }
        host.tick_at = None;
        if !host.ticked(now) {
            return Rule::NoPanic.broken(format!("{}'s deadline comes again and again", letter(node)));
        }
        self.act(node, |process, now, checker, effects| {
            process.handle(now, Input::Tick.into(), checker, effects)
        })
    }

    fn report(&mut self, node: NodeId, life: u64, completion: Completion) -> Result<(), Violation> {
        if self.host(node).life() != Some(life) {
            return Ok(());
        }
        self.note(format_args!("{} hears {}", letter(node), completion_in_words(&completion)));
        self.act(node, |process, now, checker, effects| process.handle(now, completion, checker, effects))
    }

    fn log_step(&mut self, node: NodeId, life: u64) -> Result<(), Violation> {
        if self.host(node).life() != Some(life) {
            return Ok(());
        }
        let host = self.host(node);
        host.log_busy = false;
        host.log_steps += 1;
        let is_due = host.log_steps.is_multiple_of(INDEX_CHECK_STRIDE);
        self.act_in_thread(node, |process, checker| process.log.step(checker))?;
        if is_due { self.hosts[&node].machine.check_index(&self.checker) } else { Ok(()) }
    }

    fn apply_step(&mut self, node: NodeId, life: u64) -> Result<(), Violation> {
        if self.host(node).life() != Some(life) {
            return Ok(());
        }
        self.host(node).apply_busy = false;
        self.act_in_thread(node, |process, checker| Ok(process.apply.step(checker)?.into_iter().collect()))
    }

    fn read_log(&mut self, node: NodeId, life: u64) -> Result<(), Violation> {
        if self.host(node).life() != Some(life) {
            return Ok(());
        }
        self.host(node).read_busy = false;
        self.act_in_thread(node, |process, _| Ok(process.read_log().into_iter().collect()))
    }

    /// Lets a node's event loop do something, and carries out what comes of it.
    pub(crate) fn act(
        &mut self,
        node: NodeId,
        act: impl FnOnce(&mut Process, SimTime, &mut Checker, &mut Effects) -> Result<(), Stop>,
    ) -> Result<(), Violation> {
        let host = self.hosts.get_mut(&node).expect("every member has a host");
        let Some(process) = host.machine.process.as_mut() else { return Ok(()) };
        let mut effects = Effects::default();
        let result = act(process, self.now, &mut self.checker, &mut effects);
        self.carry_out(node, effects)?;
        match result {
            Ok(()) => {
                self.wake(node);
                self.check_stops(node)
            }
            Err(stop) => self.stopped(node, stop),
        }
    }

    /// Lets a thread of a node do something, and reports it to the node's event loop.
    fn act_in_thread(
        &mut self,
        node: NodeId,
        act: impl FnOnce(&mut Process, &mut Checker) -> Result<Vec<Completion>, Stop>,
    ) -> Result<(), Violation> {
        let host = self.hosts.get_mut(&node).expect("every member has a host");
        let Some(process) = host.machine.process.as_mut() else { return Ok(()) };
        let life = process.life();
        match act(process, &mut self.checker) {
            Ok(completions) => {
                for completion in completions {
                    let at = host.report_time(self.now, &mut self.random);
                    self.queue.push(at, Event::Report { node, life, completion });
                }
                self.wake(node);
                self.check_stops(node)
            }
            Err(stop) => self.stopped(node, stop),
        }
    }

    fn carry_out(&mut self, node: NodeId, effects: Effects) -> Result<(), Violation> {
        self.forwarded += effects.forwarded;
        self.engines_refused += effects.engines_refused;
        for note in effects.notes {
            self.note(format_args!("{} {note}", letter(node)));
        }
        for sending in effects.sends {
            self.send(node, sending);
        }
        for (operation, reply) in effects.replies {
            self.client_hears(operation, reply);
        }
        Ok(())
    }

    fn send(&mut self, from: NodeId, sending: Sending) {
        let Sending { to, service, message, packet } = sending;
        let link = Link { from, to, service };
        if !self.network.stands(link) {
            return self.drop_message(from, to, &message);
        }
        let mut rates = self.profile.messages;
        if matches!(message, Message::Forward(_)) {
            // Who gets a write twice writes it twice: that transports do not double it is what they promise.
            rates.duplication = 0;
        }
        let arrivals = self.network.route(self.now, link, &rates, &mut self.random, &mut self.faults);
        for at in arrivals {
            let (message, packet) = (message.clone(), packet.clone());
            self.queue.push(at, Event::Deliver { link, message, packet });
        }
    }

    /// There is no link for a message: whoever it concerns hears of it.
    fn drop_message(&mut self, from: NodeId, to: NodeId, message: &Message) {
        match message {
            Message::Forward(write) => {
                let process = self.host(from).machine.process.as_mut();
                let dropped = process.and_then(|process| process.forward_dropped(write.request));
                if let Some((operation, reply)) = dropped {
                    self.client_hears(operation, reply);
                }
            }
            // A replica whose answer is lost waits until its caller's time is over.
            Message::ForwardReply { .. } => {}
            message => self.report_soon(from, Input::SendDropped { to, service: message.service() }),
        }
    }

    /// Hands an input to a node's event loop, behind what waits there.
    pub(crate) fn report_soon(&mut self, node: NodeId, input: Input) {
        let host = self.hosts.get_mut(&node).expect("every member has a host");
        let Some(life) = host.life() else { return };
        let at = host.report_time(self.now, &mut self.random);
        self.queue.push(at, Event::Report { node, life, completion: input.into() });
    }

    /// Lets idle threads of a node begin what waits for them, and sees to its next deadline.
    fn wake(&mut self, node: NodeId) {
        let host = self.hosts.get_mut(&node).expect("every member has a host");
        let Some(process) = host.machine.process.as_ref() else { return };
        let (life, now) = (process.life(), self.now);
        let (log_step, applies, reads) =
            (process.log.next(), !process.apply.is_idle(), process.has_reading());
        let deadline = process.deadline().map(|deadline| deadline.max(now + Duration::from_micros(1)));
        if let Some(step) = log_step.filter(|_| !host.log_busy) {
            host.log_busy = true;
            let delay = host.log_delay(step, now, &mut self.random);
            self.queue.push(now + delay, Event::Log { node, life });
        }
        if applies && !host.apply_busy {
            host.apply_busy = true;
            let delay = micros_between(&mut self.random, 50, 500);
            self.queue.push(now + delay, Event::Apply { node, life });
        }
        if reads && !host.read_busy {
            host.read_busy = true;
            let delay = micros_between(&mut self.random, 100, 1_000);
            self.queue.push(now + delay, Event::ReadLog { node, life });
        }
        if let Some(deadline) = deadline.filter(|deadline| host.tick_at.is_none_or(|at| *deadline < at)) {
            host.tick_at = Some(deadline);
            self.queue.push(deadline, Event::Tick { node, life, at: deadline });
        }
    }

    fn start(&mut self, node: NodeId) -> Result<(), Violation> {
        let host = self.hosts.get_mut(&node).expect("every member has a host");
        if host.machine.process.is_some() || host.is_retired || host.is_kept_down {
            return Ok(());
        }
        self.carry_out_planned_damage(node);
        let host = self.hosts.get_mut(&node).expect("every member has a host");
        host.is_dark = false;
        let mut effects = Effects::default();
        let rate = host.clock_rate;
        let started =
            host.machine.start(self.now, rate, &self.list, &mut self.random, &mut self.checker, &mut effects);
        self.note(format_args!("{} starts", letter(node)));
        self.carry_out(node, effects)?;
        match started {
            Ok(()) => {
                self.dial_peers(node);
                self.wake(node);
                Ok(())
            }
            Err(stop) => self.stopped(node, stop),
        }
    }

    /// A process cannot go on: by a planned crash, or the history is broken.
    fn stopped(&mut self, node: NodeId, stop: Stop) -> Result<(), Violation> {
        match stop {
            Stop::Violation(violation) => return Err(violation),
            Stop::Crash => {
                self.faults.count(FaultKind::Crash);
                self.end_process(node, Ending::Process);
            }
            Stop::Failed(_) if self.host(node).machine.is_off() => {
                self.faults.count(FaultKind::CrashInStorage);
                let power = happens(&mut self.random, 500) && self.checker.survives_power_loss_of(&[node]);
                self.end_process(node, if power { Ending::Power } else { Ending::Process });
            }
            Stop::Failed(_) if self.host(node).sync_has_failed() => {
                self.faults.count(FaultKind::SyncFailure);
                self.end_process(node, Ending::Process);
            }
            Stop::DiskFull | Stop::Failed(_) if self.host(node).is_full => {
                self.faults.count(FaultKind::DiskFull);
                self.end_process(node, Ending::Process);
            }
            Stop::Unusable(reason) => return self.retire(node, &reason),
            Stop::DiskFull => {
                return Rule::LogsKeep.broken(format!("{} calls its disk full, and it is not", letter(node)));
            }
            Stop::Failed(reason) => {
                return Rule::LogsKeep
                    .broken(format!("{} failed, and nothing was wrong: {reason}", letter(node)));
            }
            Stop::Halted(Halt::EngineBehind { base, .. }) if self.checker.lacks_engine(node) => {
                return self.retire(node, &format!("its engine is gone, and its log begins behind {base}"));
            }
            Stop::Halted(halt) => {
                return Rule::NothingCommittedIsLost.broken(format!("{} halted: {halt:?}", letter(node)));
            }
        }
        Ok(())
    }

    /// Nothing goes on after a failed fsync: the system may take what it should have covered for written.
    fn check_stops(&mut self, node: NodeId) -> Result<(), Violation> {
        if self.host(node).sync_has_failed() {
            return Rule::LogsKeep.broken(format!("{} goes on after an fsync that failed", letter(node)));
        }
        Ok(())
    }

    /// A node stops for good, which it may only if it was damaged.
    pub(crate) fn retire(&mut self, node: NodeId, why: &str) -> Result<(), Violation> {
        self.note(format_args!("{} stops for good: {why}", letter(node)));
        self.checker.retired(node, why)?;
        self.end_process(node, Ending::Process);
        self.host(node).is_retired = true;
        self.retired += 1;
        Ok(())
    }
}

fn completion_in_words(completion: &Completion) -> String {
    match &completion.input {
        Input::LogRead { reader, result } => match result {
            Ok(batch) => format!("LogRead for {reader:?} {batch:?}"),
            Err(error) => format!("LogRead for {reader:?} {error}"),
        },
        input => format!("{input:?}"),
    }
}
