use super::packet::{HEADER_BYTES, encode_header};
use super::stats::Counters;
use quorate_core::{Packet, SendError};
use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// Packets up to this length are written by the thread that sends them, if nobody is before it.
const WRITE_AT_ONCE_BYTES_MAX: usize = 64 << 10;
/// Packets that come closer together than this are a burst, which the link's task writes with few system
/// calls.
const BURST_GAP: Duration = Duration::from_micros(5);
/// How many parts of packets one system call writes at most.
const SLICES_MAX: usize = 128;
/// How often the link's task writes before the other links have their turn.
const WRITES_A_TURN: usize = 16;

/// What waits for one link, and who writes it.
///
/// 1. Packets are written in the order in which they were pushed.
/// 2. Never more than `queue_bytes_max` waits, or one packet.
/// 3. Whoever has taken the [`Turn`] out of the state writes, without the lock; there is one.
/// 4. A sender that puts the turn back and leaves work behind wakes the link's task; the task itself goes on
///    until nothing waits.
///
/// A short packet that finds nobody before it, and is not one of a burst, is written at once by the thread
/// that pushes it, which spares waking another thread. It never blocks; what the socket does not take is left
/// to the link's task.
pub(crate) struct Outbox {
    state: Mutex<State>,
    work: Notify,
    queue_bytes_max: usize,
    counters: Arc<Counters>,
}

struct State {
    /// The connection, while the link stands.
    stream: Option<Arc<TcpStream>>,
    /// Counts connections, so that a turn of an earlier one is recognised.
    session: u64,
    queue: VecDeque<Packet>,
    /// Bytes in the queue and in the turn.
    bytes: usize,
    /// `None` while somebody writes.
    turn: Option<Turn>,
    /// When somebody last stopped writing.
    quiet_since: Instant,
}

/// The packets that are being written to one connection, and the right to write to it.
struct Turn {
    session: u64,
    packets: VecDeque<Outgoing>,
    /// How much of the first packet has been written, header included.
    written: usize,
}

struct Outgoing {
    header: [u8; HEADER_BYTES],
    packet: Packet,
}

impl Outbox {
    pub(crate) fn new(queue_bytes_max: usize, counters: Arc<Counters>) -> Self {
        let state = State {
            stream: None,
            session: 0,
            queue: VecDeque::new(),
            bytes: 0,
            turn: None,
            quiet_since: Instant::now(),
        };
        Self { state: Mutex::new(state), work: Notify::new(), queue_bytes_max, counters }
    }

    /// The link stands: from now on packets are taken.
    pub(crate) fn open(&self, stream: Arc<TcpStream>) {
        let mut state = self.lock();
        state.session += 1;
        state.stream = Some(stream);
        state.turn = Some(Turn { session: state.session, packets: VecDeque::new(), written: 0 });
    }

    /// The link has ended: what waits is lost.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.stream = None;
        state.turn = None;
        state.queue.clear();
        state.bytes = 0;
    }

    /// Takes a packet, and writes it if it is short and nothing is before it.
    pub(crate) fn push(&self, packet: Packet) -> Result<(), SendError> {
        let length = HEADER_BYTES + packet.bytes();
        let mut state = self.lock();
        let Some(stream) = state.stream.clone() else { return Err(SendError::NotConnected) };
        if state.bytes > 0 && state.bytes + length > self.queue_bytes_max {
            return Err(SendError::Full);
        }
        let is_first = state.bytes == 0;
        state.queue.push_back(packet);
        state.bytes += length;
        if !is_first {
            return Ok(());
        }
        if length > WRITE_AT_ONCE_BYTES_MAX || state.quiet_since.elapsed() < BURST_GAP {
            self.work.notify_one();
            return Ok(());
        }
        if let Some(turn) = state.take_turn() {
            drop(state);
            self.write_as_sender(&stream, turn);
        }
        Ok(())
    }

    /// Waits until there is something to flush.
    pub(crate) async fn work(&self) {
        self.work.notified().await;
    }

    /// Writes until nothing waits, or the socket takes no more for now: then true.
    pub(crate) fn flush(&self) -> io::Result<bool> {
        for _ in 0..WRITES_A_TURN {
            let mut state = self.lock();
            let Some(stream) = state.stream.clone() else { return Ok(false) };
            let Some(turn) = state.take_turn() else { return Ok(false) };
            drop(state);
            match self.write(&stream, turn) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// What the socket did not take, and what others pushed meanwhile, is the link's task's; so is an error,
    /// which it meets too.
    fn write_as_sender(&self, stream: &TcpStream, turn: Turn) {
        let failed = self.write(stream, turn).is_err();
        if failed || self.lock().bytes > 0 {
            self.work.notify_one();
        }
    }

    /// One system call, and the turn goes back.
    fn write(&self, stream: &TcpStream, mut turn: Turn) -> io::Result<()> {
        let outcome = stream.try_write_vectored(turn.slices(&mut [IoSlice::new(&[]); SLICES_MAX]));
        let written = outcome.as_ref().map_or(0, |count| *count);
        turn.advance(written, &self.counters);
        self.put_back(turn, written);
        outcome.map(|_| ())
    }

    fn put_back(&self, turn: Turn, written: usize) {
        let mut state = self.lock();
        let is_current = state.stream.is_some() && state.session == turn.session;
        if is_current {
            state.bytes -= written;
            state.turn = Some(turn);
            state.quiet_since = Instant::now();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The right to write, with all that waits; `None` if nothing does or somebody writes already.
    fn take_turn(&mut self) -> Option<Turn> {
        if self.bytes == 0 {
            return None;
        }
        let mut turn = self.turn.take()?;
        let waiting = self.queue.drain(..);
        turn.packets.extend(waiting.map(|packet| Outgoing { header: encode_header(&packet), packet }));
        Some(turn)
    }
}

impl Turn {
    /// The unwritten parts in order, as many as fit.
    fn slices<'a, 'b>(&'a self, slices: &'b mut [IoSlice<'a>; SLICES_MAX]) -> &'b [IoSlice<'a>] {
        let parts = self.packets.iter().flat_map(Outgoing::parts);
        let mut skip = self.written;
        let mut count = 0;
        for part in parts {
            let unwritten = &part[skip.min(part.len())..];
            skip = skip.saturating_sub(part.len());
            if unwritten.is_empty() {
                continue;
            }
            if count == SLICES_MAX {
                break;
            }
            slices[count] = IoSlice::new(unwritten);
            count += 1;
        }
        &slices[..count]
    }

    /// Lets go of the packets that have been written completely.
    fn advance(&mut self, count: usize, counters: &Counters) {
        self.written += count;
        while let Some(first) = self.packets.front()
            && self.written >= first.bytes()
        {
            self.written -= first.bytes();
            counters.packets_sent.increment();
            counters.bytes_sent.add(first.packet.bytes() as u64);
            self.packets.pop_front();
        }
    }
}

impl Outgoing {
    fn parts(&self) -> [&[u8]; 3] {
        [&self.header, &self.packet.head, &self.packet.body]
    }

    fn bytes(&self) -> usize {
        HEADER_BYTES + self.packet.bytes()
    }
}
