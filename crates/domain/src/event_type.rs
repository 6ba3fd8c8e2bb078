//! The kinds of events, by the names that clients know.

crate::word_enum! {
    /// The kind of an event.
    pub enum EventType {
        /// `call.started`
        CallStarted = "call.started",
        /// `call.completed`
        CallCompleted = "call.completed",
        /// `call.failed`
        CallFailed = "call.failed",
        /// `call.updated`
        CallUpdated = "call.updated",
        /// `lead.created`
        LeadCreated = "lead.created",
        /// `lead.updated`
        LeadUpdated = "lead.updated",
        /// `agent.updated`
        AgentUpdated = "agent.updated",
        /// `transcript.ready`
        TranscriptReady = "transcript.ready",
        /// `voicemail.received`
        VoicemailReceived = "voicemail.received",
        /// `sms.received`
        SmsReceived = "sms.received",
        /// `sms.sent`
        SmsSent = "sms.sent",
        /// `sms.failed`
        SmsFailed = "sms.failed",
        /// `communication_run.created`
        CommunicationRunCreated = "communication_run.created",
        /// `communication_run.completed`
        CommunicationRunCompleted = "communication_run.completed",
        /// `communication_run.paused`
        CommunicationRunPaused = "communication_run.paused",
        /// `communication_run.canceled`
        CommunicationRunCanceled = "communication_run.canceled",
        /// `webhook.disabled`
        WebhookDisabled = "webhook.disabled",
        /// `webhook.test`
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
