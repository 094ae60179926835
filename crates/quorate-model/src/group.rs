use crate::{Bounds, BoundsError, Pace, Rule, State, Step, Stride};
use quorate_core::{Member, MemberList, NodeId, NodeType, QuorumPolicy};
use quorate_policy::Quorums;
use stateright::{Model, Property};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A group that decides by simple majority, and how far it is followed.
#[derive(Clone, Debug)]
pub struct Group {
    pub(crate) bounds: Bounds,
    pub(crate) pace: Pace,
    pub(crate) broken: Option<Rule>,
    pub(crate) quorums: Quorums,
    stop: Arc<AtomicBool>,
}

/// What takes the group to its next state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// In single steps.
    Step(Step),
    /// In strides.
    Stride(Stride),
}

impl Group {
    /// A group within these bounds that keeps all rules but the one that is broken.
    ///
    /// # Errors
    /// [`BoundsError`] if the bounds are beyond what a state can hold.
    pub fn new(bounds: Bounds, pace: Pace, broken: Option<Rule>) -> Result<Self, BoundsError> {
        bounds.check(pace)?;
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
        Ok(Self { bounds, pace, broken, quorums, stop: Arc::default() })
    }

    /// Once this is true, a search goes on to no more states, and ends.
    #[must_use]
    pub fn stop_flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.stop)
    }

    /// By whom it decides.
    #[must_use]
    pub const fn quorums(&self) -> &Quorums {
        &self.quorums
    }

    /// Every set of voters, a bit for each at the place of its number, with each of them.
    pub(crate) fn voters(&self) -> impl Iterator<Item = (u8, NodeId)> + use<> {
        let nodes = self.bounds.nodes;
        (1..1_u8 << nodes).map(|voters| voters << 1).flat_map(move |voters| {
            (1..=nodes).map(NodeId::new).filter(move |id| contains(voters, *id)).map(move |id| (voters, id))
        })
    }
}

impl Model for Group {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(self.bounds.nodes.into())]
    }

    /// All that is possible, and more: what is not has no next state.
    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        match self.pace {
            Pace::SingleSteps => actions.extend(self.steps(state).into_iter().map(Action::Step)),
            Pace::Strides => actions.extend(self.strides(state).into_iter().map(Action::Stride)),
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Step(step) => self.step(&mut next, step)?,
            Action::Stride(stride) => self.stride(&mut next, stride)?,
        }
        self.forget(&mut next);
        (next != *state).then_some(next)
    }

    fn within_boundary(&self, _: &State) -> bool {
        !self.stop.load(Ordering::Relaxed)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("one master per term", |_, state: &State| !state.led_twice),
            Property::always("logs match", |_, state: &State| state.logs_match()),
            Property::always("nothing committed is lost", |_, state: &State| state.keeps_what_is_committed()),
            Property::sometimes("something commits", |_, state: &State| !state.committed.is_empty()),
            Property::sometimes("a second master commits", |_, state: &State| {
                let longest = state.longest_committed();
                longest.terms().zip(longest.terms().skip(1)).any(|(a, b)| a < b)
            }),
        ]
    }
}

/// The bit of a node among voters.
pub(crate) const fn bit(id: NodeId) -> u8 {
    1 << id.as_u16()
}

/// Whether a node is among the voters.
pub(crate) const fn contains(voters: u8, id: NodeId) -> bool {
    voters & bit(id) != 0
}
