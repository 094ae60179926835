//! Three machines elect a master, lose it, and elect another: in memory, without a clock or a socket.

use quorate_election::{
    Election, ElectionConfig, ElectionMessage, NodeId, NodeSet, Output, QuorumSystem, Standing, Term, Time,
};
use std::collections::VecDeque;
use std::time::Duration;

/// Two of three elect a master, and two of three keep what it writes.
struct TwoOfThree;
impl QuorumSystem for TwoOfThree {
    fn is_election_quorum(&self, nodes: &NodeSet) -> bool {
        nodes.len() >= 2
    }
    fn is_write_quorum(&self, nodes: &NodeSet) -> bool {
        nodes.len() >= 2
    }
}

struct Machine {
    id: NodeId,
    election: Election,
    /// A real machine fsyncs it before it sends anything that follows.
    promised_on_disk: Term,
}

fn main() {
    let mut machines: Vec<Machine> = (1..=3).map(|number| start(NodeId::new(number))).collect();
    let mut now = Time::ZERO;
    let (first, term) = elect(&mut machines, &mut now);
    println!("{first} leads term {term}");
    machines.retain(|machine| machine.id != first); // it is gone
    for machine in &mut machines {
        machine.election.heartbeat(now, Duration::ZERO); // the last that they heard of it
    }
    let (second, later) = elect(&mut machines, &mut now);
    println!("{second} leads term {later} in its place");
    assert!(second != first && later > term);
}

fn start(id: NodeId) -> Machine {
    let config = ElectionConfig::new(id, u64::from(id.as_u16()));
    Machine { id, election: Election::new(config, Term::ZERO, Time::ZERO), promised_on_disk: Term::ZERO }
}

/// Lets time and messages go on until a machine wins.
fn elect(machines: &mut [Machine], now: &mut Time) -> (NodeId, Term) {
    let electable: NodeSet = [1, 2, 3].map(NodeId::new).into_iter().collect();
    let standing = Standing {
        electable: &electable,
        quorums: &TwoOfThree,
        rank: None, // all logs are empty; otherwise the last entry, and the best log wins
        priority: 1,
        reaches_write_quorum: true,
        recovering: false,
        damaged: false,
        founded: true,
    };
    let mut network: VecDeque<(NodeId, NodeId, ElectionMessage)> = VecDeque::new();
    loop {
        for machine in machines.iter_mut() {
            machine.election.expire(*now, &standing);
            while let Some(output) = machine.election.poll() {
                match output {
                    Output::Persist { promised } => machine.promised_on_disk = promised,
                    Output::Send { to, message } => network.push_back((machine.id, to, message)),
                    Output::Win { term } => return (machine.id, term),
                    Output::Event(event) => println!("{}: {event:?}", machine.id),
                }
            }
        }
        let Some((from, to, message)) = network.pop_front() else {
            *now += Duration::from_millis(1);
            continue;
        };
        if let Some(receiver) = machines.iter_mut().find(|machine| machine.id == to) {
            receiver.election.receive(*now, &standing, from, message);
        }
    }
}
