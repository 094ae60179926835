//! From a configuration to running threads, in this order: directory, hard state, log, engine, node,
//! transport, threads. What fails leaves nothing behind that runs or holds the directory.

use super::apply_thread::{ApplyCommand, ApplyThread};
use super::closing::join;
use super::combiner::Combiner;
use super::event_loop::{EventLoop, Workers};
use super::inbox::{Budget, NodeInbox};
use super::listeners::{self, ListenerCommand};
use super::log_reader::{self, LogRead};
use super::log_writer::{LogCommand, LogWriter};
use super::mailbox::Mailbox;
use super::pace::Pace;
use super::propose::Gathered;
use crate::clock::Clock;
use crate::config::Checked;
use crate::core::{Core, End, Identity, Limits};
use crate::directory::{Directory, Opened};
use crate::forwards::Forwards;
use crate::kv::{KvEngine, KvReader};
use crate::metrics::{self, Instruments};
use crate::parts::{EngineSource, Machine};
use crate::pauses::Pauses;
use crate::tally::Tally;
use crate::write_queue::WriteQueue;
use crate::{
    Applier, CloseError, CommitWaiters, OpenError, ReadWaiters, RepConfig, StateChangeEvent, TransportPlan,
    TransportStarter,
};
use crossbeam_channel::{Receiver, Sender, unbounded};
use quorate_core::{Hello, LogStore, MemberList, NodeState};
use quorate_log::boot_id;
use quorate_policy::Quorums;
use quorate_replica::{Node, NodeConfig};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// The threads that an environment ends by itself.
pub(crate) struct Running {
    pub(crate) core: Arc<Core>,
    pub(crate) listeners: Sender<ListenerCommand>,
    pub(crate) listener_thread: JoinHandle<()>,
    pub(crate) loop_thread: JoinHandle<Result<(), CloseError>>,
}

/// Bytes of packets that may wait beside each member's window: heartbeats, elections, answers.
const INBOX_EXTRA_BYTES: usize = 8 << 20;

/// Opens everything and starts the event loop.
pub(crate) fn open(
    config: RepConfig,
    engine: EngineSource<'_>,
    transport: TransportStarter<'_>,
    machine: Machine,
) -> Result<Running, OpenError> {
    let Machine { vfs, wall_clock } = machine;
    let checked = config.check()?;
    let seed = match config.seed {
        Some(seed) => seed,
        None => crate::directory::random_number()? as u64,
    };
    let directory = Directory::of(&config);
    let Opened { lock, state, hard, log } = directory.open(&vfs, &config, &checked)?;
    let members = directory.members_in_effect(&hard, &checked.list);
    let (applier, reader) = open_engine(engine, &directory)?;

    let clock = Clock::start(wall_clock);
    let tally = Arc::new(Tally::default());
    let combiner = Arc::new(Combiner::new());
    let (events, event_queue) = Mailbox::new(Arc::clone(&combiner));
    let (writes, write_queue) = WriteQueue::new();
    let first_client = crate::directory::random_number()?;
    let identity = identity(&config, &checked, &members, first_client)?;
    let core = Arc::new(Core::new(identity, clock, Arc::clone(&tally), reader, writes, events.clone()));
    let opened = quorate_replica::Opened {
        hard_state: hard,
        boot: boot_id(),
        log: log.summary(),
        engine_applied: applier.applied(),
    };
    let node = Node::new(node_config(&config, seed), opened, checked.list.clone(), core.clock.now());

    let hello = Arc::new(Mutex::new(hello_of(&node, &checked.list)));
    let budget = Arc::new(Budget::new(link_bytes_max(&config).saturating_mul(members.members().len())));
    let inbox = NodeInbox::new(events.clone(), Arc::clone(&budget), Arc::clone(&hello), Arc::clone(&tally));
    let plan = plan(&config, checked, members, node.hard_state().id, seed);
    let transport = transport(plan, Arc::new(inbox)).map_err(OpenError::Transport)?;

    let workers = Workers::start(Box::new(log), applier, &events, &core)?;
    let (listeners, listener_thread) = start_listeners(core.role.now())?;
    let event_loop = EventLoop {
        core: Arc::clone(&core),
        uuid: node.uuid(),
        node,
        events: event_queue,
        writes: write_queue,
        gathered: Gathered::default(),
        pace: Pace::default(),
        is_lent: false,
        held: None,
        has_ended: false,
        conflicts: None,
        commits: CommitWaiters::new(),
        reads: ReadWaiters::new(),
        forwards: Forwards::new(config.window_bytes_max),
        passes_writes_on: config.forward_writes,
        pauses: Pauses::default(),
        state: Box::new(state),
        directory: lock,
        transport,
        budget,
        hello,
        workers,
        listeners: listeners.clone(),
        instruments: instruments(&core),
        hello_is_final: false,
        is_broken: false,
        halted: None,
    };
    let loop_thread = spawn("quorate-loop", move || run(&combiner, event_loop))?;
    Ok(Running { core, listeners, listener_thread, loop_thread })
}

