use super::graph::Graph;
use super::{Dependency, Phenomenon};
use alloc::vec::Vec;

/// From how many transactions of a knot a shortest cycle is looked for.
const STARTS_MAX: usize = 64;

/// A short cycle of each knot of the graph, by the strongest dependencies that make any.
pub(super) fn find(graph: &Graph) -> Vec<(Phenomenon, Vec<(usize, Dependency)>)> {
    let levels = [Dependency::WriteWrite, Dependency::WriteRead, Dependency::ReadWrite, Dependency::RealTime];
    let mut cycles = Vec::new();
    for weakest in levels {
        cycles.extend(graph.knots(weakest).into_iter().filter_map(|knot| shortest(graph, knot, weakest)));
        if !cycles.is_empty() {
            break;
        }
    }
    cycles.into_iter().map(|cycle| (phenomenon(&cycle), cycle)).collect()
}

/// The shortest cycle found in a knot, without its moments.
fn shortest(graph: &Graph, knot: Vec<usize>, weakest: Dependency) -> Option<Vec<(usize, Dependency)>> {
    let starts = knot.into_iter().filter(|node| *node < graph.transactions).take(STARTS_MAX);
    let cycles = starts.filter_map(|start| graph.cycle_through(start, weakest));
    let mut cycle = cycles.min_by_key(Vec::len)?;
    cycle.retain(|(node, _)| *node < graph.transactions);
    Some(cycle)
}

fn phenomenon(cycle: &[(usize, Dependency)]) -> Phenomenon {
    let count = |kind| cycle.iter().filter(|(_, dependency)| *dependency == kind).count();
    match (count(Dependency::RealTime), count(Dependency::ReadWrite), count(Dependency::WriteRead)) {
        (0, 0, 0) => Phenomenon::G0,
        (0, 0, _) => Phenomenon::G1c,
        (0, 1, _) => Phenomenon::GSingle,
        (0, ..) => Phenomenon::G2,
        _ => Phenomenon::RealTime,
    }
}
