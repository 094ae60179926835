//! Rules of the environment that may be broken on purpose, so that whoever checks them can be seen to notice.

/// Whether a rule is broken. Without the feature `mutations` none ever is, which the compiler knows.
#[cfg(feature = "mutations")]
macro_rules! breaks {
    ($mutation:expr, $rule:ident) => {
        $mutation == Some($crate::Mutation::$rule)
    };
}
#[cfg(not(feature = "mutations"))]
macro_rules! breaks {
    ($mutation:expr, $rule:ident) => {
        false
    };
}

/// A rule of the environment that is broken.
#[cfg(feature = "mutations")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// A request that a session sends again is carried out again.
    RetryAppliedAgain,
}
