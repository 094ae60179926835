use nix::sys::ptrace;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use std::fs;
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

/// A node's thread that is held as if its disk did not answer. Dropping it lets the thread go on; so does the
/// end of this process.
#[derive(Debug)]
pub(crate) struct Stall {
    release: Option<Sender<()>>,
    holder: Option<JoinHandle<()>>,
}

impl Stall {
    /// Holds the thread of this name in a process that this one has started.
    pub(crate) fn begin(process: u32, thread_name: &str) -> io::Result<Self> {
        let held = find(process, thread_name)?;
        let (release, released) = channel();
        let (report, began) = channel();
        // A thread is held by the one thread that took hold of it, which so has to stay.
        let holder = thread::spawn(move || {
            let outcome = hold(held);
            let is_held = outcome.is_ok();
            if report.send(outcome).is_ok() && is_held {
                wait_and_release(held, &released);
            }
        });
        let stall = Self { release: Some(release), holder: Some(holder) };
        began.recv().map_err(io::Error::other)?.map(|()| stall)
    }
}

impl Drop for Stall {
    fn drop(&mut self) {
        drop(self.release.take());
        if let Some(holder) = self.holder.take() {
            let _ = holder.join();
        }
    }
}

fn find(process: u32, thread_name: &str) -> io::Result<Pid> {
    for entry in fs::read_dir(format!("/proc/{process}/task"))? {
        let entry = entry?;
        let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
        let number = entry.file_name().to_string_lossy().parse();
        if let (true, Ok(number)) = (name.trim_end() == thread_name, number) {
            return Ok(Pid::from_raw(number));
        }
    }
    Err(io::Error::new(io::ErrorKind::NotFound, format!("the process has no thread {thread_name:?}")))
}

fn hold(thread: Pid) -> io::Result<()> {
    ptrace::seize(thread, ptrace::Options::empty())?;
    ptrace::interrupt(thread)?;
    waitpid(thread, Some(WaitPidFlag::__WALL))?;
    Ok(())
}

/// Waits for the word; a thread that has been killed meanwhile needs no release.
fn wait_and_release(thread: Pid, released: &Receiver<()>) {
    let _ = released.recv();
    let _ = ptrace::detach(thread, None);
}
