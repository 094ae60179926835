//! The quorate program: a node that serves gRPC, and a demonstration of failover.

