use super::arguments::{BenchArguments, NODES, Via};
use super::case::Case;
use super::embedded::GroupPlan;
use super::job::{Apply, Follow, Lead, LoadLoop, SyncDisk};
use super::measured::{Measured, median};
use super::report::{Machine, Report, Series, Subject};
use super::step::Step;
use super::worker_process::{WorkerProcess, ask_all};
use super::{BenchError, embedded, etcd, loopback, over_grpc};
use crate::EngineChoice;
use quorate::CommitDurability;
use std::fs;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// How long the disk and the network are measured.
const PROBE_SPAN: Duration = Duration::from_secs(1);

/// The directory in which everything happens.
pub(super) fn workplace(arguments: &BenchArguments) -> Result<TempDir, BenchError> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("quorate-bench-");
    let made = match &arguments.directory {
        Some(parent) => builder.tempdir_in(parent),
        None => builder.tempdir(),
    };
    made.map_err(BenchError::system("making a temporary directory"))
}

/// Measures everything that is asked for, telling stderr how far it is.
pub(super) async fn perform(arguments: &BenchArguments, workplace: &Path) -> Result<Report, BenchError> {
    let etcd_version = match &arguments.compare {
        Some(comparison) => Some(etcd::version(&comparison.etcd).await?),
        None => None,
    };
    let machine = measure_machine(workplace).await?;
    let mut report = Report::new(arguments, machine, etcd_version);
    let (cases, series) = (Case::all(arguments), series(arguments));
    let total = arguments.repeat as usize * cases.len() * series.len();
    let mut number = 0;
    for _ in 0..arguments.repeat {
        for case in &cases {
            for series in &series {
                let measured = measure(arguments, *series, case, workplace).await?;
                number += 1;
                tell(number, total, *series, case, &measured);
                if let Subject::Group { engine: Some(engine), .. } = series.subject
                    && arguments.engine_limit
                {
                    let entries = measured.entries_per_step.unwrap_or(f64::from(case.writers));
                    let step = case.step(arguments);
                    let limit =
                        measure_engine(engine, case.nodes, &step, entries.round() as u64, workplace).await?;
                    eprintln!("        the engine alone, {entries:.1} entries at a time: {limit:.0}/s");
                    report.add_limit(*series, *case, limit);
                }
                report.add(*series, *case, measured);
            }
        }
    }
    Ok(report)
}

/// What is measured in turn. The durabilities of a group follow each other.
fn series(arguments: &BenchArguments) -> Vec<Series> {
    let compared: Vec<Option<CommitDurability>> = match &arguments.durability[..] {
        [_] => vec![None],
        several => several.iter().copied().map(Some).collect(),
    };
    let mut series = Vec::new();
    for subject in subjects(arguments) {
        let with = |durability: &Option<CommitDurability>| Series { subject, durability: *durability };
        if subject.is_group() {
            series.extend(compared.iter().map(with));
        } else {
            series.push(with(&None));
        }
    }
    series
}

/// Whom to measure.
fn subjects(arguments: &BenchArguments) -> Vec<Subject> {
    let mut subjects = Vec::new();
    if arguments.floor {
        subjects.push(Subject::Floor);
    }
    if arguments.compare.is_some() {
        subjects.push(Subject::Etcd);
    }
    if !arguments.endpoints.is_empty() {
        subjects.push(Subject::Group { via: Via::Grpc, engine: None });
        return subjects;
    }
    for via in &arguments.via {
        let group = |engine: &EngineChoice| Subject::Group { via: *via, engine: Some(*engine) };
        subjects.extend(arguments.engine.iter().map(group));
    }
    subjects
}

