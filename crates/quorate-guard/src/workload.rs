use crate::codec::{BATCH_ENTRIES, Decode, Encode};
use crate::commit::Commit;
use crate::group::Group;
use crate::vlsn::{Append, LookUp, LookUpSealed};

/// A piece of work that takes the same instructions whenever and wherever it is done.
pub(crate) trait Workload {
    /// Does the work and returns how many operations that was. Doing it again is the same work.
    fn run(&mut self) -> u64;
}

/// Does what comes before the work and is not counted.
pub(crate) type Prepare = fn() -> Box<dyn Workload>;

/// All of them, by name.
pub(crate) const WORKLOADS: &[(&str, Prepare)] = &[
    ("codec/decode", || Box::new(Decode::new())),
    ("codec/encode", || Box::new(Encode::new())),
    ("commit/3-nodes", || Box::new(Commit::new(3))),
    ("commit/5-nodes", || Box::new(Commit::new(5))),
    ("group/batch-of-64", || Box::new(Group::founded(3, BATCH_ENTRIES))),
    ("vlsn/append", || Box::new(Append)),
    ("vlsn/look-up", || Box::new(LookUp::new())),
    ("vlsn/look-up-sealed", || Box::new(LookUpSealed::new())),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_workload_does_the_same_number_of_operations_each_time() {
        for (name, prepare) in WORKLOADS {
            let mut workload = prepare();
            let operations = workload.run();
            assert!(operations > 0, "{name}");
            assert_eq!(workload.run(), operations, "{name}");
        }
    }

    #[test]
    fn the_names_are_sorted_and_different() {
        assert!(WORKLOADS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
