//! The bare loop: what a group could do at best if it did nothing but write, sync and replicate. Its processes
//! have fixed roles; there are no elections, no checksums and no engine.
//!
//! ```text
//!  writers --rows that wait--> leader --+--> TCP --> follower: write, fdatasync, acknowledge (each)
//!     ^                          ^      +--> write, fdatasync
//!     +----writers released------+---- the leader and half of the followers have the group
//! ```
//!
//! The writers are those that a group is measured with, on a thread of their own; whoever waits when a group of
//! rows is committed is in the next one.

use super::disk::PreparedFile;
use super::load::{self, Load, Target};
use super::step::Step;
use rustix::event::{PollFd, PollFlags, poll};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// What a follower takes in at once, in bytes.
const RECEIVE_BYTES: usize = 1 << 20;

/// Starts to follow and returns the port at which the leader is waited for. The following ends with the
/// leader's connection, or with this process.
pub(super) fn follow(directory: &Path) -> io::Result<u16> {
    let mut log = PreparedFile::create(&directory.join(format!("floor-{}", std::process::id())))?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        if let Err(error) = serve(&listener, &mut log) {
            eprintln!("the bare loop has lost a follower: {error}");
        }
    });
    Ok(port)
}

fn serve(listener: &TcpListener, log: &mut PreparedFile) -> io::Result<()> {
    let (mut leader, _) = listener.accept()?;
    leader.set_nodelay(true)?;
    let (mut buffer, mut held) = (vec![0; RECEIVE_BYTES], 0_u64);
    loop {
        let count = leader.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        log.append(&buffer[..count])?;
        held += count as u64;
        leader.write_all(&held.to_le_bytes())?;
    }
}

/// The leading process's side.
pub(super) struct Leader {
    log: PreparedFile,
    followers: Vec<Follower>,
    /// Bytes sent so far.
    sent: u64,
}

struct Follower {
    stream: TcpStream,
    /// Bytes that it holds, synced.
    held: u64,
    /// An acknowledgement that has come in part.
    part: Vec<u8>,
}

impl Leader {
    pub(super) fn start(directory: &Path, followers: &[u16]) -> io::Result<Self> {
        let log = PreparedFile::create(&directory.join(format!("floor-{}", std::process::id())))?;
        let followers = followers.iter().map(|port| Follower::connect(*port)).collect::<io::Result<_>>()?;
        Ok(Self { log, followers, sent: 0 })
    }

    /// Runs a step's writers on a thread of their own.
    pub(super) fn load(&mut self, step: &Step) -> io::Result<Load> {
        let (waiting, begin) = (Arc::new(Waiting::default()), Instant::now() + step.warm_up);
        let load = thread::scope(|scope| {
            let writers = Writers(Arc::clone(&waiting));
            let writers = scope.spawn(|| write(step, writers));
            let served = self.serve(&waiting);
            waiting.end();
            let load = writers.join().map_err(|_| io::Error::other("the writers' thread panicked"));
            served.and(load?)
        })?;
        Ok(Load { elapsed: begin.elapsed(), ..load })
    }

    /// Commits groups until no writer is left, and returns once all followers hold everything.
    fn serve(&mut self, waiting: &Waiting) -> io::Result<()> {
        let mut group = Group::default();
        while waiting.take(&mut group) {
            self.commit(&group.rows)?;
            group.release(self.sent);
        }
        while self.followers.iter().any(|follower| follower.held < self.sent) {
            self.hear()?;
        }
        Ok(())
    }

    fn commit(&mut self, rows: &[u8]) -> io::Result<()> {
        self.sent += rows.len() as u64;
        for follower in &mut self.followers {
            follower.stream.write_all(rows)?;
        }
        self.log.append(rows)?;
        while !self.is_held_by_most() {
            self.hear()?;
        }
        Ok(())
    }

    /// Whether the leader and its followers that hold everything are most of the processes.
    fn is_held_by_most(&self) -> bool {
        let holders = self.followers.iter().filter(|follower| follower.held == self.sent).count();
        holders >= self.followers.len().div_ceil(2)
    }

    /// Waits until a follower has something to say.
    fn hear(&mut self) -> io::Result<()> {
        let mut sockets: Vec<_> =
            self.followers.iter().map(|follower| PollFd::new(&follower.stream, PollFlags::IN)).collect();
        poll(&mut sockets, None)?;
        let spoke: Vec<bool> = sockets.iter().map(|socket| !socket.revents().is_empty()).collect();
        for (follower, _) in self.followers.iter_mut().zip(spoke).filter(|(_, spoke)| *spoke) {
            follower.hear()?;
        }
        Ok(())
    }
}

/// Runs the writers, which are those that a group is measured with, on this thread.
fn write(step: &Step, writers: Writers) -> io::Result<Load> {
    let runtime = Builder::new_current_thread().build()?;
    let (load, _) = runtime.block_on(load::run(step, &[BareLoop(Rc::new(writers))]))?;
    Ok(load)
}

