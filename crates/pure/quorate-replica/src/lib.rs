//! One node of a replicated group as one deterministic machine.
#![no_std]

