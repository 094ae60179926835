//! Channels between the nodes of a group: in memory and over TCP.

