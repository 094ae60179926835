use std::fmt;

/// Who leads, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterAddress {
    /// The master's name.
    pub node: String,
    /// Where it is reached.
    pub address: String,
}

impl MasterAddress {
    /// The end of a sentence that says where to go instead.
    pub(crate) fn advice(master: Option<&Self>) -> String {
        match master {
            Some(master) => format!(": send the write to {master}"),
            None => ", and none is known at present: wait for one".to_owned(),
        }
    }
}

impl fmt::Display for MasterAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.node, self.address)
    }
}
