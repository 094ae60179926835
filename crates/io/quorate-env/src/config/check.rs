use super::{ConfigError, RepConfig};
use quorate_codec::PAYLOAD_BYTES_MAX;
use quorate_core::{Member, MemberList, NodeId, NodeType};
use quorate_log::LogConfig;
use quorate_policy::Quorums;
use quorate_replica::LeaseTerms;
use std::fmt::Debug;

/// The longest name of a group or node, in bytes.
const NAME_BYTES_MAX: usize = 255;
/// Room in an entry for keys, lengths and envelope beside its values.
const ENTRY_OVERHEAD_BYTES: usize = 1 << 20;
/// With more a master would make little of a lease.
const DRIFT_PER_MILLE_MAX: usize = 400;
const VALUE_BYTES_LIMIT: usize = PAYLOAD_BYTES_MAX - 4 * ENTRY_OVERHEAD_BYTES;

/// What a sound configuration says, worked out.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    /// The declared members.
    pub(crate) list: MemberList,
    /// This node's number among them.
    pub(crate) me: NodeId,
    /// Where this node listens.
    pub(crate) listen: String,
    /// The longest body of a write, in bytes.
    pub(crate) write_bytes_max: usize,
}

impl RepConfig {
    /// Checks everything that can be checked without touching the world.
    pub(crate) fn check(&self) -> Result<Checked, ConfigError> {
        check_name("group", &self.group)?;
        check_name("node", &self.node)?;
        self.check_times()?;
        self.check_sizes()?;
        let list = self.member_list()?;
        Quorums::new(&list)?;
        let own = list.named(&self.node).ok_or_else(|| self.not_a_member())?;
        self.check_own(own)?;
        let listen = self.listen.clone().unwrap_or_else(|| own.address.clone());
        let write_bytes_max = self.value_bytes_max + ENTRY_OVERHEAD_BYTES / 2;
        Ok(Checked { me: own.id, listen, write_bytes_max, list })
    }

    /// The members declared; this node alone where there are none.
    fn member_list(&self) -> Result<MemberList, ConfigError> {
        let members = if self.members.is_empty() { vec![self.alone()?] } else { self.members.clone() };
        for member in &members {
            check_name("members", &member.name)?;
            check_address(member)?;
        }
        Ok(MemberList::found(members, self.quorum)?)
    }

    fn alone(&self) -> Result<Member, ConfigError> {
        Ok(Member {
            id: NodeId::default(),
            name: self.node.clone(),
            address: self.own_address(self.node_port.unwrap_or(Self::DEFAULT_NODE_PORT))?,
            node_type: self.node_type.unwrap_or(NodeType::Electable),
            priority: self.priority.unwrap_or(1),
        })
    }

    /// An IPv6 address as host is put in brackets.
    fn own_address(&self, port: u16) -> Result<String, ConfigError> {
        match self.host.as_str() {
            _ if port == 0 => Err(ConfigError::PortZero),
            "" => Err(ConfigError::EmptyHost),
            host if host.contains(':') && !host.starts_with('[') => Ok(format!("[{host}]:{port}")),
            host => Ok(format!("{host}:{port}")),
        }
    }

    fn not_a_member(&self) -> ConfigError {
        let declared = self.members.iter().map(|member| member.name.clone()).collect();
        ConfigError::NotAMember { node: self.node.clone(), declared }
    }

    /// What this node says of itself must be what it declares of itself to the others.
    fn check_own(&self, own: &Member) -> Result<(), ConfigError> {
        if let Some(port) = self.node_port {
            agree("node_port", &self.own_address(port)?, &own.address)?;
        }
        if let Some(node_type) = self.node_type {
            agree("node_type", &node_type, &own.node_type)?;
        }
        if let Some(priority) = self.priority {
            agree("priority", &priority, &own.priority)?;
        }
        Ok(())
    }

    fn check_times(&self) -> Result<(), ConfigError> {
        let times = [
            ("heartbeat_interval", self.heartbeat_interval),
            ("election_timeout", self.election_timeout),
            ("ack_timeout", self.ack_timeout),
            ("engine_flush_interval", self.engine_flush_interval),
            ("relaxed_sync_interval", self.relaxed_sync_interval),
            ("handshake_timeout", self.handshake_timeout),
        ];
        if let Some((field, _)) = times.into_iter().find(|(_, time)| time.is_zero()) {
            return Err(ConfigError::ZeroTime { field });
        }
        if self.election_timeout <= self.heartbeat_interval.saturating_mul(2) {
            let (election_timeout, heartbeat_interval) = (self.election_timeout, self.heartbeat_interval);
            return Err(ConfigError::ElectionTimeout { election_timeout, heartbeat_interval });
        }
        self.check_lease()?;
        let phi = self.phi_threshold;
        if phi.is_finite() && phi > 0.0 { Ok(()) } else { Err(ConfigError::Phi(phi)) }
    }

