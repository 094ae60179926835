//! Whole groups of nodes over a perfect network and instant logs: the protocol's main stories.

mod alone;
mod damage;
mod leases;
mod network;
mod slow_links;

use bytes::Bytes;
use quorate_core::*;
use quorate_replica::*;
use std::collections::VecDeque;
use std::time::Duration;

/// One node with a log that writes and syncs at once.
struct Host {
    node: Node,
    log: Vec<Batch>,
    /// What of the log cannot be read.
    damaged: Option<DamagedRange>,
    applied: Vec<EntryId>,
    hard: HardState,
    up: bool,
    states: Vec<(NodeState, Term)>,
}

struct Group {
    config: NodeConfig,
    hosts: Vec<Host>,
    now: Time,
    /// What is under way, by when it arrives.
    wires: VecDeque<(Time, NodeId, NodeId, Packet)>,
    /// How long messages to or from a node are under way, beyond no time at all.
    delays: Vec<(NodeId, Duration)>,
    cut: Vec<(NodeId, NodeId)>,
    reads: Vec<(NodeId, ReadId, Result<Option<Vlsn>, ReadFailure>)>,
    /// Writes that a node was asked for, and by whom.
    asked: Vec<(NodeId, NodeId, ForwardedWrite)>,
    /// What a node was told of the writes that it passed on, and by whom.
    answered: Vec<(NodeId, NodeId, RequestId, Bytes)>,
    /// The first and the last of the damaged entries that a node has put back.
    repaired: Vec<(NodeId, Vlsn, EntryId)>,
}

fn n(number: u16) -> NodeId {
    NodeId::new(number)
}

fn member_list(count: u16) -> MemberList {
    let member = |number: u16| Member {
        id: n(number),
        name: format!("node{number}"),
        address: format!("localhost:{number}"),
        node_type: NodeType::Electable,
        priority: 1,
    };
    MemberList::found((1..=count).map(member).collect(), QuorumPolicy::SimpleMajority).unwrap()
}

fn opened(hard_state: HardState, log: LogSummary, engine_applied: Option<EntryId>) -> Opened {
    Opened { hard_state, boot: BootId(1), log, engine_applied }
}

impl Group {
    fn new(count: u16) -> Self {
        Self::configured(count, NodeConfig::default())
    }

    fn configured(count: u16, config: NodeConfig) -> Self {
        let mut group = Self {
            config,
            hosts: Vec::new(),
            now: Time::ZERO,
            wires: VecDeque::new(),
            delays: Vec::new(),
            cut: Vec::new(),
            reads: Vec::new(),
            asked: Vec::new(),
            answered: Vec::new(),
            repaired: Vec::new(),
        };
        for number in 1..=count {
            let hard = HardState {
                group: "g".into(),
                node: format!("node{number}"),
                id: n(number),
                incarnation: Incarnation(u128::from(number)),
                open_count: 1,
                promised: Term::ZERO,
                roster: None,
                unsynced_mark: None,
                recovering: false,
                lease_granted: Duration::ZERO,
            };
            let config = NodeConfig { seed: u64::from(number), ..group.config.clone() };
            let node = Node::new(
                config,
                opened(hard.clone(), LogSummary::default(), None),
                member_list(count),
                Time::ZERO,
            );
            group.hosts.push(Host {
                node,
                log: Vec::new(),
                damaged: None,
                applied: Vec::new(),
                hard,
                up: true,
                states: Vec::new(),
            });
        }
        for number in 1..=count {
            group.link_up(n(number));
        }
        group
    }

    fn host(&mut self, node: NodeId) -> &mut Host {
        &mut self.hosts[usize::from(node.as_u16()) - 1]
    }

    fn input(&mut self, node: NodeId, input: Input) {
        let now = self.now;
        if self.host(node).up {
            self.host(node).node.handle(now, input);
            self.drain(node);
        }
    }

