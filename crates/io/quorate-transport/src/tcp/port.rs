use super::ListenerConfig;
use super::accept::accept;
use super::link::Link;
use super::listen::listen;
use super::router::Router;
use super::shared::Shared;
use crate::TransportError;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle, ThreadId};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Notify;

/// A listening socket, and the one thread that drives it and all links of the groups behind it. Dropping it
/// ends the thread and frees the port.
pub(crate) struct Port {
    router: Arc<Router>,
    /// Until the first group is opened nobody is let in: callers wait in the operating system's queue.
    socket: Mutex<Option<TcpListener>>,
    local_address: SocketAddr,
    runtime: Handle,
    stop: Arc<Notify>,
    thread_id: ThreadId,
    thread: Option<JoinHandle<()>>,
}

impl Port {
    pub(crate) fn bind(config: &ListenerConfig) -> Result<Self, TransportError> {
        config.check()?;
        let socket = listen(config)?;
        let failed = |operation| move |source| TransportError::Io { operation, source };
        let local_address = socket.local_addr().map_err(failed("asking for the listening address"))?;
        let runtime =
            Builder::new_current_thread().enable_io().enable_time().thread_name("quorate-aside").build();
        let runtime = runtime.map_err(failed("starting the network thread"))?;
        let handle = runtime.handle().clone();
        let socket = adopt(&runtime, socket).map_err(failed("watching the listening socket"))?;
        let stop = Arc::new(Notify::new());
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("quorate-net".into())
            .spawn(move || run(runtime, &stopped))
            .map_err(failed("starting the network thread"))?;
        Ok(Self {
            router: Arc::new(Router::new(config.connections_max, config.handshake_timeout)),
            socket: Mutex::new(Some(socket)),
            local_address,
            runtime: handle,
            stop,
            thread_id: thread.thread().id(),
            thread: Some(thread),
        })
    }

    pub(crate) const fn local_address(&self) -> SocketAddr {
        self.local_address
    }

    pub(crate) const fn router(&self) -> &Arc<Router> {
        &self.router
    }

    /// Lets a group's callers in, and dials its members.
    pub(crate) fn open(&self, group: &Arc<Shared>, links: Vec<Link>) -> Result<(), TransportError> {
        self.router.open(group)?;
        group.tasks.add_writers(links.into_iter().map(|link| self.runtime.spawn(link.run())));
        let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(socket) = socket {
            self.runtime.spawn(accept(Arc::clone(&self.router), socket));
        }
        Ok(())
    }

    /// Ends a group's links. Its inbox hears nothing more once this returns, unless it is called from within
    /// an inbox: then once that call has returned.
    ///
    /// All tasks share one thread, so that nothing of the group runs while the task that ends them does.
    pub(crate) fn close(&self, group: &Arc<Shared>) {
        group.close();
        self.router.close(group);
        let ending = Arc::clone(group);
        let (done, ended) = mpsc::channel::<()>();
        self.runtime.spawn(async move {
            ending.tasks.end().await;
            drop(done);
        });
        if thread::current().id() != self.thread_id {
            // Nothing is ever sent: this ends with the task, or with the thread.
            let _ = ended.recv();
        }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        self.stop.notify_one();
        if let Some(thread) = self.thread.take()
            && thread::current().id() != self.thread_id
            && thread.join().is_err()
        {
            tracing::error!("the network thread had panicked");
        }
    }
}

fn adopt(runtime: &Runtime, socket: std::net::TcpListener) -> io::Result<TcpListener> {
    let _context = runtime.enter();
    TcpListener::from_std(socket)
}

/// The network thread: runs the tasks until the port is dropped.
fn run(runtime: Runtime, stop: &Notify) {
    runtime.block_on(stop.notified());
    // Drops all tasks, and does not wait for a lookup of a host name.
    runtime.shutdown_background();
}
