use crate::service::token_of;
use crate::v1;
use crate::v1::consistency::Policy;
use quorate::CommitToken;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What a read must have seen. Its text form: `any`, `time:500ms` (or `time:2s`), `linearizable`,
/// `token:TOKEN`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadConsistency {
    /// Whatever the node has applied.
    #[default]
    Any,
    /// Every write that was answered so long before the read began, or earlier.
    Time(Duration),
    /// Every write that was answered before the read began.
    Linearizable,
    /// The commit of this token, and all before it.
    Token(CommitToken),
}

/// A text names no consistency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no consistency: write any, linearizable, time:500ms (or time:2s), or token: and what a \
    write \
     or a read has printed"
)]
pub struct ReadConsistencyError {
    /// The text.
    pub text: String,
}

impl ReadConsistency {
    /// The demand in the words of the protocol, waited for at most so long.
    pub(crate) fn demand(&self, timeout: Duration) -> v1::Consistency {
        let timeout_ms = milliseconds(timeout).max(1);
        let policy = match self {
            Self::Any => Policy::None(v1::NoConsistency {}),
            Self::Time(lag) => Policy::Time(v1::TimeConsistency { lag_ms: milliseconds(*lag), timeout_ms }),
            Self::Linearizable => Policy::Linearizable(v1::Linearizable { timeout_ms }),
            Self::Token(token) => {
                Policy::CommitPoint(v1::CommitPoint { token: Some(token_of(token)), timeout_ms })
            }
        };
        v1::Consistency { policy: Some(policy) }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl fmt::Display for ReadConsistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Time(lag) => write!(f, "time:{}ms", lag.as_millis()),
            Self::Linearizable => f.write_str("linearizable"),
            Self::Token(token) => write!(f, "token:{token}"),
        }
    }
}

impl FromStr for ReadConsistency {
    type Err = ReadConsistencyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || ReadConsistencyError { text: text.to_owned() };
        match text.split_once(':') {
            None if text == "any" => Ok(Self::Any),
            None if text == "linearizable" => Ok(Self::Linearizable),
            Some(("time", lag)) => crate::parse_duration(lag).map(Self::Time).map_err(|_| refused()),
            Some(("token", token)) => token.parse().map(Self::Token).map_err(|_| refused()),
            _ => Err(refused()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_consistency_has_a_text_that_gives_it_back() {
        let token = "00000000000000000000000000000abc-0000000000070002-0000000000000001";
        for text in ["any", "linearizable", "time:500ms", &format!("token:{token}")] {
            assert_eq!(text.parse::<ReadConsistency>().unwrap().to_string(), text);
        }
        assert_eq!("time:2s".parse(), Ok(ReadConsistency::Time(Duration::from_secs(2))));
        for text in ["", "none", "time", "time:", "time:5", "token:xyz", "linearizable:1s"] {
            assert!(text.parse::<ReadConsistency>().is_err(), "{text}");
        }
    }
}
