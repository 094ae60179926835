use super::port::Port;
use super::{ListenerConfig, ListenerStats};
use crate::TransportError;
use std::net::SocketAddr;
use std::sync::Arc;

/// A port at which any number of groups in this process are reached.
///
/// Every caller names the group that it wants and is brought to that group, which alone judges it. A caller
/// that names none of them is turned away and counted; closing one group leaves the others alone, and it can
/// be opened again. One thread drives the port and all links of all groups behind it.
///
/// The port is freed when the listener has been dropped and every group on it is closed.
///
/// ```
/// use quorate_transport::{Listener, ListenerConfig};
///
/// let listener = Listener::bind(&ListenerConfig::new("127.0.0.1:0"))?;
/// assert_ne!(listener.local_address().port(), 0);
/// # Ok::<(), quorate_transport::TransportError>(())
/// ```
pub struct Listener {
    pub(crate) port: Arc<Port>,
}

impl Listener {
    /// Takes the port and starts the thread. Callers are let in once the first group is open; until then
    /// they wait.
    ///
    /// # Errors
    /// [`TransportError`]: the limits are not sound, or the address cannot be listened at. Nothing was
    /// started.
    pub fn bind(config: &ListenerConfig) -> Result<Self, TransportError> {
        Ok(Self { port: Arc::new(Port::bind(config)?) })
    }

    /// Where this process listens, with the port that it was given if it asked for any.
    #[must_use]
    pub fn local_address(&self) -> SocketAddr {
        self.port.local_address()
    }

    /// What the listener has done so far.
    #[must_use]
    pub fn stats(&self) -> ListenerStats {
        self.port.router().counters.read()
    }
}
