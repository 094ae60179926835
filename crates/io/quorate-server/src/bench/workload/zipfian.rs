use quorate_core::Random;

/// YCSB's constant: the larger, the more often the first ranks are drawn.
const THETA: f64 = 0.99;

/// Draws ranks below a count so that rank `r` comes with a probability proportional to `1 / (r + 1)^0.99`.
///
/// The method is that of Gray and others, "Quickly Generating Billion-Record Synthetic Databases" (SIGMOD
/// 1994), which YCSB uses too: exact for the first two ranks, and a close approximation of the others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Zipfian {
    count: u64,
    zeta: f64,
    alpha: f64,
    eta: f64,
}

impl Zipfian {
    /// Ranks below `count`. Takes time proportional to it.
    ///
    /// # Panics
    /// If `count` is 0.
    pub(super) fn new(count: u64) -> Self {
        assert!(count > 0, "there is something to choose from");
        let zeta_of = |count: u64| -> f64 { (1..=count).map(|rank| (rank as f64).powf(-THETA)).sum() };
        let zeta = zeta_of(count);
        let alpha = 1.0 / (1.0 - THETA);
        let eta = (1.0 - (2.0 / count as f64).powf(1.0 - THETA)) / (1.0 - zeta_of(2) / zeta);
        Self { count, zeta, alpha, eta }
    }

    /// The next rank.
    pub(super) fn draw(&self, random: &mut Random) -> u64 {
        /// The fractions that a float tells apart.
        const FRACTIONS: u64 = 1 << 53;
        let uniform = random.below(FRACTIONS) as f64 / FRACTIONS as f64;
        let weight = uniform * self.zeta;
        if weight < 1.0 {
            return 0;
        }
        if weight < 1.0 + 0.5_f64.powf(THETA) {
            return 1.min(self.count - 1);
        }
        let rank = self.count as f64 * (self.eta * uniform - self.eta + 1.0).powf(self.alpha);
        (rank as u64).min(self.count - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAWS: u64 = 1_000_000;

    fn counts(count: u64) -> Vec<u64> {
        let (zipfian, mut random) = (Zipfian::new(count), Random::new(7));
        let mut counts = vec![0; count as usize];
        for _ in 0..DRAWS {
            counts[zipfian.draw(&mut random) as usize] += 1;
        }
        counts
    }

    #[test]
    fn the_first_ranks_come_as_often_as_the_distribution_says() {
        let (counts, zipfian) = (counts(1000), Zipfian::new(1000));
        let expected = |rank: f64| DRAWS as f64 / zipfian.zeta / (rank + 1.0).powf(THETA);
        for rank in [0, 1] {
            let share = counts[rank] as f64 / expected(rank as f64);
            assert!((0.99..1.01).contains(&share), "rank {rank}: {share}");
        }
        let tenth: u64 = counts[..100].iter().sum();
        let expected: f64 = (0..100).map(|rank| expected(f64::from(rank))).sum();
        assert!((0.97..1.03).contains(&(tenth as f64 / expected)), "{tenth} of {expected}");
        assert!(counts[0] > 50 * counts[100] && counts[999] > 0, "{counts:?}");
    }

    #[test]
    fn the_smallest_counts_have_no_other_ranks() {
        assert_eq!(counts(1), [DRAWS]);
        let two = counts(2);
        assert!(two[0] > two[1] && two[1] > DRAWS / 4, "{two:?}");
    }
}
