use crate::SyncupAnswer;
use quorate_core::{EntryId, TermTable};

/// The last entry that two logs share: the smaller of the last VLSNs of the highest common term.
///
/// A term's entries come from one master in one life, each behind the same predecessor; so two logs that hold any entry of a term agree on
/// everything up to the shorter one's last entry of it. One exchange suffices, however far the logs are apart.
#[must_use]
pub fn matchpoint(ours: &TermTable, theirs: &TermTable) -> Option<EntryId> {
    let own_terms =
        ours.starts().iter().rev().map(|(term, _)| *term).chain(ours.base().map(|base| base.term));
    own_terms.into_iter().find_map(|term| {
        let vlsn = ours.last_of(term)?.min(theirs.last_of(term)?);
        Some(EntryId { term, vlsn })
    })
}

/// A master's answer to a replica with the log `theirs`.
#[must_use]
pub fn syncup_answer(ours: &TermTable, theirs: &TermTable) -> SyncupAnswer {
    let matchpoint = matchpoint(ours, theirs);
    match ours.base() {
        Some(base) if matchpoint.is_none_or(|matchpoint| matchpoint.vlsn < base.vlsn) => {
            SyncupAnswer::Trimmed { base }
        }
        _ => SyncupAnswer::Matchpoint(matchpoint),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use quorate_core::{NodeId, Random, Term, Vlsn};

    fn v(number: u64) -> Vlsn {
        Vlsn::new(number).unwrap()
    }

    /// A log as the list of its entries' terms.
    fn table(terms: &[u64]) -> TermTable {
        let mut table = TermTable::new(None);
        for (round, number) in terms.iter().zip(1..) {
            table.append_run(Term::new(*round, NodeId::new(1)), v(number));
        }
        table
    }

    /// The last position up to which two logs are equal.
    fn naive(a: &[u64], b: &[u64]) -> usize {
        a.iter().zip(b).take_while(|(a, b)| a == b).count()
    }

    #[test]
    fn the_matchpoint_is_the_last_entry_that_both_logs_share() {
        let mut random = Random::new(7);
        for _ in 0..20_000 {
            // Logs as masters make them: each new term extends a prefix of some earlier log.
            let mut logs: Vec<Vec<u64>> = alloc::vec![Vec::new()];
            for round in 1..=6 {
                let mut log = logs[random.below(logs.len() as u64) as usize].clone();
                log.truncate(random.below(log.len() as u64 + 1) as usize);
                log.extend((0..=random.below(3)).map(|_| round));
                logs.push(log);
            }
            let pick = |random: &mut Random| {
                let log = &logs[random.below(logs.len() as u64) as usize];
                log[..random.below(log.len() as u64 + 1) as usize].to_vec()
            };
            let (a, b) = (pick(&mut random), pick(&mut random));
            let found = Vlsn::number(matchpoint(&table(&a), &table(&b)).map(|entry| entry.vlsn));
            assert_eq!(found as usize, naive(&a, &b), "{a:?} {b:?}");
        }
    }

    #[test]
    fn a_master_that_has_trimmed_what_follows_says_so() {
        let mut ours = table(&[1, 1, 2, 2, 3]);
        ours.trim_through(v(3));
        assert!(matches!(syncup_answer(&ours, &table(&[1, 1])), SyncupAnswer::Trimmed { .. }));
        assert!(matches!(syncup_answer(&ours, &table(&[])), SyncupAnswer::Trimmed { .. }));
        let at_base = syncup_answer(&ours, &table(&[1, 1, 2]));
        assert!(matches!(at_base, SyncupAnswer::Matchpoint(Some(entry)) if entry.vlsn == v(3)));
    }
}
