//! What a node says of a commit token.
use quorate_core::{EntryId, GroupUuid, NodeId, Term, TermTable, Vlsn};
use quorate_policy::{CommitToken, CommitTokenError, TokenVerdict, token_verdict};

const GROUP: GroupUuid = GroupUuid(7);

fn v(number: u64) -> Vlsn {
    Vlsn::new(number).unwrap()
}

fn t(round: u64) -> Term {
    Term::new(round, NodeId::new(1))
}

fn id(term: u64, vlsn: u64) -> EntryId {
    EntryId { term: t(term), vlsn: v(vlsn) }
}

fn token(term: u64, vlsn: u64) -> CommitToken {
    CommitToken::new(GROUP, id(term, vlsn))
}

/// Term 1: 1..=3, term 4: 4..=9, term 5: 10..=12.
fn table() -> TermTable {
    TermTable::from_parts(None, vec![(t(1), v(1)), (t(4), v(4)), (t(5), v(10))], Some(v(12))).unwrap()
}

fn judge(token: &CommitToken, table: &TermTable, committed: u64, applied: u64) -> TokenVerdict {
    token_verdict(token, GROUP, table, Vlsn::new(committed), Vlsn::new(applied))
}

#[test]
fn a_commit_is_met_once_it_is_applied_and_not_before() {
    assert_eq!(judge(&token(4, 6), &table(), 0, 0), TokenVerdict::Pending);
    assert_eq!(judge(&token(4, 6), &table(), 5, 5), TokenVerdict::Pending);
    assert_eq!(judge(&token(4, 6), &table(), 6, 5), TokenVerdict::Pending);
    assert_eq!(judge(&token(4, 6), &table(), 6, 6), TokenVerdict::Met);
    assert_eq!(judge(&token(4, 6), &table(), 12, 12), TokenVerdict::Met);
}

#[test]
fn a_token_ahead_of_the_log_waits() {
    assert_eq!(judge(&token(5, 40), &table(), 12, 12), TokenVerdict::Pending);
    assert_eq!(judge(&token(9, 40), &table(), 12, 12), TokenVerdict::Pending);
}

#[test]
fn a_commit_is_lost_as_soon_as_an_entry_of_a_later_term_is_committed_in_or_before_its_place() {
    assert_eq!(judge(&token(1, 5), &table(), 3, 3), TokenVerdict::Pending);
    assert_eq!(judge(&token(1, 5), &table(), 4, 3), TokenVerdict::CommitLost { by: id(4, 4) });
    assert_eq!(judge(&token(1, 5), &table(), 12, 12), TokenVerdict::CommitLost { by: id(4, 5) });
    assert_eq!(judge(&token(4, 11), &table(), 10, 10), TokenVerdict::CommitLost { by: id(5, 10) });
    assert_eq!(judge(&token(3, 40), &table(), 12, 12), TokenVerdict::CommitLost { by: id(5, 12) });
}

#[test]
fn a_commit_is_lost_too_when_a_later_master_commits_an_older_entry_in_its_place() {
    // Term 3 wrote (3, 6) where nobody else saw it; the master of term 4 leads on from a log of term 1.
    let log = TermTable::from_parts(None, vec![(t(1), v(1)), (t(4), v(9))], Some(v(12))).unwrap();
    assert_eq!(judge(&token(3, 6), &log, 5, 5), TokenVerdict::Pending);
    assert_eq!(judge(&token(3, 6), &log, 9, 9), TokenVerdict::CommitLost { by: id(1, 6) });
    let mut trimmed = log;
    trimmed.trim_through(v(8));
    assert_eq!(judge(&token(3, 6), &trimmed, 9, 9), TokenVerdict::CommitLost { by: id(1, 8) });
}

#[test]
fn a_token_before_the_trimmed_base_is_judged_by_the_base_where_that_says_enough() {
    let mut trimmed = table();
    trimmed.trim_through(v(8));
    assert_eq!(judge(&token(4, 6), &trimmed, 12, 12), TokenVerdict::Met);
    assert_eq!(judge(&token(4, 8), &trimmed, 12, 12), TokenVerdict::Met);
    assert_eq!(judge(&token(1, 2), &trimmed, 12, 12), TokenVerdict::TokenTooOld);
    assert_eq!(judge(&token(1, 8), &trimmed, 12, 12), TokenVerdict::CommitLost { by: id(4, 8) });
}

#[test]
fn a_token_of_another_group_is_foreign_whatever_it_names() {
    let foreign = CommitToken { group: GroupUuid(8), ..token(4, 6) };
    assert_eq!(judge(&foreign, &table(), 12, 12), TokenVerdict::ForeignGroup);
}

/// A master of `term` that wrote at `vlsn` handed down the same entry to every log that holds a later one of
/// its term.
fn can_exist(token: &CommitToken, table: &TermTable) -> bool {
    let same = table.term_at(token.vlsn) == Some(token.term);
    same || table.last_of(token.term).is_none_or(|last| last < token.vlsn)
}

#[test]
fn verdicts_are_final_and_trimming_changes_none_to_another_answer() {
    let full = table();
    for (term, vlsn) in (1..=7).flat_map(|term| (1..=14).map(move |vlsn| (term, vlsn))) {
        let token = token(term, vlsn);
        if can_exist(&token, &full) {
            check_over_time(&token, &full);
        }
    }
}

fn check_over_time(token: &CommitToken, full: &TermTable) {
    let mut settled = None;
    for committed in 1..=12 {
        let verdict = judge(token, full, committed, committed);
        let is_lost = matches!(verdict, TokenVerdict::CommitLost { .. });
        match settled {
            Some(was_lost) => assert_eq!(is_lost, was_lost, "{token:?} changed at {committed}: {verdict:?}"),
            None if verdict != TokenVerdict::Pending => settled = Some(is_lost),
            None => {}
        }
        for base in 1..=committed {
            let mut trimmed = full.clone();
            trimmed.trim_through(v(base));
            match judge(token, &trimmed, committed, committed) {
                TokenVerdict::CommitLost { .. } => assert!(is_lost, "{token:?} base {base}"),
                TokenVerdict::TokenTooOld => assert!(token.vlsn < v(base), "{token:?} base {base}"),
                other => assert_eq!(other, verdict, "{token:?} base {base}"),
            }
        }
    }
}

#[test]
fn a_token_comes_back_from_its_text() {
    let token = CommitToken { group: GroupUuid(u128::MAX - 5), term: t(900), vlsn: v(u64::MAX) };
    let text = token.to_string();
    assert_eq!(text, "fffffffffffffffffffffffffffffffa-0000000003840001-ffffffffffffffff");
    assert_eq!(text.parse(), Ok(token));
    assert_eq!(text.to_uppercase().parse(), Ok(token));
}

#[test]
fn a_text_that_is_no_token_is_refused() {
    let good = token(4, 6).to_string();
    assert!(good.parse::<CommitToken>().is_ok());
    let zero_vlsn = format!("{}0000000000000000", &good[..good.len() - 16]);
    let signed = good.replacen("00", "+0", 1);
    for text in ["", "1-2-3", &good[1..], &good[..good.len() - 1], &format!("{good}-"), &zero_vlsn, &signed] {
        assert_eq!(text.parse::<CommitToken>(), Err(CommitTokenError), "{text:?}");
    }
}
