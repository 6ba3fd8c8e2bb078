//! Where Vapi's server messages arrive.
//!
//! What is answered with 200 is on stable storage, or is nothing that we keep. What could not be stored is answered with 503, and
//! Vapi sends it again. A caller who waits for an answer never hears one of our errors.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::engine::{CallDesk, IncomingCall, Taken};
use domain::{Clock, E164};
use http::HeaderMap;
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;

use crate::call;
use crate::engine::VapiEngine;
use crate::message::{Message, ToolCall};
use crate::numbers::Numbers;
use crate::verify::Verifier;

/// How long the question who answers a call may take. Vapi hangs up after 7.5 s end to end.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);

/// What somebody hears who calls a number that nobody answers.
const NOBODY: &str = "Sorry, this number is not in service at the moment. Please try again later.";

/// What the model hears that wants to use a tool which nobody has here.
const NO_SUCH_TOOL: &str = "This tool is not available here.";

/// How messages from Vapi are told from those of others.
pub struct HookSettings {
    /// The last part of the address, which nobody can guess.
    pub token: String,
    /// How messages prove where they come from.
    pub verifier: Verifier,
}

/// The answer to a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    pub status: u16,
    pub body: Value,
}

impl Reply {
    fn new(status: u16, body: Value) -> Self {
        Self { status, body }
    }

    fn fine() -> Self {
        Self::new(200, json!({}))
    }

    fn error(status: u16, message: &str) -> Self {
        Self::new(status, json!({ "error": message }))
    }
}

/// Takes the server messages of Vapi, stores them, and answers those that ask something.
pub struct Hook {
    desk: Arc<dyn CallDesk>,
    clock: Arc<dyn Clock>,
    numbers: Numbers,
    settings: HookSettings,
    /// Whom callers of a number last got, for when the database is slow.
    last_answers: Mutex<HashMap<E164, String>>,
}

impl Hook {
    /// A hook that delivers to a desk.
    pub fn new(
        engine: &VapiEngine,
        desk: Arc<dyn CallDesk>,
        clock: Arc<dyn Clock>,
        settings: HookSettings,
    ) -> Self {
        Self { desk, clock, numbers: engine.known_numbers(), settings, last_answers: Mutex::default() }
    }

    /// True if this is the last part of our address.
    pub fn is_here(&self, token: &str) -> bool {
        token.as_bytes().ct_eq(self.settings.token.as_bytes()).into()
    }

    /// Takes one delivery. What does not prove itself is refused without being looked at.
    pub async fn receive(&self, token: &str, headers: &HeaderMap, body: &[u8]) -> Reply {
        if !self.is_here(token) {
            return Reply::error(404, "there is nothing here");
        }
        #[expect(clippy::disallowed_methods, reason = "how long an answer took is measured, not decided by")]
        let began = tokio::time::Instant::now();
        let reply = self.answer(headers, body).await;
        let result = match reply.status {
            200..=299 => "taken",
            400..=499 => "refused",
            _ => "failed",
        };
        meters::ENGINE_MESSAGES.with([crate::names::NAME, result]).increment(1);
        meters::ENGINE_MESSAGE_SECONDS.with([crate::names::NAME]).record(began.elapsed());
        reply
    }

    async fn answer(&self, headers: &HeaderMap, body: &[u8]) -> Reply {
        let now = self.clock.now();
        if !self.settings.verifier.accepts(headers, body, now) {
            tracing::warn!("a message came to the webhook of Vapi without proof of where it comes from");
            return Reply::error(401, "the message does not prove where it comes from");
        }
        let Some(message) = Message::read(body) else {
            return Reply::error(400, "expected an object with a `message` that has a `type`");
        };
        if message.is_chatter() {
            return Reply::fine();
        }
        if message.kind() == "assistant-request" {
            return Reply::new(200, self.answer_incoming(&message).await);
        }
        if message.needs_a_call() && message.conversation().is_none() {
            return Reply::error(
                400,
                "expected `message.call.id`, the id of the call that the message is about",
            );
        }
        match self.keep(&message).await {
            Ok(taken) => self.reply(&message, taken).await,
            Err(reply) => reply,
        }
    }

