use super::BrokenRule;
use crate::Rule;

/// How a planted mistake was caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Catch {
    /// How many seeds it took, this one included.
    pub seeds: u64,
    /// The rule of the contract that was seen broken.
    pub by: Rule,
}

/// One search for a planted mistake.
#[derive(Clone, Copy, Debug)]
pub struct Hunt {
    /// The rule that is broken.
    pub broken: BrokenRule,
    /// The first seed.
    pub from: u64,
    /// How many seeds are played at most.
    pub seeds_max: u64,
}

/// Plays one seed after the other with the rule broken, until that is seen; `None` if it never is.
#[must_use]
pub fn hunt(Hunt { broken, from, seeds_max }: Hunt) -> Option<Catch> {
    (0..seeds_max).find_map(|number| {
        let violation = broken.terrain().play(from.wrapping_add(number), Some(broken))?;
        Some(Catch { seeds: number + 1, by: violation.rule })
    })
}

#[cfg(test)]
mod tests {
    use super::super::terrain::Terrain;

    #[test]
    fn the_stories_end_well_with_every_rule_kept() {
        for story in [Terrain::Isolation, Terrain::EmptyDisk, Terrain::Retries, Terrain::Flood] {
            for seed in 0..3 {
                assert_eq!(story.play(seed, None), None, "{story:?}, seed {seed}");
            }
        }
    }
}
