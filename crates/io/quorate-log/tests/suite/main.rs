//! Tests of the log and the hard state as their users see them.

mod conformance;
mod crash;
mod damage;
mod failures;
mod hard_state;
mod segments;
mod support;
