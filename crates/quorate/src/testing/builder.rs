use super::in_memory_group::Setting;
use super::{InMemoryGroup, InMemoryGroupError};
use crate::{EngineKind, RepConfigBuilder};

/// Sets up an [`InMemoryGroup`] that is not all defaults.
#[must_use]
pub struct InMemoryGroupBuilder {
    count: usize,
    setting: Setting,
}

impl InMemoryGroupBuilder {
    pub(crate) fn new(count: usize) -> Self {
        let setting = Setting { engine: EngineKind::Memory, adjust: Box::new(|config| config) };
        Self { count, setting }
    }

    /// The engine of every node. Default: memory, which needs no feature; the log is on disk all the same.
    pub fn engine(mut self, engine: EngineKind) -> Self {
        self.setting.engine = engine;
        self
    }

    /// Changes every node's configuration, each time the node is started: timeouts, limits, durability. The
    /// group itself sets the members, the addresses, the directory and the engine.
    ///
    /// ```
    /// use quorate::testing::InMemoryGroup;
    /// use std::time::Duration;
    ///
    /// let group = InMemoryGroup::builder(3)
    ///     .configure(|config| config.ack_timeout(Duration::from_secs(1)))
    ///     .start()?;
    /// # Ok::<(), quorate::testing::InMemoryGroupError>(())
    /// ```
    pub fn configure(
        mut self,
        adjust: impl Fn(RepConfigBuilder) -> RepConfigBuilder + Send + Sync + 'static,
    ) -> Self {
        self.setting.adjust = Box::new(adjust);
        self
    }

    /// Starts all nodes.
    ///
    /// # Errors
    /// [`InMemoryGroupError`]; nothing runs.
    pub fn start(self) -> Result<InMemoryGroup, InMemoryGroupError> {
        InMemoryGroup::start_with(self.count, self.setting)
    }
}