/// Measures one step, in a directory of its own.
async fn measure(
    arguments: &BenchArguments,
    series: Series,
    case: &Case,
    workplace: &Path,
) -> Result<Measured, BenchError> {
    let home = workplace.join("step");
    fs::create_dir(&home).map_err(BenchError::system("making a directory"))?;
    let (step, nodes) = (&case.step(arguments), case.nodes);
    let durability = series.durability.unwrap_or(arguments.durability());
    let measured = match series.subject {
        Subject::Floor => measure_floor(step, nodes, &home).await?,
        Subject::Etcd => {
            let endpoints = arguments.compare.as_ref().map_or(&[][..], |comparison| &comparison.etcd);
            etcd::measure(step, endpoints).await?
        }
        Subject::Group { engine: None, .. } => {
            over_grpc::measure_endpoints(step, &arguments.endpoints, durability).await?
        }
        Subject::Group { via: Via::Embedded, engine: Some(engine) } => {
            let plan =
                GroupPlan { compression: arguments.compression, ..GroupPlan::new(nodes, engine, durability) };
            embedded::measure(step, &plan, &home).await?
        }
        Subject::Group { via: Via::Grpc, engine: Some(engine) } => {
            over_grpc::measure(step, nodes, engine, durability, &home).await?
        }
    };
    fs::remove_dir_all(&home).map_err(BenchError::system("removing a directory"))?;
    Ok(measured)
}

async fn measure_floor(step: &Step, nodes: u32, home: &Path) -> Result<Measured, BenchError> {
    let mut leader = WorkerProcess::start("the bare loop's leader")?;
    let mut followers = WorkerProcess::start_many("the bare loop's follower", nodes - 1)?;
    let ids: Vec<u32> = followers.iter().chain([&leader]).map(WorkerProcess::id).collect();
    let ports = ask_all(&mut followers, |_| Follow { directory: home.to_owned() }).await?;
    leader.ask(Lead { directory: home.to_owned(), followers: ports }).await?;
    let before = super::processor_time::of(&ids);
    let load = leader.ask(LoadLoop(*step)).await?;
    let processor = super::processor_time::of(&ids).zip(before).map(|(after, before)| after - before);
    Ok(Measured::new(&load, Duration::ZERO, processor))
}

/// How many entries a second each of so many engines takes at once.
async fn measure_engine(
    engine: EngineChoice,
    count: u32,
    step: &Step,
    entries: u64,
    workplace: &Path,
) -> Result<f64, BenchError> {
    let home = workplace.join("engines");
    let mut processes = WorkerProcess::start_many("the engine alone", count)?;
    let loads = ask_all(&mut processes, |index| Apply {
        directory: home.join(index.to_string()),
        engine,
        step: *step,
        entries: entries.max(1),
    })
    .await?;
    drop(processes);
    fs::remove_dir_all(&home).map_err(BenchError::system("removing a directory"))?;
    let rates = loads.iter().map(|load| load.entries as f64 / load.elapsed.as_secs_f64());
    Ok(rates.sum::<f64>() / loads.len() as f64)
}

async fn measure_machine(workplace: &Path) -> Result<Machine, BenchError> {
    let job = |_| SyncDisk { directory: workplace.to_owned(), span: PROBE_SPAN };
    let mut processes = WorkerProcess::start_many("the disk's measurement", NODES)?;
    let sync_alone = processes[0].ask(job(0)).await?;
    let together = ask_all(&mut processes, job).await?;
    let of_three = |figure: fn(&super::latencies::Percentiles) -> u64| {
        median(&together, |found| figure(found) as f64) as u64
    };
    let sync_of_three = super::latencies::Percentiles {
        p50: of_three(|found| found.p50),
        p99: of_three(|found| found.p99),
        p999: of_three(|found| found.p999),
        max: of_three(|found| found.max),
    };
    let round_trip = tokio::task::spawn_blocking(|| loopback::measure(PROBE_SPAN))
        .await
        .map_err(|error| BenchError::system("measuring the loopback interface")(error.into()))?
        .map_err(BenchError::system("measuring the loopback interface"))?;
    let processors = std::thread::available_parallelism().ok();
    Ok(Machine { processors, sync_alone, sync_of_three, round_trip })
}

fn tell(number: usize, total: usize, series: Series, case: &Case, measured: &Measured) {
    let (rate, p50) = (measured.rate, measured.latencies.p50 as f64 / 1e6);
    let Case { value_bytes, nodes, writers } = case;
    eprintln!(
        "[{number}/{total}] {series}, {writers} writers, values of {value_bytes} bytes, {nodes} nodes: {rate:.0}/s, \
         p50 {p50:.3} ms"
    );
}
