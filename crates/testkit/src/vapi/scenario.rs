//! What happens in an emulated call, and when.

use serde_json::{Value, json};

/// How a call goes.
#[derive(Debug, Clone)]
pub(super) struct Script {
    pub(super) path: Path,
    pub(super) turns: Vec<Turn>,
    pub(super) reason: String,
    /// What the analysis finds; `None` if there is none.
    pub(super) analysis: Option<Value>,
    /// Whether recording and transcript are kept.
    pub(super) artifacts: bool,
    /// How long the analysis takes, in ms.
    pub(super) analysis_ms: i64,
}

/// Whether anybody is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Path {
    Answered,
    /// It is never dialled.
    NotStarted,
    /// It rings, and this is how long until it is over without an answer.
    NotReached(i64),
}

/// Something in a conversation.
#[derive(Debug, Clone)]
pub(super) enum Turn {
    Agent(&'static str),
    Caller(&'static str),
    /// The model uses tools; so many at once.
    Tool(usize),
    /// The model asks whom to pass the caller on to.
    AskForDestination,
    /// The caller is passed on.
    Forward,
    /// Nothing is said for so long, in ms.
    Silence(i64),
}

pub(super) const START_CHECK: i64 = 300;
pub(super) const DIALLED: i64 = 800;
pub(super) const ANSWERED: i64 = 4000;
pub(super) const TURN: i64 = 2500;
pub(super) const FORWARDED: i64 = 1500;
pub(super) const RECORDED: i64 = 2500;
pub(super) const SETTLED: i64 = 5000;
pub(super) const RING_LIMIT: i64 = 30_000;

/// The scenario of this name.
pub(super) fn script(name: &str) -> Option<Script> {
    let talk = vec![
        Turn::Agent("Good morning, this is the office. How can I help you?"),
        Turn::Caller("Hello, my name is Maria Lopez. I need an appointment for a consultation."),
        Turn::Agent("Of course. What is your e-mail address?"),
        Turn::Caller("It is maria.lopez@example.com. Thank you, goodbye."),
    ];
    let talked = |reason: &str| Script {
        path: Path::Answered,
        turns: talk.clone(),
        reason: reason.to_owned(),
        analysis: Some(findings()),
        artifacts: true,
        analysis_ms: 1000,
    };
    let not_reached = |reason: &str, ms: i64| Script {
        path: Path::NotReached(ms),
        turns: Vec::new(),
        reason: reason.to_owned(),
        analysis: None,
        artifacts: false,
        analysis_ms: 0,
    };
    let not_started = |reason: &str| Script { path: Path::NotStarted, ..not_reached(reason, 0) };
    let with = |reason: &str, more: &[Turn]| {
        let mut script = talked(reason);
        script.turns.extend_from_slice(more);
        script
    };
    let sip = |status: &str| format!("call.in-progress.error-providerfault-outbound-sip-{status}");
    Some(match name {
        "happy" => talked("customer-ended-call"),
        "assistant-ends" => talked("assistant-ended-call"),
        "end-phrase" => talked("assistant-said-end-call-phrase"),
        "silence" => with("silence-timed-out", &[Turn::Silence(30_000)]),
        "max-duration" => with("exceeded-max-duration", &[Turn::Silence(600_000)]),
        "endless" => with("customer-ended-call", &[Turn::Silence(1_000_000_000)]),
        "no-answer" => not_reached("customer-did-not-answer", RING_LIMIT),
        "busy" => not_reached("customer-busy", 2500),
        "rejected" => not_reached("vonage-rejected", 1500),
        "misdialed" => not_reached("twilio-reported-customer-misdialed", 1500),
        "sip-403" => not_reached(&sip("403-forbidden"), 1500),
        "sip-408" => not_reached(&sip("408-request-timeout"), 1500),
        "sip-480" => not_reached(&sip("480-temporarily-unavailable"), 1500),
        "sip-503" => not_reached(&sip("503-service-unavailable"), 1500),
        "voicemail-hangup" => Script { turns: Vec::new(), analysis: None, ..talked("voicemail") },
        "voicemail-message" => Script {
            turns: vec![
                Turn::Caller("You have reached the mailbox of Maria."),
                Turn::Agent("Please call us back."),
            ],
            analysis: None,
            ..talked("voicemail")
        },
        "voicemail-undetected" => Script {
            turns: vec![Turn::Agent("Good morning, this is the office."), Turn::Silence(30_000)],
            ..talked("silence-timed-out")
        },
        "start-credits" => not_started("call.start.error-subscription-insufficient-credits"),
        "start-concurrency" => not_started("call.start.error-subscription-concurrency-limit-reached"),
        "start-number-limit" => not_started("call.start.error-vapi-number-outbound-daily-limit"),
        "start-assistant-missing" => not_started("call.start.error-get-assistant"),
        "tts-voice-not-found" => Script {
            turns: Vec::new(),
            analysis: None,
            ..talked("call.in-progress.error-vapifault-eleven-labs-voice-not-found")
        },
        "llm-error-midcall" => talked("call.in-progress.error-providerfault-openai-llm-failed"),
        "stt-error" => talked("call.in-progress.error-vapifault-deepgram-transcriber-failed"),
        "carrier-drop" => talked("phone-call-provider-closed-websocket"),
        "worker-died" => talked("call.in-progress.error-vapifault-worker-died"),
        "transfer-blind" => with("assistant-forwarded-call", &[Turn::Forward]),
        "transfer-warm-noanswer" => with("call.forwarding.no-answer", &[Turn::Forward]),
        "transfer-dynamic" => with("assistant-forwarded-call", &[Turn::AskForDestination, Turn::Forward]),
        "transfer-error" => with("call.in-progress.error-transfer-failed", &[Turn::Forward]),
        "tool-ok" | "tool-slow" => with("customer-ended-call", &[Turn::Tool(1)]),
        "tool-parallel" => with("customer-ended-call", &[Turn::Tool(3)]),
        "unknown-reason" => talked("call.in-progress.error-from-the-future"),
        "no-consent" | "zero-retention" => Script { artifacts: false, ..talked("customer-ended-call") },
        "short-call" => Script {
            turns: vec![Turn::Agent("Good morning.")],
            analysis: None,
            ..talked("customer-ended-call")
        },
        _ => return None,
    })
}

fn findings() -> Value {
    json!({
        "summary": "Maria Lopez asked for a consultation appointment and left her e-mail address.",
        "structuredData": {
            "lead": { "name": "Maria Lopez", "email": "maria.lopez@example.com", "intent": "Consultation appointment" },
            "quality": { "professionalism": 92, "empathy": 85, "information_gathering": 90, "resolution": 88 },
        },
        "successEvaluation": "true",
    })
}
