//! What Vapi's `endedReason` means. It is an open list of some six hundred words, so it is read by families; the word itself is
//! kept with the call.

use domain::call::FailureCode;

/// What became of a call, by its reason alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A conversation, or a machine, if there is any sign of an answer.
    Talked,
    /// Nobody was reached, whatever else the report says.
    NotReached(FailureCode),
    /// Something broke: before the answer the call failed, after it the conversation counts.
    Broke(FailureCode),
}

const TALKED: &[&str] = &[
    "customer-ended-call",
    "customer-ended-call-before-warm-transfer",
    "customer-ended-call-after-warm-transfer-attempt",
    "customer-ended-call-during-transfer",
    "assistant-ended-call",
    "assistant-ended-call-after-message-spoken",
    "assistant-ended-call-with-hangup-task",
    "assistant-said-end-call-phrase",
    "assistant-said-message-with-end-call-enabled",
    "assistant-forwarded-call",
    "assistant-request-returned-forwarding-phone-number",
    "silence-timed-out",
    "exceeded-max-duration",
    "call.in-progress.twilio-completed-call",
    "call.in-progress.sip-completed-call",
    "vonage-completed",
    "call.ringing.hook-executed-say",
    "call.ringing.hook-executed-transfer",
    "call.ending.hook-executed-say",
    "call.ending.hook-executed-transfer",
    "call.forwarding.operator-busy",
    "call.forwarding.no-answer",
    // The machine answered; the public API counts that as a completed call.
    "voicemail",
];

/// Reads a reason in any case; the first rule that fits counts.
pub fn verdict(reason: &str) -> Verdict {
    use FailureCode::{
        AgentError, Busy, Canceled, CarrierError, Declined, InternalError, InvalidNumber, NoAnswer,
    };
    use Verdict::{Broke, NotReached, Talked};
    let reason = reason.trim().to_ascii_lowercase();
    let is = |word: &str| reason == word;
    let has = |part: &str| reason.contains(part);
    let begins = |part: &str| reason.starts_with(part);
    if TALKED.contains(&reason.as_str()) {
        return Talked;
    }
    if is("customer-did-not-answer") || has("outbound-sip-408-") || has("outbound-sip-480-") {
        return NotReached(NoAnswer);
    }
    if is("customer-busy") {
        return NotReached(Busy);
    }
    if is("vonage-rejected") || has("outbound-sip-403-") || is("call.start.error-fraud-check-failed") {
        return NotReached(Declined);
    }
    if is("twilio-reported-customer-misdialed") || is("call.start.error-vapi-number-international") {
        return NotReached(InvalidNumber);
    }
    if [
        "manually-canceled",
        "scheduled-call-deleted",
        "call-deleted",
        "call.ringing.sip-inbound-caller-hungup-before-call-connect",
    ]
    .contains(&reason.as_str())
    {
        return Broke(Canceled);
    }
    if begins("call.start.error-subscription-")
        || begins("call.start.error-vapifault-")
        || is("call.start.error-vapi-number-outbound-daily-limit")
        || ["license-check-failed", "db-error", "database-error", "no-server-available"]
            .contains(&reason.as_str())
    {
        return NotReached(CarrierError);
    }
    if ["call.start.", "call-start-error-", "assistant-not-", "assistant-request-", "assistant-error"]
        .iter()
        .any(|part| begins(part))
    {
        return NotReached(AgentError);
    }
    if has("transfer")
        || ["transport", "worker", "chat-pipeline", "assistant-join-timed-out", "sip"]
            .iter()
            .any(|part| has(part))
        || ["vapifault-", "twilio-", "vonage-", "phone-call-provider-"].iter().any(|part| begins(part))
        || has("did-not-receive-customer-audio")
        || has("microphone-permission")
    {
        return Broke(CarrierError);
    }
    if begins("pipeline-") || begins("call.in-progress.error-") {
        return Broke(AgentError);
    }
    Broke(InternalError)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_reasons_read_as_they_are_meant() {
        use FailureCode::{AgentError, Busy, CarrierError, Declined, InternalError, InvalidNumber, NoAnswer};
        for (reason, expected) in [
            ("customer-ended-call", Verdict::Talked),
            (" Customer-Ended-Call ", Verdict::Talked),
            ("voicemail", Verdict::Talked),
            ("assistant-request-returned-forwarding-phone-number", Verdict::Talked),
            ("customer-did-not-answer", Verdict::NotReached(NoAnswer)),
            ("customer-busy", Verdict::NotReached(Busy)),
            (
                "call.in-progress.error-providerfault-outbound-sip-403-forbidden",
                Verdict::NotReached(Declined),
            ),
            (
                "call.in-progress.error-providerfault-outbound-sip-503-service-unavailable",
                Verdict::Broke(CarrierError),
            ),
            ("twilio-reported-customer-misdialed", Verdict::NotReached(InvalidNumber)),
            ("call.start.error-subscription-insufficient-credits", Verdict::NotReached(CarrierError)),
            ("call.start.error-get-assistant", Verdict::NotReached(AgentError)),
            ("assistant-not-found", Verdict::NotReached(AgentError)),
            ("pipeline-error-openai-llm-failed", Verdict::Broke(AgentError)),
            ("call.in-progress.error-vapifault-eleven-labs-voice-not-found", Verdict::Broke(AgentError)),
            ("call.in-progress.error-vapifault-worker-died", Verdict::Broke(CarrierError)),
            ("error-from-the-future", Verdict::Broke(InternalError)),
            ("", Verdict::Broke(InternalError)),
        ] {
            assert_eq!(verdict(reason), expected, "{reason}");
        }
    }
}
