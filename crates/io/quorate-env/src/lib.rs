//! The event loop of one node and the handle that an application holds.