/// What may be on its way between this node and another, one way. There is no window too large to ask for.
const fn link_bytes_max(config: &RepConfig) -> usize {
    config.window_bytes_max.saturating_add(INBOX_EXTRA_BYTES)
}

/// Opens what applies entries, and a reader where it holds databases.
fn open_engine(
    source: EngineSource<'_>,
    directory: &Directory,
) -> Result<(Applier, Option<KvReader>), OpenError> {
    let path = directory.engine();
    match source {
        EngineSource::Store(open) => {
            let engine = KvEngine::open(open(&path).map_err(OpenError::Store)?)?;
            let reader = engine.reader();
            Ok((Applier::new(Box::new(engine)), Some(reader)))
        }
        EngineSource::Application(open) => {
            Ok((Applier::for_application(open(&path).map_err(OpenError::Store)?), None))
        }
    }
}

/// Owns the loop until it ends, and closes it. If it panics, which is a bug of ours, everybody who waits is
/// released all the same.
fn run(combiner: &Combiner<EventLoop>, event_loop: EventLoop) -> Result<(), CloseError> {
    let core = Arc::clone(&event_loop.core);
    let ended = combiner.own(event_loop, |deadline| core.clock.until(deadline));
    let closed = ended.and_then(|ended| catch_unwind(AssertUnwindSafe(|| ended.close())).ok());
    closed.unwrap_or_else(|| {
        let reason = "the event loop has panicked; please report this".to_owned();
        core.end(End::Halted { reason: reason.clone() });
        let last = core.role.now();
        let end = StateChangeEvent { state: NodeState::Detached, term: last.term, master: None };
        core.role.change(end, drop);
        Err(CloseError::Halted { reason })
    })
}

impl Workers {
    fn start(
        log: Box<dyn LogStore>,
        applier: Applier,
        events: &Mailbox,
        core: &Core,
    ) -> Result<Self, OpenError> {
        let (tally, group, node) = (&core.tally, &core.group, &core.node);
        let sync_seconds = metrics::log_sync_seconds(group, node);
        let step_seconds = metrics::engine_step_seconds(group, node);
        let reader = log.reader();
        let (log_sender, log_queue): (_, Receiver<LogCommand>) = unbounded();
        let (read_sender, read_queue): (_, Receiver<LogRead>) = unbounded();
        let (engine_sender, engine_queue): (_, Receiver<ApplyCommand>) = unbounded();
        let writer = LogWriter::new(
            log,
            log_queue,
            events.clone(),
            core.kill_switch.clone(),
            Arc::clone(tally),
            sync_seconds,
        );
        let apply = ApplyThread::new(
            applier,
            engine_queue,
            events.clone(),
            core.kill_switch.clone(),
            Arc::clone(tally),
            step_seconds,
        );
        let (events, to_writer) = (events.clone(), log_sender.clone());
        Ok(Self {
            log: log_sender,
            log_thread: spawn("quorate-log", move || writer.run())?,
            log_reads: read_sender,
            log_reads_thread: spawn("quorate-read", move || {
                log_reader::run(&reader, &read_queue, &to_writer, &events)
            })?,
            engine: engine_sender,
            engine_thread: spawn("quorate-apply", move || apply.run())?,
        })
    }
}

