//! Replicating with a store of one's own.
//!
//! # An ordered store of bytes
//!
//! Whatever keeps ordered keys and values, and writes several of them atomically, can carry the databases of
//! an environment: implement [`KvStore`](crate::engine::KvStore) and
//! [`KvSnapshot`](crate::engine::KvSnapshot), and open the environment
//! [with parts](crate::ReplicatedEnvironment::with_parts) of one's own.
//!
//! # A state machine of one's own
//!
//! [`Engine`](crate::engine::Engine) is smaller still: it applies committed payloads that only it understands.
//! It makes three promises, and everything else is built on them:
//!
//! 1. A run of entries takes effect as a whole or not at all.
//! 2. The position of the last entry is stored *in the same atomic step* as the effects, and found again at the
//!    next start. So no entry is ever applied twice, and none is left out.
//! 3. What [`flush`](crate::engine::Engine::flush) has returned survives the loss of power. Everything later may
//!    be lost, to an earlier whole run: the log replays from there.
//!
//! It need not be durable by itself, nor undo anything: only committed entries arrive.
//!
//! [`ReplicatedEngine`](crate::ReplicatedEngine) opens a node with it.
//! [`propose`](quorate_env::ReplicatedEngine::propose) gives back what `apply` has returned for the entry, and
//! after a [`barrier`](quorate_env::ReplicatedEngine::barrier) the application's own reads are as new as asked.
//!
//! # The suite
//!
//! Behind the feature `conformance` the promises are tests. Tell the suite how to make a payload and how to look
//! at its effects (`quorate::conformance::engine::Subject`); the rest is one line:
//!
//! ```ignore
//! quorate::engine_conformance!(my_engine_conforms, MySubject::new());
//! ```
//!
//! The repository's example `own_engine` keeps a map in memory and an append-only file, whose records hold a run
//! of entries and its position behind one checksum; a torn record at the end is cut off when it is opened. It is
//! replicated there on three nodes.
