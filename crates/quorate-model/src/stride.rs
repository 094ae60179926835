use crate::group::contains;
use crate::state::State;
use crate::step::{prepare, promise};
use crate::{Group, Vow};
use quorate_core::{NodeId, Term, Vlsn};
use quorate_stream::matchpoint;
use smallvec::SmallVec;

/// Steps of several nodes that nothing need come between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stride {
    /// One of these voters, a bit for each, proposes a ballot above all terms; the others promise it; they
    /// elect this node, which is nominated and takes it.
    Elect(u8, NodeId),
    /// A master writes an application's entry.
    Write(NodeId),
    /// A node brings its log to these many entries of what the master of a term has written, acknowledging
    /// each, and the master commits what it can.
    Accept(NodeId, Term, usize),
    /// A master crashes and starts again.
    Crash(NodeId),
}

impl Group {
    /// Takes a stride; `None` if it is not possible, or changes nothing but a promise.
    pub(crate) fn stride(&self, state: &mut State, stride: Stride) -> Option<()> {
        match stride {
            Stride::Elect(voters, winner) => self.hold_election(state, voters, winner)?,
            Stride::Write(master) => {
                self.write(state, master)?;
                self.commit(state, master);
            }
            Stride::Accept(node, term, length) => self.accept_up_to(state, node, term, length)?,
            Stride::Crash(master) => {
                self.crash(state, master)?;
            }
        }
        state.end_stride();
        Some(())
    }

    /// Every stride that is possible, with some that are not.
    pub(crate) fn strides(&self, state: &State) -> Vec<Stride> {
        let mut strides = self.elections(state);
        for master in state.ids().filter(|id| state.node(*id).leads.is_some()) {
            strides.extend([Stride::Write(master), Stride::Crash(master)]);
        }
        for (term, written) in state.written.iter() {
            let written = written.table();
            for node in state.ids().filter(|id| state.node(*id).leads.is_none_or(|led| led < term)) {
                let shared = matchpoint(&written, &state.node(node).log.table());
                let lengths =
                    Vlsn::number(shared.map(|shared| shared.vlsn))..=Vlsn::number(written.last_vlsn());
                strides.extend(lengths.map(|length| Stride::Accept(node, term, length as usize)));
            }
        }
        strides
    }

    /// Every election that fewer of its voters could not hold: the promises of the others only forbid.
    fn elections(&self, state: &State) -> Vec<Stride> {
        if state.ballots >= self.bounds.ballots_max() {
            return Vec::new();
        }
        let elections: Vec<(u8, NodeId)> =
            self.voters().filter(|(voters, winner)| self.elects(state, *voters, *winner)).collect();
        let fewer_do = |voters: u8, winner: NodeId| {
            elections.iter().any(|(fewer, same)| *same == winner && *fewer != voters && fewer & !voters == 0)
        };
        let fewest = elections.iter().filter(|(voters, winner)| !fewer_do(*voters, *winner));
        fewest.map(|(voters, winner)| Stride::Elect(*voters, *winner)).collect()
    }

    /// Whether these voters would elect `winner` as they stand.
    fn elects(&self, state: &State, voters: u8, winner: NodeId) -> bool {
        let vow = |voter: NodeId| Vow { voter, term: Term::ZERO, rank: state.node(voter).log.rank() };
        let vows: SmallVec<[Vow; 3]> = state.ids().filter(|id| contains(voters, *id)).map(vow).collect();
        self.elect(&vows, winner)
    }

    fn hold_election(&self, state: &mut State, voters: u8, winner: NodeId) -> Option<()> {
        let mut ids = state.ids().filter(|id| contains(voters, *id));
        let proposer = ids.next()?;
        let term = state.last_term().above(proposer)?;
        state.ballots += 1;
        prepare(state, proposer, term);
        for voter in ids {
            promise(state, voter, term)?;
        }
        self.nominate(state, proposer, voters, winner)?;
        self.take_nomination(state, 0)?;
        self.commit(state, winner);
        Some(())
    }

    fn accept_up_to(&self, state: &mut State, id: NodeId, term: Term, length: usize) -> Option<()> {
        let (log, committed) = (state.node(id).log, state.committed.get(term).copied());
        let master = state.master(term)?;
        self.match_log(state, id, term)?;
        while state.acknowledged_by(id, term) < length {
            self.append(state, id, term)?;
        }
        self.commit(state, master);
        (state.node(id).log != log || state.committed.get(term) != committed.as_ref()).then_some(())
    }
}

impl State {
    /// The highest term that anything is of.
    pub(crate) fn last_term(&self) -> Term {
        let promised = self.nodes.iter().map(|node| node.promised);
        let written = self.nodes.iter().filter_map(|node| node.log.last_term());
        promised.chain(written).chain(self.committed.terms()).max().unwrap_or_default()
    }

    /// What the stride has used up: its ballot, the acknowledgements that the master has counted, and the
    /// words of masters that lead no more. Crashes are not counted.
    fn end_stride(&mut self) {
        self.prepared.clear();
        self.vows.clear();
        self.nominations.clear();
        self.acknowledged.clear();
        for node in &mut self.nodes {
            (node.vow, node.proposes, node.crashes) = (None, None, 0);
        }
        let nodes = &self.nodes;
        self.written.retain(|term, _| nodes.iter().any(|node| node.leads == Some(term)));
    }
}
