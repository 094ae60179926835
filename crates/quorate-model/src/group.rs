use crate::{Rule, State, Step};
use quorate_core::{Member, MemberList, NodeId, NodeType, QuorumPolicy};
use quorate_policy::Quorums;
use stateright::{Model, Property};

/// A group that decides by simple majority, and how far it is followed.
#[derive(Clone, Debug)]
pub struct Group {
    pub(crate) bounds: Bounds,
    pub(crate) broken: Option<Rule>,
    pub(crate) quorums: Quorums,
}

/// How much happens at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Nodes of the group, 1 to 7.
    pub nodes: u16,
    /// Rounds of ballots; each node may propose in each.
    pub rounds: u64,
    /// Entries that applications write.
    pub writes: u8,
    /// Crashes of each node.
    pub crashes: u8,
}

impl Group {
    /// A group within these bounds that keeps all rules but the one that is broken.
    ///
    /// # Panics
    /// If there are no nodes, or more than 7.
    #[must_use]
    pub fn new(bounds: Bounds, broken: Option<Rule>) -> Self {
        assert!((1..=7).contains(&bounds.nodes), "a group has 1 to 7 nodes here");
        let member = |number: u16| Member {
            id: NodeId::new(number),
            name: format!("n{number}"),
            address: format!("n{number}:1"),
            node_type: NodeType::Electable,
            priority: 1,
        };
        let members = (1..=bounds.nodes).map(member).collect();
        let list = MemberList::found(members, QuorumPolicy::SimpleMajority).expect("a member list");
        let quorums = Quorums::new(&list).expect("two majorities always meet");
        Self { bounds, broken, quorums }
    }
}

impl Model for Group {
    type State = State;
    type Action = Step;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(self.bounds.nodes.into())]
    }

    /// More than is possible: what is not has no next state.
    fn actions(&self, state: &State, steps: &mut Vec<Step>) {
        for node in state.ids() {
            steps.extend([Step::Propose(node), Step::Write(node), Step::Commit(node), Step::Crash(node)]);
            steps.extend(state.prepared.iter().map(|term| Step::Promise(node, *term)));
            steps.extend(state.written.keys().map(|term| Step::Match(node, *term)));
            steps.extend(state.written.keys().map(|term| Step::Append(node, *term)));
            if state.node(node).proposes.is_some() {
                steps.extend((0..1_u8 << self.bounds.nodes).map(|voters| Step::Nominate(node, voters << 1)));
            }
        }
        steps.extend((0..state.nominations.len()).map(Step::TakeNomination));
    }

    fn next_state(&self, state: &State, step: Step) -> Option<State> {
        self.after(state, step)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("one master per term", |_, state: &State| !state.led_twice),
            Property::always("logs match", |_, state: &State| state.logs_match()),
            Property::always("nothing committed is lost", |_, state: &State| {
                !state.commits_differ && state.masters_hold_what_is_committed()
            }),
            Property::sometimes("something commits", |_, state: &State| !state.committed.is_empty()),
            Property::sometimes("a second master commits", |_, state: &State| {
                state.committed.iter().filter(|entry| entry.write == 0).count() > 1
            }),
        ]
    }
}
