use quorate_model::{Action, Group, State};
use stateright::report::{ReportData, ReportDiscovery, Reporter};
use std::collections::BTreeMap;
use std::time::Duration;

/// Prints how far a search has come now and then, and its result in the end.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// When the last line was printed, and the states at that moment.
    last: (Duration, usize),
    /// What the search found broken.
    pub(crate) broken: Vec<&'static str>,
}

const INTERVAL: Duration = Duration::from_secs(10);

impl Reporter<Group> for Progress {
    fn report_checking(&mut self, data: ReportData) {
        let seconds = data.duration.as_secs_f64();
        if data.done {
            println!(
                "{} states, {} of them different, {} steps deep, in {seconds:.1} s{}",
                data.total_states,
                data.unique_states,
                data.max_depth.saturating_sub(1),
                memory_peak_mib().map(|mib| format!(", with {mib} MiB at most")).unwrap_or_default()
            );
        } else if data.duration >= self.last.0 + INTERVAL {
            let rate = (data.total_states - self.last.1) as f64 / (data.duration - self.last.0).as_secs_f64();
            self.last = (data.duration, data.total_states);
            eprintln!(
                "{seconds:.0} s: {} states, {} of them different, {} steps deep, {rate:.0} states/s",
                data.total_states,
                data.unique_states,
                data.max_depth.saturating_sub(1)
            );
        }
    }

    fn report_discoveries(&mut self, _: &Group, discoveries: BTreeMap<&'static str, ReportDiscovery<Group>>) {
        for (name, discovery) in discoveries {
            if discovery.classification.to_string() == "counterexample" {
                println!("\nbroken: {name}");
                let steps: Vec<(State, Option<Action>)> = discovery.path.into_vec();
                steps.iter().filter_map(|(_, action)| *action).for_each(|action| println!("  {action}"));
                self.broken.push(name);
            }
        }
    }

    /// How long a search that has ended may go on unnoticed.
    fn delay(&self) -> Duration {
        Duration::from_millis(100)
    }
}

/// The most memory that this process has had, where the system tells it.
fn memory_peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}
