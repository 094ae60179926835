use super::graph::{Edge, Graph, Home, Node};
use crate::metadata::DependencyKind;
use std::fmt;

/// How far a crate is from the core. A crate sees lower layers only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Layer {
    /// Words and boundary traits.
    L0,
    /// One part of the protocol each.
    L1,
    /// The protocol as a whole.
    L2,
    /// Disks, sockets, engines, threads.
    L3,
    /// What users hold.
    L4,
    /// Beside the product, which never sees it: checkers, the simulator, these tasks.
    Tool,
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tool => f.write_str("tool"),
            layer => write!(f, "{layer:?}"),
        }
    }
}

/// Every crate that there may be. One more needs a decision record in docs/decisions.
const CRATES: &[(&str, Layer, Home)] = &[
    ("quorate-core", Layer::L0, Home::Pure),
    ("quorate-vlsn", Layer::L1, Home::Pure),
    ("quorate-codec", Layer::L1, Home::Pure),
    ("quorate-election", Layer::L1, Home::Pure),
    ("quorate-policy", Layer::L1, Home::Pure),
    ("quorate-stream", Layer::L1, Home::Pure),
    ("quorate-restore", Layer::L1, Home::Pure),
    ("quorate-subscription", Layer::L1, Home::Pure),
    ("quorate-replica", Layer::L2, Home::Pure),
    ("quorate-multi", Layer::L2, Home::Pure),
    ("quorate-check", Layer::Tool, Home::Pure),
    ("quorate-log", Layer::L3, Home::Io),
    ("quorate-transport", Layer::L3, Home::Io),
    ("quorate-engine", Layer::L3, Home::Io),
    ("quorate-env", Layer::L3, Home::Io),
    ("quorate-replicator", Layer::L3, Home::Io),
    ("quorate-server", Layer::L4, Home::Io),
    ("quorate", Layer::L4, Home::Top),
    ("quorate-sim", Layer::Tool, Home::Top),
    ("quorate-chaos", Layer::Tool, Home::Top),
    ("quorate-fuzz", Layer::Tool, Home::Top),
    ("quorate-model", Layer::Tool, Home::Top),
    ("quorate-guard", Layer::Tool, Home::Top),
    ("xtask", Layer::Tool, Home::Top),
];

/// The only edges between crates of one layer: who, to whom.
const SIBLINGS: &[(&str, &str)] =
    &[("quorate-env", "quorate-log"), ("quorate-replicator", "quorate-log"), ("quorate-server", "quorate")];

/// Crates that see less than the layers below them: who, and all that it sees.
const NARROW: &[(&str, &[&str])] = &[
    ("quorate-log", &["quorate-core", "quorate-codec", "quorate-vlsn"]),
    ("quorate-transport", &["quorate-core", "quorate-codec"]),
    ("quorate-engine", &["quorate-core", "quorate-codec"]),
];

/// Crates of others that touch the world: direct dependencies on them occur under crates/io only.
const WORLD: &[&str] = &["crossbeam-channel", "memmap2", "rustls", "tokio", "tokio-rustls", "tonic"];

/// Who may use them elsewhere, and for what.
const WORLD_ELSEWHERE: &[(&str, &[DependencyKind])] = &[
    ("quorate", &[DependencyKind::Development]),
    ("quorate-sim", &[DependencyKind::Normal, DependencyKind::Build, DependencyKind::Development]),
    ("quorate-chaos", &[DependencyKind::Normal]),
    ("quorate-fuzz", &[DependencyKind::Normal]),
    ("xtask", &[DependencyKind::Normal, DependencyKind::Build, DependencyKind::Development]),
];

/// Names that say nothing of what a crate is for.
const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "type", "types"];

/// A rule that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation(String);

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// All violations of all rules.
pub(crate) fn check(graph: &Graph) -> Vec<Violation> {
    let mut violations = Vec::new();
    for node in &graph.crates {
        check_name(node, &mut violations);
        check_purity(node, &mut violations);
        for edge in &node.edges {
            violations.extend(judge(node, edge).map(Violation));
        }
    }
    violations
}