    fn drain(&mut self, node: NodeId) {
        let (mut inputs, mut packets) = (Vec::new(), Vec::new());
        let host = &mut self.hosts[usize::from(node.as_u16()) - 1];
        while let Some(output) = host.node.poll() {
            match output {
                Output::StoreHardState(hard) => host.hard = hard,
                Output::Append { batch, epoch, .. } => {
                    let last = batch.last().vlsn;
                    host.log.push(batch);
                    inputs.push(Input::Durable { epoch, last });
                }
                Output::Sync { epoch } => {
                    let last = host.log.last().map(|batch| batch.last().vlsn);
                    inputs.extend(last.map(|last| Input::Durable { epoch, last }));
                }
                Output::Truncate { keep, epoch } if host.cannot_cut_behind(keep) => {
                    inputs.push(Input::NotTruncated { epoch, log: host.summary() });
                }
                Output::Truncate { keep, epoch } => {
                    host.damaged = host.damaged.filter(|range| Some(range.first) <= keep);
                    let end = host.log.last().map(Batch::last);
                    let count = Vlsn::number(end.map(|end| end.vlsn)) - Vlsn::number(keep);
                    host.log.retain(|batch| Some(batch.first()) <= keep);
                    if let Some(last) = host.log.pop() {
                        host.log.extend(keep.and_then(|keep| quorate_codec::prefix(&last, keep)));
                    }
                    let log = host.summary();
                    let dropped = end.map(|end| (end, end));
                    let truncated = Truncated { dropped, count, rollback_file: None };
                    inputs.push(Input::Truncated { epoch, truncated, log });
                }
                Output::Send { to, message } => {
                    let packet = Envelope { uuid: host.node.roster().map(Roster::uuid), message }.encode();
                    packets.push((to, packet));
                }
                Output::ReadLog { reader, from, .. } => {
                    let batch = host.log.iter().find(|batch| batch.last().vlsn >= from).unwrap();
                    inputs.push(Input::LogRead {
                        reader,
                        result: Ok(quorate_codec::suffix(batch, from).unwrap()),
                    });
                }
                Output::Apply { batch } => {
                    host.applied.extend(quorate_codec::frames(&batch).map(|frame| frame.id));
                    inputs.push(Input::Applied { last: batch.last().vlsn, bytes: batch.bytes() });
                }
                Output::FlushEngine => {
                    inputs.push(Input::EngineFlushed { durable: host.applied.last().map(|id| id.vlsn) });
                }
                Output::State { state, term, .. } => host.states.push((state, term)),
                Output::ReadReady { read, at } => self.reads.push((node, read, Ok(at))),
                Output::ReadFailed { read, failure } => self.reads.push((node, read, Err(failure))),
                Output::WriteAsked { from, write } => self.asked.push((node, from, write)),
                Output::WriteAnswered { from, request, outcome } => {
                    self.answered.push((node, from, request, outcome));
                }
                Output::Halt(halt) => panic!("{node} halts: {halt:?}"),
                Output::Repair { batch } => {
                    self.repaired.push((node, batch.first(), batch.last()));
                    host.heal(&batch);
                    inputs.push(Input::Repaired { damaged: host.summary().damaged });
                }
                Output::Trim { .. } | Output::Event(_) => {}
            }
        }
        for (to, packet) in packets {
            self.dispatch(node, to, packet);
        }
        for input in inputs {
            self.input(node, input);
        }
    }

    /// Delivers everything, then lets time pass to the next deadline, until `span` is over.
    fn run(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            while self.wires.front().is_some_and(|(arrives, ..)| *arrives <= self.now)
                && let Some((_, from, to, packet)) = self.wires.pop_front()
            {
                if self.host(from).up && self.host(to).up && !self.cut.contains(&(from, to)) {
                    let Envelope { uuid, message } =
                        Envelope::decode(packet).expect("nodes understand each other");
                    self.input(to, Input::Receive { from, uuid, message });
                }
            }
            let hosts = self.hosts.iter().filter(|host| host.up);
            let deadlines = hosts.filter_map(|host| host.node.deadline());
            let arrival = self.wires.front().map(|(arrives, ..)| *arrives);
            let next = deadlines.chain(arrival).min().unwrap();
            if next > end {
                self.now = end;
                return;
            }
            self.now = self.now.max(next);
            (1..=self.hosts.len() as u16).for_each(|number| self.input(n(number), Input::Tick));
        }
    }

    fn seconds(&mut self, seconds: u64) {
        self.run(Duration::from_secs(seconds));
    }

    fn others(&self, node: NodeId) -> Vec<NodeId> {
        (1..=self.hosts.len() as u16).map(n).filter(|other| *other != node).collect()
    }

    fn master(&self) -> NodeId {
        let leads = |host: &&Host| host.up && host.node.progress().state == NodeState::Master;
        let masters: Vec<NodeId> = self.hosts.iter().filter(leads).map(|host| host.hard.id).collect();
        assert_eq!(masters.len(), 1, "one master: {masters:?}");
        masters[0]
    }

    fn put(
        &mut self,
        node: NodeId,
        payload: &'static str,
        durability: &str,
    ) -> Result<EntryId, ProposeError> {
        let proposal = Proposal {
            payload: Bytes::from_static(payload.as_bytes()),
            durability: durability.parse().unwrap(),
        };
        let now = self.now;
        let id = self.host(node).node.propose(now, 1, &[proposal]);
        self.drain(node);
        id
    }

    fn restart(&mut self, node: NodeId, boot: u128) {
        let (now, count) = (self.now, self.hosts.len() as u16);
        let config = NodeConfig { seed: 99, ..self.config.clone() };
        let host = self.host(node);
        host.hard.open_count += 1;
        let opened = Opened {
            hard_state: host.hard.clone(),
            boot: BootId(boot),
            log: host.summary(),
            engine_applied: host.applied.last().copied(),
        };
        host.node = Node::new(config, opened, member_list(count), now);
        host.up = true;
        self.drain(node);
        self.link_up(node);
    }

    fn logs_agree(&self) {
        let frames =
            |host: &Host| host.log.iter().flat_map(|batch| batch.frames().to_vec()).collect::<Vec<u8>>();
        let first = frames(&self.hosts[0]);
        for host in &self.hosts {
            assert!(frames(host) == first, "{} has another log", host.hard.node);
            assert_eq!(host.applied.len() as u64, Vlsn::number(host.summary().terms.last_vlsn()));
            assert!(host.applied.windows(2).all(|pair| pair[0].vlsn.next() == pair[1].vlsn));
        }
    }
}

