use crate::ReplicatedEnvironment;
use std::ops::Deref;
use std::sync::Arc;

/// A node of an [`InMemoryGroup`](super::InMemoryGroup) in one of its runs: an environment, and its name. A
/// cheap handle; it stays what it is when the node is killed, and refuses then what a closed environment
/// refuses.
#[derive(Clone)]
pub struct TestNode {
    name: Arc<str>,
    environment: Arc<ReplicatedEnvironment>,
}

impl TestNode {
    pub(crate) fn new(name: &str, environment: ReplicatedEnvironment) -> Self {
        Self { name: name.into(), environment: Arc::new(environment) }
    }

    /// The node's name, `node1` for example.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Deref for TestNode {
    type Target = ReplicatedEnvironment;

    fn deref(&self) -> &ReplicatedEnvironment {
        &self.environment
    }
}
