//! Two questions of any replicated log: is this write acknowledged, and may this read be served here?

use quorate_policy::{
    CommitDurability, CommitToken, EntryId, GroupUuid, Member, MemberList, NodeId, NodeSet, NodeType,
    QuorumPolicy, Quorums, ReplicaAckPolicy, Shortfall, Term, TermTable, TokenVerdict, Verdict, Vlsn,
    ack_verdict, acks_possible, quorum_position, token_verdict,
};

const A: NodeId = NodeId::new(1);
const B: NodeId = NodeId::new(2);
const C: NodeId = NodeId::new(3);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let members = ["a", "b", "c"].map(member).to_vec();
    let quorums = Quorums::new(&MemberList::found(members, QuorumPolicy::SimpleMajority)?)?;
    is_this_write_acknowledged(&quorums)?;
    may_this_read_be_served();
    Ok(())
}

fn is_this_write_acknowledged(quorums: &Quorums) -> Result<(), Box<dyn std::error::Error>> {
    let asked: CommitDurability = "sync,sync,majority".parse()?;

    // Before it is written at all: with the master alone, nobody could acknowledge it.
    let alone = NodeSet::from_iter([A]);
    assert_eq!(acks_possible(asked.acks, quorums, &alone), Err(Shortfall { needed: 2, available: 1 }));
    acks_possible(asked.acks, quorums, &NodeSet::from_iter([A, B]))?;

    // How far the group has come: each node has fsynced up to here.
    let held = [(A, Vlsn::new(17)), (B, Vlsn::new(12)), (C, Vlsn::new(15))];
    let committed = quorum_position(quorums, &held);
    println!("committed up to {committed:?}");
    assert_eq!(committed, Vlsn::new(15));

    // Entry 15: a majority is enough for one caller, and another one waits for every node.
    let holders: NodeSet =
        held.iter().filter(|(_, at)| *at >= Vlsn::new(15)).map(|(node, _)| *node).collect();
    let majority = ack_verdict(asked.acks, quorums, &holders, Verdict::Met);
    let everybody = ack_verdict(ReplicaAckPolicy::All, quorums, &holders, Verdict::Met);
    println!("entry 15: {majority:?} for a majority, {everybody:?} for all");
    assert_eq!((majority, everybody), (Verdict::Met, Verdict::Pending));
    Ok(())
}

fn may_this_read_be_served() {
    let group = GroupUuid(7);
    let (old, new) = (Term::new(1, A), Term::new(2, B));
    let at = |number| Vlsn::new(number).expect("positions count from 1");

    // This node's log: term 1 wrote entries 1 to 9, then term 2 took over at 10.
    let mut terms = TermTable::default();
    terms.append_run(old, at(1));
    terms.append_run(new, at(10));
    terms.extend_to(at(12));
    let judge = |term, vlsn| {
        let token = CommitToken::new(group, EntryId { term, vlsn: at(vlsn) });
        token_verdict(&token, group, &terms, Some(at(12)), Some(at(11)))
    };
    println!("entry 9 of term 1: {:?}", judge(old, 9));
    assert_eq!(judge(old, 9), TokenVerdict::Met);
    assert_eq!(judge(new, 12), TokenVerdict::Pending, "committed, and not yet applied here");
    // The old master took it and lost its office before it was committed: no log will ever have it.
    assert!(matches!(judge(old, 10), TokenVerdict::CommitLost { by } if by.term == new));
}

fn member(name: &str) -> Member {
    let (node_type, address) = (NodeType::Electable, format!("{name}.example:14001"));
    Member { id: NodeId::default(), name: name.into(), address, node_type, priority: 1 }
}
