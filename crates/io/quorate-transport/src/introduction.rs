//! Who may talk to whom: the judgement of two hellos, the same for every transport.

use quorate_core::{Hello, HelloRefusal, Incarnation, Member, MemberList, NodeId};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// How often each peer's data directory had been opened when the peer greeted last: a lower count is an old
/// copy of the directory, whose node has forgotten promises that others rely on. Remembered while this node
/// runs.
///
/// A member has one directory at a time. Whoever gives itself another one at every call costs no more memory
/// than [`DIRECTORIES_MAX`] of them.
#[derive(Debug, Default)]
pub(crate) struct Acquaintances(Mutex<HashMap<NodeId, VecDeque<Directory>>>);

/// A data directory under a member's name.
#[derive(Clone, Copy, Debug)]
struct Directory {
    incarnation: Incarnation,
    open_count: u64,
}

/// So many directories of a member are remembered: those that greeted last.
const DIRECTORIES_MAX: usize = 16;

impl Acquaintances {
    /// Takes note of a member that was let in, or turns an old copy away.
    pub(crate) fn meet(&self, theirs: &Hello) -> Result<(), HelloRefusal> {
        let &Hello { id, incarnation, open_count, .. } = theirs;
        let mut members = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = members.entry(id).or_default();
        if let Some(place) = known.iter().position(|directory| directory.incarnation == incarnation) {
            let seen = known[place].open_count;
            if open_count < seen {
                return Err(HelloRefusal::StaleCopy { node: theirs.node.clone(), found: open_count, seen });
            }
            known.remove(place);
        }
        if known.len() == DIRECTORIES_MAX {
            known.pop_front();
        }
        known.push_back(Directory { incarnation, open_count });
        Ok(())
    }
}

/// Judges a caller on the listening side. `expected` is the name of the node that the caller meant to reach.
///
/// What differs between the groups is named before what differs between the nodes: a stranger's group says
/// more than its name.
pub(crate) fn admit_caller(
    ours: &Hello,
    theirs: &Hello,
    expected: &str,
    members: &MemberList,
) -> Result<NodeId, HelloRefusal> {
    ours.check(theirs)?;
    let known = members.member(theirs.id).is_some_and(|member| member.name == theirs.node);
    if !known {
        return Err(HelloRefusal::NotAMember { node: theirs.node.clone(), id: theirs.id });
    }
    if expected != ours.node {
        return Err(HelloRefusal::WrongNode { expected: expected.into(), found: ours.node.clone() });
    }
    Ok(theirs.id)
}

/// Judges who answered on the dialling side, where `expected` should.
pub(crate) fn recognise(ours: &Hello, theirs: &Hello, expected: &Member) -> Result<(), HelloRefusal> {
    ours.check(theirs)?;
    if theirs.node != expected.name || theirs.id != expected.id {
        return Err(HelloRefusal::WrongNode { expected: expected.name.clone(), found: theirs.node.clone() });
    }
    Ok(())
}

/// The listening side's refusal as the dialling side says it: what was "ours" is "theirs". `refuser` is the
/// listener's name.
pub(crate) fn mirrored(refusal: HelloRefusal, refuser: &str) -> HelloRefusal {
    match refusal {
        HelloRefusal::Protocol { ours, theirs } => HelloRefusal::Protocol { ours: theirs, theirs: ours },
        HelloRefusal::Group { ours, theirs } => HelloRefusal::Group { ours: theirs, theirs: ours },
        HelloRefusal::MemberList { .. } => HelloRefusal::MemberList { node: refuser.into() },
        HelloRefusal::Uuid { ours, theirs, .. } => {
            HelloRefusal::Uuid { node: refuser.into(), ours: theirs, theirs: ours }
        }
        same_on_both_sides => same_on_both_sides,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_core::{Incarnation, NodeType, QuorumPolicy};

    fn members() -> MemberList {
        let member = |name: &str| Member {
            id: NodeId::default(),
            name: name.into(),
            address: format!("{name}:1"),
            node_type: NodeType::Electable,
            priority: 1,
        };
        MemberList::found(vec![member("a"), member("b")], QuorumPolicy::SimpleMajority).unwrap()
    }

    fn hello(node: &str, id: u16) -> Hello {
        Hello {
            protocol: Hello::PROTOCOL,
            group: "g".into(),
            node: node.into(),
            id: NodeId::new(id),
            incarnation: Incarnation(1),
            open_count: 1,
            uuid: None,
            member_list_hash: Some(7),
        }
    }

    #[test]
    fn a_caller_must_be_a_member_by_name_and_number() {
        let (ours, members) = (hello("a", 1), members());
        assert_eq!(admit_caller(&ours, &hello("b", 2), "a", &members), Ok(NodeId::new(2)));
        for stranger in [hello("c", 2), hello("b", 1), hello("b", 3)] {
            let refusal = HelloRefusal::NotAMember { node: stranger.node.clone(), id: stranger.id };
            assert_eq!(admit_caller(&ours, &stranger, "a", &members), Err(refusal));
        }
    }

    #[test]
    fn a_caller_who_wanted_somebody_else_is_told_who_answers() {
        let wrong = HelloRefusal::WrongNode { expected: "b".into(), found: "a".into() };
        assert_eq!(admit_caller(&hello("a", 1), &hello("b", 2), "b", &members()), Err(wrong));
    }

    #[test]
    fn an_old_copy_of_a_known_directory_is_turned_away() {
        let acquaintances = Acquaintances::default();
        let opened = |open_count| Hello { open_count, ..hello("b", 2) };
        for open_count in [3, 3, 4] {
            assert_eq!(acquaintances.meet(&opened(open_count)), Ok(()));
        }
        let refusal = HelloRefusal::StaleCopy { node: "b".into(), found: 3, seen: 4 };
        assert_eq!(acquaintances.meet(&opened(3)), Err(refusal));
        let another = Hello { incarnation: Incarnation(2), ..opened(1) };
        assert_eq!(acquaintances.meet(&another), Ok(()), "a new directory counts from 1");
    }

    #[test]
    fn a_member_of_many_directories_is_remembered_by_the_last_ones() {
        let acquaintances = Acquaintances::default();
        let greeting =
            |number, open_count| Hello { incarnation: Incarnation(number), open_count, ..hello("b", 2) };
        for number in 1..=1_000 {
            acquaintances.meet(&greeting(1, 7)).unwrap();
            acquaintances.meet(&greeting(number * 2, 5)).unwrap();
        }
        assert_eq!(acquaintances.0.lock().unwrap()[&NodeId::new(2)].len(), DIRECTORIES_MAX);
        for (number, seen) in [(1, 7), (2_000, 5), (1_980, 5)] {
            let refusal = HelloRefusal::StaleCopy { node: "b".into(), found: 4, seen };
            assert_eq!(acquaintances.meet(&greeting(number, 4)), Err(refusal), "{number}");
        }
        assert_eq!(acquaintances.meet(&greeting(2, 4)), Ok(()), "forgotten");
    }

    #[test]
    fn a_refusal_changes_sides_and_back() {
        let group = HelloRefusal::Group { ours: "x".into(), theirs: "y".into() };
        assert_eq!(
            mirrored(group.clone(), "a"),
            HelloRefusal::Group { ours: "y".into(), theirs: "x".into() }
        );
        assert_eq!(mirrored(mirrored(group.clone(), "a"), "b"), group);
    }
}
