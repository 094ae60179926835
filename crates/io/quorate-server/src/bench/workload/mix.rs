use super::Workload;

/// How often each operation occurs, in percent, and which rows it concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mix {
    pub(super) reads: u64,
    pub(super) scans: u64,
    pub(super) updates: u64,
    pub(super) inserts: u64,
    pub(super) modifications: u64,
    pub(super) rows: Rows,
}

/// Which rows are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// Any, with the same probability.
    Uniform,
    /// A few far more often than others. Which ones has nothing to do with their order.
    Zipfian,
    /// The newest ones far more often than others.
    Latest,
}

impl Mix {
    /// The proportions of a workload. Those of YCSB are its core workloads' (Cooper and others, "Benchmarking
    /// Cloud Serving Systems with YCSB", SoCC 2010).
    pub(super) const fn of(workload: Workload) -> Self {
        let none = Self { reads: 0, scans: 0, updates: 0, inserts: 0, modifications: 0, rows: Rows::Zipfian };
        match workload {
            Workload::Write => Self { updates: 100, rows: Rows::Uniform, ..none },
            Workload::Read => Self { reads: 100, rows: Rows::Uniform, ..none },
            Workload::Mixed => Self { reads: 50, updates: 50, rows: Rows::Uniform, ..none },
            Workload::YcsbA => Self { reads: 50, updates: 50, ..none },
            Workload::YcsbB => Self { reads: 95, updates: 5, ..none },
            Workload::YcsbC => Self { reads: 100, ..none },
            Workload::YcsbD => Self { reads: 95, inserts: 5, rows: Rows::Latest, ..none },
            Workload::YcsbE => Self { scans: 95, inserts: 5, ..none },
            Workload::YcsbF => Self { reads: 50, modifications: 50, ..none },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn the_proportions_of_each_workload_make_a_whole() {
        for workload in Workload::value_variants() {
            let Mix { reads, scans, updates, inserts, modifications, .. } = Mix::of(*workload);
            assert_eq!(reads + scans + updates + inserts + modifications, 100, "{workload:?}");
        }
    }
}