/// The loop as its writers see it.
#[derive(Clone)]
struct BareLoop(Rc<Writers>);

/// The side of the writers. When the last of them is gone nothing more will come.
struct Writers(Arc<Waiting>);

impl Target for BareLoop {
    /// How many bytes were written, this row included.
    type Token = u64;
    type Error = io::Error;

    async fn put(&self, key: &[u8], value: &[u8]) -> io::Result<u64> {
        let released = self.0.0.put(key, value);
        released.await.map_err(|_| io::Error::other("the bare loop has ended"))
    }

    fn position(token: u64) -> u64 {
        token
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// What waits for the leader.
#[derive(Default)]
struct Waiting {
    group: Mutex<Group>,
    news: Condvar,
}

/// Rows, and their writers.
#[derive(Default)]
struct Group {
    rows: Vec<u8>,
    writers: Vec<oneshot::Sender<u64>>,
    /// Nothing more will come.
    is_last: bool,
}

impl Waiting {
    fn put(&self, key: &[u8], value: &[u8]) -> oneshot::Receiver<u64> {
        let (writer, released) = oneshot::channel();
        let mut group = self.lock();
        if group.is_last {
            return released;
        }
        group.rows.extend_from_slice(&(key.len() as u32).to_le_bytes());
        group.rows.extend_from_slice(&(value.len() as u32).to_le_bytes());
        group.rows.extend_from_slice(key);
        group.rows.extend_from_slice(value);
        group.writers.push(writer);
        if group.writers.len() == 1 {
            self.news.notify_one();
        }
        released
    }

    /// Takes all there is, into a group that is empty, as soon as there is something; false if there will be
    /// nothing.
    fn take(&self, group: &mut Group) -> bool {
        let mut waiting = self.lock();
        while waiting.writers.is_empty() && !waiting.is_last {
            waiting = self.news.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::swap(&mut waiting.rows, &mut group.rows);
        std::mem::swap(&mut waiting.writers, &mut group.writers);
        !group.writers.is_empty()
    }

    /// Gives up those that wait, and whoever waits for them.
    fn end(&self) {
        let mut group = self.lock();
        group.is_last = true;
        group.writers.clear();
        self.news.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Group> {
        self.group.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Group {
    /// Tells the writers that so many bytes are committed.
    fn release(&mut self, bytes: u64) {
        self.rows.clear();
        for writer in self.writers.drain(..) {
            // A writer that is gone need not know.
            let _ = writer.send(bytes);
        }
    }
}

impl Follower {
    fn connect(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, held: 0, part: Vec::new() })
    }

    /// Takes in acknowledgements. Each says how many bytes are held in all, so the last one is enough.
    fn hear(&mut self) -> io::Result<()> {
        let mut buffer = [0; 512];
        let count = self.stream.read(&mut buffer)?;
        if count == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "a follower of the bare loop has ended",
            ));
        }
        self.part.extend_from_slice(&buffer[..count]);
        let (whole, _) = self.part.as_chunks::<{ size_of::<u64>() }>();
        self.held = whole.last().map_or(self.held, |held| u64::from_le_bytes(*held));
        let taken = size_of_val(whole);
        self.part.drain(..taken);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::values::Values;
    use std::time::Duration;

    #[test]
    fn every_write_counts_once_and_all_followers_hold_it_at_the_end() {
        for count in [0, 2, 4] {
            let directory = tempfile::tempdir().unwrap();
            let home = |number: usize| {
                let home = directory.path().join(number.to_string());
                std::fs::create_dir(&home).unwrap();
                home
            };
            let followers: Vec<u16> = (1..=count).map(|number| follow(&home(number)).unwrap()).collect();
            let mut leader = Leader::start(&home(0), &followers).unwrap();
            let (warm_up, span) = (Duration::ZERO, Duration::from_millis(20));
            let step =
                Step { writers: 3, warm_up, span, key_bytes: 16, value_bytes: 100, values: Values::Alike };
            let load = leader.load(&step).unwrap();
            assert_eq!(load.writes_with_warm_up * (8 + 16 + 100), leader.sent);
            assert!(load.writes >= 3 && load.elapsed >= span, "{load:?}");
            assert!(leader.followers.iter().all(|follower| follower.held == leader.sent));
        }
    }

    #[test]
    fn a_group_of_rows_is_committed_once_most_processes_hold_it() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let directory = tempfile::tempdir().unwrap();
        let mut leader = Leader::start(directory.path(), &[port; 4]).unwrap();
        leader.sent = 7;
        leader.followers[2].held = 7;
        assert!(!leader.is_held_by_most(), "two of five");
        leader.followers[0].held = 7;
        assert!(leader.is_held_by_most(), "three of five");
    }
}
