//! Replication and high availability for embedded storage engines.

