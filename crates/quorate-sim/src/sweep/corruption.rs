//! A node's files are damaged while it is stopped, and its group is started again.
//!
//! Not among the damages: an earlier version of both copies of the hard state at once. Nothing on the node
//! tells it from the present one; its peers know if they have run meanwhile.

use super::contents::Contents;
use super::damage::{Damage, Method, Part, Places};
use super::fixture::{Fixture, VICTIM};
use super::group::Group;
use super::ledger::Row;
use super::storage::{Storage, StorageError};
use quorate_core::{NodeId, Random};
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

/// What became of a damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Everything that can be read is as it was, and the damaged bytes still stand there.
    Harmless,
    /// It was noticed, and everything that can be read is as it was.
    Repaired,
    /// It was refused by name: the node does not run, or the file is not read.
    Refused,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Harmless, Self::Repaired, Self::Refused];

    const fn name(self) -> &'static str {
        match self {
            Self::Harmless => "harmless",
            Self::Repaired => "repaired",
            Self::Refused => "refused",
        }
    }
}

/// What the corruption sweep found.
#[derive(Debug, Default)]
pub struct CorruptionReport {
    outcomes: BTreeMap<(Part, Method, Outcome), u64>,
    /// Why nodes did not run, and how often.
    pub refusals: BTreeMap<String, u64>,
    /// Damage that nobody noticed, or that did harm.
    pub failures: Vec<CorruptionFailure>,
}

/// A damage that was silently accepted, or that broke more than it should.
#[derive(Debug)]
pub struct CorruptionFailure {
    /// The seed of its group.
    pub seed: u64,
    /// Its number.
    pub number: u64,
    /// What was damaged.
    pub part: Part,
    /// Where and how.
    pub damage: String,
    /// What came of it.
    pub harm: String,
}

impl CorruptionReport {
    /// Adds what another sweep found.
    pub fn add(&mut self, other: Self) {
        for (kind, count) in other.outcomes {
            *self.outcomes.entry(kind).or_default() += count;
        }
        for (refusal, count) in other.refusals {
            *self.refusals.entry(refusal).or_default() += count;
        }
        self.failures.extend(other.failures);
    }

    /// How many damages were done.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.outcomes.values().sum::<u64>() + self.failures.len() as u64
    }

    /// How many damages ended so.
    #[must_use]
    pub fn ended(&self, outcome: Outcome) -> u64 {
        self.sum(|kind| kind.2 == outcome)
    }

    /// How many damages of a part ended so.
    #[must_use]
    pub fn count(&self, part: Part, outcome: Outcome) -> u64 {
        self.sum(|kind| kind.0 == part && kind.2 == outcome)
    }

    fn sum(&self, counts: impl Fn(&(Part, Method, Outcome)) -> bool) -> u64 {
        self.outcomes.iter().filter(|(kind, _)| counts(kind)).map(|(_, count)| count).sum()
    }

    /// How many parts were damaged.
    #[must_use]
    pub fn parts(&self) -> usize {
        Part::ALL.into_iter().filter(|part| self.sum(|kind| kind.0 == *part) > 0).count()
    }

    /// What was never damaged, or in no such way.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let parts = Part::ALL.into_iter().filter(|part| self.sum(|kind| kind.0 == *part) == 0);
        let methods = Method::ALL.into_iter().filter(|method| self.sum(|kind| kind.1 == *method) == 0);
        parts.map(Part::name).chain(methods.map(Method::name)).collect()
    }
}

impl fmt::Display for CorruptionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |f: &mut fmt::Formatter<'_>, name: &str, counts: [u64; 3]| {
            let [harmless, repaired, refused] = counts;
            writeln!(f, "  {name:<20} {harmless:>10} {repaired:>10} {refused:>10}")
        };
        let [harmless, repaired, refused] = Outcome::ALL.map(Outcome::name);
        writeln!(f, "  {:<20} {harmless:>10} {repaired:>10} {refused:>10}", "damaged")?;
        for part in Part::ALL {
            row(f, part.name(), Outcome::ALL.map(|outcome| self.count(part, outcome)))?;
        }
        writeln!(f, "  by")?;
        for method in Method::ALL {
            let count = |outcome| self.sum(|kind| kind.1 == method && kind.2 == outcome);
            row(f, method.name(), Outcome::ALL.map(count))?;
        }
        writeln!(f, "  refusals")?;
        for (refusal, count) in &self.refusals {
            writeln!(f, "  {count:>6}  {refusal}")?;
        }
        Ok(())
    }
}

/// A healthy group and where its parts can be damaged.
pub struct Corruption {
    seed: u64,
    fixture: Fixture,
    places: Places,
    /// The damages that were done, in words: none is done twice.
    done: Mutex<HashSet<String>>,
}

