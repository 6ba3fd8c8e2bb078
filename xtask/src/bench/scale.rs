//! How much load, and for how long.

use std::time::Duration;

/// How long each load lasts.
pub const LOAD: Duration = Duration::from_secs(3);

/// How many connections send requests at once.
pub const CONNECTIONS: u32 = 64;

/// Connections to PostgreSQL that the server uses by default.
pub const POOL: u32 = 16;
