//! What a business can be told about.

macro_rules! event_types {
    ($($variant:ident = $text:literal),* $(,)?) => {
        /// The kind of an event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum EventType { $(#[doc = concat!("`", $text, "`")] $variant,)* }

        impl EventType {
            /// Every kind.
            pub const ALL: &'static [EventType] = &[$(EventType::$variant),*];

            /// Its name on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(EventType::$variant => $text,)* }
            }
        }
    };
}

event_types! {
    CallStarted = "call.started",
    CallCompleted = "call.completed",
    CallFailed = "call.failed",
    LeadCreated = "lead.created",
    LeadUpdated = "lead.updated",
    AgentUpdated = "agent.updated",
}

impl EventType {
    /// Reads the wire name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == text)
    }

    /// True for the two events that end a call; each call has exactly one of them.
    pub fn ends_a_call(self) -> bool {
        matches!(self, Self::CallCompleted | Self::CallFailed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_reads_back_and_two_of_them_end_a_call() {
        for &kind in EventType::ALL {
            assert_eq!(EventType::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(EventType::parse("*"), None);
        assert_eq!(EventType::ALL.iter().filter(|kind| kind.ends_a_call()).count(), 2);
    }
}
