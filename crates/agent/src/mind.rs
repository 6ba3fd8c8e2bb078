//! Asking the language model for one reply, as a stream of facts for the conversation.

use std::sync::Arc;

use conversation::{Input, ReplyEnd, ReplyId, takes_leave};
use domain::agent::Model;
use domain::call::CallPlan;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use speech::{Chat, ChatMessage, Delta, DeltaStream, LanguageModel, Role, SpeechError, ToolCall, ToolSpec};
use understanding::Language;

use crate::{languages, opt_out, tools};

/// The longest answer, in tokens.
const MAX_TOKENS: u32 = 400;

/// One reply as it comes: any number of [`Input::ReplyText`], then one [`Input::ReplyFinished`]. Dropping it cancels the request.
pub type Reply = BoxStream<'static, Input>;

/// The agent's mind in one call.
pub struct Mind {
    language_model: Arc<dyn LanguageModel>,
    model: Model,
    facts: Vec<(String, String)>,
    tools: Vec<ToolSpec>,
}

impl Mind {
    /// The mind of the agent that a plan describes.
    pub fn new(language_model: Arc<dyn LanguageModel>, plan: &CallPlan) -> Self {
        let mut facts: Vec<(String, String)> =
            plan.variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        facts.extend(plan.context.clone().map(|context| ("context".to_owned(), context)));
        facts.push(("direction".to_owned(), plan.direction.as_str().to_owned()));
        let languages: Vec<&str> = languages::of(plan).into_iter().map(Language::tag).collect();
        facts.push(("languages".to_owned(), languages.join(", ")));
        facts.push(("recorded".to_owned(), if plan.is_recorded { "yes" } else { "no" }.to_owned()));
        Self { language_model, model: plan.agent.model.clone(), facts, tools: tools::offered(plan) }
    }

    /// Answers a [`conversation::Output::StartReply`]: the reply is a stream of inputs for the conversation.
    pub fn reply(&self, id: ReplyId, history: Vec<ChatMessage>) -> Reply {
        if let Some((words, end)) = opt_out::reply(&history) {
            let text = Input::ReplyText { reply: id, text: words.to_owned() };
            return stream::iter([text, Input::ReplyFinished { reply: id, end }]).boxed();
        }
        let heard = history.iter().rfind(|message| message.role == Role::User);
        let caller_leaves = heard.is_some_and(|message| takes_leave(&message.content));
        let chat = Chat {
            model: self.model.clone(),
            messages: history,
            tools: self.tools.clone(),
            json_schema: None,
            max_tokens: MAX_TOKENS,
            facts: self.facts.clone(),
        };
        let answer = Answer {
            language_model: Arc::clone(&self.language_model),
            source: Source::Unasked(Box::new(chat)),
            said: String::new(),
            calls: Vec::new(),
            tools: self.tools.clone(),
            caller_leaves,
        };
        stream::unfold(answer, move |answer| answer.go_on(id)).boxed()
    }
}

impl std::fmt::Debug for Mind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.language_model.name();
        f.debug_struct("Mind")
            .field("language_model", &name)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// An answer of the model while it comes in.
struct Answer {
    language_model: Arc<dyn LanguageModel>,
    source: Source,
    /// All words so far.
    said: String,
    /// All tools called so far.
    calls: Vec<ToolCall>,
    /// All tools that it was offered.
    tools: Vec<ToolSpec>,
    /// The caller has just said goodbye.
    caller_leaves: bool,
}

enum Source {
    Unasked(Box<Chat>),
    Streaming(DeltaStream),
    Over,
}

impl Answer {
    /// The next fact and what is left of the answer, or nothing after its end.
    async fn go_on(mut self, reply: ReplyId) -> Option<(Input, Self)> {
        if matches!(self.source, Source::Over) {
            return None;
        }
        let end = match self.words().await {
            Ok(Some(text)) => {
                self.said.push_str(&text);
                return Some((Input::ReplyText { reply, text }, self));
            }
            Ok(None) => match tools::carry_out(&self.said, std::mem::take(&mut self.calls), &self.tools) {
                // Some models know no tools, and others forget this one: they would say goodbye again and again.
                ReplyEnd::Complete if self.caller_leaves && takes_leave(&self.said) => ReplyEnd::EndCall,
                end => end,
            },
            Err(error) => {
                tracing::warn!(model = self.language_model.name(), %error, "the language model failed");
                ReplyEnd::Failed
            }
        };
        self.source = Source::Over;
        Some((Input::ReplyFinished { reply, end }, self))
    }

    /// The next words, or `None` when the answer is complete. Notes the tools that are called between them.
    async fn words(&mut self) -> Result<Option<String>, SpeechError> {
        let mut deltas = match std::mem::replace(&mut self.source, Source::Over) {
            Source::Unasked(chat) => ask(&*self.language_model, *chat).await?,
            Source::Streaming(deltas) => deltas,
            Source::Over => return Ok(None),
        };
        while let Some(delta) = deltas.next().await {
            match delta? {
                Delta::Text(text) => {
                    self.source = Source::Streaming(deltas);
                    return Ok(Some(text));
                }
                Delta::ToolCall(call) => self.calls.push(call),
                Delta::Finished(_) => break,
            }
        }
        Ok(None)
    }
}

/// Asks the agent's model and, if it refuses or cannot be asked, its fallbacks one after the other. The first error counts.
async fn ask(language_model: &dyn LanguageModel, chat: Chat) -> Result<DeltaStream, SpeechError> {
    let fallbacks = chat.model.fallbacks();
    let first = match language_model.reply(chat.clone()).await {
        Ok(deltas) => return Ok(deltas),
        Err(error) => error,
    };
    for model in fallbacks {
        tracing::warn!(error = %first, fallback = model.model, "the agent's language model failed; asking another");
        if let Ok(deltas) = language_model.reply(Chat { model, ..chat.clone() }).await {
            return Ok(deltas);
        }
    }
    Err(first)
}
