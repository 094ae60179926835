//! A client of a group: it is given some of the nodes' addresses and finds the others, follows the master,
//! and tries again across a failover until its timeout. Writes take effect once, however often they are sent.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use quorate_server::client::{Client, ReadConsistency};
//!
//! let client = Client::new(["127.0.0.1:14101", "127.0.0.1:14102", "127.0.0.1:14103"])?;
//! let written = client.put("", "apples", "3").await?;
//! let read = client.get("", "apples", ReadConsistency::Token(written.token)).await?;
//! assert_eq!(read.value.as_deref(), Some(&b"3"[..]));
//!
//! let mut transaction = client.transaction();
//! loop {
//!     let apples = transaction.get("", "apples").await?.map_or(0, |apples| apples.len());
//!     transaction.put("", "apples", vec![b'x'; apples + 1]);
//!     if transaction.commit().await?.is_some() {
//!         break;
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A client needs a tokio runtime. Clones share its connections and what they have learned.

mod attempt;
mod client_error;
mod consistency;
mod endpoints;
mod node_status;
mod options;
mod patience;
mod reading;
mod scan;
mod sessions;
mod transaction;
mod writing;

pub use client_error::ClientError;
pub use consistency::{ReadConsistency, ReadConsistencyError};
pub use endpoints::EndpointError;
pub use node_status::NodeStatus;
pub use options::ClientOptions;
pub use reading::Read;
pub use scan::{Scan, ScanQuery};
pub use transaction::Transaction;
pub use writing::{Change, Written};

use endpoints::Endpoints;
use sessions::Sessions;
use std::sync::Arc;

/// Reads and writes a group's databases. Database names: the empty one stands for `default`.
#[derive(Clone, Debug)]
pub struct Client {
    endpoints: Arc<Endpoints>,
    sessions: Arc<Sessions>,
    options: ClientOptions,
}

impl Client {
    /// A client of the group of which these nodes are some: `host:port`, where they serve clients. It
    /// connects when it is first used.
    ///
    /// # Errors
    /// [`EndpointError`] if there is none, or one is no address.
    pub fn new<A: AsRef<str>>(endpoints: impl IntoIterator<Item = A>) -> Result<Self, EndpointError> {
        Self::with_options(endpoints, ClientOptions::default())
    }

    /// As [`new`](Self::new), with other options.
    ///
    /// # Errors
    /// [`EndpointError`].
    pub fn with_options<A: AsRef<str>>(
        endpoints: impl IntoIterator<Item = A>,
        options: ClientOptions,
    ) -> Result<Self, EndpointError> {
        let endpoints = Arc::new(Endpoints::new(endpoints)?);
        Ok(Self { endpoints, sessions: Arc::new(Sessions::default()), options })
    }
}
