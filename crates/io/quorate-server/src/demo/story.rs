use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, stderr};
use std::time::Instant;

/// Tells what happens, a line at a time, each with the seconds since the start.
#[derive(Debug)]
pub struct Story {
    start: Instant,
    is_told: bool,
    bar: ProgressBar,
}

impl Story {
    /// A story on stdout, with a progress bar on stderr if that is a terminal.
    #[must_use]
    pub fn told() -> Self {
        Self::new(true)
    }

    /// A story that nobody hears.
    #[must_use]
    pub fn untold() -> Self {
        Self::new(false)
    }

    fn new(is_told: bool) -> Self {
        let is_shown = is_told && stderr().is_terminal();
        let target = if is_shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self { start: Instant::now(), is_told, bar: ProgressBar::with_draw_target(Some(0), target) }
    }

    /// When it began.
    #[must_use]
    pub const fn start(&self) -> Instant {
        self.start
    }

    /// Tells a line.
    pub fn tell(&self, line: &str) {
        if self.is_told {
            let seconds = self.start.elapsed().as_secs_f64();
            self.bar.suspend(|| println!("{seconds:>8.3} s  {line}"));
        }
    }

    /// Shows how many of `total` records are acknowledged.
    pub fn progress(&self, acked: u64, total: u64) {
        if self.bar.length() != Some(total) {
            let style =
                ProgressStyle::with_template("{bar:40} {pos}/{len} acknowledged, {per_sec}, {eta} left");
            self.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            self.bar.set_length(total);
        }
        self.bar.set_position(acked);
    }

    /// Takes the progress away.
    pub fn progress_ends(&self) {
        self.bar.finish_and_clear();
    }
}
