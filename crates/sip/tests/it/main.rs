//! User agents that call each other, and foreign ones that call us and are called.

mod hostile;
mod pair;
mod sipp;
mod support;
mod tls;
