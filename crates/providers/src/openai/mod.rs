//! Any language model behind an OpenAI-compatible `/chat/completions` endpoint, streamed as server-sent events.
//!
//! Source of the shapes: the OpenAI API reference, "Chat Completions" and its streaming chunks. Nothing is asked twice, because whoever
//! waits on the phone is better served by an apology than by a second attempt; only a request that the endpoint would not even read is put
//! again in the endpoint's own [`dialect`]. Invariants: an error before the first piece comes from [`LanguageModel::reply`] itself, so that
//! nothing was said; an answer never takes longer or grows larger than its limits; dropping it closes the connection.

#![expect(
    clippy::disallowed_methods,
    reason = "somebody waits on the phone: deadlines follow the monotonic clock"
)]

mod address;
mod calls;
mod chunk;
mod dialect;
mod spoken;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use domain::agent::Model;
use egress::{OperatorClient, OperatorError, OperatorResponse, Timeouts};
use futures_util::{Stream, StreamExt as _, stream};
use serde_json::Value;
use speech::{Chat, ChatMessage, Delta, DeltaStream, FinishReason, LanguageModel, Role, SpeechError};

pub use address::base_url;

use crate::breaker::Breaker;
use crate::openai::chunk::{Chunks, End};
use crate::openai::dialect::{Beginning, Dialect};
use crate::openai::spoken::{Filter, Spoken};

/// The largest event of a stream.
const MAX_EVENT: usize = 256 * 1024;

/// The most bytes that one answer may have, with everything around its words.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// How often a request is put differently before the endpoint's refusal counts.
const MAX_LESSONS: usize = 4;

/// How many models' dialects are remembered.
const MAX_DIALECTS: usize = 256;

/// How much of a refusal is read.
const MAX_REFUSAL: usize = 4096;

/// Who asks for a pause is asked again after it if it is no longer than this: longer than that nobody waits on the phone.
const MAX_PAUSE: Duration = Duration::from_secs(3);

/// Where the model is and what it is called.
#[derive(Clone)]
pub struct OpenAiSettings {
    /// Up to and including `/v1`.
    pub base_url: String,
    /// Sent as a bearer token, if the endpoint wants one.
    pub api_key: Option<String>,
    /// Used whatever the agent asks for; `None`: the agent's own choice.
    pub model: Option<String>,
}

impl std::fmt::Debug for OpenAiSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenAiSettings")
            .field("base_url", &self.base_url)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// How long to wait for an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// From the request to the first piece of the answer.
    pub first_piece: Duration,
    /// From one piece of the answer to the next.
    pub between: Duration,
    /// From the request to the end of the answer.
    pub whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first_piece: Duration::from_secs(10),
            between: Duration::from_secs(10),
            whole: Duration::from_secs(30),
        }
    }
}

/// A client of one endpoint. Clones share connections and the breaker.
#[derive(Debug, Clone)]
pub struct OpenAi {
    settings: OpenAiSettings,
    patience: Patience,
    client: OperatorClient,
    breaker: Arc<Breaker>,
    /// What the endpoint's models have refused so far, by their names.
    dialects: Arc<Mutex<HashMap<String, Dialect>>>,
}

impl OpenAi {
    /// A client with the usual patience.
    pub fn new(settings: OpenAiSettings) -> Self {
        Self::with_patience(settings, Patience::default())
    }

    /// A client that waits this long.
    pub fn with_patience(settings: OpenAiSettings, patience: Patience) -> Self {
        let timeouts = Timeouts {
            connect: Duration::from_secs(3),
            idle: patience.first_piece.max(patience.between),
            total: None,
        };
        let client = OperatorClient::new(timeouts);
        Self { settings, patience, client, breaker: Arc::default(), dialects: Arc::default() }
    }

    /// The model that will be asked.
    pub(crate) fn model<'a>(&'a self, chosen: &'a str) -> &'a str {
        self.settings.model.as_deref().unwrap_or(chosen)
    }

    fn dialect(&self, model: &str) -> Dialect {
        let dialects = self.dialects.lock().unwrap_or_else(PoisonError::into_inner);
        dialects.get(model).copied().unwrap_or_default()
    }

    /// Remembers that the model's answers begin with thoughts.
    fn expect_thoughts(&self, model: &str) {
        let mut dialect = self.dialect(model);
        if std::mem::replace(&mut dialect.beginning, Beginning::Thoughts) == Beginning::Words {
            self.remember(model, dialect);
        }
    }

    fn remember(&self, model: &str, dialect: Dialect) {
        let mut dialects = self.dialects.lock().unwrap_or_else(PoisonError::into_inner);
        if dialects.len() < MAX_DIALECTS {
            dialects.insert(model.to_owned(), dialect);
        }
    }
}

