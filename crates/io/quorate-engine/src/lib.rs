//! Storage engines under a replicated environment: memory, redb, fjall.