fn check_name(node: &Node, violations: &mut Vec<Violation>) {
    let name = &node.name;
    if name.split('-').any(|part| EMPTY_NAMES.contains(&part)) {
        violations
            .push(Violation(format!("{name} has a name that says nothing: name it after what it does")));
    }
    match place(name) {
        None => violations.push(Violation(format!(
            "{name} is not a known crate: one more needs a decision record and a line in \
             xtask/src/layers/rules.rs"
        ))),
        Some((_, home)) if home != node.home => violations.push(Violation(format!(
            "{name} lies in {} and belongs in {}",
            folder(node.home),
            folder(home)
        ))),
        Some(_) => {}
    }
}

fn check_purity(node: &Node, violations: &mut Vec<Violation>) {
    let name = &node.name;
    if node.home != Home::Pure {
        return;
    }
    if !node.no_std {
        violations.push(Violation(format!("{name} is pure and its lib.rs lacks #![no_std]")));
    }
    if node.links_std {
        violations
            .push(Violation(format!("{name} is pure and links std outside tests and conformance suites")));
    }
}

/// What is wrong with one edge.
fn judge(node: &Node, edge: &Edge) -> Option<String> {
    match place(&edge.to) {
        Some((layer, home)) => judge_ours(node, edge, layer, home),
        None => judge_world(node, edge),
    }
}

fn judge_ours(node: &Node, edge: &Edge, to_layer: Layer, to_home: Home) -> Option<String> {
    let (layer, _) = place(&node.name)?;
    let says =
        |why: &str| Some(format!("{} ({layer}) depends on {} ({to_layer}): {why}", node.name, edge.to));
    if node.home == Home::Pure && to_home != Home::Pure {
        return says("nothing under pure/ sees what is outside");
    }
    if edge.kind == DependencyKind::Development || layer == Layer::Tool {
        return None;
    }
    if let Some((_, seen)) = NARROW.iter().find(|(name, _)| *name == node.name) {
        let allowed = seen.contains(&edge.to.as_str());
        return if allowed { None } else { says(&format!("it sees {} only", seen.join(", "))) };
    }
    if to_layer < layer || SIBLINGS.contains(&(node.name.as_str(), edge.to.as_str())) {
        return None;
    }
    if layer == Layer::L3 && to_layer == Layer::L3 {
        return says("transports and engines are seen through the traits of quorate-core only");
    }
    says(if to_layer == layer {
        "siblings never see each other"
    } else {
        "lower layers never see higher ones"
    })
}

fn judge_world(node: &Node, edge: &Edge) -> Option<String> {
    let elsewhere = WORLD_ELSEWHERE.iter().find(|(name, _)| *name == node.name);
    let allowed = node.home == Home::Io || elsewhere.is_some_and(|(_, kinds)| kinds.contains(&edge.kind));
    if allowed || !WORLD.contains(&edge.to.as_str()) {
        return None;
    }
    Some(format!("{} depends on {}: that occurs under crates/io only", node.name, edge.to))
}

fn place(name: &str) -> Option<(Layer, Home)> {
    CRATES.iter().find(|(known, ..)| *known == name).map(|(_, layer, home)| (*layer, *home))
}

