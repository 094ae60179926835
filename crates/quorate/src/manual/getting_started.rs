//! From one node to three.
//!
//! # One node
//!
//! A [`ReplicatedEnvironment`](crate::ReplicatedEnvironment) is one node: its log and its engine, in a
//! directory of its own. A configuration that names no members is a group of one, which leads itself.
//!
//! ```
//! use quorate::{RepConfig, RepTransportKind, ReplicatedEnvironment};
//!
//! # let directory = tempfile::tempdir()?;
//! let config = RepConfig::builder("shop", "node1", "localhost")
//!     .data_dir(directory.path().join("node1"))
//!     .transport(RepTransportKind::InMemory) // no port is listened at
//!     .build();
//! let env = ReplicatedEnvironment::new(config)?;
//!
//! let orders = env.database::<u64, String>("orders")?;
//! orders.put(&42, &"three apples".into()).wait()?;
//! assert_eq!(orders.get(&42, None)?.as_deref(), Some("three apples"));
//! env.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Keys are numbers, texts, bytes and tuples of them ([`Key`](crate::Key)), stored in their order; values are
//! whatever serde can write. [`bytes`](crate::Environment::bytes) opens a database of raw keys and values.
//!
//! # Three nodes
//!
//! Every node declares the same members, itself included. The first start of all of them founds the group:
//! a node without data takes part in no election until it has heard from every declared member. After that
//! any majority is enough.
//!
//! ```no_run
//! use quorate::{RepConfig, ReplicatedEnvironment};
//!
//! let name = std::env::args().nth(1).ok_or("which node?")?;
//! let config = RepConfig::builder("shop", name, "localhost")
//!     .member("node1", "localhost:14001")
//!     .member("node2", "localhost:14002")
//!     .member("node3", "localhost:14003")
//!     .build();
//! let env = ReplicatedEnvironment::new(config)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It returns as soon as the node runs. [`wait_for_master`](crate::Environment::wait_for_master) waits for an
//! election. Writes can be begun at any node: a replica passes them on to the master.
//!
//! # The handle survives
//!
//! No change of master, and no lost one, invalidates the handle: what cannot be done at the moment is a typed
//! error of that one call. Listeners ([`StateChangeListener`](crate::StateChangeListener)) hear of every
//! change. [`close`](crate::Environment::close) ends the node in order; dropping the handle does, too.
//!
//! # Several groups in one process
//!
//! They can share one port: bind a [`Listener`](crate::Listener), and open each group's node
//! [on](crate::ReplicatedEnvironment::on) it.
//!
//! ```
//! use quorate::{Listener, ListenerConfig, RepConfig, ReplicatedEnvironment};
//!
//! # let directory = tempfile::tempdir()?;
//! let listener = Listener::bind(&ListenerConfig::new("127.0.0.1:0"))?;
//! let open = |group: &str| {
//!     let config = RepConfig::builder(group, "node1", "127.0.0.1").data_dir(directory.path().join(group));
//!     ReplicatedEnvironment::on(config.build(), &listener)
//! };
//! let (orders, invoices) = (open("orders")?, open("invoices")?);
//! orders.close()?; // the other goes on
//! # invoices.close()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