impl Host {
    fn summary(&self) -> LogSummary {
        let mut terms = TermTable::new(None);
        self.log.iter().for_each(|batch| terms.append(batch));
        let chain = self.log.last().map_or(0, Batch::chain_after);
        let damaged = self.damaged.into_iter().collect();
        LogSummary { durable: terms.last_vlsn(), terms, chain, damaged, ..LogSummary::default() }
    }

    fn cannot_cut_behind(&self, keep: Option<Vlsn>) -> bool {
        let damaged = keep.zip(self.damaged);
        damaged.is_some_and(|(keep, range)| range.contains(keep) && range.last > keep)
    }

    fn heal(&mut self, batch: &Batch) {
        let rest = self.damaged.filter(|range| range.last > batch.last().vlsn);
        let (first, chain_before) = (batch.last().vlsn.next(), batch.chain_after());
        self.damaged = rest.map(|range| DamagedRange { first, chain_before, ..range });
    }
}

#[test]
fn three_nodes_found_a_group_and_replicate() {
    let mut group = Group::new(3);
    group.seconds(5);
    let master = group.master();
    for host in &group.hosts {
        assert_eq!(host.node.progress().master, Some(master));
        assert_eq!(host.node.uuid(), group.hosts[0].node.uuid());
        assert!(host.node.uuid().is_some() && host.node.is_bound());
    }
    for payload in ["a", "b", "c"] {
        group.put(master, payload, "sync,sync,majority").unwrap();
    }
    group.seconds(1);
    group.logs_agree();
    assert_eq!(group.hosts[0].applied.len(), 4, "the term's start and three writes");
}

#[test]
fn the_masters_death_is_followed_by_an_election_and_its_uncommitted_tail_is_rolled_back() {
    let mut group = Group::new(3);
    group.seconds(5);
    let old = group.master();
    group.put(old, "kept", "sync,sync,majority").unwrap();
    group.seconds(1);
    group.isolate(old);
    group.put(old, "never committed", "sync,sync,none").unwrap();
    group.seconds(10);
    let new = group.master();
    assert_ne!(new, old);
    assert_eq!(group.hosts[usize::from(old.as_u16()) - 1].node.progress().state, NodeState::Unknown);
    group.put(new, "after", "sync,sync,majority").unwrap();
    group.seconds(1);
    group.cut.clear();
    group.seconds(5);
    group.logs_agree();
    assert_eq!(group.host(old).node.counters().entries_rolled_back, 1);
    assert_eq!(group.master(), new, "a deposed master that comes back does not disturb its successor");
}

#[test]
fn a_voter_whose_own_ballot_failed_is_brought_back_by_a_higher_one() {
    let mut group = Group::new(3);
    group.seconds(5);
    let master = group.master();
    let replica = n(if master == n(1) { 2 } else { 1 });
    group.isolate(replica);
    let now = group.now;
    group.host(replica).node.call_ballot(now);
    group.drain(replica);
    let failed = group.host(replica).hard.promised;
    group.run(Duration::from_millis(50));
    group.cut.clear();
    group.seconds(3);
    assert!(group.host(replica).node.progress().term > failed);
    assert_eq!(group.host(replica).node.progress().state, NodeState::Replica);
    group.put(group.master(), "after", "sync,sync,all").unwrap();
    group.seconds(1);
    group.logs_agree();
}