impl OpenAi {
    /// Asks the endpoint for a word. Says what is wrong if it does not answer, and where it does if that is elsewhere.
    pub async fn check(&self) -> Result<(), String> {
        let base = &self.settings.base_url;
        let error = match self.ask_for_a_word().await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if matches!(error, SpeechError::Rejected(_) | SpeechError::Malformed(_)) && !base.ends_with("/v1") {
            let elsewhere = format!("{base}/v1");
            let settings = OpenAiSettings { base_url: elsewhere.clone(), ..self.settings.clone() };
            if Self::with_patience(settings, self.patience).ask_for_a_word().await.is_ok() {
                return Err(format!("{base} is not the endpoint, but {elsewhere} is: use that"));
            }
        }
        let model = self.model(&Model::default().model).to_owned();
        Err(match error {
            SpeechError::Auth => format!("{base} refuses the API key"),
            SpeechError::Rejected(why) => format!("{base} refuses a chat with the model `{model}` ({why})"),
            SpeechError::Malformed(why) => format!("{base} is no OpenAI-compatible endpoint ({why})"),
            SpeechError::Retry { reason, .. } => format!("{base} cannot be used now: {reason}"),
        })
    }

    async fn ask_for_a_word(&self) -> Result<(), SpeechError> {
        let chat = Chat {
            model: Model::default(),
            messages: vec![ChatMessage::text(Role::User, "Answer with the word yes.")],
            tools: Vec::new(),
            json_schema: None,
            max_tokens: 16,
            facts: Vec::new(),
        };
        let mut answer = self.reply(chat).await?;
        while let Some(delta) = answer.next().await {
            delta?;
        }
        Ok(())
    }
}

#[async_trait]
impl LanguageModel for OpenAi {
    fn name(&self) -> &'static str {
        "openai-compatible"
    }

    async fn reply(&self, chat: Chat) -> Result<DeltaStream, SpeechError> {
        let began = Instant::now();
        self.breaker.admit(began).map_err(|wait| {
            meters::MODEL_REQUESTS.with(["left-alone"]).increment(1);
            SpeechError::Retry { after: Some(wait), reason: "left alone after repeated failures".to_owned() }
        })?;
        let opening = tokio::time::timeout(self.patience.first_piece, self.open(&chat));
        let opened = opening.await.unwrap_or_else(|_| Err(too_late()));
        note(&self.breaker, opened.as_ref().err());
        meters::MODEL_REQUESTS.with([word(opened.as_ref().err())]).increment(1);
        if opened.is_ok() {
            meters::MODEL_FIRST_PIECE_SECONDS.with([]).record(began.elapsed());
        }
        let (first, reading) = opened?;
        let watch = Watch {
            breaker: Arc::clone(&self.breaker),
            between: self.patience.between,
            end: (began + self.patience.whole).into(),
        };
        let (me, model) = (self.clone(), self.model(&chat.model.model).to_owned());
        let rest = stream::unfold((reading, watch), move |(mut reading, watch)| {
            let (me, model) = (me.clone(), model.clone());
            async move {
                let delta = watch.over(&mut reading).await?;
                if reading.filter.closed_what_was_not_open() {
                    me.expect_thoughts(&model);
                }
                Some((delta, (reading, watch)))
            }
        });
        Ok(Box::pin(stream::iter([Ok(first)]).chain(rest)))
    }
}

type Payloads = std::pin::Pin<Box<dyn Stream<Item = Result<String, SpeechError>> + Send>>;

impl OpenAi {
    /// Sends a request and waits for the first piece of the answer.
    async fn open(&self, chat: &Chat) -> Result<(Delta, Reading<Payloads>), SpeechError> {
        let model = self.model(&chat.model.model);
        let known = self.dialect(model);
        let mut dialect = known;
        let mut has_paused = false;
        let mut lessons = 0;
        while lessons <= MAX_LESSONS {
            let response = self.post(dialect.body(model, chat)).await?;
            match response.status() {
                200 => {
                    if dialect != known {
                        tracing::info!(
                            model,
                            ?dialect,
                            "the language model's endpoint wants to be asked differently"
                        );
                        self.remember(model, dialect);
                    }
                    return begun(answer_of(response).await?, chat, dialect).await;
                }
                429 | 503
                    if !has_paused && response.retry_after().is_some_and(|pause| pause <= MAX_PAUSE) =>
                {
                    has_paused = true;
                    tokio::time::sleep(response.retry_after().unwrap_or_default()).await;
                }
                status @ (400 | 404 | 422 | 500 | 501) => {
                    let after = response.retry_after();
                    let text = response.text(MAX_REFUSAL).await.unwrap_or_default();
                    if let Some(written) = failed_call(&text) {
                        let payload = stream::iter([Ok(chunk::whole(&written))]);
                        return begun(Box::pin(payload), chat, dialect).await;
                    }
                    dialect = dialect
                        .taught_by(&text)
                        .filter(|_| is_about_the_request(status, &text))
                        .ok_or_else(|| match refused(status, after) {
                            SpeechError::Rejected(_) => rejected(status, &text),
                            other => other,
                        })?;
                    lessons += 1;
                }
                _ => return Err(refusal(response).await),
            }
        }
        Err(SpeechError::Rejected("status 400, whatever was left out".to_owned()))
    }

