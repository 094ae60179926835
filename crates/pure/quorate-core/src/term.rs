use crate::NodeId;
use core::fmt;

/// The ballot under which a master leads: a round (48 bits) above the proposer's [`NodeId`] (16 bits).
///
/// 1. Terms are totally ordered, and a term belongs to one proposer. 2. No clock is ever in them.
/// 3. [`Term::ZERO`] is below every ballot: it is what a node has promised before its first one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Term(u64);

impl Term {
    /// Below every ballot.
    pub const ZERO: Self = Self(0);
    /// The largest round.
    pub const ROUND_MAX: u64 = (1 << 48) - 1;

    /// The ballot of `round` by `proposer`. A round above [`Term::ROUND_MAX`] is cut to it.
    #[must_use]
    pub const fn new(round: u64, proposer: NodeId) -> Self {
        let round = if round > Self::ROUND_MAX { Self::ROUND_MAX } else { round };
        Self(round << 16 | proposer.as_u16() as u64)
    }

    /// The term whose bits are `bits`, as from [`Term::as_u64`].
    #[must_use]
    pub const fn from_u64(bits: u64) -> Self {
        Self(bits)
    }

    /// The term's bits; their order is the order of terms.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// The round, 0 only for [`Term::ZERO`].
    #[must_use]
    pub const fn round(self) -> u64 {
        self.0 >> 16
    }

    /// Who proposed this ballot.
    #[must_use]
    pub const fn proposer(self) -> NodeId {
        NodeId::new(self.0 as u16)
    }

    /// The smallest ballot of `proposer` in a round above this one; `None` if this is the last round. Nobody
    /// may then propose anything: a ballot that was used before could elect a second master of its term.
    ///
    /// No group comes that far by its own ballots: 2^48 of them, one every millisecond, take 8,900 years. A
    /// member that lies can name any round, and members are trusted not to: one that names the last one ends
    /// elections in its group for as long as an electable node has promised it, or hears it said.
    #[must_use]
    pub const fn above(self, proposer: NodeId) -> Option<Self> {
        if self.round() == Self::ROUND_MAX { None } else { Some(Self::new(self.round() + 1, proposer)) }
    }
}

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}.{}", self.round(), self.proposer().as_u16())
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.round(), self.proposer().as_u16())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ballot_is_above_all_of_the_round_before_and_there_is_none_above_the_last_round() {
        let me = NodeId::new(1);
        let highest_of_round = |round| Term::new(round, NodeId::new(u16::MAX));
        assert_eq!(Term::ZERO.above(me), Some(Term::new(1, me)));
        assert!(highest_of_round(7).above(me) > Some(highest_of_round(7)));
        assert_eq!(highest_of_round(Term::ROUND_MAX - 1).above(me), Some(Term::new(Term::ROUND_MAX, me)));
        assert_eq!(Term::new(Term::ROUND_MAX, me).above(me), None);
    }
}
