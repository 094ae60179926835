//! Lists of damaged ranges: in order, never touching each other.

use quorate_core::{Batch, DamagedRange, Vlsn};

/// Adds a range and joins it with those that it touches.
pub(crate) fn add(list: &mut Vec<DamagedRange>, mut range: DamagedRange) {
    let start = list.partition_point(|known| known.last.next() < range.first);
    let end = list.partition_point(|known| known.first <= range.last.next());
    for known in &list[start..end] {
        if known.first < range.first {
            range.first = known.first;
            range.chain_before = known.chain_before;
        }
        if known.last > range.last || (known.last == range.last && range.chain_after.is_none()) {
            range.last = known.last;
            range.chain_after = known.chain_after;
        }
    }
    list.splice(start..end, [range]);
}

/// Forgets all damage before `first`, whose seed is `chain_before`.
pub(crate) fn forget_before(list: &mut Vec<DamagedRange>, first: Vlsn, chain_before: u32) {
    list.retain(|range| range.last >= first);
    if let Some(range) = list.first_mut().filter(|range| range.first < first) {
        range.first = first;
        range.chain_before = chain_before;
    }
}

/// Forgets that the entries of `healed` were damaged, which are the first ones of a range, or all of it.
pub(crate) fn forget(list: &mut Vec<DamagedRange>, healed: &Batch) {
    list.retain(|range| range.last != healed.last().vlsn);
    if let Some(range) = list.iter_mut().find(|range| range.first == healed.first()) {
        range.first = healed.last().vlsn.next();
        range.chain_before = healed.chain_after();
    }
}

/// The range that holds `vlsn`.
pub(crate) fn at(list: &[DamagedRange], vlsn: Vlsn) -> Option<&DamagedRange> {
    list.get(list.partition_point(|range| range.last < vlsn)).filter(|range| range.first <= vlsn)
}

/// The first damaged entry at `from` or behind it.
pub(crate) fn next_from(list: &[DamagedRange], from: Vlsn) -> Option<Vlsn> {
    list.get(list.partition_point(|range| range.last < from)).map(|range| range.first.max(from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: u64, last: u64) -> DamagedRange {
        let vlsn = |number| Vlsn::new(number).unwrap();
        DamagedRange {
            first: vlsn(first),
            last: vlsn(last),
            chain_before: first as u32,
            chain_after: Some(last as u32),
        }
    }

    #[test]
    fn ranges_that_touch_become_one() {
        for order in [[3, 1, 2], [1, 2, 3], [2, 1, 3]] {
            let mut list = vec![range(90, 99)];
            for number in order {
                add(&mut list, range(number * 10, number * 10 + 9));
            }
            assert_eq!(list, [range(10, 39), range(90, 99)]);
        }
    }

    #[test]
    fn a_range_is_found_by_any_of_its_entries() {
        let mut list = vec![range(5, 7)];
        add(&mut list, range(10, 10));
        let vlsn = |number| Vlsn::new(number).unwrap();
        assert_eq!(at(&list, vlsn(6)), Some(&range(5, 7)));
        assert_eq!(at(&list, vlsn(8)), None);
        assert_eq!(next_from(&list, vlsn(1)), Some(vlsn(5)));
        assert_eq!(next_from(&list, vlsn(6)), Some(vlsn(6)));
        assert_eq!(next_from(&list, vlsn(11)), None);
    }
}
