//! Elections and commits of a small group, as a model whose every state is visited.
//!
//! What is decided is decided by production code: [`choose`](quorate_election::choose) and
//! [`is_certificate`](quorate_election::is_certificate) say whom promises elect,
//! [`matchpoint`](quorate_stream::matchpoint) where a log is cut,
//! [`CommitRule`](quorate_stream::CommitRule) with [`quorum_position`](quorate_policy::quorum_position)
//! what commits, and [`Quorums`](quorate_policy::Quorums) which nodes suffice. What the model states
//! itself, in [`State`], is when a node may do something: the conditions under which it promises, takes a
//! nomination and accepts entries.
//!
//! Messages are never taken out of the network: any of them may come late, twice, or never. An append is
//! any prefix of what the master of its term has written. Every entry is fsynced as it is written, so that
//! a crash takes away what a process knows and no entry; every node may crash.
//!
//! Not in the model: time, leases, canvasses and refusals (they change when ballots happen, and a model
//! tries every order), relaxed durability, damage, trimming, and changes of the members.
//!
//! # Single steps and strides
//!
//! In [single steps](Pace::SingleSteps) every node does one thing at a time, in every order. That is the
//! model. It has too many states for histories in which the deeper mistakes show: an entry that commits by
//! counting copies and is lost takes four elections. So the same model is searched in
//! [strides](Pace::Strides) too. A [`Stride`] is made of single steps, so whatever strides reach is real;
//! what they leave out loses no violation, for these reasons.
//!
//! **More is worse.** One state covers another if the nodes hold the same logs, each has promised at most
//! as much, every master of the other still leads, and at least as much is committed. Whatever may follow
//! the other may then follow it as well, into states that cover: a promise only forbids, leading only
//! allows, and no step asks what is committed. And if the other breaks what is promised of masters and
//! commits, it does too. So a step may be left out if the state before it covers the one after it, and a
//! step may be moved to where it commits more:
//!
//! 1. A crash takes away the right to lead and to nominate; nothing else needs it. Strides keep crashes of
//!    masters all the same, and do not count them.
//! 2. A promise in a ballot that elects nobody raises that promise and ends a mastership. Only ballots that
//!    elect are kept, and only they are counted.
//! 3. So does accepting from a master without a change of the log.
//! 4. A master that is told of a copy, and commits, at once has committed at least as much as one that is
//!    told late, or never, or waits.
//!
//! **Nobody comes between**, in groups of up to 3 nodes, whose quorums are two nodes and any two quorums
//! meet. A step may be moved past what others do if it neither uses what they change nor changes what they
//! use.
//!
//! 5. A ballot that elects somebody can be held in one moment. The proposer and the winner stand still from
//!    their promise until the nomination is made and taken, or it would not be. If three have promised, the
//!    proposer and the winner (or any third, if they are one) elect the same winner without the rest. So
//!    only two promises count, and when the later one is given both stand as they promised: the proposal
//!    can wait until then, and the nomination need not.
//! 6. So elections happen in the order of their terms, each above all terms before it; which of the voters
//!    proposed, and in which round, is seen in nothing but that order.
//! 7. An entry that comes after its master was deposed could have come before. Between the last step of
//!    whoever accepts it and its acceptance nothing is in the way; and that last step is not behind the
//!    deposition, or can be moved before it too: a vote for this term or a lower one is before this
//!    election; what a master writes it could have written earlier; and if it was accepted from the master
//!    of a lower term, one of the two voters of this term is that master, who leads no more, or this node,
//!    who accepts it no more. So only masters that lead are listened to.
//! 8. A node takes in several entries at once: whoever looks in between finds what a shorter stride leaves.
//!
//! **States that are one** between strides: nodes may change names, as names decide only between equals,
//! and there any can win; terms are only compared, so they are numbered by their order; what all logs begin
//! with is never cut, is in every later master's log, and says nothing about the rest, so it is left out;
//! and a promise is raised to the next term that is led, as nothing in between is accepted.
//!
//! Both are compared: within small bounds the [`Outcomes`] of strides cover those of single steps, which
//! contain them. That one term has one master only single steps can show: a stride is a whole election.
#![forbid(unsafe_code)]

mod bounds;
mod forget;
mod group;
mod log;
mod outcomes;
mod per_term;
mod rules;
mod shape;
mod state;
mod step;
mod stride;
mod term_set;
mod words;

pub use bounds::{Bounds, BoundsError, Pace};
pub use group::{Action, Group};
pub use log::Log;
pub use outcomes::{Missed, Outcomes};
pub use per_term::PerTerm;
pub use rules::Rule;
pub use state::{NodeState, State, Vow};
pub use step::Step;
pub use stride::Stride;
