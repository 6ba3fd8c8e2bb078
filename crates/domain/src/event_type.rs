//! The kinds of events, by the names that clients know.

crate::word_enum! {
    /// The kind of an event.
    pub enum EventType {
        CallStarted = "call.started",
        CallCompleted = "call.completed",
        CallFailed = "call.failed",
        CallUpdated = "call.updated",
        LeadCreated = "lead.created",
        LeadUpdated = "lead.updated",
        AgentUpdated = "agent.updated",
        TranscriptReady = "transcript.ready",
        VoicemailReceived = "voicemail.received",
        SmsReceived = "sms.received",
        SmsSent = "sms.sent",
        SmsFailed = "sms.failed",
        CommunicationRunCreated = "communication_run.created",
        CommunicationRunCompleted = "communication_run.completed",
        CommunicationRunPaused = "communication_run.paused",
        CommunicationRunCanceled = "communication_run.canceled",
        WebhookDisabled = "webhook.disabled",
        WebhookTest = "webhook.test",
    }
}

impl EventType {
    /// True for the two events that end a call; each call has exactly one of them.
    pub fn ends_a_call(self) -> bool {
        matches!(self, Self::CallCompleted | Self::CallFailed)
    }

    /// The kinds that a subscription can name. A test goes to the subscription that is tested and to no other.
    pub fn subscribable() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|&kind| kind != Self::WebhookTest)
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
