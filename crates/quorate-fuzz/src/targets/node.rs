//! One node's whole protocol, driven by a sequence of events that the input spells: time, the shell's
//! completions, crashes, and messages of two peers that may lie in every field.

mod peer;
mod script;
mod subject;

use crate::input::Input;
use crate::{Signature, Target};
use peer::{Peer, message_of};
use quorate_core::{NodeId, Packet, Service};
use quorate_replica::{Envelope, Input as Event};
use std::time::Duration;
use subject::Subject;

pub(super) const NODE: Target = Target::plain(
    "node",
    "a node's protocol among peers that lie: no panic, watermarks in order, promises kept before they are told",
    run,
    script::seeds,
);

/// What one byte of the input stands for.
mod step {
    pub(super) const PASS: u8 = 0;
    pub(super) const EXPIRE: u8 = 1;
    pub(super) const COMPLETE: u8 = 2;
    pub(super) const LINK: u8 = 3;
    pub(super) const STOP: u8 = 4;
    pub(super) const PROPOSE: u8 = 5;
    pub(super) const READ: u8 = 6;
    pub(super) const BALLOT: u8 = 7;
    pub(super) const PACKET: u8 = 8;
    pub(super) const FORWARD: u8 = 9;
    /// From here on: a message of a peer.
    pub(super) const MESSAGE: u8 = 10;
    pub(super) const KINDS: u8 = 16;
}

/// How many events a node lives through, at most.
const STEPS_MAX: usize = 400;

fn run(input: &[u8]) -> Signature {
    let mut input = Input::new(input);
    let is_founded = input.byte() % 4 != 3;
    let mut subject = Subject::new(is_founded);
    let mut peers = [Peer::new(NodeId::new(2)), Peer::new(NodeId::new(3))];
    for _ in 0..STEPS_MAX {
        if input.is_used_up() || !subject.is_usable() {
            break;
        }
        take_step(&mut subject, &mut peers, &mut input);
        subject.assert_sound();
    }
    subject.signature()
}

fn take_step(subject: &mut Subject, peers: &mut [Peer; 2], input: &mut Input<'_>) {
    match input.below(step::KINDS) {
        step::PASS => subject.pass(Duration::from_millis(u64::from(input.byte()) * 8)),
        step::EXPIRE => subject.expire(),
        step::COMPLETE => subject.complete(usize::from(input.below(8)) + 1),
        step::LINK => link(subject, input.byte()),
        step::STOP => stop(subject, input),
        step::PROPOSE => subject.propose(input.below(4) + 1, usize::from(input.byte()) * 4),
        step::READ => subject.read(u64::from(input.below(4))),
        step::BALLOT => subject.call_ballot(),
        step::PACKET => packet(subject, input),
        step::FORWARD => subject.forward(),
        _ => {
            let peer = &mut peers[usize::from(input.below(2))];
            let knows_group = input.byte() < 240;
            let message = message_of(peer, subject, input);
            subject.handle(Event::Receive {
                from: peer.id(),
                uuid: subject.uuid().filter(|_| knows_group),
                message,
            });
        }
    }
}

fn link(subject: &mut Subject, choice: u8) {
    let node = NodeId::new(2 + u16::from(choice & 1));
    let service = if choice & 2 == 0 { Service::Control } else { Service::Stream };
    subject.handle(match choice >> 2 & 3 {
        0 | 1 => Event::PeerUp { node, service },
        2 => Event::PeerDown { node, service, refused: choice & 16 != 0 },
        _ => Event::SendDropped { to: node, service },
    });
}

fn stop(subject: &mut Subject, input: &mut Input<'_>) {
    match input.below(4) {
        0 => subject.kill(),
        1 => subject.lose_power(input.number()),
        2 => subject.corrupt(input.number(), input.byte()),
        _ => subject.find_damage(),
    }
}

/// Bytes that say that they are a message.
fn packet(subject: &mut Subject, input: &mut Input<'_>) {
    let (head, body) = (usize::from(input.byte()), usize::from(input.byte()));
    let packet = Packet { head: input.take(head).to_vec().into(), body: input.take(body).to_vec().into() };
    if let Ok(Envelope { uuid, message }) = Envelope::decode(packet) {
        subject.handle(Event::Receive { from: NodeId::new(2), uuid: uuid.and(subject.uuid()), message });
    }
}
