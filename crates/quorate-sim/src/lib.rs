//! A seeded simulator of a whole group: faults, checkers, scripts.

