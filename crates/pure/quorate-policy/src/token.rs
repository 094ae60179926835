use core::fmt;
use core::str::FromStr;
use quorate_core::{EntryId, GroupUuid, Term, Vlsn};

/// Names one commit for good: which group, and which entry of its log.
///
/// Its text form is three hexadecimal numbers of fixed length, `group-term-vlsn`, for headers, cookies and
/// logs:
///
/// ```
/// use quorate_core::{GroupUuid, NodeId, Term, Vlsn};
/// use quorate_policy::CommitToken;
///
/// let token = CommitToken { group: GroupUuid(0xabc), term: Term::new(7, NodeId::new(2)), vlsn: Vlsn::FIRST
/// }; assert_eq!(token.to_string(), "00000000000000000000000000000abc-0000000000070002-0000000000000001");
/// assert_eq!(token.to_string().parse(), Ok(token));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CommitToken {
    /// The group.
    pub group: GroupUuid,
    /// The term under which the entry was written.
    pub term: Term,
    /// The entry's position.
    pub vlsn: Vlsn,
}

impl CommitToken {
    /// The token of an entry of `group`.
    #[must_use]
    pub const fn new(group: GroupUuid, id: EntryId) -> Self {
        Self { group, term: id.term, vlsn: id.vlsn }
    }

    /// Which entry it names.
    #[must_use]
    pub const fn id(&self) -> EntryId {
        EntryId { term: self.term, vlsn: self.vlsn }
    }
}

impl fmt::Display for CommitToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}-{:016x}-{:016x}", self.group.0, self.term.as_u64(), self.vlsn.as_u64())
    }
}

/// A text is no commit token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no commit token: pass the text on unchanged, 32, 16 and 16 hexadecimal digits with dashes")]
pub struct CommitTokenError;

impl FromStr for CommitToken {
    type Err = CommitTokenError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('-');
        let (Some(group), Some(term), Some(vlsn), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(CommitTokenError);
        };
        let group = GroupUuid(parse_hex(group, 32)?);
        let term = Term::from_u64(parse_hex(term, 16)? as u64);
        let vlsn = Vlsn::new(parse_hex(vlsn, 16)? as u64).ok_or(CommitTokenError)?;
        Ok(Self { group, term, vlsn })
    }
}

/// A number of exactly `digits` hexadecimal digits, 32 at most. A sign is no digit.
fn parse_hex(text: &str, digits: usize) -> Result<u128, CommitTokenError> {
    if text.len() != digits || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(CommitTokenError);
    }
    u128::from_str_radix(text, 16).map_err(|_| CommitTokenError)
}
