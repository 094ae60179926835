use clap::Parser;
use std::path::PathBuf;

/// Runs a group of real `quorate node` processes, breaks it in every way there is while clients use it, and
/// judges what the clients saw.
///
/// In namespaces of its own, which need root or user namespaces, nothing outside is touched, and everything is
/// gone when the process is. Where there are none the nodes run on loopback addresses, without the faults of
/// links and disks.
///
/// Exit codes: 0 if the history is explained, nothing is lost, and every kind of fault happened; 1 if not; 2 for
/// wrong arguments.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// How long to break things.
    #[arg(long, default_value_t = 2.0, value_parser = minutes)]
    pub(crate) minutes: f64,
    /// How many nodes the group has.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(3..=9))]
    pub(crate) nodes: u8,
    /// Decides which faults happen when, and what the clients do. Drawn where it is not given. The same seed
    /// gives the same schedule, not the same history: processes and networks have a will of their own.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// The `quorate` program; the one beside this program unless given.
    #[arg(long, value_name = "FILE")]
    pub(crate) program: Option<PathBuf>,
    /// Where the nodes' files are put if the run fails.
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) keep: Option<PathBuf>,
    /// Set by this program when it has started itself in namespaces of its own.
    #[arg(long, hide = true)]
    pub(crate) isolated: bool,
}

fn minutes(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(minutes) if (0.1..=10_000.0).contains(&minutes) => Ok(minutes),
        _ => Err("write a number of minutes from 0.1 to 10000".to_owned()),
    }
}
