use crate::{Incarnation, NodeId, Roster, Term};
use alloc::string::String;
use core::time::Duration;

/// One run of a machine between power losses, as the operating system numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BootId(pub u128);

/// What a node must never forget, besides its log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HardState {
    /// The group's name.
    pub group: String,
    /// The node's name.
    pub node: String,
    /// The node's number.
    pub id: NodeId,
    /// The life of this data directory.
    pub incarnation: Incarnation,
    /// How often the directory has been opened. A lower count than the peers remember is an old copy of the disk.
    pub open_count: u64,
    /// Nothing below this ballot is accepted.
    pub promised: Term,
    /// The roster of the group, once this node belongs to one.
    pub roster: Option<Roster>,
    /// Set before the node acknowledged (or counted as its own) an entry that it had not fsynced: the boot in which it did.
    pub unsynced_mark: Option<BootId>,
    /// The node may have lost entries that it acknowledged; it counts in no quorum until a master has refilled its log.
    pub recovering: bool,
    /// The longest lease that this node may ever have granted; zero if it granted none. One may still run when the node
    /// starts again: for so long it promises nothing.
    pub lease_granted: Duration,
}

/// A place for the hard state.
pub trait StateStore: Send {
    /// The state stored last, or `None` in a new directory.
    ///
    /// # Errors
    /// [`StateStoreError::Damaged`] if a state was stored and no copy of it can be read; the node must not vote.
    fn load(&mut self) -> Result<Option<HardState>, StateStoreError>;

    /// Stores the state, durable on return.
    ///
    /// # Errors
    /// [`StateStoreError::Io`]; nothing may be promised or acknowledged on the strength of it, then or later.
    fn store(&mut self, state: &HardState) -> Result<(), StateStoreError>;
}

/// Why the hard state could not be loaded or stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateStoreError {
    /// The file system failed.
    #[error("{operation} of the hard state failed: {detail}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// What the operating system said.
        detail: String,
    },
    /// Both copies are unreadable.
    #[error(
        "both copies of the hard state are damaged: this directory must not vote again; move it aside and let the node \
         be added anew"
    )]
    Damaged,
}
