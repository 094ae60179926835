use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A node's number in its group, from 1; numbers are never reused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct NodeId(u16);

impl NodeId {
    /// The node with this number.
    #[must_use]
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// The node's number.
    #[must_use]
    pub const fn as_u16(self) -> u16 {
        self.0
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.0)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// What part a node plays in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NodeType {
    /// Holds data, votes, counts for commits, and may become master.
    Electable,
    /// Holds data and serves reads; it never votes, counts or leads.
    Secondary,
}

/// A node's state as its application sees it: `[Master | Replica | Unknown]+ Detached`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NodeState {
    /// The handle is closed.
    Detached,
    /// Not in contact with a master: looking for one, or deciding on one.
    Unknown,
    /// The group's master: it accepts writes.
    Master,
    /// Fed by the master.
    Replica,
}

impl fmt::Display for NodeState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Detached => "detached",
            Self::Unknown => "unknown",
            Self::Master => "master",
            Self::Replica => "replica",
        })
    }
}

/// One declared node of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its number: the rank of its name among the founders' names, from 1.
    pub id: NodeId,
    /// Its name, unique in the group.
    pub name: String,
    /// Where the others reach it: `host:port`, `ip:port` or `[ipv6]:port`.
    pub address: String,
    /// Its part in the group.
    pub node_type: NodeType,
    /// Which of two equally good logs leads: the higher priority does. At least 1.
    pub priority: u32,
}

/// Which sets of nodes decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum QuorumPolicy {
    /// More than half of the electable nodes, for elections and for commits.
    #[default]
    SimpleMajority,
    /// Stated sizes, in electable nodes; together they must exceed the number of electable nodes.
    Flexible {
        /// Nodes that an election needs.
        election: u16,
        /// Nodes that a commit needs.
        write: u16,
    },
}

/// Decides whether sets of nodes are quorums. Every election quorum meets every write quorum.
pub trait QuorumSystem {
    /// Whether `nodes` contains an election quorum.
    fn is_election_quorum(&self, nodes: &NodeSet) -> bool;
    /// Whether `nodes` contains a write quorum.
    fn is_write_quorum(&self, nodes: &NodeSet) -> bool;
}

/// A set of nodes, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeSet(Vec<NodeId>);

impl NodeSet {
    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a node; false if it was there.
    pub fn insert(&mut self, node: NodeId) -> bool {
        match self.0.binary_search(&node) {
            Ok(_) => false,
            Err(place) => {
                self.0.insert(place, node);
                true
            }
        }
    }

    /// Removes a node; false if it was not there.
    pub fn remove(&mut self, node: NodeId) -> bool {
        self.0.binary_search(&node).map(|place| self.0.remove(place)).is_ok()
    }

    /// Whether the node is in the set.
    #[must_use]
    pub fn contains(&self, node: NodeId) -> bool {
        self.0.binary_search(&node).is_ok()
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The nodes in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<NodeId> for NodeSet {
    fn from_iter<I: IntoIterator<Item = NodeId>>(nodes: I) -> Self {
        let mut set = Self::new();
        for node in nodes {
            set.insert(node);
        }
        set
    }
}

/// The declared nodes of a group, in name order, and how they decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberList {
    members: Vec<Member>,
    quorum: QuorumPolicy,
}

/// Why a list of members is no group.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MemberListError {
    /// There is no member.
    #[error("the member list is empty: declare at least this node")]
    Empty,
    /// There is no electable member.
    #[error("no member is electable: a group needs at least one electable node")]
    NoElectable,
    /// Two members have one name.
    #[error("two members are named {name:?}: give each node a name of its own")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A member has no name.
    #[error("a member has an empty name")]
    EmptyName,
    /// A member has priority 0.
    #[error("member {name:?} has priority 0: use 1 or more")]
    PriorityZero {
        /// The member's name.
        name: String,
    },
    /// There are more members than a group may have.
    #[error("{count} members are declared, the limit is {limit}")]
    TooMany {
        /// How many are declared.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
}

impl MemberList {
    /// How many members a group may have.
    pub const MEMBERS_MAX: usize = 128;

    /// Orders `members` by name and numbers them from 1 (whatever `id` they came with).
    ///
    /// # Errors
    /// [`MemberListError`] says what is wrong with the list.
    pub fn found(mut members: Vec<Member>, quorum: QuorumPolicy) -> Result<Self, MemberListError> {
        members.sort_by(|a, b| a.name.cmp(&b.name));
        for (member, number) in members.iter_mut().zip(1..) {
            member.id = NodeId::new(number);
        }
        Self::checked(members, quorum)
    }

