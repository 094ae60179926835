use super::BrokenRule;
use std::fmt;

/// A class of mistakes that systems of this kind have made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BugClass {
    /// Its number, from 1.
    pub number: u8,
    /// The mistake in a few words.
    pub mistake: &'static str,
    /// Why it is not planted among the rules; `None` if it is.
    pub absent: Option<Absence>,
}

/// Why a class of mistakes is not among the rules that can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// There is no code yet in which it could be made.
    NoSuchCode(&'static str),
    /// The design rules it out.
    RuledOut(&'static str),
    /// It is planted, and caught, in the tests of the crate in which it could be made.
    InTestsOf(&'static str),
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchCode(why) => write!(f, "no such code: {why}"),
            Self::RuledOut(why) => write!(f, "ruled out: {why}"),
            Self::InTestsOf(name) => write!(f, "planted in the tests of {name}"),
        }
    }
}

const fn planted(number: u8, mistake: &'static str) -> BugClass {
    BugClass { number, mistake, absent: None }
}

const fn absent(number: u8, mistake: &'static str, why: Absence) -> BugClass {
    BugClass { number, mistake, absent: Some(why) }
}

const NO_RESTORE: Absence = Absence::NoSuchCode("nothing is restored from images");

impl BugClass {
    /// Every class, in the order of the numbers.
    pub const ALL: [Self; 28] = [
        planted(1, "a promise is not durable before the answer"),
        planted(2, "an acknowledgement precedes the sync"),
        planted(3, "the segment that is left is never synced"),
        planted(4, "a failed sync is swallowed, or tried again"),
        planted(5, "completions move the durable mark beyond what they cover"),
        planted(6, "entries of an earlier term commit by counting"),
        planted(7, "a quorum is counted wrongly"),
        planted(8, "a stale acknowledgement makes a false quorum"),
        absent(
            9,
            "a member change before a commit in the term",
            Absence::NoSuchCode("members do not change"),
        ),
        planted(10, "a node cut off comes back and unseats the master"),
        planted(11, "votes leak from one election into another"),
        planted(12, "a deposed master serves stale reads"),
        absent(
            13,
            "a transfer races with reads and elections",
            Absence::NoSuchCode("mastership is not transferred"),
        ),
        planted(14, "a boundary moves before the data that it stands for is durable"),
        absent(15, "an image at the same position with another entry is taken", NO_RESTORE),
        absent(16, "an image is sent for ever, timed by its transfer", NO_RESTORE),
        absent(17, "a file is used again while it is being read", Absence::InTestsOf("quorate-log")),
        planted(18, "what is cached of the log survives its truncation"),
        planted(19, "the log is trimmed while a replica still needs it"),
        planted(20, "an error of the disk looks like the end of the log"),
        planted(21, "a request that is sent again is carried out again"),
        planted(22, "a node counts, or answers, before it knows enough"),
        absent(23, "clustered timers split votes", Absence::RuledOut("of two ballots the higher one wins")),
        planted(24, "a node that lost its disk or its entries votes"),
        planted(25, "a diverged end is not rolled back"),
        absent(26, "the log is cut behind an image, with a gap between", NO_RESTORE),
        absent(27, "a subscriber misses, repeats or goes back", Absence::NoSuchCode("nobody subscribes")),
        planted(28, "load without bounds"),
    ];

    /// The rules that stand for it.
    pub fn rules(self) -> impl Iterator<Item = BrokenRule> {
        BrokenRule::all().iter().copied().filter(move |rule| rule.class() == self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_planted_or_says_why_not() {
        for (class, number) in BugClass::ALL.into_iter().zip(1..) {
            assert_eq!(class.number, number);
            assert_eq!(class.rules().next().is_some(), class.absent.is_none(), "class {number}");
        }
        let classed: usize = BugClass::ALL.into_iter().map(|class| class.rules().count()).sum();
        assert_eq!(classed, BrokenRule::all().len());
    }

    #[test]
    fn a_rule_is_found_by_its_name() {
        for rule in BrokenRule::all() {
            assert_eq!(BrokenRule::named(rule.name()), Some(*rule));
        }
        assert_eq!(BrokenRule::named("none"), None);
    }
}