    /// The leases that masters read by, if any.
    pub(crate) fn lease_terms(&self) -> Option<LeaseTerms> {
        self.lease.map(|span| LeaseTerms { span, drift_per_mille: self.clock_drift_per_mille })
    }

    fn check_lease(&self) -> Result<(), ConfigError> {
        within("clock_drift_per_mille", self.clock_drift_per_mille.into(), 0, DRIFT_PER_MILLE_MAX)?;
        let Some(terms) = self.lease_terms() else { return Ok(()) };
        let (lease, held, drift_per_mille) = (terms.span, terms.held(), terms.drift_per_mille);
        let (heartbeat_interval, election_timeout) = (self.heartbeat_interval, self.election_timeout);
        if held > heartbeat_interval.saturating_mul(2) && lease <= election_timeout {
            return Ok(());
        }
        Err(ConfigError::Lease { lease, held, drift_per_mille, heartbeat_interval, election_timeout })
    }

    fn check_sizes(&self) -> Result<(), ConfigError> {
        const ANY: usize = usize::MAX;
        let (segment_least, segment_most) = (LogConfig::SEGMENT_BYTES_MIN, LogConfig::SEGMENT_BYTES_MAX);
        let entry = self.value_bytes_max.saturating_add(ENTRY_OVERHEAD_BYTES);
        within("value_bytes_max", self.value_bytes_max, 1, VALUE_BYTES_LIMIT)?;
        within("window_bytes_max", self.window_bytes_max, entry, ANY)?;
        within("batch_bytes_max", self.batch_bytes_max, 1, PAYLOAD_BYTES_MAX)?;
        within("apply_lag_bytes_max", self.apply_lag_bytes_max, entry, ANY)?;
        within("connections_max", self.connections_max, 1, ANY)?;
        let segment = self.segment_bytes as usize;
        within("segment_bytes", segment, segment_least as usize, segment_most as usize)
    }
}

fn check_name(field: &'static str, name: &str) -> Result<(), ConfigError> {
    let is_one_part = !name.contains(['/', '\\', '\0']) && name != "." && name != "..";
    if (1..=NAME_BYTES_MAX).contains(&name.len()) && is_one_part {
        return Ok(());
    }
    Err(ConfigError::Name { field, name: name.to_owned(), limit: NAME_BYTES_MAX })
}

fn check_address(member: &Member) -> Result<(), ConfigError> {
    let parts = member.address.rsplit_once(':');
    let is_complete =
        parts.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0));
    if is_complete {
        return Ok(());
    }
    Err(ConfigError::MemberAddress { name: member.name.clone(), address: member.address.clone() })
}

fn agree<T: PartialEq + Debug>(field: &'static str, own: &T, declared: &T) -> Result<(), ConfigError> {
    if own == declared {
        return Ok(());
    }
    Err(ConfigError::Contradiction { field, own: format!("{own:?}"), declared: format!("{declared:?}") })
}