#[test]
fn a_killed_master_is_replaced_within_milliseconds_of_the_refused_connection() {
    let mut group = Group::new(3);
    group.seconds(5);
    let old = group.master();
    group.kill(old);
    group.run(Duration::from_millis(100));
    let new = group.master();
    assert_ne!(new, old);
    group.put(new, "after", "sync,sync,majority").unwrap();
    group.seconds(1);
    group.restart(old, 1);
    group.seconds(5);
    group.logs_agree();
    assert_eq!(group.master(), new, "a node that comes back does not disturb the master");
}

#[test]
fn linearizable_reads_are_confirmed_by_a_round_on_the_master_and_through_it_on_a_replica() {
    let mut group = Group::new(3);
    group.seconds(5);
    let master = group.master();
    let id = group.put(master, "a", "sync,sync,majority").unwrap();
    group.seconds(1);
    let replica = n(if master == n(1) { 2 } else { 1 });
    for (node, read) in [(master, 1), (replica, 2)] {
        let now = group.now;
        group.host(node).node.read(now, ReadId(read));
        group.drain(node);
    }
    group.run(Duration::from_millis(1));
    assert_eq!(
        group.reads,
        [(master, ReadId(1), Ok(Some(id.vlsn))), (replica, ReadId(2), Ok(Some(id.vlsn)))]
    );
    group.isolate(master);
    let now = group.now;
    group.host(master).node.read(now, ReadId(3));
    group.drain(master);
    group.seconds(10);
    assert_eq!(group.reads.last(), Some(&(master, ReadId(3), Err(ReadFailure::MasterChanged))));
}

#[test]
fn a_node_that_lost_power_with_unsynced_acknowledgements_recovers_before_it_counts() {
    let mut group = Group::new(3);
    group.seconds(5);
    let master = group.master();
    let replica = n(if master == n(1) { 2 } else { 1 });
    group.put(master, "relaxed", "no-sync,no-sync,majority").unwrap();
    group.seconds(1);
    group.host(replica).hard.unsynced_mark = Some(BootId(1));
    group.kill(replica);
    group.restart(replica, 2);
    assert!(group.host(replica).node.progress().recovering);
    group.seconds(5);
    assert!(!group.host(replica).node.progress().recovering);
    assert_eq!(group.host(replica).hard.unsynced_mark, None);
    group.logs_agree();
}

#[test]
fn a_group_of_which_every_node_lost_power_elects_the_best_of_what_is_left() {
    let mut group = Group::new(3);
    group.seconds(5);
    group.put(group.master(), "relaxed", "no-sync,no-sync,majority").unwrap();
    group.seconds(1);
    for number in 1..=3 {
        group.host(n(number)).hard.unsynced_mark = Some(BootId(1));
        group.host(n(number)).up = false;
    }
    (1..=3).for_each(|number| group.restart(n(number), 2));
    assert!(group.hosts.iter().all(|host| host.node.progress().recovering));
    group.seconds(10);
    group.put(group.master(), "after", "sync,sync,majority").unwrap();
    group.seconds(1);
    assert!(group.hosts.iter().all(|host| !host.node.progress().recovering));
    group.logs_agree();
}

#[test]
fn a_directory_that_did_not_found_the_group_takes_no_part_in_it() {
    let mut group = Group::new(3);
    group.seconds(5);
    let stranger = n(if group.master() == n(1) { 2 } else { 1 });
    group.kill(stranger);
    let host = group.host(stranger);
    host.hard =
        HardState { incarnation: Incarnation(77), promised: Term::ZERO, roster: None, ..host.hard.clone() };
    host.log.clear();
    host.applied.clear();
    group.restart(stranger, 1);
    group.seconds(10);
    let progress = group.host(stranger).node.progress();
    assert_eq!((progress.state, progress.watermarks.written), (NodeState::Unknown, None));
    assert_eq!(group.host(stranger).hard.promised, Term::ZERO);
    let master = group.master();
    let error = group.put(master, "x", "sync,sync,all").unwrap_err();
    assert_eq!(error, ProposeError::InsufficientReplicas { needed: 3, available: 2 });
}

fn proposal(payload: &'static str) -> Proposal {
    let durability = "sync,sync,all".parse().unwrap();
    Proposal { payload: Bytes::from_static(payload.as_bytes()), durability }
}

impl Group {
    fn forward(&mut self, node: NodeId, payload: &'static str) -> Option<(NodeId, RequestId)> {
        let (now, reads) = (self.now, Bytes::from_static(b"reads"));
        let sent = self.host(node).node.forward(now, proposal(payload), reads, Duration::from_secs(7));
        self.drain(node);
        sent
    }
}

