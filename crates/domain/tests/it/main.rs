//! Tests of rules on facts that others made.

mod phone;