const fn folder(home: Home) -> &'static str {
    match home {
        Home::Pure => "crates/pure",
        Home::Io => "crates/io",
        Home::Top => "another folder than crates/pure and crates/io",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DependencyKind::{Build, Development, Normal};

    fn node(name: &str, edges: &[(&str, DependencyKind)]) -> Node {
        let home = place(name).map_or(Home::Top, |(_, home)| home);
        let edges = edges.iter().map(|(to, kind)| Edge { to: (*to).to_owned(), kind: *kind }).collect();
        Node { name: name.to_owned(), home, no_std: true, links_std: false, edges }
    }

    fn complaints(node: Node) -> Vec<String> {
        check(&Graph { crates: vec![node] }).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_layers_as_they_are_meant_to_be_pass() {
        for (name, edges) in [
            ("quorate-core", &[("bytes", Normal)][..]),
            ("quorate-stream", &[("quorate-core", Normal), ("quorate-codec", Development)]),
            ("quorate-replica", &[("quorate-core", Normal), ("quorate-stream", Normal)]),
            ("quorate-log", &[("quorate-vlsn", Normal), ("quorate-codec", Normal), ("memmap2", Normal)]),
            (
                "quorate-env",
                &[("quorate-replica", Normal), ("quorate-log", Normal), ("quorate-engine", Development)],
            ),
            ("quorate", &[("quorate-env", Normal), ("quorate-engine", Normal), ("tokio", Development)]),
            ("quorate-server", &[("quorate", Normal), ("tonic", Normal)]),
            ("quorate-sim", &[("quorate-env", Normal), ("crossbeam-channel", Normal)]),
        ] {
            assert_eq!(complaints(node(name, edges)), [""; 0], "{name}");
        }
    }

    #[test]
    fn siblings_of_the_first_layer_never_see_each_other() {
        assert_eq!(
            complaints(node("quorate-vlsn", &[("quorate-codec", Normal)])),
            ["quorate-vlsn (L1) depends on quorate-codec (L1): siblings never see each other"]
        );
        assert_eq!(complaints(node("quorate-vlsn", &[("quorate-codec", Build)])).len(), 1);
    }

    #[test]
    fn a_lower_layer_never_sees_a_higher_one() {
        assert_eq!(
            complaints(node("quorate-election", &[("quorate-replica", Normal)])),
            ["quorate-election (L1) depends on quorate-replica (L2): lower layers never see higher ones"]
        );
        assert_eq!(complaints(node("quorate-core", &[("quorate-vlsn", Normal)])).len(), 1);
        assert_eq!(complaints(node("quorate", &[("quorate-sim", Normal)])).len(), 1);
    }

    #[test]
    fn a_pure_crate_sees_io_not_even_in_its_tests() {
        for kind in [Normal, Build, Development] {
            assert_eq!(
                complaints(node("quorate-replica", &[("quorate-log", kind)])),
                ["quorate-replica (L2) depends on quorate-log (L3): nothing under pure/ \
                     sees what is outside"]
            );
        }
    }

    #[test]
    fn the_log_sees_core_codec_and_vlsn_only() {
        assert_eq!(
            complaints(node("quorate-log", &[("quorate-election", Normal)])),
            ["quorate-log (L3) depends on quorate-election (L1): it sees quorate-core, quorate-codec, \
             quorate-vlsn only"]
        );
    }

    #[test]
    fn the_environment_sees_transports_and_engines_through_traits_only() {
        for name in ["quorate-transport", "quorate-engine"] {
            assert_eq!(
                complaints(node("quorate-env", &[(name, Normal)])),
                [format!(
                    "quorate-env (L3) depends on {name} (L3): transports and engines are seen through \
                     the traits of quorate-core only"
                )]
            );
        }
    }

    #[test]
    fn crates_that_touch_the_world_occur_under_io_only() {
        for name in WORLD {
            assert_eq!(
                complaints(node("quorate-policy", &[(name, Development)])),
                [format!("quorate-policy depends on {name}: that occurs under crates/io only")]
            );
            assert_eq!(complaints(node("quorate", &[(name, Normal)])).len(), 1, "{name}");
        }
    }

    #[test]
    fn a_pure_crate_without_no_std_is_named() {
        let broken = Node { no_std: false, ..node("quorate-codec", &[]) };
        assert_eq!(complaints(broken), ["quorate-codec is pure and its lib.rs lacks #![no_std]"]);
        let broken = Node { links_std: true, ..node("quorate-codec", &[]) };
        assert_eq!(complaints(broken).len(), 1);
        assert!(complaints(Node { no_std: false, ..node("quorate-log", &[]) }).is_empty());
    }

    #[test]
    fn a_crate_that_nobody_decided_on_is_refused() {
        assert_eq!(
            complaints(node("quorate-cache", &[])),
            ["quorate-cache is not a known crate: one more needs a decision record and a line in \
             xtask/src/layers/rules.rs"]
        );
    }

    #[test]
    fn a_name_that_says_nothing_is_refused() {
        for name in ["quorate-util", "quorate-common", "quorate-helpers", "quorate-types"] {
            assert!(complaints(node(name, &[]))[0].contains("says nothing"), "{name}");
        }
    }

    #[test]
    fn a_crate_in_the_wrong_folder_is_refused() {
        let moved = Node { home: Home::Io, ..node("quorate-codec", &[]) };
        assert_eq!(complaints(moved), ["quorate-codec lies in crates/io and belongs in crates/pure"]);
    }
}