#[test]
fn a_replica_passes_a_write_on_to_its_master_and_hears_what_became_of_it() {
    let mut group = Group::new(3);
    assert_eq!(group.forward(n(1), "too early"), None);
    group.seconds(5);
    let master = group.master();
    let replica = n(master.as_u16() % 3 + 1);
    let (to, request) = group.forward(replica, "a").unwrap();
    assert_eq!(to, master);
    group.seconds(1);
    let [(at, from, write)] = &group.asked[..] else { panic!("{:?}", group.asked) };
    assert_eq!((*at, *from, write.request), (master, replica, request));
    assert_eq!((&write.payload[..], &write.reads[..]), (&b"a"[..], &b"reads"[..]));
    assert_eq!((write.durability, write.timeout), (proposal("a").durability, Duration::from_secs(7)));
    group.host(master).node.answer_write(replica, request, Bytes::from_static(b"done"));
    group.drain(master);
    group.seconds(1);
    assert_eq!(group.answered, [(replica, master, request, Bytes::from_static(b"done"))]);
}

#[test]
fn a_master_passes_nothing_on_and_a_replica_asked_by_mistake_says_who_leads() {
    let mut group = Group::new(3);
    group.seconds(5);
    let master = group.master();
    let replica = n(master.as_u16() % 3 + 1);
    assert_eq!(group.forward(master, "a"), None);
    let refused = group.put(replica, "a", "sync,sync,majority");
    assert_eq!(refused, Err(ProposeError::NotMaster { master: Some(master) }));
}

#[test]
fn what_another_run_of_the_process_has_asked_is_named_otherwise() {
    let mut group = Group::new(3);
    group.seconds(5);
    let replica = n(group.master().as_u16() % 3 + 1);
    let (_, first) = group.forward(replica, "a").unwrap();
    group.kill(replica);
    group.restart(replica, 1);
    group.seconds(5);
    let (_, second) = group.forward(replica, "a").unwrap();
    assert_ne!(first, second);
}

#[test]
fn an_answer_to_an_earlier_run_s_read_serves_no_read_of_this_one() {
    let mut group = Group::new(3);
    group.seconds(5);
    let master = group.master();
    let replica = n(master.as_u16() % 3 + 1);
    let now = group.now;
    group.host(replica).node.read(now, ReadId(1));
    let host = group.host(replica);
    let asked = std::iter::from_fn(|| host.node.poll()).find_map(|output| match output {
        Output::Send { message: Message::ReadIndex { read }, .. } => Some(read),
        _ => None,
    });
    let earlier = asked.unwrap() - (1 << 40);
    let uuid = group.host(replica).node.identity();
    let message = Message::ReadIndexReply { read: earlier, at: Ok(None) };
    group.input(replica, Input::Receive { from: master, uuid, message });
    assert_eq!(group.reads, []);
    let message = Message::ReadIndexReply { read: asked.unwrap(), at: Ok(None) };
    group.input(replica, Input::Receive { from: master, uuid, message });
    assert_eq!(group.reads, [(replica, ReadId(1), Ok(None))]);
}

#[test]
fn a_node_whose_engine_lacks_what_its_log_has_trimmed_halts_and_says_so() {
    let mut group = Group::new(3);
    group.seconds(5);
    let hard = group.host(n(1)).hard.clone();
    let entry = |number| EntryId { term: Term::new(1, n(1)), vlsn: Vlsn::new(number).unwrap() };
    let log = LogSummary {
        terms: TermTable::new(Some(entry(10))),
        durable: Some(entry(10).vlsn),
        ..LogSummary::default()
    };
    let open = |applied| {
        let opened = opened(hard.clone(), log.clone(), applied);
        Node::new(NodeConfig::default(), opened, member_list(3), Time::ZERO)
    };
    for applied in [None, Some(entry(9))] {
        let mut node = open(applied);
        let outputs: Vec<Output> = std::iter::from_fn(|| node.poll()).collect();
        let halt = Halt::EngineBehind { applied, base: entry(10) };
        assert!(matches!(outputs.last(), Some(Output::Halt(found)) if *found == halt), "{outputs:?}");
        let stores = |output: &Output| matches!(output, Output::StoreHardState(_));
        assert!(!outputs.iter().any(stores), "nothing was changed");
        assert_eq!(node.deadline(), None);
        let marks = node.progress().watermarks;
        let held = applied.map(|applied| applied.vlsn);
        assert_eq!((marks.engine_durable, marks.applied), (held, held), "no more than it has");
    }
    let mut node = open(Some(entry(10)));
    assert!(std::iter::from_fn(|| node.poll()).all(|output| !matches!(output, Output::Halt(_))));
}
