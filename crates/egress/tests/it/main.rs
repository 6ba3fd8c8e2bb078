//! The clients against real listeners: what gets through, and what never opens a connection.

mod guard;
mod operator;
mod receiver;
mod tls;
