//! Lives of a node to begin with, as the bytes that spell them.

use super::peer::kind;
use super::step;
use crate::Seed;

/// Founded long ago; every link stands.
const OPEN: [u8; 9] = [0, step::LINK, 0, step::LINK, 1, step::LINK, 2, step::LINK, 3];
/// The node's deadlines pass until it canvasses, and again.
const CANVASS: [u8; 2] = [step::EXPIRE, step::EXPIRE];
const COMPLETE_ALL: [u8; 4] = [step::COMPLETE, 7, step::COMPLETE, 7];

/// A message of peer 0 or 1 that knows the group.
fn says(peer: u8, kind: u8, fields: &[u8]) -> Vec<u8> {
    [&[step::MESSAGE, peer, 0, kind], fields].concat()
}

/// A heartbeat of the present term or, with `term` 3, of one above by peer 0.
fn heartbeat(term: u8, committed: u8) -> Vec<u8> {
    says(0, kind::HEARTBEAT, &[term, 1, committed, 0, 0, 6])
}

fn elected() -> Vec<u8> {
    [
        &OPEN[..],
        &CANVASS,
        &says(0, kind::CANVASS_REPLY, &[0, 0, 0]),
        &says(0, kind::PROMISE, &[0, 0, 0]),
        &COMPLETE_ALL,
    ]
    .concat()
}

/// Elected, feeding peer 0, everything committed.
fn leading() -> Vec<u8> {
    [&elected(), &says(0, kind::SYNCUP, &[0, 0])[..], &says(0, kind::ACK, &[0, 0, 0, 0]), &COMPLETE_ALL]
        .concat()
}

/// Fed by peer 0.
fn following() -> Vec<u8> {
    [
        &OPEN[..],
        &heartbeat(3, 6),
        &says(0, kind::SYNCUP_REPLY, &[0, 0, 0, 0, 0]),
        &says(0, kind::APPEND, &[0, 0, 6, 0, 0, 0, 0, 2, 1, 0, 0, 9, 6, 3]),
        &COMPLETE_ALL,
        &heartbeat(0, 0),
        &COMPLETE_ALL,
    ]
    .concat()
}

pub(super) fn seeds() -> Vec<Seed> {
    let writes = [step::PROPOSE, 1, 9, step::COMPLETE, 7];
    let ack = says(0, kind::ACK, &[0, 0, 0, 0]);
    let reads = [&[step::READ, 1][..], &says(0, kind::HEARTBEAT_REPLY, &[0, 0, 0, 0])].concat();
    let restart = [step::STOP, 0];
    let power_loss = [step::STOP, 1, 1, 2, 3, 4, 5, 6, 7, 8];
    let damage = [step::STOP, 2, 0, 0x40, 4, 0, 0, 0, 0, 0, 1, step::STOP, 3, step::EXPIRE];
    let deposed = [says(1, kind::PREPARE, &[4]), heartbeat(0, 0)].concat();
    let repaired = says(1, kind::REPAIR, &[0, 0, 0, 0, 1, 0]);
    let unfounded =
        [&[3][..], &OPEN[1..], &says(0, kind::INTRODUCE, &[2]), &says(1, kind::INTRODUCE, &[0])].concat();
    vec![
        Seed::new("elected", elected()),
        Seed::new("leading", [&leading()[..], &writes, &ack, &reads, &COMPLETE_ALL].concat()),
        Seed::new("deposed", [&leading()[..], &writes, &deposed].concat()),
        Seed::new("following", [&following()[..], &[step::READ, 1, step::FORWARD]].concat()),
        Seed::new("restarted", [&following()[..], &restart, &heartbeat(0, 0), &COMPLETE_ALL].concat()),
        Seed::new("power-loss", [&following()[..], &power_loss, &heartbeat(0, 0), &COMPLETE_ALL].concat()),
        Seed::new("damaged", [&following()[..], &damage, &repaired, &COMPLETE_ALL].concat()),
        Seed::new("founding", [&unfounded[..], &CANVASS].concat()),
    ]
}
