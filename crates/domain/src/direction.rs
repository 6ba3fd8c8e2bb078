//! Which way a call goes: the prompt and the plan of a call both depend on it.

crate::word_enum! {
    /// Which way a call goes.
    pub enum Direction {
        /// The other party called the business.
        Inbound = "inbound",
        /// The business called the other party.
        Outbound = "outbound",
    }
}
