//! Verdicts on durability, acknowledgements, quorums and consistency.
#![no_std]