    async fn post(&self, body: Value) -> Result<OperatorResponse, SpeechError> {
        let url = format!("{}/chat/completions", self.settings.base_url.trim_end_matches('/'));
        let mut headers = vec![("accept", "text/event-stream".to_owned())];
        if let Some(key) = &self.settings.api_key {
            headers.push(("authorization", format!("Bearer {key}")));
        }
        let body = Bytes::from(body.to_string());
        self.client.post_json(&url, &headers, body).await.map_err(unreachable_endpoint)
    }
}

/// The first piece of an answer, and the rest.
async fn begun(
    payloads: Payloads,
    chat: &Chat,
    dialect: Dialect,
) -> Result<(Delta, Reading<Payloads>), SpeechError> {
    let tools = chat.tools.iter().map(|tool| tool.name.clone()).collect();
    let mut reading = Reading::new(payloads, Filter::new(tools, dialect.beginning == Beginning::Thoughts));
    let first = reading.next().await.expect("an answer ends with a delta or an error")?;
    Ok((first, reading))
}

/// What the model wrote where the server could not read its call of a tool.
fn failed_call(refusal: &str) -> Option<String> {
    let refusal: Value = serde_json::from_str(refusal).ok()?;
    chunk::failed_generation(refusal.get("error"))
}

/// True if a refusal with this status is about how the request was put. Some servers say so with a status that means something else.
fn is_about_the_request(status: u16, text: &str) -> bool {
    let text = text.to_lowercase();
    matches!(status, 400 | 422)
        || ["support", "require", "not implemented", "not enabled"].iter().any(|word| text.contains(word))
}

/// What bounds the rest of an answer.
struct Watch {
    breaker: Arc<Breaker>,
    between: Duration,
    end: tokio::time::Instant,
}

impl Watch {
    async fn over(&self, reading: &mut Reading<Payloads>) -> Option<Result<Delta, SpeechError>> {
        let limit = self.end.min(tokio::time::Instant::now() + self.between);
        let delta = match tokio::time::timeout_at(limit, reading.next()).await {
            Ok(delta) => delta?,
            Err(_) => reading.fail(too_late()),
        };
        if let Err(error) = &delta {
            note(&self.breaker, Some(error));
        }
        Some(delta)
    }
}

/// Tells the breaker how it went. A refusal is an answer, too: the provider is there.
pub(crate) fn note(breaker: &Breaker, error: Option<&SpeechError>) {
    match error {
        Some(SpeechError::Retry { after, .. }) => breaker.failed(*after, Instant::now()),
        Some(SpeechError::Malformed(_)) => breaker.failed(None, Instant::now()),
        Some(SpeechError::Rejected(_) | SpeechError::Auth) | None => breaker.succeeded(),
    }
}

/// The word for what came of a request, in metrics.
pub(crate) fn word(error: Option<&SpeechError>) -> &'static str {
    match error {
        None => "answered",
        Some(SpeechError::Retry { .. }) => "retry",
        Some(SpeechError::Auth) => "auth",
        Some(SpeechError::Rejected(_)) => "rejected",
        Some(SpeechError::Malformed(_)) => "malformed",
    }
}

pub(crate) fn too_late() -> SpeechError {
    SpeechError::Retry { after: None, reason: "no answer in time".to_owned() }
}

pub(crate) fn unreachable_endpoint(error: OperatorError) -> SpeechError {
    match error {
        OperatorError::BadRequest => SpeechError::Rejected(error.to_string()),
        OperatorError::TooLong => SpeechError::Malformed(error.to_string()),
        other => SpeechError::Retry { after: None, reason: other.to_string() },
    }
}

pub(crate) async fn refusal(response: OperatorResponse) -> SpeechError {
    let status = response.status();
    match refused(status, response.retry_after()) {
        // Only the error's own code is kept: messages may repeat what was sent.
        SpeechError::Rejected(_) => rejected(status, &response.text(MAX_REFUSAL).await.unwrap_or_default()),
        other => other,
    }
}

/// What a refusal with this status means, where the provider asks to be left alone for so long (`after`).
pub(crate) fn refused(status: u16, after: Option<Duration>) -> SpeechError {
    let reason = format!("status {status}");
    match status {
        401 | 403 => SpeechError::Auth,
        429 | 500.. => SpeechError::Retry { after, reason },
        _ => SpeechError::Rejected(reason),
    }
}

