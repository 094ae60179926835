use crate::bits::Bits;
use crate::configurations::{Configuration, Configurations};
use crate::{Call, Model, Verdict};
use alloc::vec;
use alloc::vec::Vec;

/// Judges whether the calls of a history, in any order, can have taken effect one at a time, each between its
/// beginning and its end, so that the model allows every outcome. Of two calls the one that ended before the
/// other began comes first; calls of which one ended when the other began are taken as concurrent.
///
/// The search follows the calls' ends through time (Wing and Gong, with Lowe's just-in-time order): whenever a
/// call ends it must have taken effect, after as many of the open and pending calls as it takes. What is kept
/// between two ends is the set of distinct configurations. `budget` bounds how many are examined in all; a
/// million take about a second.
pub fn linearizable<M: Model>(history: &[Call<M::Operation, M::Outcome>], budget: u64) -> Verdict {
    let mut search = Search::<M>::new(history, budget);
    for event in events(history) {
        let stopped = match event {
            Event::Begin(call) => {
                search.begin(call);
                Ok(())
            }
            Event::End(call) => search.end(call),
        };
        if let Err(verdict) = stopped {
            return verdict;
        }
    }
    Verdict::Linearizable
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Begin(usize),
    End(usize),
}

/// Beginnings and ends in the order of time. At one moment beginnings come first. A pending call has no end.
fn events<O, R>(history: &[Call<O, R>]) -> impl Iterator<Item = Event> + use<O, R> {
    let mut events = Vec::with_capacity(2 * history.len());
    for (place, call) in history.iter().enumerate() {
        events.push((call.began, 0, Event::Begin(place)));
        if let (Some(ended), false) = (call.ended, call.is_pending()) {
            events.push((ended.max(call.began), 1, Event::End(place)));
        }
    }
    events.sort_by_key(|&(time, kind, _)| (time, kind));
    events.into_iter().map(|(_, _, event)| event)
}

struct Search<'a, M: Model> {
    history: &'a [Call<M::Operation, M::Outcome>],
    budget: u64,
    examined: u64,
    /// The open calls of known outcome by slot; the slot of one that ends is used again.
    open: Vec<Option<usize>>,
    /// The pending calls that have begun.
    pending: Vec<usize>,
    /// All ways in which the calls so far can have taken effect.
    current: Vec<Configuration<M::State>>,
    /// The steps of all explanations: a call, and the step before.
    steps: Vec<(Option<usize>, usize)>,
}

impl<'a, M: Model> Search<'a, M> {
    fn new(history: &'a [Call<M::Operation, M::Outcome>], budget: u64) -> Self {
        let start = Configuration {
            done: Bits::default(),
            taken: Bits::default(),
            state: M::State::default(),
            path: None,
            length: 0,
        };
        Self {
            history,
            budget,
            examined: 0,
            open: Vec::new(),
            pending: Vec::new(),
            current: vec![start],
            steps: Vec::new(),
        }
    }

    fn begin(&mut self, call: usize) {
        if self.history[call].is_pending() {
            self.pending.push(call);
            return;
        }
        match self.open.iter().position(Option::is_none) {
            Some(slot) => self.open[slot] = Some(call),
            None => self.open.push(Some(call)),
        }
        let mut current = core::mem::take(&mut self.current);
        for configuration in &mut current {
            self.absorb(configuration);
        }
        self.current = current;
    }