    fn checked(members: Vec<Member>, quorum: QuorumPolicy) -> Result<Self, MemberListError> {
        if members.is_empty() {
            return Err(MemberListError::Empty);
        }
        if members.len() > Self::MEMBERS_MAX {
            return Err(MemberListError::TooMany { count: members.len(), limit: Self::MEMBERS_MAX });
        }
        for member in &members {
            if member.name.is_empty() {
                return Err(MemberListError::EmptyName);
            }
            if member.priority == 0 {
                return Err(MemberListError::PriorityZero { name: member.name.clone() });
            }
        }
        if let Some(pair) = members.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(MemberListError::DuplicateName { name: pair[0].name.clone() });
        }
        if members.iter().all(|member| member.node_type != NodeType::Electable) {
            return Err(MemberListError::NoElectable);
        }
        Ok(Self { members, quorum })
    }

    /// The members in name order.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// How the members decide.
    #[must_use]
    pub const fn quorum(&self) -> QuorumPolicy {
        self.quorum
    }

    /// The member with this number.
    #[must_use]
    pub fn member(&self, id: NodeId) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    /// The member with this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name == name)
    }

    /// The electable members' numbers.
    #[must_use]
    pub fn electable(&self) -> NodeSet {
        self.members
            .iter()
            .filter(|member| member.node_type == NodeType::Electable)
            .map(|member| member.id)
            .collect()
    }

    /// A hash of all that is declared, the same on two nodes whose lists agree.
    #[must_use]
    pub fn hash(&self) -> u64 {
        let mut hash = Fnv::new();
        self.mix_into(&mut hash);
        hash.finish() as u64
    }

    fn mix_into(&self, hash: &mut Fnv) {
        for member in &self.members {
            hash.write_number(u64::from(member.id.as_u16()));
            hash.write(member.name.as_bytes());
            hash.write(member.address.as_bytes());
            hash.write_number(member.node_type as u64);
            hash.write_number(u64::from(member.priority));
        }
        let (election, write) = match self.quorum {
            QuorumPolicy::SimpleMajority => (0, 0),
            QuorumPolicy::Flexible { election, write } => (election, write),
        };
        hash.write_number(u64::from(election));
        hash.write_number(u64::from(write));
    }
}

/// One life of a node's data directory: drawn at random when the directory is made.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Incarnation(pub u128);

impl fmt::Debug for Incarnation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A group's own identity: a hash of its founding roster, so that two foundings never share one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupUuid(pub u128);

impl fmt::Debug for GroupUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for GroupUuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A founding member and the life of its directory that founded the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterMember {
    /// The member's number.
    pub id: NodeId,
    /// The incarnation that counts. Any other under the same name is a stranger.
    pub incarnation: Incarnation,
}

/// What a group was founded as: its members and the incarnations that count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// The group's name.
    pub group: String,
    /// The declared members.
    pub list: MemberList,
    /// One incarnation a member, in the order of the members.
    pub incarnations: Vec<RosterMember>,
}

impl Roster {
    /// Whether this is the incarnation that counts under this number.
    #[must_use]
    pub fn counts(&self, id: NodeId, incarnation: Incarnation) -> bool {
        self.incarnations.iter().any(|listed| listed.id == id && listed.incarnation == incarnation)
    }

    /// The identity of the group that this roster founds.
    #[must_use]
    pub fn uuid(&self) -> GroupUuid {
        let mut hash = Fnv::new();
        hash.write(self.group.as_bytes());
        self.list.mix_into(&mut hash);
        for listed in &self.incarnations {
            hash.write_number(u64::from(listed.id.as_u16()));
            hash.write(&listed.incarnation.0.to_le_bytes());
        }
        GroupUuid(hash.finish())
    }
}

/// FNV-1a with 128 bits (Fowler, Noll, Vo): tells apart what honest nodes declare. Not against forgery.
#[derive(Clone, Debug)]
pub struct Fnv(u128);

impl Fnv {
    /// An empty hash.
    #[must_use]
    pub const fn new() -> Self {
        Self(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d)
    }

    /// Mixes in a field of any length; the length is mixed in too, so that fields cannot run together.
    pub fn write(&mut self, field: &[u8]) {
        self.write_number(field.len() as u64);
        self.mix(field);
    }

    /// Mixes in a number.
    pub fn write_number(&mut self, number: u64) {
        self.mix(&number.to_le_bytes());
    }

    fn mix(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    }

    /// The hash of all fields so far.
    #[must_use]
    pub const fn finish(&self) -> u128 {
        self.0
    }
}

impl Default for Fnv {
    fn default() -> Self {
        Self::new()
    }
}
