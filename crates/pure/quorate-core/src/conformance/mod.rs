//! Suites that an implementer of a boundary trait runs against it.

pub mod engine;
pub mod kv_store;
pub mod log_store;
pub mod state_store;
pub mod transport;

/// Makes a test of this name that runs every check of an [`Engine`](crate::Engine), given its
/// [`Subject`](crate::conformance::engine::Subject).
///
/// ```ignore
/// quorate::engine_conformance!(my_engine_conforms, MySubject::new());
/// ```
#[macro_export]
macro_rules! engine_conformance {
    ($name:ident, $subject:expr) => {
        #[test]
        fn $name() {
            $crate::conformance::engine::suite($subject);
        }
    };
}
