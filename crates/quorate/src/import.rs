//! The stores that an application has already, for [`Environment::import`](crate::Environment::import).
//!
//! Every keyspace of a fjall directory, and a table of a redb file whose keys are numbers, the one as it is
//! and the other with keys that sort as the numbers do:
//!
//! ```no_run
//! use quorate::import::{fjall_keyspaces, redb, redb_table};
//! use quorate::{ImportOptions, ReplicatedEnvironment};
//! use std::path::Path;
//!
//! # #[derive(serde::Serialize, serde::Deserialize)]
//! # struct Order(String);
//! fn adopt(env: &ReplicatedEnvironment) -> Result<(), Box<dyn std::error::Error>> {
//!     let source = fjall_keyspaces(Path::new("data/old"))?;
//!     for name in source.names() {
//!         env.import(&env.bytes(&name)?, source.rows(&name)?, ImportOptions::default(), |_| {})?;
//!     }
//!
//!     let definition = redb::TableDefinition::<u64, &str>::new("orders");
//!     let table = redb_table(Path::new("data/old.redb"), definition)?;
//!     let orders = env.database::<u64, Order>("orders")?;
//!     let rows = table.map(|number, text| orders.encode_row(&number, &Order(text.to_owned())))?;
//!     let imported = env.import(orders.bytes(), rows, ImportOptions::default(), |so_far| {
//!         println!("{} rows", so_far.rows);
//!     })?;
//!     println!("{} rows in all", imported.rows);
//!     Ok(())
//! }
//! ```

pub use quorate_engine::import::*;
