use super::Plan;
use super::mix::{Mix, Rows};
use super::zipfian::Zipfian;
use quorate_core::Random;
use std::cell::Cell;
use std::rc::Rc;

/// How many rows a scan asks for at most, as YCSB's do.
const SCAN_ROWS_MAX: u64 = 100;

/// What a writer does next, and on which row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Read(u64),
    Scan {
        from: u64,
        rows: u64,
    },
    Update(u64),
    Insert(u64),
    /// A read, then a write of the same row.
    Modify(u64),
}

/// What all writers share: the distribution, and how far the rows go.
#[derive(Debug)]
pub(super) struct Field {
    mix: Mix,
    rows: u64,
    zipfian: Zipfian,
    /// The number of the next new row.
    next: Cell<u64>,
    /// New rows below this number may be read.
    readable: Cell<u64>,
}

impl Field {
    pub(super) fn new(plan: &Plan) -> Self {
        let rows = plan.rows;
        let (next, readable) = (Cell::new(rows), Cell::new(rows));
        Self { mix: Mix::of(plan.workload), rows, zipfian: Zipfian::new(rows), next, readable }
    }

    /// A new row is there.
    pub(super) fn inserted(&self, row: u64) {
        self.readable.set(self.readable.get().max(row + 1));
    }

    /// Whether a row was there at the beginning.
    pub(super) const fn is_old(&self, row: u64) -> bool {
        row < self.rows
    }

    fn row(&self, random: &mut Random) -> u64 {
        match self.mix.rows {
            Rows::Uniform => random.below(self.rows),
            // The most frequent rows are scattered over all, as YCSB scatters them.
            Rows::Zipfian => Random::new(self.zipfian.draw(random)).next_u64() % self.rows,
            Rows::Latest => self.readable.get() - 1 - self.zipfian.draw(random),
        }
    }
}

/// One writer's choices.
pub(super) struct Choices {
    field: Rc<Field>,
    random: Random,
}

impl Choices {
    /// Choices that depend on `seed` and on what other writers have inserted.
    pub(super) const fn new(field: Rc<Field>, seed: u64) -> Self {
        Self { field, random: Random::new(seed) }
    }

    pub(super) fn next(&mut self) -> Operation {
        let (field, random) = (&self.field, &mut self.random);
        let Mix { reads, scans, updates, inserts, .. } = field.mix;
        let percent = random.below(100);
        if percent < reads {
            Operation::Read(field.row(random))
        } else if percent < reads + scans {
            Operation::Scan { from: field.row(random), rows: 1 + random.below(SCAN_ROWS_MAX) }
        } else if percent < reads + scans + updates {
            Operation::Update(field.row(random))
        } else if percent < reads + scans + updates + inserts {
            Operation::Insert(field.next.replace(field.next.get() + 1))
        } else {
            Operation::Modify(field.row(random))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::step::Step;
    use crate::bench::values::Values;
    use crate::bench::workload::Workload;
    use std::time::Duration;

    fn plan(workload: Workload, rows: u64) -> Plan {
        let (warm_up, span) = (Duration::ZERO, Duration::ZERO);
        Plan {
            workload,
            step: Step { writers: 1, warm_up, span, key_bytes: 8, value_bytes: 8, values: Values::Alike },
            rows,
        }
    }

    fn operations(workload: Workload, count: usize) -> (Rc<Field>, Vec<Operation>) {
        let field = Rc::new(Field::new(&plan(workload, 1000)));
        let mut choices = Choices::new(Rc::clone(&field), 3);
        (Rc::clone(&field), (0..count).map(|_| choices.next()).collect())
    }

    #[test]
    fn operations_come_in_the_workloads_proportions_on_rows_that_are_there() {
        let (_, operations) = operations(Workload::YcsbB, 10_000);
        let reads = operations.iter().filter(|operation| matches!(operation, Operation::Read(_))).count();
        assert!((9_400..9_600).contains(&reads), "{reads}");
        assert!(operations.iter().all(
            |operation| matches!(operation, Operation::Read(row) | Operation::Update(row) if *row < 1000)
        ));
    }

    #[test]
    fn inserted_rows_are_new_and_only_read_once_they_are_there() {
        let (field, operations) = operations(Workload::YcsbD, 1000);
        let inserted: Vec<u64> = operations
            .iter()
            .filter_map(|operation| match operation {
                Operation::Insert(row) => Some(*row),
                _ => None,
            })
            .collect();
        assert_eq!(inserted, (1000..1000 + inserted.len() as u64).collect::<Vec<_>>());
        let newest = |field: &Field| (0..100).map(|seed| field.row(&mut Random::new(seed))).max();
        assert_eq!(newest(&field), Some(999));
        field.inserted(1004);
        assert_eq!(newest(&field), Some(1004));
    }

    #[test]
    fn frequent_rows_of_a_zipfian_choice_lie_scattered() {
        let field = Field::new(&plan(Workload::YcsbC, 1000));
        let mut counts = vec![0_u32; 1000];
        let mut random = Random::new(5);
        for _ in 0..100_000 {
            counts[field.row(&mut random) as usize] += 1;
        }
        let mut frequent: Vec<usize> = (0..1000).collect();
        frequent.sort_unstable_by_key(|row| std::cmp::Reverse(counts[*row]));
        assert!(counts[frequent[0]] > 10_000, "{}", counts[frequent[0]]);
        assert!(frequent[..8].iter().any(|row| *row < 500) && frequent[..8].iter().any(|row| *row >= 500));
    }

    #[test]
    fn scans_ask_for_one_to_a_hundred_rows() {
        let (_, operations) = operations(Workload::YcsbE, 10_000);
        let rows = operations.iter().filter_map(|operation| match operation {
            Operation::Scan { rows, .. } => Some(*rows),
            _ => None,
        });
        let rows: Vec<u64> = rows.collect();
        assert_eq!((rows.iter().min(), rows.iter().max()), (Some(&1), Some(&100)));
    }
}
