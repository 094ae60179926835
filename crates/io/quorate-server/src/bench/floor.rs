//! The bare loop: what a group could do at best if it did nothing but write, sync and replicate. Its three
//! processes have fixed roles; there are no elections, no checksums, no engine, and the writers cost nothing.
//!
//! ```text
//!  leader: all writers' rows --> one group --+--> TCP --> follower: write, fdatasync, acknowledge (twice)
//!                ^                           +--> write, fdatasync
//!                +---- the leader and one follower have it
//! ```

use super::disk::PreparedFile;
use super::latencies::Latencies;
use super::load::Load;
use super::step::{RandomRows, Step};
use rustix::event::{PollFd, PollFlags, poll};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
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
    group: Vec<u8>,
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
        Ok(Self { log, followers, group: Vec::new(), sent: 0 })
    }

    /// Runs a step's writers: whoever waits has its row in the next group.
    pub(super) fn load(&mut self, step: &Step) -> io::Result<Load> {
        let begin = Instant::now() + step.warm_up;
        let end = begin + step.span;
        let (mut rows, mut latencies) = (step.rows(0), Latencies::new());
        let (mut writes, mut writes_with_warm_up) = (0, 0);
        let mut start = Instant::now();
        while start < end {
            self.commit(step.writers, &mut rows)?;
            let now = Instant::now();
            writes_with_warm_up += u64::from(step.writers);
            if start >= begin {
                writes += u64::from(step.writers);
                latencies.record_many(now - start, step.writers.into());
            }
            start = now;
        }
        while self.followers.iter().any(|follower| follower.held < self.sent) {
            self.hear()?;
        }
        Ok(Load { writes, writes_with_warm_up, elapsed: begin.elapsed(), latencies: latencies.percentiles() })
    }

    /// Commits one group: a row of each writer.
    fn commit(&mut self, writers: u32, rows: &mut RandomRows) -> io::Result<()> {
        self.group.clear();
        for _ in 0..writers {
            let (key, value) = rows.next();
            self.group.extend_from_slice(&(key.len() as u32).to_le_bytes());
            self.group.extend_from_slice(&(value.len() as u32).to_le_bytes());
            self.group.extend_from_slice(key);
            self.group.extend_from_slice(value);
        }
        self.sent += self.group.len() as u64;
        for follower in &mut self.followers {
            follower.stream.write_all(&self.group)?;
        }
        self.log.append(&self.group)?;
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
        assert_eq!(load.writes * (8 + 16 + 100), leader.sent);
        assert!(load.writes >= 3 && load.elapsed >= span, "{load:?}");
        assert!(leader.followers.iter().all(|follower| follower.held == leader.sent));
    }
}
