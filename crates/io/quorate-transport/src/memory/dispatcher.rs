//! The one thread that calls the inboxes of an in-memory network.

use super::hub::{EndpointNumber, Hub, Job, LinkId, State};
use crate::introduction::{self, Acquaintances};
use quorate_core::{
    Admission, DownReason, Hello, HelloRefusal, Inbox, Member, MemberList, NodeId, Packet, PeerEvent, Service,
};
use std::sync::Arc;

/// Runs until the hub is shut down.
pub(crate) fn run(hub: &Hub) {
    while let Some(call) = hub.next_call(State::prepare) {
        match call {
            Call::Introduce(introduction) => introduction.run(hub),
            Call::Deliver(delivery) => delivery.run(hub),
            Call::Notice { inbox, event } => inbox.notice(event),
        }
    }
}

/// What is to be said to inboxes, with all that it takes, so that the hub need not be locked meanwhile.
enum Call {
    Introduce(Introduction),
    Deliver(Delivery),
    Notice { inbox: Arc<dyn Inbox>, event: PeerEvent },
}

struct Introduction {
    link: LinkId,
    expected: Member,
    caller: Arc<dyn Inbox>,
    listener: EndpointNumber,
    listener_inbox: Arc<dyn Inbox>,
    listener_members: MemberList,
    caller_acquaintances: Arc<Acquaintances>,
    listener_acquaintances: Arc<Acquaintances>,
}

struct Delivery {
    link: LinkId,
    session: u64,
    inbox: Arc<dyn Inbox>,
    from: NodeId,
    service: Service,
    packet: Packet,
}

impl State {
    /// Makes a call of a job that is due, or does what can be done without calling anybody.
    fn prepare(&mut self, job: Job) -> Option<Call> {
        match job {
            Job::Dial(link) => self.prepare_dial(link).map(Call::Introduce),
            Job::Deliver { link, session, packet } => {
                self.prepare_delivery(link, session, packet).map(Call::Deliver)
            }
            Job::Notice { endpoint, event } => {
                let inbox = self.endpoints.get(&endpoint)?.inbox.clone();
                self.set_busy(&[endpoint]);
                Some(Call::Notice { inbox, event })
            }
        }
    }

    fn prepare_dial(&mut self, link: LinkId) -> Option<Introduction> {
        if self.links.get(&link)?.session.is_some() {
            return None;
        }
        let caller = self.endpoints.get(&link.from)?;
        let expected = caller.members.member(link.to)?.clone();
        let (caller, caller_acquaintances) = (caller.inbox.clone(), caller.acquaintances.clone());
        let found = self.endpoints.iter().find(|(_, endpoint)| endpoint.address == expected.address);
        let Some((&listener, endpoint)) = found else {
            self.fail(link, DownReason::ConnectionRefused);
            return None;
        };
        let listener_inbox = endpoint.inbox.clone();
        let listener_members = endpoint.members.clone();
        let listener_acquaintances = endpoint.acquaintances.clone();
        if self.is_cut(link.from, listener) || self.is_cut(listener, link.from) {
            self.fail(link, DownReason::TimedOut);
            return None;
        }
        self.set_busy(&[link.from, listener]);
        Some(Introduction {
            link,
            expected,
            caller,
            listener,
            listener_inbox,
            listener_members,
            caller_acquaintances,
            listener_acquaintances,
        })
    }

    /// A packet that meets a partition is lost; its link ends when the partition does.
    fn prepare_delivery(&mut self, link: LinkId, session: u64, packet: Packet) -> Option<Delivery> {
        let target = self.arrived(link, session, packet.bytes())?;
        if self.is_cut(link.from, target) {
            return None;
        }
        let from = self.endpoints.get(&link.from)?.me;
        let inbox = self.endpoints.get(&target)?.inbox.clone();
        self.set_busy(&[target]);
        Some(Delivery { link, session, inbox, from, service: link.service, packet })
    }
}

impl Introduction {
    fn run(self, hub: &Hub) {
        let (caller, listener) = (self.caller.hello(), self.listener_inbox.hello());
        let (expected, members) = (&self.expected.name, &self.listener_members);
        let admitted = introduction::admit_caller(&listener, &caller, expected, members)
            .and_then(|_| self.listener_acquaintances.meet(&caller));
        let mut state = hub.lock();
        match admitted {
            Err(refusal) => {
                let mirrored = introduction::mirrored(refusal.clone(), &listener.node);
                state.reject(self.listener, caller.node, refusal);
                state.fail(self.link, DownReason::Hello(mirrored));
            }
            Ok(()) => self.conclude(&mut state, self.recognise(&caller, &listener), listener),
        }
    }

    fn recognise(&self, caller: &Hello, listener: &Hello) -> Result<(), HelloRefusal> {
        introduction::recognise(caller, listener, &self.expected)?;
        self.caller_acquaintances.meet(listener)
    }

    fn conclude(&self, state: &mut State, recognised: Result<(), HelloRefusal>, listener: Hello) {
        match recognised {
            Ok(()) => state.open(self.link, self.listener, listener),
            Err(refusal) => state.fail(self.link, DownReason::Hello(refusal)),
        }
    }
}

impl Delivery {
    fn run(self, hub: &Hub) {
        if self.inbox.receive(self.from, self.service, self.packet) == Admission::Refused {
            hub.lock().end(self.link, self.session);
        }
    }
}
