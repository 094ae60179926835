use alloc::collections::VecDeque;
use core::time::Duration;
use quorate_core::Time;

/// Suspicion that grows with silence: the phi-accrual failure detector (Hayashibara, Défago, Yared, Katayama 2004).
///
/// Phi is minus the decimal logarithm of the probability that a heartbeat is still to come after the present silence, under a normal
/// distribution of the intervals seen: phi 1 is wrong once in ten times, phi 8 once in a hundred million.
#[derive(Clone, Debug)]
pub struct PhiAccrualDetector {
    intervals: VecDeque<f64>,
    mean_min: f64,
    deviation_min: f64,
    last: Option<Time>,
}

/// How many intervals are remembered.
const WINDOW: usize = 100;

impl PhiAccrualDetector {
    /// A detector that expects a heartbeat every `interval`, and takes `deviation_min` as the least standard deviation.
    #[must_use]
    pub fn new(interval: Duration, deviation_min: Duration) -> Self {
        let mut intervals = VecDeque::with_capacity(WINDOW);
        // Two artificial intervals around the expected one, so that the first silence can be judged.
        let expected = interval.as_secs_f64();
        intervals.extend([expected * 0.75, expected * 1.25]);
        let mut detector = Self { intervals, mean_min: 0.0, deviation_min: 0.0, last: None };
        detector.expect(interval, deviation_min);
        detector
    }

    /// From now on a heartbeat is to be expected every `interval`, whatever was seen before; more of them come when somebody reads. The least
    /// standard deviation changes with it.
    pub fn expect(&mut self, interval: Duration, deviation_min: Duration) {
        self.mean_min = interval.as_secs_f64();
        self.deviation_min = deviation_min.as_secs_f64().max(1e-6);
    }

    /// A heartbeat arrived.
    pub fn heartbeat(&mut self, now: Time) {
        if let Some(last) = self.last.replace(now) {
            if self.intervals.len() == WINDOW {
                self.intervals.pop_front();
            }
            self.intervals.push_back(now.since(last).as_secs_f64());
        }
    }

    /// Forgets the last heartbeat: there is nobody to wait for.
    pub fn clear(&mut self) {
        self.last = None;
    }

    /// The present suspicion, 0 or more; 0 while no heartbeat has been seen.
    #[must_use]
    pub fn phi(&self, now: Time) -> f64 {
        let Some(last) = self.last else { return 0.0 };
        let (mean, deviation) = self.mean_and_deviation();
        phi_of((now.since(last).as_secs_f64() - mean) / deviation)
    }

    /// When phi will reach `threshold` if no heartbeat comes, or `None` while none has been seen.
    #[must_use]
    pub fn deadline(&self, threshold: f64) -> Option<Time> {
        let last = self.last?;
        let (mean, deviation) = self.mean_and_deviation();
        let (mut low, mut high) = (0.0_f64, 64.0_f64);
        for _ in 0..32 {
            let middle = (low + high) / 2.0;
            if phi_of(middle) < threshold { low = middle } else { high = middle }
        }
        Some(last + Duration::from_secs_f64((mean + high * deviation).min(1e6)))
    }

    fn mean_and_deviation(&self) -> (f64, f64) {
        let count = self.intervals.len() as f64;
        let mean = self.intervals.iter().sum::<f64>() / count;
        let variance =
            self.intervals.iter().map(|interval| (interval - mean) * (interval - mean)).sum::<f64>() / count;
        (mean.max(self.mean_min), libm::sqrt(variance).max(self.deviation_min))
    }
}

/// The tail of the normal distribution by its logistic approximation (Bowling et al. 2009), as minus its decimal logarithm.
fn phi_of(deviations: f64) -> f64 {
    let exponent = deviations * (1.5976 + 0.070_566 * deviations * deviations);
    // -log10(1 / (1 + e^x)), in a form in which e^x cannot overflow.
    if exponent > 0.0 {
        exponent * core::f64::consts::LOG10_E + libm::log10(1.0 + libm::exp(-exponent))
    } else {
        libm::log10(1.0 + libm::exp(exponent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> Time {
        Time::from_nanos(milliseconds * 1_000_000)
    }

    fn steady() -> PhiAccrualDetector {
        let mut detector = PhiAccrualDetector::new(Duration::from_millis(100), Duration::from_millis(10));
        (0..=50).for_each(|n| detector.heartbeat(at(n * 100)));
        detector
    }

    #[test]
    fn suspicion_grows_with_silence_and_never_without_a_heartbeat() {
        let detector = steady();
        let phis: alloc::vec::Vec<f64> = (0..30).map(|n| detector.phi(at(5_000 + n * 10))).collect();
        assert!(phis.windows(2).all(|pair| pair[0] <= pair[1]), "{phis:?}");
        assert!(phis[0] < 0.5 && phis[29] > 8.0, "{phis:?}");
        assert_eq!(
            PhiAccrualDetector::new(Duration::from_millis(100), Duration::ZERO).phi(at(1_000_000)),
            0.0
        );
    }

    #[test]
    fn the_deadline_is_when_phi_reaches_the_threshold() {
        let detector = steady();
        let deadline = detector.deadline(8.0).unwrap();
        assert!(detector.phi(deadline + Duration::from_millis(1)) >= 8.0);
        assert!(detector.phi(deadline - Duration::from_millis(1)) < 8.0);
    }

    #[test]
    fn whoever_says_that_heartbeats_come_less_often_is_given_the_time() {
        let mut detector = steady();
        detector.expect(Duration::from_millis(500), Duration::from_millis(250));
        assert!(detector.phi(at(5_500)) < 0.5);
        assert!(detector.deadline(8.0).unwrap().since(at(5_000)) > Duration::from_millis(1_500));
        detector.expect(Duration::from_millis(100), Duration::from_millis(10));
        assert_eq!(detector.deadline(8.0), steady().deadline(8.0));
    }

    #[test]
    fn irregular_heartbeats_earn_more_patience() {
        let mut irregular = PhiAccrualDetector::new(Duration::from_millis(100), Duration::from_millis(10));
        let mut now = 0;
        for n in 0..50 {
            now += if n % 2 == 0 { 20 } else { 180 };
            irregular.heartbeat(at(now));
        }
        let patience = irregular.deadline(8.0).unwrap().since(at(now));
        assert!(patience > steady().deadline(8.0).unwrap().since(at(5_000)) * 2);
    }
}
