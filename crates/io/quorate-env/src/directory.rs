use crate::config::Checked;
use crate::{OpenError, RepConfig};
use quorate_core::{HardState, Incarnation, LogError, LogStore, MemberList, NodeId, StateStore, Term};
use quorate_log::vfs::Vfs;
use quorate_log::{DirectoryLock, HardStateFile, Log, LogConfig};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The data directory of one node.
///
/// ```text
///  quorate.lock        held while the environment is open
///  state-a, state-b    the hard state
///  log/                the log
///  engine, engine/     the engine's store: a file or a directory, as the engine likes
/// ```
pub(crate) struct Directory(PathBuf);

/// What was found in the directory, ready for this run.
pub(crate) struct Opened {
    pub(crate) lock: DirectoryLock,
    pub(crate) state: HardStateFile,
    /// As stored for this run.
    pub(crate) hard: HardState,
    pub(crate) log: Log,
}

impl Directory {
    pub(crate) fn of(config: &RepConfig) -> Self {
        Self(config.data_dir.clone().unwrap_or_else(|| {
            let directory = Path::new("quorate-data").join(&config.group).join(&config.node);
            let shown = directory.display();
            tracing::warn!(directory = %shown, "no data directory is configured; this one is used");
            directory
        }))
    }

    /// Where the engine's store lies.
    pub(crate) fn engine(&self) -> PathBuf {
        self.0.join("engine")
    }

    /// Takes the directory, makes sure that it is this node's, and counts this opening.
    ///
    /// A log that has lost durable entries from its end makes the node a recovering one in the very store
    /// that counts the opening, before anything is cut or promised.
    pub(crate) fn open(
        &self,
        vfs: &Arc<dyn Vfs>,
        config: &RepConfig,
        checked: &Checked,
    ) -> Result<Opened, OpenError> {
        let lock = self.lock(&**vfs)?;
        let mut state = HardStateFile::new(Arc::clone(vfs), &self.0);
        let found = state.load()?;
        let is_new = found.is_none();
        let mut hard = match found {
            Some(found) => self.recognise(found, config, checked.me)?,
            None => new_hard_state(config, checked.me)?,
        };
        let log_config =
            LogConfig { segment_bytes: config.segment_bytes, ..LogConfig::new(hard.incarnation.0) };
        let log = Log::open(Arc::clone(vfs), self.0.join("log"), log_config)?;
        let summary = log.summary();
        if is_new && summary.terms.last().is_some() {
            return Err(OpenError::StateMissing { directory: self.0.clone() });
        }
        hard.open_count += 1;
        hard.recovering |= summary.lost_durable_end;
        state.store(&hard)?;
        Ok(Opened { lock, state, hard, log })
    }

    /// The members that count: the founders, once the group is founded; what is declared then is of no
    /// account.
    pub(crate) fn members_in_effect(&self, hard: &HardState, declared: &MemberList) -> MemberList {
        let Some(roster) = &hard.roster else { return declared.clone() };
        if roster.list != *declared {
            tracing::warn!(
                directory = %self.0.display(),
                "the members declared are not those that founded the group; the founders count"
            );
        }
        roster.list.clone()
    }

    fn lock(&self, vfs: &dyn Vfs) -> Result<DirectoryLock, OpenError> {
        DirectoryLock::acquire(vfs, &self.0).map_err(|error| match error {
            LogError::Unusable { .. } => OpenError::InUse { directory: self.0.clone() },
            error => OpenError::Log(error),
        })
    }

    /// Checks that a hard state is this node's, under the number that it has now.
    fn recognise(
        &self,
        found: HardState,
        config: &RepConfig,
        declared: NodeId,
    ) -> Result<HardState, OpenError> {
        if found.group != config.group || found.node != config.node {
            return Err(OpenError::ForeignDirectory {
                directory: self.0.clone(),
                found_group: found.group,
                found_node: found.node,
                group: config.group.clone(),
                node: config.node.clone(),
            });
        }
        let id = match &found.roster {
            None => declared,
            Some(roster) => match roster.list.named(&config.node) {
                Some(member) => member.id,
                None => {
                    let (group, node) = (config.group.clone(), config.node.clone());
                    return Err(OpenError::NotInRoster { group, node });
                }
            },
        };
        Ok(HardState { id, ..found })
    }
}

fn new_hard_state(config: &RepConfig, me: NodeId) -> Result<HardState, OpenError> {
    Ok(HardState {
        group: config.group.clone(),
        node: config.node.clone(),
        id: me,
        incarnation: Incarnation(random_number()?),
        open_count: 0,
        promised: Term::ZERO,
        roster: None,
        unsynced_mark: None,
        recovering: false,
        lease_granted: Duration::ZERO,
    })
}

/// A number that nobody else draws.
pub(crate) fn random_number() -> Result<u128, OpenError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| OpenError::System {
        operation: "drawing a random number",
        source: io::Error::other(error),
    })?;
    Ok(u128::from_le_bytes(bytes))
}
