//! Which way a call goes: the prompt and the plan of a call both depend on it.

crate::word_enum! {
    /// Which way a call goes.
    pub enum Direction {
        /// They called us.
        Inbound = "inbound",
        /// We called them.
        Outbound = "outbound",
    }
}
