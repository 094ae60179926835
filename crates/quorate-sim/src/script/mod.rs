//! Short histories written down as text: each message, write and fsync happens when a line says so.
//!
//! A script begins with a preface of lines with `#`, then says how many nodes there are, then what happens.
//! Below each line stands, behind a
//! `|`, what came of it: that is written by the runner and compared in tests.
//!
//! ```text
//! nodes 3                          the members are A, B, C; `quorum 2 4` states election and write quorums
//! priority B 5                     all others have priority 1
//! leases 500 100                   masters read by leases of 500 ms, and trust clocks to 100 thousandths
//! broken-by older-term-...         the rule without which this story ends badly
//! Propose A                        A proposes a ballot at once
//! deliver Prepare A->B t=1.A       the first such message arrives; `duplicate` leaves a copy on its way
//! nominate by A                    A's clock goes on until it judges its ballot
//! send A->B                        A's heartbeat reaches B, B asks A to be fed, and is answered
//! write on A Sync                  a client writes; also NoSync
//! read on A                        a client reads what was acknowledged until now
//! wait A 100                       A's clock goes on by 100 ms, and what is due is done
//! flush B                          B's log writer writes what it was given
//! fsync B                          ... and syncs it
//! kill A / start A                 A's process ends; another one starts
//! crash B after 2                  B's process ends when it has carried out two more outputs of its node
//! power loss A keeps 1             A's machine loses its power, and its log all but the first entry
//! ```
//!
//! Introductions, heartbeats that ask for no lease and what an engine applies are not held: they take no part in these stories.

mod directive;
mod stage;

use crate::BrokenRule;
use crate::checker::Violation;
use crate::report::catching;
use directive::{Directive, Setup};
use stage::Stage;
use std::fmt::Write;

/// What the lines of a script's output begin with.
const OUTPUT: &str = "    | ";

/// What came of a script.
#[derive(Clone, Debug)]
pub struct Played {
    /// The script with its output as it came.
    pub text: String,
    /// The rule that was seen broken, if any.
    pub violation: Option<Violation>,
    /// The rule without which the story is said to end badly.
    pub broken_by: Option<BrokenRule>,
}

/// Why a text is no script.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct ScriptError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// Plays a script, with a rule broken if one is given.
///
/// # Errors
/// [`ScriptError`] for a line that cannot be understood.
pub fn play(script: &str, broken: Option<BrokenRule>) -> Result<Played, ScriptError> {
    let mut played = Played { text: String::new(), violation: None, broken_by: None };
    let mut setup = Setup { broken, ..Setup::default() };
    let mut stage: Option<Stage> = None;
    for (line, number) in script.lines().zip(1..) {
        if line.starts_with(OUTPUT.trim_end()) {
            continue;
        }
        let _ = writeln!(played.text, "{line}");
        let directive = Directive::parse(line).map_err(|problem| ScriptError { line: number, problem })?;
        let directive = match directive {
            Directive::Nothing => continue,
            Directive::Setup(change) => {
                change.apply(&mut setup);
                played.broken_by = setup.broken_by;
                continue;
            }
            directive => directive,
        };
        if played.violation.is_some() {
            continue;
        }
        let lines = catching(|| match &mut stage {
            Some(stage) => stage.perform(&directive),
            None => Stage::open(&setup).and_then(|opened| stage.insert(opened).perform(&directive)),
        });
        match lines {
            Ok(lines) => lines.iter().for_each(|line| output(&mut played.text, line)),
            Err(violation) => {
                output(&mut played.text, &format!("BROKEN {violation}"));
                played.violation = Some(violation);
            }
        }
    }
    Ok(played)
}

/// The members of a group of `nodes` nodes as scripts know them: A, B, ... with majorities as quorums and
/// equal priorities.
#[must_use]
pub fn members(nodes: u16) -> quorate_core::MemberList {
    crate::world::members(nodes, quorate_core::QuorumPolicy::SimpleMajority, &[])
}

fn output(text: &mut String, line: &str) {
    let _ = writeln!(text, "{OUTPUT}{line}");
}