impl Corruption {
    /// A group made from this seed.
    ///
    /// # Panics
    /// If a healthy group cannot be made, which is a bug of ours.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let fixture = Fixture::new(seed).unwrap_or_else(|error| panic!("a healthy group: {error}"));
        let places = Places::of(&fixture);
        Self { seed, fixture, places, done: Mutex::default() }
    }

    /// Does the damages with these numbers, one after the other, each to the healthy group. A damage that was
    /// done under another number is passed over.
    #[must_use]
    pub fn sweep(&self, numbers: impl Iterator<Item = u64>) -> CorruptionReport {
        let mut report = CorruptionReport::default();
        numbers.for_each(|number| self.damage(number, &mut report));
        report
    }

    /// Parts and ways take turns; where and what is drawn from the number.
    fn damage(&self, number: u64, report: &mut CorruptionReport) {
        let part = Part::ALL[number as usize % Part::ALL.len()];
        let method = Method::ALL[number as usize / Part::ALL.len() % Method::ALL.len()];
        let mut random = Random::new(self.seed ^ number << 20);
        let disks = self.fixture.disks();
        let victim = disks[VICTIM].clone();
        let Some(damage) = self.places.damage(part, method, &self.fixture, &mut random, &victim) else {
            return;
        };
        if !self.done.lock().unwrap_or_else(PoisonError::into_inner).insert(damage.to_string()) {
            return;
        }
        let mut group = Group::new(disks);
        let trial = catch_unwind(AssertUnwindSafe(|| self.try_out(&damage, &mut group)));
        let ended = trial.unwrap_or_else(|_| Err("a panic".to_owned()));
        match ended {
            Ok(outcome) => {
                *report.outcomes.entry((part, damage.method, outcome)).or_default() += 1;
                if let Some(refusal) = &group.members[VICTIM].stopped {
                    *report.refusals.entry(without_numbers(refusal)).or_default() += 1;
                }
            }
            Err(harm) => report.failures.push(CorruptionFailure {
                seed: self.seed,
                number,
                part: damage.part,
                damage: damage.to_string(),
                harm,
            }),
        }
    }

    /// Starts the group and sees what it makes of the damage; the error is the harm that was done.
    fn try_out(&self, damage: &Damage, group: &mut Group) -> Result<Outcome, String> {
        group.start();
        let applied =
            group.storage(VICTIM).map(|storage| storage.engine.applied().map(|entry| entry.vlsn.as_u64()));
        let agreed = group.settle();
        if let Some(refusal) = &group.members[VICTIM].stopped {
            return if names_something(refusal) {
                Ok(Outcome::Refused)
            } else {
                Err(format!("it stopped and did not say where: {refusal}"))
            };
        }
        if let Some(member) = group.members.iter().find(|member| member.stopped.is_some()) {
            return Err(format!("a healthy node has stopped: {:?}", member.stopped));
        }
        let node = group.members[VICTIM].node().ok_or("it does not run")?;
        if node.progress().restore_needed.is_some() {
            return Ok(Outcome::Refused);
        }
        if !agreed {
            return Err(format!("the group does not agree: {:?}", node.progress()));
        }
        let refused = self.check(group)?;
        self.go_on(group)?;
        let is_gone = damage
            .files
            .iter()
            .any(|(path, bytes)| group.members[VICTIM].disk.contents(path).is_none_or(|now| now != *bytes));
        let noticed = group.members[VICTIM].complained
            || applied.flatten() != Some(self.fixture.contents.applied)
            || (matches!(damage.part, Part::IndexFile | Part::HardState) && is_gone);
        Ok(match (refused, noticed) {
            (true, _) => Outcome::Refused,
            (false, true) => Outcome::Repaired,
            (false, false) => Outcome::Harmless,
        })
    }

    /// Everything reads as it did. True if a rollback file is refused instead, of which nobody has a copy.
    fn check(&self, group: &mut Group) -> Result<bool, String> {
        let disk = group.members[VICTIM].disk.clone();
        let storage = group.storage(VICTIM).ok_or("it does not run")?;
        let unreadable = |error: StorageError| format!("after the repair {error}");
        let damaged = storage.log.verify().map_err(|error| unreadable(error.into()))?;
        if !damaged.is_empty() {
            return Err(format!("the log is still damaged: {damaged:?}"));
        }
        let now = Contents::of(storage, &disk).map_err(unreadable)?;
        match self.fixture.contents.difference(&now) {
            None => Ok(now.rollbacks.values().any(Option::is_none)),
            Some(difference) => Err(format!("silently accepted: {difference}")),
        }
    }

    /// The group takes another write, and the node finds everything once more.
    fn go_on(&self, group: &mut Group) -> Result<(), String> {
        let row = Row { key: b"key-000".to_vec(), value: self.value_of(b"key-000") };
        if !group.write(&row) {
            return Err("the group takes no write any more".to_owned());
        }
        group.stop();
        let disk = &group.members[VICTIM].disk;
        let again = |error: StorageError| format!("at the next start {error}");
        let storage = Storage::open_as(disk, NodeId::new(VICTIM as u16 + 1), true).map_err(again)?;
        let damaged = storage.log.verify().map_err(|error| again(error.into()))?;
        let now = Contents::of(&storage, disk).map_err(again)?;
        match self.fixture.contents.difference(&now) {
            None if damaged.is_empty() => Ok(()),
            difference => Err(format!("at the next start {difference:?}, damaged: {damaged:?}")),
        }
    }

    /// What a row holds, so that writing it again changes nothing that is compared.
    fn value_of(&self, key: &[u8]) -> Vec<u8> {
        let row = self.fixture.contents.rows.iter().find(|(found, _)| found == key);
        row.map(|(_, value)| value.clone()).unwrap_or_default()
    }
}

/// Whether a refusal says what is damaged: a file, an entry, or the hard state.
fn names_something(refusal: &str) -> bool {
    ["data/", "entry", "vlsn", "hard state"].iter().any(|word| refusal.contains(word))
}

/// Refusals of one kind read the same.
fn without_numbers(text: &str) -> String {
    let mut short = String::new();
    for letter in text.chars() {
        let letter = if letter.is_ascii_digit() { '#' } else { letter };
        if !(letter == '#' && short.ends_with('#')) {
            short.push(letter);
        }
    }
    short
}
