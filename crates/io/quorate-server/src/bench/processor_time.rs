use std::fs;
use std::time::Duration;

/// How many processor seconds processes have used together, as far as the operating system says: on Linux in
/// `/proc`, to ten milliseconds a process.
pub(super) fn of(processes: &[u32]) -> Option<Duration> {
    processes.iter().map(|process| of_one(*process)).sum()
}

fn of_one(process: u32) -> Option<Duration> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let ticks = ticks(&text)?;
    Some(Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64))
}

/// User and system time. The name in front of them, in brackets, may hold anything.
fn ticks(stat: &str) -> Option<u64> {
    const USER: usize = 11;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(USER).map(|field| field.parse::<u64>().ok());
    Some(times.next()?? + times.next()??)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_times_are_found_behind_a_name_that_looks_like_fields() {
        let stat = "7 (a) 1 2 (b) S 1 7 7 0 -1 4194560 120 0 0 0 31 12 5 6 20 0 1 0 100 1 1";
        assert_eq!(ticks(stat), Some(43));
        assert_eq!(ticks("7 (a) S 1"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_that_has_ended_has_no_time() {
        assert!(of(&[std::process::id()]).is_some());
        assert_eq!(of(&[std::process::id(), u32::MAX]), None);
    }
}
