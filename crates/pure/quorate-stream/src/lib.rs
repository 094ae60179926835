//! Feeding a log to replicas: syncup, windows, cumulative acknowledgements and the commit rule.
#![no_std]