    /// Stores the message before it is answered, so that nothing that was acknowledged is lost.
    async fn keep(&self, message: &Message) -> Result<Taken, Reply> {
        let now = self.clock.now();
        let incoming = message.incoming(now, |id| self.number_of(id));
        let Some(kept) = message.kept(now, incoming) else { return Ok(Taken::Unknown) };
        let kind = kept.kind.clone();
        self.desk.take(kept).await.map_err(|error| {
            tracing::warn!(%error, kind, "a message of Vapi could not be stored; it will come again");
            Reply::error(503, "the message could not be stored; send it again")
        })
    }

    /// What Vapi waits to hear, if it does.
    async fn reply(&self, message: &Message, taken: Taken) -> Reply {
        let body = match message.kind() {
            "tool-calls" => {
                let refused = |call: ToolCall| json!({ "name": call.name, "toolCallId": call.id, "error": NO_SUCH_TOOL });
                json!({ "results": message.tool_calls().into_iter().map(refused).collect::<Vec<_>>() })
            }
            "function-call" => json!({ "result": NO_SUCH_TOOL }),
            "transfer-destination-request" => match self.transfer(message, taken).await {
                Some(number) => json!({ "destination": { "type": "number", "number": number.as_str() } }),
                None => json!({ "error": "There is nobody to pass the caller on to." }),
            },
            "handoff-destination-request" => json!({ "error": "There is nobody to hand over to." }),
            "knowledge-base-request" => json!({ "documents": [] }),
            _ => json!({}),
        };
        Reply::new(200, body)
    }

    async fn transfer(&self, message: &Message, taken: Taken) -> Option<E164> {
        if taken == Taken::Unknown {
            return None;
        }
        let conversation = message.conversation()?;
        let asked = self.desk.transfer_to(crate::names::NAME, conversation, message.call_id());
        match tokio::time::timeout(ANSWER_LIMIT, asked).await {
            Ok(Ok(number)) => number,
            _ => None,
        }
    }

    fn number_of(&self, id: &str) -> Option<E164> {
        self.numbers.remembered().into_iter().find(|held| held.id == id).map(|held| held.number)
    }

    /// Who answers. Whatever goes wrong, the caller hears a sentence and not an error.
    async fn answer_incoming(&self, message: &Message) -> Value {
        let now = self.clock.now();
        let Some(incoming) = message.incoming(now, |id| self.number_of(id)) else {
            return json!({ "error": NOBODY });
        };
        let to = incoming.to.clone();
        match tokio::time::timeout(ANSWER_LIMIT, self.found(incoming)).await {
            Ok(Ok(Some((assistant, answer)))) => {
                let mut answers = self.last_answers.lock().unwrap_or_else(PoisonError::into_inner);
                answers.insert(to, assistant);
                answer
            }
            Ok(Ok(None)) => json!({ "error": NOBODY }),
            Ok(Err(())) | Err(_) => self.last_answer(&to),
        }
    }

    /// Without the database: the same agent as last time, without what is known of the caller.
    fn last_answer(&self, to: &E164) -> Value {
        tracing::warn!("an incoming call is answered without the database");
        let answers = self.last_answers.lock().unwrap_or_else(PoisonError::into_inner);
        match answers.get(to) {
            Some(assistant) => json!({ "assistantId": assistant }),
            None => json!({ "error": NOBODY }),
        }
    }

    async fn found(&self, incoming: IncomingCall) -> Result<Option<(String, Value)>, ()> {
        let plan = self.desk.incoming(incoming).await.map_err(|error| {
            tracing::warn!(%error, "the database did not say who answers an incoming call");
        })?;
        let Some(plan) = plan else { return Ok(None) };
        let Some(assistant) = plan.external_agent_id.clone() else {
            tracing::warn!(agent = %plan.agent_id, "an agent that answers a number has no assistant yet");
            return Err(());
        };
        let answer = call::answer(&plan, &assistant).map_err(|refusal| {
            tracing::warn!(agent = %plan.agent_id, %refusal, "an agent cannot answer");
        })?;
        Ok(Some((assistant, answer)))
    }
}
