//! Tests of the log and the hard state as their users see them.

mod conformance;
mod support;
