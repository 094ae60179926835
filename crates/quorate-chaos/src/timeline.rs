use crate::fault_kind::FaultKind;
use std::collections::BTreeMap;
use tokio::time::Instant;

/// What has been done to the group, told as it happens.
#[derive(Debug)]
pub(crate) struct Timeline {
    began: Instant,
    counts: BTreeMap<FaultKind, u64>,
    /// What the product should not have done, seen on the way.
    pub(crate) complaints: Vec<String>,
}

impl Timeline {
    pub(crate) fn begin() -> Self {
        Self { began: Instant::now(), counts: BTreeMap::new(), complaints: Vec::new() }
    }

    /// Tells what happens now.
    pub(crate) fn tell(&self, text: &str) {
        println!("{:8.1} s  {text}", self.began.elapsed().as_secs_f64());
    }

    /// Tells a fault, and counts it.
    pub(crate) fn fault(&mut self, kind: FaultKind, text: &str) {
        *self.counts.entry(kind).or_default() += 1;
        self.tell(text);
    }

    /// Tells what should not have happened.
    pub(crate) fn complain(&mut self, text: String) {
        self.tell(&text);
        self.complaints.push(text);
    }

    /// How often a fault has happened.
    pub(crate) fn count(&self, kind: FaultKind) -> u64 {
        self.counts.get(&kind).copied().unwrap_or_default()
    }
}
