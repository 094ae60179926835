//! The roster as bytes: in introductions, and as the payload of a group's first entry.

use super::{WireError, node_id, number128};
use alloc::string::String;
use alloc::vec::Vec;
use prost::Message as _;
use quorate_core::{Incarnation, Member, MemberList, NodeId, NodeType, QuorumPolicy, Roster, RosterMember};

/// The payload of the first entry of a group's log.
#[must_use]
pub fn encode_roster(roster: &Roster) -> Vec<u8> {
    WireRoster::from(roster).encode_to_vec()
}

/// Reads the payload of the first entry of a group's log.
///
/// # Errors
/// [`WireError`] if it is no roster.
pub fn decode_roster(payload: &[u8]) -> Result<Roster, WireError> {
    WireRoster::decode(payload).map_err(|_| WireError::Malformed)?.into_roster()
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct WireRoster {
    #[prost(string, tag = "1")]
    group: String,
    #[prost(message, repeated, tag = "2")]
    members: Vec<WireMember>,
    /// Both 0: a simple majority.
    #[prost(uint32, tag = "3")]
    election_quorum: u32,
    #[prost(uint32, tag = "4")]
    write_quorum: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct WireMember {
    #[prost(uint32, tag = "1")]
    id: u32,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(string, tag = "3")]
    address: String,
    /// 0 electable, 1 secondary.
    #[prost(uint32, tag = "4")]
    node_type: u32,
    #[prost(uint32, tag = "5")]
    priority: u32,
    #[prost(bytes = "vec", tag = "6")]
    incarnation: Vec<u8>,
}

impl From<&Roster> for WireRoster {
    fn from(roster: &Roster) -> Self {
        let (election, write) = match roster.list.quorum() {
            QuorumPolicy::SimpleMajority => (0, 0),
            QuorumPolicy::Flexible { election, write } => (election, write),
        };
        let members =
            roster.list.members().iter().zip(&roster.incarnations).map(|(member, listed)| WireMember {
                id: u32::from(member.id.as_u16()),
                name: member.name.clone(),
                address: member.address.clone(),
                node_type: u32::from(member.node_type != NodeType::Electable),
                priority: member.priority,
                incarnation: listed.incarnation.0.to_le_bytes().to_vec(),
            });
        Self {
            group: roster.group.clone(),
            members: members.collect(),
            election_quorum: u32::from(election),
            write_quorum: u32::from(write),
        }
    }
}

impl WireRoster {
    pub(super) fn into_roster(self) -> Result<Roster, WireError> {
        let size = |size| u16::try_from(size).map_err(|_| WireError::Invalid { part: "quorum size" });
        let quorum = match (size(self.election_quorum)?, size(self.write_quorum)?) {
            (0, 0) => QuorumPolicy::SimpleMajority,
            (election, write) => QuorumPolicy::Flexible { election, write },
        };
        let mut incarnations = Vec::with_capacity(self.members.len());
        let mut members = Vec::with_capacity(self.members.len());
        for wire in self.members {
            let id = node_id(wire.id)?;
            let incarnation = Incarnation(number128(&wire.incarnation, "incarnation")?);
            incarnations.push(RosterMember { id, incarnation });
            members.push(wire.into_member(id)?);
        }
        let list =
            MemberList::found(members, quorum).map_err(|_| WireError::Invalid { part: "member list" })?;
        let in_order =
            list.members().iter().zip(&incarnations).all(|(member, listed)| member.id == listed.id);
        if !in_order {
            return Err(WireError::Invalid { part: "order of members" });
        }
        Ok(Roster { group: self.group, list, incarnations })
    }
}

impl WireMember {
    fn into_member(self, id: NodeId) -> Result<Member, WireError> {
        let node_type = match self.node_type {
            0 => NodeType::Electable,
            1 => NodeType::Secondary,
            _ => return Err(WireError::Invalid { part: "node type" }),
        };
        Ok(Member { id, name: self.name, address: self.address, node_type, priority: self.priority })
    }
}
