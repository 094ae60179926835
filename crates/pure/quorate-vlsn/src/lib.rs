//! An index from VLSN to log position, with a byte layout that is a view over a slice.
#![no_std]