fn within(field: &'static str, found: usize, least: usize, most: usize) -> Result<(), ConfigError> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(ConfigError::OutOfRange { field, found, least, most })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RepConfigBuilder;
    use quorate_core::QuorumPolicy;
    use std::time::Duration;

    fn one() -> RepConfigBuilder {
        RepConfig::builder("group", "a", "localhost")
    }

    fn three() -> RepConfigBuilder {
        one().member("c", "h:3").member("a", "h:1").member("b", "h:2")
    }

    fn error(builder: RepConfigBuilder) -> ConfigError {
        builder.build().check().unwrap_err()
    }

    /// The text begins with the field that is to be changed.
    fn assert_names(builder: RepConfigBuilder, field: &str) {
        let text = error(builder).to_string();
        assert!(text.starts_with(&format!("{field}: ")), "{text}");
    }

    #[test]
    fn without_members_it_is_a_group_of_one_at_its_own_address() {
        let checked = one().node_port(7).build().check().unwrap();
        assert_eq!((checked.list.members().len(), checked.me), (1, NodeId::new(1)));
        assert_eq!(checked.listen, "localhost:7");
        let checked = RepConfig::builder("group", "a", "::1").build().check().unwrap();
        assert_eq!(checked.listen, "[::1]:14001");
    }

    #[test]
    fn members_are_numbered_by_name_and_give_the_address_to_listen_at() {
        let checked = three().build().check().unwrap();
        assert_eq!((checked.me, checked.listen.as_str()), (NodeId::new(1), "h:1"));
        assert_eq!(checked.list.named("c").map(|member| member.id), Some(NodeId::new(3)));
        assert_eq!(three().listen("0.0.0.0:1").build().check().unwrap().listen, "0.0.0.0:1");
    }

    #[test]
    fn names_that_cannot_be_directories_are_refused() {
        for name in ["", "a/b", "a\\b", "..", ".", &"x".repeat(256)] {
            assert_names(RepConfig::builder(name, "a", "h"), "group");
            assert_names(RepConfig::builder("group", name, "h"), "node");
        }
        assert_names(one().member("a", "h:1").member("b/c", "h:2"), "members");
    }

    #[test]
    fn a_node_that_is_not_among_its_members_is_told_who_is() {
        let declared = vec!["b".to_owned(), "c".to_owned()];
        let found = error(one().member("b", "h:2").member("c", "h:3"));
        assert_eq!(found, ConfigError::NotAMember { node: "a".into(), declared });
    }

    #[test]
    fn addresses_that_nobody_can_reach_are_refused() {
        assert_eq!(error(one().node_port(0)), ConfigError::PortZero);
        assert_eq!(error(RepConfig::builder("group", "a", "")), ConfigError::EmptyHost);
        for address in ["h", "h:", ":1", "h:0", "h:65536"] {
            assert_names(one().member("a", address), "members");
        }
    }

    #[test]
    fn what_a_node_says_of_itself_must_agree_with_its_entry() {
        let ok = RepConfig::builder("group", "a", "h").node_port(1).member("a", "h:1").member("b", "h:2");
        assert!(ok.clone().build().check().is_ok());
        assert_names(ok.clone().node_port(9), "node_port");
        assert_names(ok.clone().priority(2), "priority");
        assert_names(ok.node_type(NodeType::Secondary), "node_type");
    }

    #[test]
    fn quorums_that_can_miss_each_other_are_refused() {
        assert_names(three().quorum(QuorumPolicy::Flexible { election: 1, write: 2 }), "quorum");
        assert!(three().quorum(QuorumPolicy::Flexible { election: 2, write: 2 }).build().check().is_ok());
    }

    #[test]
    fn times_that_contradict_each_other_are_refused() {
        let millis = Duration::from_millis;
        assert_names(one().election_timeout(millis(200)), "election_timeout");
        assert!(one().election_timeout(millis(201)).build().check().is_ok());
        assert_names(one().heartbeat_interval(Duration::ZERO), "heartbeat_interval");
        assert_names(one().ack_timeout(Duration::ZERO), "ack_timeout");
        assert_names(one().phi_threshold(f64::NAN), "phi_threshold");
    }

    #[test]
    fn leases_outlast_heartbeats_and_clocks_and_no_election() {
        let millis = Duration::from_millis;
        assert_eq!(one().build().lease_terms(), None, "none by default");
        assert!(one().lease(millis(500)).build().check().is_ok());
        assert!(one().lease(millis(1_000)).build().check().is_ok());
        assert_names(one().lease(millis(1_001)), "lease");
        assert_names(one().lease(millis(250)), "lease");
        assert!(one().lease(millis(251)).build().check().is_ok());
        assert_names(one().lease(millis(500)).clock_drift_per_mille(300), "lease");
        assert_names(one().clock_drift_per_mille(401), "clock_drift_per_mille");
        assert_names(one().lease(Duration::ZERO), "lease");
    }

    #[test]
    fn sizes_that_do_not_hold_the_largest_entry_are_refused() {
        assert_names(one().window_bytes_max(16 << 20), "window_bytes_max");
        assert_names(one().value_bytes_max(64 << 20), "value_bytes_max");
        assert_names(one().segment_bytes(1), "segment_bytes");
        assert_names(one().connections_max(0), "connections_max");
        assert!(one().value_bytes_max(100).window_bytes_max(2 << 20).build().check().is_ok());
    }
}
