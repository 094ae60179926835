//! The memory that processes have for themselves: what they map of files is not counted (`RssAnon` on Linux).

use std::fs;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often the memory is looked at.
const INTERVAL: Duration = Duration::from_millis(20);

/// The memory of the process that has most, in bytes, as far as the operating system says.
pub(super) fn largest(processes: &[u32]) -> Option<u64> {
    processes.iter().filter_map(|process| of(*process)).max()
}

/// The memory of a process, in bytes.
fn of(process: u32) -> Option<u64> {
    parse(&fs::read_to_string(format!("/proc/{process}/status")).ok()?)
}

fn parse(status: &str) -> Option<u64> {
    let (_, line) = status.split_once("RssAnon:")?;
    let kibibytes: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kibibytes << 10)
}

/// Looks at the memory of processes again and again, on a thread of its own, until it is asked what it has seen.
pub(super) struct MemoryWatch {
    /// Dropping it ends the watch.
    end: Sender<()>,
    thread: JoinHandle<Option<u64>>,
}

impl MemoryWatch {
    pub(super) fn start(processes: &[u32]) -> Self {
        let processes = processes.to_vec();
        Self::looking(move || largest(&processes))
    }

    fn looking(mut look: impl FnMut() -> Option<u64> + Send + 'static) -> Self {
        let (end, ended) = channel();
        let thread = thread::spawn(move || {
            let mut peak = look();
            while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                peak = peak.max(look());
            }
            peak.max(look())
        });
        Self { end, thread }
    }

    /// The most that one of the processes had at a time, in bytes.
    pub(super) fn peak(self) -> Option<u64> {
        drop(self.end);
        self.thread.join().ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_private_memory_is_found_among_the_other_kinds() {
        let status = "VmRSS:\t  9000 kB\nRssAnon:\t    1234 kB\nRssFile:\t    7 kB\n";
        assert_eq!(parse(status), Some(1234 << 10));
        assert_eq!(parse("VmRSS:\t  9000 kB\n"), None);
    }

    #[test]
    fn a_watch_sees_the_most_that_there_was_and_not_only_what_is_left() {
        let (seen, has_seen) = channel();
        let mut found = [Some(3), Some(9), None].into_iter().chain(std::iter::repeat(Some(2)));
        let watch = MemoryWatch::looking(move || {
            let found = found.next().flatten();
            // The watch goes on looking when the test has seen enough.
            let _ = seen.send(found);
            found
        });
        assert_eq!(has_seen.iter().take(4).last(), Some(Some(2)));
        assert_eq!(watch.peak(), Some(9));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_that_is_gone_is_no_reason_to_forget_the_others() {
        assert!(largest(&[u32::MAX, std::process::id()]) > Some(0));
        assert_eq!(largest(&[u32::MAX]), None);
    }
}
