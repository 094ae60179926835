//! A copy of the hard state as bytes.
//!
//! ```text
//!  0        8         12        16        24
//!  +--------+---------+---------+---------+------------------
//!  | magic  |checksum | length  |sequence | fields (length B)
//!  +--------+---------+---------+---------+------------------
//!                     |<---- covered by the checksum ------->|
//! ```

use crate::fields::{Fields, PutFields};
use quorate_core::{
    BootId, HardState, Incarnation, Member, MemberList, NodeId, NodeType, QuorumPolicy, Roster, RosterMember,
    Term,
};
use std::time::Duration;

/// The name of this format, its version in the last byte.
const MAGIC: &[u8; 8] = b"QUORHST\x01";
const COVERED_AT: usize = 12;
/// No copy is longer: 128 members with names and addresses of 64 KiB each fit.
pub(super) const BYTES_MAX: usize = 20 << 20;
/// The highest sequence that a copy has. No node stores its state so often.
pub(super) const SEQUENCE_MAX: u64 = u64::MAX / 2;

pub(super) fn encode(sequence: u64, state: &HardState) -> Vec<u8> {
    let fields = encode_state(state);
    let mut covered = Vec::with_capacity(12 + fields.len());
    covered.put_u32(fields.len() as u32);
    covered.put_u64(sequence);
    covered.put(&fields);
    let mut bytes = Vec::with_capacity(COVERED_AT + covered.len());
    bytes.put(MAGIC);
    bytes.put_u32(crc32c::crc32c(&covered));
    bytes.put(&covered);
    bytes
}

/// The sequence and the state, or `None` if these bytes are no whole copy.
pub(super) fn decode(bytes: &[u8]) -> Option<(u64, HardState)> {
    let mut fields = Fields::new(bytes);
    if fields.bytes(MAGIC.len())? != MAGIC {
        return None;
    }
    let checksum = fields.u32()?;
    let length = fields.u32()? as usize;
    let sequence = fields.u64().filter(|sequence| *sequence <= SEQUENCE_MAX)?;
    let state = fields.bytes(length)?;
    let covered = bytes.get(COVERED_AT..COVERED_AT + 12 + length)?;
    (crc32c::crc32c(covered) == checksum).then_some(())?;
    Some((sequence, decode_state(state)?))
}

fn encode_state(state: &HardState) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_string(&mut bytes, &state.group);
    put_string(&mut bytes, &state.node);
    bytes.put_u16(state.id.as_u16());
    bytes.put_u128(state.incarnation.0);
    bytes.put_u64(state.open_count);
    bytes.put_u64(state.promised.as_u64());
    bytes.put_u8(state.recovering.into());
    bytes.put_u8(state.unsynced_mark.is_some().into());
    bytes.put_u128(state.unsynced_mark.map_or(0, |boot| boot.0));
    bytes.put_u8(state.roster.is_some().into());
    if let Some(roster) = &state.roster {
        put_roster(&mut bytes, roster);
    }
    if !state.lease_granted.is_zero() {
        bytes.put_u64(u64::try_from(state.lease_granted.as_nanos()).unwrap_or(u64::MAX));
    }
    bytes
}

fn decode_state(bytes: &[u8]) -> Option<HardState> {
    let mut fields = Fields::new(bytes);
    let group = fields.string()?;
    let node = fields.string()?;
    let id = NodeId::new(fields.u16()?);
    let incarnation = Incarnation(fields.u128()?);
    let open_count = fields.u64()?;
    let promised = Term::from_u64(fields.u64()?);
    let recovering = flag(&mut fields)?;
    let marked = flag(&mut fields)?;
    let boot = BootId(fields.u128()?);
    let roster = if flag(&mut fields)? { Some(take_roster(&mut fields)?) } else { None };
    let unsynced_mark = marked.then_some(boot);
    let lease_granted = take_lease(&mut fields)?;
    fields.rest().is_empty().then_some(HardState {
        group,
        node,
        id,
        incarnation,
        open_count,
        promised,
        roster,
        unsynced_mark,
        recovering,
        lease_granted,
    })
}

/// A node that never granted a lease has no field of it.
fn take_lease(fields: &mut Fields<'_>) -> Option<Duration> {
    if fields.rest().is_empty() {
        return Some(Duration::ZERO);
    }
    fields.u64().filter(|nanos| *nanos > 0).map(Duration::from_nanos)
}

fn put_roster(bytes: &mut Vec<u8>, roster: &Roster) {
    put_string(bytes, &roster.group);
    let (rule, election, write) = match roster.list.quorum() {
        QuorumPolicy::SimpleMajority => (0, 0, 0),
        QuorumPolicy::Flexible { election, write } => (1, election, write),
    };
    bytes.put_u8(rule);
    bytes.put_u16(election);
    bytes.put_u16(write);
    bytes.put_u16(roster.list.members().len() as u16);
    for member in roster.list.members() {
        put_string(bytes, &member.name);
        put_string(bytes, &member.address);
        bytes.put_u8(if member.node_type == NodeType::Electable { 1 } else { 2 });
        bytes.put_u32(member.priority);
    }
    bytes.put_u16(roster.incarnations.len() as u16);
    for listed in &roster.incarnations {
        bytes.put_u16(listed.id.as_u16());
        bytes.put_u128(listed.incarnation.0);
    }
}

fn take_roster(fields: &mut Fields<'_>) -> Option<Roster> {
    let group = fields.string()?;
    let quorum = match (fields.u8()?, fields.u16()?, fields.u16()?) {
        (0, 0, 0) => QuorumPolicy::SimpleMajority,
        (1, election, write) => QuorumPolicy::Flexible { election, write },
        _ => return None,
    };
    let count = fields.u16()?;
    let members = (0..count).map(|_| take_member(fields)).collect::<Option<Vec<_>>>()?;
    let count = fields.u16()?;
    let incarnations = (0..count)
        .map(|_| {
            Some(RosterMember { id: NodeId::new(fields.u16()?), incarnation: Incarnation(fields.u128()?) })
        })
        .collect::<Option<Vec<_>>>()?;
    Some(Roster { group, list: MemberList::found(members, quorum).ok()?, incarnations })
}

/// The number is the rank of the name, so it is not stored.
fn take_member(fields: &mut Fields<'_>) -> Option<Member> {
    let name = fields.string()?;
    let address = fields.string()?;
    let node_type = match fields.u8()? {
        1 => NodeType::Electable,
        2 => NodeType::Secondary,
        _ => return None,
    };
    Some(Member { id: NodeId::default(), name, address, node_type, priority: fields.u32()? })
}

fn flag(fields: &mut Fields<'_>) -> Option<bool> {
    match fields.u8()? {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

/// Names and addresses are far shorter than 64 KiB; one that is not is cut, so that the copy can be read
/// back at all.
fn put_string(bytes: &mut Vec<u8>, text: &str) {
    let text = &text[..text.floor_char_boundary(u16::MAX.into())];
    bytes.put_u16(text.len() as u16);
    bytes.put(text.as_bytes());
}