    /// Lets a call end. The error is the verdict, if that ends the search.
    fn end(&mut self, call: usize) -> Result<(), Verdict> {
        let slot = self.open.iter().position(|open| *open == Some(call));
        let slot = slot.expect("a call of known outcome has a slot from its beginning to its end");
        let mut configurations = Configurations::new();
        for configuration in core::mem::take(&mut self.current) {
            configurations.add(configuration);
        }
        let mut place = 0;
        while let Some(configuration) = configurations.found().get(place) {
            if !configuration.done.contains(slot) {
                let configuration = configuration.clone();
                self.expand(&configuration, &mut configurations)?;
            }
            place += 1;
        }
        let found = configurations.into_found();
        if !found.iter().any(|configuration| configuration.done.contains(slot)) {
            return Err(self.stuck(&found));
        }
        self.current = found.into_iter().filter(|configuration| configuration.done.contains(slot)).collect();
        for configuration in &mut self.current {
            configuration.done.remove(slot);
        }
        self.open[slot] = None;
        Ok(())
    }

    /// Adds every configuration that one more call leads to. A pending call that changes nothing leads to none
    /// that is worth having: it need not take effect.
    fn expand(
        &mut self,
        from: &Configuration<M::State>,
        into: &mut Configurations<M::State>,
    ) -> Result<(), Verdict> {
        for slot in 0..self.open.len() {
            let Some(call) = self.open[slot].filter(|_| !from.done.contains(slot)) else { continue };
            if let Some(mut next) = self.step(from, call)? {
                next.done.insert(slot);
                self.absorb(&mut next);
                into.add(next);
            }
        }
        for pending in 0..self.pending.len() {
            if from.taken.contains(pending) {
                continue;
            }
            if let Some(mut next) =
                self.step(from, self.pending[pending])?.filter(|next| next.state != from.state)
            {
                next.taken.insert(pending);
                self.absorb(&mut next);
                into.add(next);
            }
        }
        Ok(())
    }

    /// What a call leads to, if it can take effect now.
    fn step(
        &mut self,
        from: &Configuration<M::State>,
        call: usize,
    ) -> Result<Option<Configuration<M::State>>, Verdict> {
        if self.examined >= self.budget {
            return Err(Verdict::Unknown { states: self.examined });
        }
        self.examined += 1;
        let Some(state) = self.outcome_of(&from.state, call) else { return Ok(None) };
        let mut next = Configuration { state, ..from.clone() };
        self.note(&mut next, call);
        Ok(Some(next))
    }

    /// Lets all open reads take effect that are possible now. No explanation is lost: a read stands in no other
    /// call's way.
    fn absorb(&mut self, configuration: &mut Configuration<M::State>) {
        for slot in 0..self.open.len() {
            let Some(call) = self.open[slot].filter(|_| !configuration.done.contains(slot)) else { continue };
            if self.is_read(call) && self.outcome_of(&configuration.state, call).is_some() {
                configuration.done.insert(slot);
                self.note(configuration, call);
            }
        }
    }

    fn is_read(&self, call: usize) -> bool {
        let call = &self.history[call];
        call.outcome.as_ref().is_some_and(|outcome| M::is_read(&call.operation, outcome))
    }

    fn outcome_of(&self, state: &M::State, call: usize) -> Option<M::State> {
        let call = &self.history[call];
        M::step(state, &call.operation, call.outcome.as_ref())
    }

    /// Writes a call down as the last one of a configuration's explanation.
    fn note(&mut self, configuration: &mut Configuration<M::State>, call: usize) {
        self.steps.push((configuration.path, call));
        configuration.path = Some(self.steps.len() - 1);
        configuration.length += 1;
    }

    fn stuck(&self, found: &[Configuration<M::State>]) -> Verdict {
        let Some(longest) = found.iter().max_by_key(|configuration| configuration.length) else {
            return Verdict::NotLinearizable { prefix: Vec::new(), stuck: Vec::new() };
        };
        let mut prefix = Vec::with_capacity(longest.length);
        let mut path = longest.path;
        while let Some(step) = path {
            let (before, call) = self.steps[step];
            prefix.push(call);
            path = before;
        }
        prefix.reverse();
        let open = self.open.iter().enumerate().filter(|(slot, _)| !longest.done.contains(*slot));
        Verdict::NotLinearizable { prefix, stuck: open.filter_map(|(_, call)| *call).collect() }
    }
}
