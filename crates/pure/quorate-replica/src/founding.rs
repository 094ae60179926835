//! How a group comes to be: every declared member is heard once before anybody votes.

use crate::messages::Message;
use crate::node::Node;
use crate::{Event, Output};
use alloc::vec::Vec;
use quorate_core::{GroupUuid, Incarnation, MemberList, NodeId, Roster, RosterMember, Time};

/// What this node has heard from the declared members while it belongs to no group.
#[derive(Debug)]
pub(crate) struct Founding {
    heard: Vec<(NodeId, Option<Incarnation>)>,
    formed: Option<Roster>,
    /// Of the roster in effect, stored or formed.
    identity: Option<GroupUuid>,
    introduce_at: Time,
    /// A group exists that does not know this life of the directory.
    stranger: bool,
}

impl Founding {
    pub(crate) fn new(list: &MemberList, stored: Option<&Roster>, now: Time) -> Self {
        let heard = list.members().iter().map(|member| (member.id, None)).collect();
        Self { heard, formed: None, identity: stored.map(Roster::uuid), introduce_at: now, stranger: false }
    }

    /// The identity of the group that this node belongs to, or founds.
    pub(crate) const fn identity(&self) -> Option<GroupUuid> {
        self.identity
    }

    /// The roster of a group that nobody has stored yet.
    pub(crate) const fn formed(&self) -> Option<&Roster> {
        self.formed.as_ref()
    }

    pub(crate) fn deadline(&self, founded: bool) -> Option<Time> {
        (!founded).then_some(self.introduce_at)
    }

    fn hear(&mut self, node: NodeId, incarnation: Incarnation) {
        if let Some(heard) = self.heard.iter_mut().find(|(member, _)| *member == node) {
            heard.1 = Some(incarnation);
        }
    }

    fn form(&mut self, group: &str, list: &MemberList) {
        let incarnations: Option<Vec<RosterMember>> = self
            .heard
            .iter()
            .map(|(id, incarnation)| incarnation.map(|incarnation| RosterMember { id: *id, incarnation }))
            .collect();
        let incarnations = incarnations.filter(|_| !self.stranger);
        self.formed =
            incarnations.map(|incarnations| Roster { group: group.into(), list: list.clone(), incarnations });
        self.identity = self.formed.as_ref().map(Roster::uuid);
    }
}

impl Node {
    pub(crate) fn begin_founding(&mut self, now: Time) {
        if let Some(uuid) = self.uuid() {
            return self.event(Event::Founded(uuid));
        }
        self.founding.hear(self.me, self.hard.incarnation);
        self.founding.form(&self.hard.group, &self.group.list);
        self.introduce_if_due(now);
    }

    /// While this node belongs to no group, it goes on telling the others who it is.
    pub(crate) fn introduce_if_due(&mut self, now: Time) {
        if self.hard.roster.is_some() || now < self.founding.introduce_at {
            return;
        }
        self.founding.introduce_at = now + self.config.heartbeat_interval;
        let others: Vec<NodeId> = self.links.control().iter().collect();
        for node in others {
            self.send_introduction(node, true);
        }
    }

    pub(crate) fn introduce_to(&mut self, node: NodeId) {
        self.send_introduction(node, self.hard.roster.is_none());
    }

    fn send_introduction(&mut self, node: NodeId, wants_answer: bool) {
        let (incarnation, roster) = (self.hard.incarnation, self.hard.roster.clone());
        self.send(node, Message::Introduce { incarnation, roster, wants_answer });
    }

    pub(crate) fn introduced(
        &mut self,
        from: NodeId,
        incarnation: Incarnation,
        roster: Option<Roster>,
        wants_answer: bool,
    ) {
        if wants_answer {
            self.send_introduction(from, false);
        }
        match (self.hard.roster.is_some(), roster) {
            (true, Some(roster)) if Some(roster.uuid()) != self.uuid() => {
                self.event(Event::ForeignGroup { node: from })
            }
            (true, _) => {}
            (false, Some(roster)) => self.learn_roster(from, roster),
            (false, None) => {
                self.founding.hear(from, incarnation);
                self.founding.form(&self.hard.group, &self.group.list);
            }
        }
    }

    /// A group exists already. Only the directories that founded it belong to it.
    fn learn_roster(&mut self, from: NodeId, roster: Roster) {
        if roster.group != self.hard.group || roster.list != self.group.list {
            return self.event(Event::ForeignGroup { node: from });
        }
        self.founding.formed = None;
        self.founding.identity = None;
        if self.is_listed_in(&roster) {
            self.founding.identity = Some(roster.uuid());
            self.hard.roster = Some(roster);
            self.founded();
            self.store_hard_state();
        } else if !core::mem::replace(&mut self.founding.stranger, true) {
            self.push(Output::Event(Event::Stranger));
        }
    }

    pub(crate) fn founded(&mut self) {
        if let Some(uuid) = self.uuid() {
            self.event(Event::Founded(uuid));
        }
    }
}
