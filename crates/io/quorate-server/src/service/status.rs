use super::failure::Refusals;
use crate::v1::{Member, NodeState, NodeType, Progress, StatusResponse, Watermarks};
use bytes::Bytes;
use quorate::{GroupStatus, MemberStatus, RepStats, ReplicaStatus, Vlsn};
use std::collections::BTreeMap;
use std::time::Instant;

/// Since when a node is what it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) started: Instant,
    /// When its state last changed.
    pub(super) changed: Instant,
}

/// A node's status in the words of the protocol.
pub(super) fn response(
    status: &GroupStatus,
    stats: &RepStats,
    refusals: &Refusals,
    times: Times,
) -> StatusResponse {
    let own = status.members.iter().find(|member| member.member.name == status.node);
    StatusResponse {
        group: status.group.clone(),
        group_uuid: status.uuid.map(|uuid| Bytes::copy_from_slice(&uuid.0.to_be_bytes())).unwrap_or_default(),
        node: status.node.clone(),
        id: own.map_or(0, |own| u32::from(own.member.id.as_u16())),
        node_type: own.map_or(NodeType::Unspecified, |own| node_type(own.member.node_type)).into(),
        state: node_state(status.state).into(),
        term: status.term.as_u64(),
        master: status.master.as_ref().map(|master| refusals.master(master)),
        watermarks: Some(watermarks(&status.watermarks)),
        members: status.members.iter().map(|found| member(found, refusals)).collect(),
        uptime_ms: milliseconds_since(times.started),
        state_age_ms: milliseconds_since(times.changed),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        recovering: status.is_recovering,
        restore_needed: Vlsn::number(status.restore_needed.map(|base| base.vlsn)),
        fault: status.halted.clone().unwrap_or_default(),
        statistics: statistics(stats),
    }
}

fn milliseconds_since(moment: Instant) -> u64 {
    u64::try_from(moment.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn member(status: &MemberStatus, refusals: &Refusals) -> Member {
    let member = &status.member;
    Member {
        id: u32::from(member.id.as_u16()),
        name: member.name.clone(),
        address: member.address.clone(),
        node_type: node_type(member.node_type).into(),
        priority: member.priority,
        progress: status.replica.as_ref().map(progress),
        client_address: refusals.client_address(&member.name),
    }
}

fn progress(replica: &ReplicaStatus) -> Progress {
    Progress {
        written: Vlsn::number(replica.written),
        durable: Vlsn::number(replica.durable),
        applied: Vlsn::number(replica.applied),
        lag_entries: replica.lag_entries,
        connected: replica.is_connected,
        in_flight_bytes: replica.in_flight_bytes as u64,
    }
}

fn watermarks(marks: &quorate::Watermarks) -> Watermarks {
    Watermarks {
        trimmed: Vlsn::number(marks.trimmed),
        engine_durable: Vlsn::number(marks.engine_durable),
        applied: Vlsn::number(marks.applied),
        committed: Vlsn::number(marks.committed),
        durable: Vlsn::number(marks.durable),
        written: Vlsn::number(marks.written),
    }
}

const fn node_type(node_type: quorate::NodeType) -> NodeType {
    match node_type {
        quorate::NodeType::Electable => NodeType::Electable,
        quorate::NodeType::Secondary => NodeType::Secondary,
        _ => NodeType::Unspecified,
    }
}

const fn node_state(state: quorate::NodeState) -> NodeState {
    match state {
        quorate::NodeState::Detached => NodeState::Detached,
        quorate::NodeState::Unknown => NodeState::Unknown,
        quorate::NodeState::Master => NodeState::Master,
        quorate::NodeState::Replica => NodeState::Replica,
    }
}

/// Every figure by its name; all of them only grow.
fn statistics(stats: &RepStats) -> BTreeMap<String, u64> {
    stats.figures().map(|figure| (format!("{}_total", figure.name), figure.value)).collect()
}
