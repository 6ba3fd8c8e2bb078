//! The built-in receptionist: a dialogue policy that holds up the agent's side of a call without any model.
//!
//! It fills slots (reason, name, a way to be reached, a time to be called), takes them in whatever order and number they come, asks for each
//! at most twice, takes no for an answer, answers what its instructions answer, reads back what it noted, and always comes to a goodbye.
//! Its whole state is the chat: the same chat gets the same reply. [`notes`] reads the chat, [`turn`] one turn of it, [`policy`] decides, [`sentences`] has the
//! words of every language.

mod aloud;
mod knowledge;
mod notes;
mod policy;
mod sentences;
mod turn;
mod wishes;

use async_trait::async_trait;
use domain::agent::Model;
use futures_util::stream;
use serde_json::json;
use speech::{Chat, Delta, DeltaStream, FinishReason, LanguageModel, SpeechError, ToolCall};

use notes::Notes;
use policy::Reply;

/// The built-in dialogue policy.
#[derive(Debug, Clone, Copy, Default)]
pub struct Receptionist;

#[async_trait]
impl LanguageModel for Receptionist {
    fn name(&self) -> &'static str {
        "receptionist"
    }

    fn lacks(&self, model: &Model) -> Option<String> {
        let provider: String = model.provider.chars().take(60).collect();
        (provider != "receptionist").then(|| {
            format!("no language model is configured here for `{provider}`; the built-in receptionist answers instead")
        })
    }

    async fn reply(&self, chat: Chat) -> Result<DeltaStream, SpeechError> {
        let Reply { text, ends, puts_through } = policy::reply(&Notes::read(&chat));
        let mut deltas = vec![Ok(Delta::Text(text))];
        let tool = match () {
            () if puts_through => Some("transfer_call"),
            () if ends => Some("end_call"),
            () => None,
        };
        if let Some(name) = tool {
            let call = ToolCall { id: "last".to_owned(), name: name.to_owned(), arguments: json!({}) };
            deltas.push(Ok(Delta::ToolCall(call)));
        }
        let reason = if tool.is_some() { FinishReason::ToolCalls } else { FinishReason::Stop };
        deltas.push(Ok(Delta::Finished(reason)));
        Ok(Box::pin(stream::iter(deltas)))
    }
}

#[cfg(test)]
mod tests;
