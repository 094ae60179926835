use crate::script::members;
use crate::{BrokenRule, Rule, Violation};
use quorate_core::{
    BootId, HardState, Incarnation, LogSummary, NodeId, Random, Roster, RosterMember, Term, Time,
};
use quorate_replica::{ElectionMessage, Input, Message, Node, NodeConfig, Opened, Output};
use std::time::Duration;

/// The group that is founded already.
const GROUP: &str = "founded";

/// A member of the group has lost its directory and comes back with an empty one: it promises nothing, since
/// it does not know what it has promised.
pub(in super::super) fn empty_disk(seed: u64, broken: Option<BrokenRule>) -> Result<(), Violation> {
    let mut random = Random::new(seed);
    let me = NodeId::new(1 + random.below(3) as u16);
    let peer = NodeId::new(1 + me.as_u16() % 3);
    let roster = roster(&mut random);
    let mut node = empty_node(me, random.next_u64(), broken);
    let incarnation = roster.incarnations[usize::from(peer.as_u16()) - 1].incarnation;
    let introduction = Message::Introduce { incarnation, roster: Some(roster.clone()), wants_answer: false };
    node.handle(Time::ZERO, Input::Receive { from: peer, uuid: None, message: introduction });
    let term = Term::new(1 + random.below(100), peer);
    let message = Message::Election(ElectionMessage::Prepare { term });
    node.handle(Time::ZERO, Input::Receive { from: peer, uuid: Some(roster.uuid()), message });
    while let Some(output) = node.poll() {
        if let Output::Send { message: Message::Election(ElectionMessage::Promise(promise)), .. } = output {
            return Rule::PromisesSurvive
                .broken(format!("a node without its directory promises {}", promise.term));
        }
    }
    Ok(())
}

fn roster(random: &mut Random) -> Roster {
    let list = members(3);
    let listed = list.members().iter().map(|member| RosterMember {
        id: member.id,
        incarnation: Incarnation(u128::from(random.next_u64())),
    });
    Roster { group: GROUP.into(), incarnations: listed.collect(), list }
}

fn empty_node(me: NodeId, seed: u64, broken: Option<BrokenRule>) -> Node {
    let list = members(3);
    let hard_state = HardState {
        group: GROUP.into(),
        node: list.member(me).map(|member| member.name.clone()).unwrap_or_default(),
        id: me,
        incarnation: Incarnation(1 << 64 | u128::from(seed)),
        open_count: 1,
        promised: Term::ZERO,
        roster: None,
        unsynced_mark: None,
        recovering: false,
        lease_granted: Duration::ZERO,
    };
    let config = NodeConfig { seed, mutation: broken.and_then(BrokenRule::in_node), ..NodeConfig::default() };
    let opened = Opened { hard_state, boot: BootId(1), log: LogSummary::default(), engine_applied: None };
    Node::new(config, opened, list, Time::ZERO)
}
