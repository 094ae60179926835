use super::packet::Header;
use super::press::{Press, Pressed};
use super::stats::Counters;
use super::turn::{SLICES_MAX, Sent, Turn, Waiting};
use quorate_core::{Compression, Packet, SendError, Service};
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
/// A short packet that finds nobody before it, is not one of a burst, and is not to be compressed, is written at
/// once by the thread that pushes it, which spares waking another thread. It never blocks; what the socket does
/// not take is left to the link's task. Only that one compresses.
pub(crate) struct Outbox {
    state: Mutex<State>,
    work: Notify,
    queue_bytes_max: usize,
    service: Service,
    /// What compresses, if anything is to be.
    press: Option<Arc<Press>>,
    counters: Arc<Counters>,
}

struct State {
    /// The connection, while the link stands.
    stream: Option<Arc<TcpStream>>,
    /// Counts connections, so that a turn of an earlier one is recognised.
    session: u64,
    /// What was agreed on for this connection.
    compression: Compression,
    queue: VecDeque<Waiting>,
    /// Bytes in the queue and in the turn; a body that is to be compressed counts with its length before that
    /// until some of its turn's bytes are written.
    bytes: usize,
    /// `None` while somebody writes.
    turn: Option<Turn>,
    /// When somebody last stopped writing.
    quiet_since: Instant,
}

impl Outbox {
    /// The outbox of one service's link, which compresses by `press` where the peer agrees.
    pub(crate) fn new(
        queue_bytes_max: usize,
        service: Service,
        press: Option<Arc<Press>>,
        counters: Arc<Counters>,
    ) -> Self {
        let state = State {
            stream: None,
            session: 0,
            compression: Compression::None,
            queue: VecDeque::new(),
            bytes: 0,
            turn: None,
            quiet_since: Instant::now(),
        };
        Self { state: Mutex::new(state), work: Notify::new(), queue_bytes_max, service, press, counters }
    }

    /// The compression to ask the peer for.
    pub(crate) fn wish(&self) -> Compression {
        self.press.as_ref().map_or(Compression::None, |press| press.compression())
    }

    /// The link stands, with this compression: from now on packets are taken.
    pub(crate) fn open(&self, stream: Arc<TcpStream>, compression: Compression) {
        let mut state = self.lock();
        state.session += 1;
        state.stream = Some(stream);
        state.compression = compression;
        state.turn = Some(Turn::new(state.session, compression));
    }

    /// The link has ended: what waits is lost.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.stream = None;
        state.turn = None;
        state.queue.clear();
        state.bytes = 0;
    }

    /// Takes a packet, and writes it if it is short, not to be compressed, and nothing is before it.
    pub(crate) fn push(&self, packet: Packet) -> Result<(), SendError> {
        let mut state = self.lock();
        let Some(stream) = state.stream.clone() else { return Err(SendError::NotConnected) };
        let length = Header::length_on(state.compression) + packet.bytes();
        if state.bytes > 0 && state.bytes + length > self.queue_bytes_max {
            return Err(SendError::Full);
        }
        let is_first = state.bytes == 0;
        let pressed = self.pressed(state.compression, &packet);
        let is_written_at_once = pressed.is_none() && length <= WRITE_AT_ONCE_BYTES_MAX;
        state.queue.push_back(Waiting { packet, pressed });
        state.bytes += length;
        if !is_first {
            return Ok(());
        }
        if !is_written_at_once || state.quiet_since.elapsed() < BURST_GAP {
            self.work.notify_one();
            return Ok(());
        }
        if let Some(turn) = state.take_turn() {
            drop(state);
            self.write_as_sender(&stream, turn);
        }
        Ok(())
    }

    fn pressed(&self, compression: Compression, packet: &Packet) -> Option<Arc<Pressed>> {
        let press = self.press.as_ref().filter(|press| press.compression() == compression)?;
        press.take_in(&packet.body)
    }

    /// Waits until there is something to flush.
    pub(crate) async fn work(&self) {
        self.work.notified().await;
    }

    /// Compresses and writes until nothing waits, or the socket takes no more at present: then true.
    pub(crate) async fn flush(&self) -> io::Result<bool> {
        for _ in 0..WRITES_A_TURN {
            let Some((stream, mut turn)) = self.begin() else { return Ok(false) };
            turn.compress().await;
            match self.write(&stream, turn) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    fn begin(&self) -> Option<(Arc<TcpStream>, Turn)> {
        let mut state = self.lock();
        let stream = state.stream.clone()?;
        Some((stream, state.take_turn()?))
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
        let sent = turn.advance(written);
        self.put_back(turn, written);
        self.count(sent);
        outcome.map(|_| ())
    }

    fn put_back(&self, mut turn: Turn, written: usize) {
        let mut state = self.lock();
        let is_current = state.stream.is_some() && state.session == turn.session;
        if is_current {
            state.bytes -= written + turn.take_saved();
            state.turn = Some(turn);
            state.quiet_since = Instant::now();
        }
    }

    fn count(&self, sent: Sent) {
        self.counters.packets_sent.add(sent.packets);
        self.counters.bytes_sent.add(sent.bytes);
        if self.service == Service::Stream {
            self.counters.stream_bytes_sent.add(sent.bytes);
            self.counters.stream_bytes_on_wire.add(sent.bytes_on_wire);
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
        turn.take_in(self.queue.drain(..));
        Some(turn)
    }
}
