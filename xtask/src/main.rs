//! CI and release tasks of the workspace.

fn main() {}
