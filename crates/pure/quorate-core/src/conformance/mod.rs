//! Suites that an implementer of a boundary trait runs against it.