fn rejected(status: u16, text: &str) -> SpeechError {
    let parsed: Option<Value> = serde_json::from_str(text).ok();
    let code = parsed.as_ref().and_then(|body| body["error"]["code"].as_str());
    let code = code.filter(|code| is_code(code)).unwrap_or("unknown");
    SpeechError::Rejected(format!("status {status}, code {code}"))
}

fn is_code(text: &str) -> bool {
    text.len() <= 60 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// What an answer carries, piece by piece. One that begins as an object was not streamed, whatever the server calls its type.
async fn answer_of(mut response: OperatorResponse) -> Result<Payloads, SpeechError> {
    let first = response.first_character().await.map_err(unreachable_endpoint)?;
    if !matches!(first, Some('{' | '[')) {
        return Ok(Box::pin(payloads(response)));
    }
    let text = response.text(MAX_ANSWER).await.map_err(unreachable_endpoint)?;
    let text = text.trim_start_matches('\u{feff}').trim().to_owned();
    Ok(Box::pin(stream::iter(split(text).into_iter().map(Ok))))
}

/// What the events of an answer carry.
fn payloads(response: OperatorResponse) -> impl Stream<Item = Result<String, SpeechError>> + Send {
    response.events(MAX_EVENT).flat_map(|event| {
        stream::iter(match event {
            Ok(event) if event.kind == "error" => vec![Err(chunk::error_in_the_stream())],
            Ok(event) => split(event.data).into_iter().map(Ok).collect(),
            Err(error) => vec![Err(unreachable_endpoint(error))],
        })
    })
}

/// An event carries one text. Some servers put several into one, a line each.
fn split(data: String) -> Vec<String> {
    if data.contains('\n') && serde_json::from_str::<serde::de::IgnoredAny>(&data).is_err() {
        data.lines().map(str::to_owned).collect()
    } else {
        vec![data]
    }
}

/// An answer while it streams in.
struct Reading<S> {
    payloads: S,
    chunks: Chunks,
    filter: Filter,
    /// What is to be given next.
    ready: VecDeque<Delta>,
    /// How many bytes have come.
    size: usize,
    over: bool,
}

impl<S: Stream<Item = Result<String, SpeechError>> + Unpin> Reading<S> {
    fn new(payloads: S, filter: Filter) -> Self {
        Self { payloads, chunks: Chunks::default(), filter, ready: VecDeque::new(), size: 0, over: false }
    }

    async fn next(&mut self) -> Option<Result<Delta, SpeechError>> {
        loop {
            if let Some(delta) = self.ready.pop_front() {
                return Some(Ok(delta));
            }
            if self.over {
                return None;
            }
            let payload = match self.payloads.next().await {
                Some(Ok(payload)) => payload,
                Some(Err(error)) => return Some(self.fail(error)),
                // Some servers close instead of saying that they are done.
                None if self.chunks.has_something() => {
                    self.finish(FinishReason::Stop);
                    continue;
                }
                None => {
                    return Some(
                        self.fail(SpeechError::Malformed("the stream ended in the middle".to_owned())),
                    );
                }
            };
            if payload.trim() == "[DONE]" {
                self.finish(FinishReason::Stop);
                continue;
            }
            self.size += payload.len();
            if self.size > MAX_ANSWER {
                return Some(self.fail(SpeechError::Malformed("the answer is too long".to_owned())));
            }
            match self.chunks.take(&payload) {
                Ok((words, end)) => {
                    let spoken = words.map(|words| self.filter.push(&words));
                    self.say(spoken.unwrap_or_default());
                    if let End::Over(reason) = end {
                        self.finish(reason);
                    }
                }
                Err(error) => return Some(self.fail(error)),
            }
        }
    }

    fn say(&mut self, spoken: Vec<Spoken>) {
        for spoken in spoken {
            match spoken {
                Spoken::Words(text) => match self.ready.back_mut() {
                    Some(Delta::Text(words)) => words.push_str(&text),
                    _ => self.ready.push_back(Delta::Text(text)),
                },
                Spoken::Call(call) => self.ready.push_back(Delta::ToolCall(call)),
                Spoken::OtherParty => {
                    self.finish(FinishReason::Stop);
                    return;
                }
            }
        }
    }

    fn finish(&mut self, reason: FinishReason) {
        if !std::mem::replace(&mut self.over, true) {
            let rest = self.filter.finish();
            self.say(rest);
            self.ready.extend(self.chunks.finish(reason));
        }
    }

    fn fail(&mut self, error: SpeechError) -> Result<Delta, SpeechError> {
        self.over = true;
        self.ready.clear();
        Err(error)
    }
}
