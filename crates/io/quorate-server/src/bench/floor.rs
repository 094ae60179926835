//! The bare loop: what a group could do at best if it did nothing but write, sync and replicate. Its three
//! processes have fixed roles; there are no elections, no checksums and no engine.
//!
//! ```text
//!  writers --rows that wait--> leader --+--> TCP --> follower: write, fdatasync, acknowledge (twice)
//!     ^                          ^      +--> write, fdatasync
//!     +----writers released------+---- the leader and one follower have the group
//! ```
//!
//! The writers have a thread of their own, as those of a group do; whoever waits when a group is committed is
//! in the next one.

use super::disk::PreparedFile;
use super::latencies::Latencies;
use super::load::Load;
use super::step::Step;
use rustix::event::{PollFd, PollFlags, poll};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

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
        let (queues, begin) = (Queues::default(), Instant::now() + step.warm_up);
        let load = thread::scope(|scope| {
            let writers = scope.spawn(|| {
                let _end = Ending(&queues.waiting);
                write(step, begin, &queues)
            });
            let served = {
                let _end = Ending(&queues.released);
                self.serve(&queues)
            };
            let load = writers.join().map_err(|_| io::Error::other("the writers' thread panicked"));
            served.and(load)
        })?;
        Ok(Load { elapsed: begin.elapsed(), ..load })
    }

    /// Commits groups until no writer is left, and returns once all followers hold everything.
    fn serve(&mut self, queues: &Queues) -> io::Result<()> {
        let mut group = Group::default();
        while queues.waiting.take(&mut group) {
            self.commit(&group.rows)?;
            queues.released.put(|released| released.writers.append(&mut group.writers));
            group.rows.clear();
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
        while self.followers.iter().all(|follower| follower.held < self.sent) {
            self.hear()?;
        }
        Ok(())
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

/// A step's writers: each waits until its row is committed, then writes the next one.
fn write(step: &Step, begin: Instant, queues: &Queues) -> Load {
    let end = begin + step.span;
    let (mut rows, mut latencies, mut released) = (step.rows(0), Latencies::new(), Group::default());
    let (mut writes, mut writes_with_warm_up) = (0, 0);
    released.writers.resize(step.writers as usize, begin);
    let mut waiting = 0;
    loop {
        let now = Instant::now();
        if now < end {
            waiting += released.writers.len();
            queues.waiting.put(|group| {
                for _ in &released.writers {
                    group.push(now, rows.next());
                }
            });
        }
        released.writers.clear();
        if waiting == 0 || !queues.released.take(&mut released) {
            let elapsed = begin.elapsed();
            return Load { writes, writes_with_warm_up, elapsed, latencies: latencies.percentiles() };
        }
        waiting -= released.writers.len();
        let now = Instant::now();
        for start in &released.writers {
            writes_with_warm_up += 1;
            if *start >= begin {
                writes += 1;
                latencies.record(now - *start);
            }
        }
    }
}

/// Between the writers and the leader.
#[derive(Default)]
struct Queues {
    waiting: Queue,
    released: Queue,
}

/// Rows that wait, and when the writer of each began; or writers that are released.
#[derive(Default)]
struct Group {
    rows: Vec<u8>,
    writers: Vec<Instant>,
    /// Nothing more will come.
    is_last: bool,
}

impl Group {
    fn push(&mut self, start: Instant, (key, value): (&[u8], &[u8])) {
        self.rows.extend_from_slice(&(key.len() as u32).to_le_bytes());
        self.rows.extend_from_slice(&(value.len() as u32).to_le_bytes());
        self.rows.extend_from_slice(key);
        self.rows.extend_from_slice(value);
        self.writers.push(start);
    }
}

/// What one thread leaves for another.
#[derive(Default)]
struct Queue {
    group: Mutex<Group>,
    news: Condvar,
}

impl Queue {
    fn put(&self, add: impl FnOnce(&mut Group)) {
        add(&mut self.group.lock().unwrap_or_else(PoisonError::into_inner));
        self.news.notify_one();
    }

    /// Takes all there is, into a group that is empty, as soon as there is something; false if there will be
    /// nothing.
    fn take(&self, group: &mut Group) -> bool {
        let mut held = self.group.lock().unwrap_or_else(PoisonError::into_inner);
        while held.writers.is_empty() && !held.is_last {
            held = self.news.wait(held).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::swap(&mut held.rows, &mut group.rows);
        std::mem::swap(&mut held.writers, &mut group.writers);
        !group.writers.is_empty()
    }
}

/// Ends a queue when the thread that fills it ends, however it does.
struct Ending<'a>(&'a Queue);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.put(|group| group.is_last = true);
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
    use std::time::Duration;

    #[test]
    fn every_write_counts_once_and_all_followers_hold_it_at_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let homes = ["a", "b", "c"].map(|name| directory.path().join(name));
        homes.iter().for_each(|home| std::fs::create_dir(home).unwrap());
        let followers = [follow(&homes[0]).unwrap(), follow(&homes[1]).unwrap()];
        let mut leader = Leader::start(&homes[2], &followers).unwrap();
        let (warm_up, span) = (Duration::ZERO, Duration::from_millis(20));
        let step = Step { writers: 3, warm_up, span, key_bytes: 16, value_bytes: 100 };
        let load = leader.load(&step).unwrap();
        assert_eq!(load.writes_with_warm_up * (8 + 16 + 100), leader.sent);
        assert!(load.writes >= 3 && load.elapsed >= span, "{load:?}");
        assert!(leader.followers.iter().all(|follower| follower.held == leader.sent));
    }
}