fn instruments(core: &Core) -> Instruments {
    let members = core.members.members().iter().map(|member| member.name.as_str());
    Instruments::new(&core.group, &core.node, members)
}

fn start_listeners(start: StateChangeEvent) -> Result<(Sender<ListenerCommand>, JoinHandle<()>), OpenError> {
    let (sender, queue) = unbounded();
    let thread = spawn("quorate-listen", move || listeners::run(start, &queue))?;
    Ok((sender, thread))
}

fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, OpenError> {
    let failed = |source: io::Error| OpenError::System { operation: "starting a thread", source };
    thread::Builder::new().name(name.to_owned()).spawn(run).map_err(failed)
}

fn identity(
    config: &RepConfig,
    checked: &Checked,
    members: &MemberList,
    first_client: u128,
) -> Result<Identity, OpenError> {
    let quorums = Quorums::new(members).map_err(crate::ConfigError::from)?;
    Ok(Identity {
        group: config.group.clone(),
        node: config.node.clone(),
        write_quorum: quorums.write_size(),
        members: members.clone(),
        durability: config.durability,
        consistency: config.consistency,
        limits: Limits {
            ack_timeout: config.ack_timeout,
            value_bytes_max: config.value_bytes_max,
            write_bytes_max: checked.write_bytes_max,
        },
        forwards_writes: config.forward_writes,
        first_client,
    })
}

fn node_config(config: &RepConfig, seed: u64) -> NodeConfig {
    let mut node = NodeConfig { seed, ..NodeConfig::default() };
    node.heartbeat_interval = config.heartbeat_interval;
    node.election_timeout = config.election_timeout;
    node.phi_threshold = config.phi_threshold;
    node.lease = config.lease_terms();
    node.window_bytes_max = config.window_bytes_max;
    node.batch_bytes_max = config.batch_bytes_max;
    node.apply_lag_bytes_max = config.apply_lag_bytes_max;
    node.relaxed_sync_interval = config.relaxed_sync_interval;
    node.engine_flush_interval = config.engine_flush_interval;
    node
}

fn hello_of(node: &Node, declared: &MemberList) -> Hello {
    let hard = node.hard_state();
    Hello {
        protocol: Hello::PROTOCOL,
        group: hard.group.clone(),
        node: hard.node.clone(),
        id: hard.id,
        incarnation: hard.incarnation,
        open_count: hard.open_count,
        uuid: node.uuid(),
        member_list_hash: (!node.is_bound()).then(|| declared.hash()),
    }
}

fn plan(
    config: &RepConfig,
    checked: Checked,
    members: MemberList,
    me: quorate_core::NodeId,
    seed: u64,
) -> TransportPlan {
    TransportPlan {
        me,
        members,
        listen: checked.listen,
        insecure_no_auth: config.insecure_no_auth,
        connections_max: config.connections_max,
        handshake_timeout: config.handshake_timeout,
        send_queue_bytes_max: link_bytes_max(config),
        compression: config.compression,
        seed,
    }
}

/// Waits for the end of the threads of an environment that was asked to close.
pub(crate) fn await_end(
    loop_thread: JoinHandle<Result<(), CloseError>>,
    listener_thread: JoinHandle<()>,
) -> Result<(), CloseError> {
    let outcome = join(loop_thread).unwrap_or_else(|reason| Err(CloseError::Halted { reason }));
    if join(listener_thread).is_err() {
        tracing::error!("the listener thread has panicked");
    }
    outcome
}
