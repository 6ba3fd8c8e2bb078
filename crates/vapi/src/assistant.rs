//! Agents as Vapi's assistants. An assistant is always sent whole, because an update replaces nested objects.

use domain::agent::{
    Agent, AgentConfig, Answering, DEFAULT_FIRST_MESSAGE, DEFAULT_MAX_DURATION, OnMenu, OnScreener,
    OnVoicemail,
};
use domain::engine::EngineRefusal;
use domain::{AgentId, LanguageTag};
use serde_json::{Map, Value, json};

use crate::names::{NAME_UNITS, cut, model_knows, model_provider, refused, voice_provider};
use crate::schema::Schemas;

/// Where our server is told what happens, as Vapi's `server` object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Server {
    pub(crate) url: String,
    /// Shown in a header of every message. A credential that signs takes its place.
    pub(crate) secret: Option<String>,
    pub(crate) credential_id: Option<String>,
}

impl Server {
    /// True if an assistant or a number as Vapi keeps it reports here, with the present secret. Vapi may hide the secret.
    pub(crate) fn is_that_of(&self, kept: &Value) -> bool {
        let server = &kept["server"];
        let shown = server["headers"][SECRET_HEADER].as_str().filter(|shown| !shown.contains("**"));
        server["url"].as_str() == Some(&self.url)
            && shown.is_none_or(|shown| self.secret.as_deref() == Some(shown))
            && server["credentialId"].as_str() == self.credential_id.as_deref()
    }

    /// The object. Without a retry plan a message would be sent once and never again.
    pub(crate) fn to_json(&self) -> Value {
        let mut server = json!({
            "url": self.url,
            "timeoutSeconds": 20,
            "backoffPlan": {
                "type": "exponential", "maxRetries": 5, "baseDelaySeconds": 2,
                "excludedStatusCodes": [400, 401, 403, 404, 413],
            },
        });
        if let Some(secret) = &self.secret {
            server["headers"] = json!({ SECRET_HEADER: secret });
        }
        if let Some(credential) = &self.credential_id {
            server["credentialId"] = json!(credential);
        }
        server
    }
}

/// The header that the old property `secret` of Vapi's servers used to set.
const SECRET_HEADER: &str = "X-Vapi-Secret";

/// What we must be told. `phone-call-control` is missing on purpose: it would hand hanging up over to us.
const SERVER_MESSAGES: [&str; 7] = [
    "status-update",
    "end-of-call-report",
    "transcript[transcriptType=\"final\"]",
    "tool-calls",
    "transfer-destination-request",
    "transfer-update",
    "hang",
];

/// What `vapi_config` may set on the assistant as it likes.
const FREE: &[&str] = &[
    "transcriber",
    "firstMessageInterruptionsEnabled",
    "firstMessageMode",
    "voicemailDetection",
    "backgroundSound",
    "modelOutputInMessagesEnabled",
    "transportConfigurations",
    "observabilityPlan",
    "credentials",
    "hooks",
    "voicemailMessage",
    "endCallMessage",
    "endCallPhrases",
    "compliancePlan",
    "backgroundSpeechDenoisingPlan",
    "startSpeakingPlan",
    "stopSpeakingPlan",
    "credentialIds",
    "keypadInputPlan",
    "silenceTimeoutSeconds",
];

/// The tag of whatever we make at Vapi.
pub(crate) const AGENT_TAG: &str = "kaicalls_agent_id";
/// The tag of this installation: two of them may share an account and must not tidy up each other's assistants.
pub(crate) const INSTALLATION_TAG: &str = "kaicalls_installation";

/// Which optional settings we have given an assistant.
const SETTINGS_TAG: &str = "kaicalls_settings";

/// The whole assistant of an agent, for creation and for updates alike.
pub(crate) fn assistant(agent: &Agent, server: &Server, installation: &str) -> Result<Value, EngineRefusal> {
    let config = &agent.config;
    let mut assistant = json!({
        "name": cut(&config.name, NAME_UNITS),
        "firstMessage": config.first_message.as_deref().unwrap_or(DEFAULT_FIRST_MESSAGE),
        "firstMessageMode": "assistant-speaks-first",
        "backgroundSound": "off",
        "voicemailDetection": "off",
    });
    let fields = object_mut(&mut assistant);
    for (name, value) in &config.vapi_config() {
        match name.as_str() {
            // Without a message Vapi hangs up on a machine.
            "voicemailMessage" if config.answering.voicemail == OnVoicemail::HangUp => {}
            free if FREE.contains(&free) => {
                fields.insert(name.clone(), value.clone());
            }
            // Understood below.
            "model" | "analysisPlan" | "artifactPlan" | "monitorPlan" => {}
            // What we rely on, what the agent has a field of its own for, and what Vapi does not know: kept with the agent,
            // and not sent.
            _ => tracing::debug!(agent = %agent.id, name, "a setting for Vapi is not sent"),
        }
    }
    fields.insert("model".into(), model(config, &config.system_prompt, None)?);
    if let Some(voice) = &config.voice {
        fields.insert("voice".into(), voice_json(voice, "voice")?);
    }
    if !fields.contains_key("transcriber")
        && let Some(transcriber) = transcriber(&config.languages)
    {
        fields.insert("transcriber".into(), transcriber);
    }
    fields.insert("server".into(), server.to_json());
    fields.insert("serverMessages".into(), json!(SERVER_MESSAGES));
    fields.insert("clientMessages".into(), json!([]));
    fields.insert(
        "maxDurationSeconds".into(),
        json!(config.max_duration.unwrap_or(DEFAULT_MAX_DURATION).as_secs()),
    );
    fields.insert("analysisPlan".into(), analysis_plan(config));
    fields.insert("artifactPlan".into(), artifact_plan(config));
    fields.insert("monitorPlan".into(), monitor_plan(config));
    let mut made: Vec<String> = fields.keys().filter(|name| is_optional(name)).cloned().collect();
    made.sort_unstable();
    fields.insert(
        "metadata".into(),
        json!({
            AGENT_TAG: agent.id.to_string(),
            "kaicalls_business_id": agent.business_id.to_string(),
            INSTALLATION_TAG: installation,
            SETTINGS_TAG: made,
        }),
    );
    check_outbound(config)?;
    checked("POST /assistant", assistant)
}

/// A transcriber for the agent's language, or for several, if Vapi's schema has it. An agent without a language has Vapi choose.
fn transcriber(languages: &[LanguageTag]) -> Option<Value> {
    let wanted: Vec<&str> = match languages {
        [] => return None,
        [one] => vec![one.as_str(), one.primary()],
        _ => vec!["multi"],
    };
    let transcribers = wanted
        .into_iter()
        .map(|language| json!({ "provider": "deepgram", "model": "nova-3", "language": language }));
    let mut known = transcribers.filter(|transcriber| {
        Schemas::ours().check("POST /assistant", &json!({ "transcriber": transcriber })).is_empty()
    });
    known.next()
}

/// What outbound calls override travels with each of them, so Vapi sees it for the first time when one is made. It is checked here, while
/// somebody who can correct it is looking.
fn check_outbound(config: &AgentConfig) -> Result<(), EngineRefusal> {
    let Some(other) = &config.outbound_llm else { return Ok(()) };
    let renamed = |refusal: EngineRefusal| match refusal {
        EngineRefusal::Refused { status, reason } => {
            let reason =
                reason.replace("assistantOverrides.model", "outbound_llm").replace("`model", "`outbound_llm");
            EngineRefusal::Refused { status, reason }
        }
        other => other,
    };
    let model = model(config, config.outbound_instructions(), Some(other)).map_err(renamed)?;
    checked("POST /call", json!({ "assistantOverrides": { "model": model } })).map(drop).map_err(renamed)
}

/// A body that Vapi's own schemas allow. `vapi_config` and the settings of models and voices may hold what they do not.
pub(crate) fn checked(what: &str, body: Value) -> Result<Value, EngineRefusal> {
    let problems = Schemas::ours().check(what, &body);
    if problems.is_empty() { Ok(body) } else { Err(refused(problems.join("; "))) }
}

/// True for what is only sent if the agent says so.
fn is_optional(name: &str) -> bool {
    name == "voice" || FREE.contains(&name)
}

/// The settings in the body of an assistant.
pub(crate) fn settable(body: &Value) -> Vec<&str> {
    body.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect()
}

/// The settings that we ever gave a kept assistant and that an update cannot take away again.
pub(crate) fn settings_made(kept: &Value) -> Vec<String> {
    let made = kept["metadata"][SETTINGS_TAG].as_array();
    made.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

/// Whose assistant this is, if this installation made it.
pub(crate) fn tagged(assistant: &Value, installation: &str) -> Option<AgentId> {
    let tags = &assistant["metadata"];
    if tags[INSTALLATION_TAG].as_str() != Some(installation) {
        return None;
    }
    tags[AGENT_TAG].as_str()?.parse().ok().map(AgentId)
}

fn object_mut(value: &mut Value) -> &mut Map<String, Value> {
    value.as_object_mut().expect("it was made as an object")
}

/// The complete language model with the agent's instructions. `instead` replaces model id or settings for outbound calls.
pub(crate) fn model(
    config: &AgentConfig,
    instructions: &str,
    instead: Option<&Value>,
) -> Result<Value, EngineRefusal> {
    let mut provider = config.model.provider.clone();
    let mut id = config.model.model.clone();
    let mut temperature = config.model.temperature;
    let mut extra = config.model.extra.clone();
    if let Some(Value::Object(more)) = config.engine_extra.get("model") {
        extra.extend(
            more.iter().filter(|(name, _)| !is_ours(name)).map(|(name, value)| (name.clone(), value.clone())),
        );
    }
    match instead {
        Some(Value::String(other)) => id.clone_from(other),
        Some(Value::Object(other)) => {
            let text = |name: &str| other.get(name).and_then(Value::as_str).map(str::to_owned);
            provider = text("provider").unwrap_or(provider);
            id = text("model").unwrap_or(id);
            temperature = other.get("temperature").and_then(Value::as_f64).unwrap_or(temperature);
            extra.extend(
                other
                    .iter()
                    .filter(|(name, _)| !is_ours(name))
                    .map(|(name, value)| (name.clone(), value.clone())),
            );
        }
        _ => {}
    }
    let provider = model_provider(&provider)?;
    let mut model = json!({
        "provider": provider,
        "model": id,
        "temperature": temperature,
        "messages": [
            { "role": "system", "content": instructions },
            { "role": "system", "content": known_facts() + &spoken(&config.languages) + &machines(config.answering) },
        ],
    });
    let mut tools = vec![json!({ "type": "endCall" })];
    if let (true, Some(number)) = (config.transfer_enabled, &config.transfer_phone_number) {
        let destination = json!({ "type": "number", "number": number.as_str() });
        tools.push(json!({ "type": "transferCall", "destinations": [destination] }));
    }
    for (name, value) in extra {
        if name == "tools" {
            tools.extend(value.as_array().cloned().unwrap_or_default());
        } else if name == "fallbackModels" {
            let names = fallback_models(&value, provider);
            if !names.is_empty() {
                model["fallbackModels"] = names.into();
            }
        } else if model_knows(provider, &name) {
            model[name.as_str()] = value;
        } else {
            return Err(refused(format!("`model.{name}` is no setting of a {provider} model at Vapi")));
        }
    }
    if provider == "custom-llm" && model.get("url").is_none() {
        return Err(refused("`model.url`: a custom model needs the address of its server"));
    }
    model["tools"] = Value::Array(tools);
    Ok(model)
}

/// The names of the models that step in. Vapi knows them for models of OpenAI only, and only of the same provider.
fn fallback_models(listed: &Value, provider: &str) -> Vec<String> {
    let name = |one: &Value| {
        let of_same = one["provider"].as_str().is_none_or(|other| model_provider(other) == Ok(provider));
        let name = one.as_str().or_else(|| one["model"].as_str())?;
        (of_same && provider == "openai").then(|| name.to_owned())
    };
    let listed = listed.as_array().map(Vec::as_slice).unwrap_or_default();
    let names: Vec<String> = listed.iter().filter_map(name).collect();
    if names.len() < listed.len() {
        tracing::warn!(provider, "fallback models that Vapi does not take are not sent");
    }
    names
}

/// Which languages to speak: a transcriber that knows them makes nobody speak them, and not every model guesses right from instructions in
/// English.
fn spoken(languages: &[LanguageTag]) -> String {
    match languages {
        [] => String::new(),
        [only] => format!("\nSpeak the language with the tag {} (BCP 47), to machines too.", only.as_str()),
        [own, others @ ..] => {
            let others: Vec<&str> = others.iter().map(LanguageTag::as_str).collect();
            format!(
                "\nSpeak the language with the tag {} (BCP 47), to machines too; with a person who speaks {}, speak that.",
                own.as_str(),
                others.join(" or ")
            )
        }
    }
}

/// What to do with machines that answer, in words: Vapi has settings for mailboxes alone.
fn machines(answering: Answering) -> String {
    let screener = match answering.screener {
        OnScreener::Introduce => {
            "say in one sentence, in the language that you speak in this call, who you are, for whom you call and why, and wait to be put \
             through"
        }
        OnScreener::HangUp => "end the call at once",
    };
    let menu = match answering.menu {
        OnMenu::Wait => "say nothing and wait for a person",
        OnMenu::HangUp => "end the call at once",
    };
    format!(
        "\nIf you have called somebody and an assistant answers that asks who is calling, {screener}. If you hear a menu, a waiting line or \
         music, {menu}. If an announcement says that the number is not in service, end the call at once."
    )
}

fn is_ours(name: &str) -> bool {
    ["provider", "model", "temperature", "messages"].contains(&name)
}

/// The facts of one call, filled in by Vapi from the call's variables. CRM texts come in as values only, so that nothing which
/// somebody wrote into them is ever a template.
fn known_facts() -> String {
    let facts = [
        ("name", "The person's name"),
        ("context", "What this call is about"),
        ("lead_score", "How promising they are as a customer, 0 to 100"),
        ("lead_status", "Where they are in the pipeline"),
        ("lead_source", "How they came to us"),
        ("interaction_count", "Calls with them so far"),
        ("days_since_first_contact", "Days since the first contact"),
        ("business_name", "The business you speak for"),
        ("business_phone", "Its phone number"),
        ("emergency_number", "The number for emergencies in its country"),
        ("time_of_day", "Time of day"),
        ("local_date", "Date where the business is"),
        ("local_time", "Time there when the call began"),
        ("timezone", "Its time zone"),
        ("recorded", "Whether this call is recorded"),
    ];
    let mut text = "What is known about this call:".to_owned();
    for (name, meaning) in facts {
        text.push_str(&["\n{% if ", name, " %}- ", meaning, ": {{ ", name, " }}{% endif %}"].concat());
    }
    text
}

/// A voice, by the names that Vapi gives providers and settings. `place` is where it stands, for whoever has to correct it. A provider that
/// we do not know may be new: it is sent as it was given, and Vapi has the last word.
fn voice_json(voice: &Map<String, Value>, place: &str) -> Result<Value, EngineRefusal> {
    let named =
        voice.get("provider").and_then(Value::as_str).map(str::trim).filter(|named| !named.is_empty());
    let named =
        named.ok_or_else(|| refused(format!("`{place}.provider`: expected the name of a provider")))?;
    let known = voice_provider(named);
    if known.is_none() {
        tracing::warn!(
            provider = named,
            "a voice of a provider that is not known here goes to Vapi as it is"
        );
    }
    let provider = known.map_or(named, |known| known.name);
    let mut json = Map::new();
    json.insert("provider".into(), provider.into());
    for (name, value) in voice.iter().filter(|(name, _)| *name != "provider") {
        let name = if name == "voice_id" { "voiceId" } else { name };
        if known.is_some_and(|known| !known.knows(name)) {
            return Err(refused(format!("`{place}.{name}` is no setting of a {provider} voice at Vapi")));
        }
        let value = if name == "fallbackPlan" { fallback_voices(value, place)? } else { value.clone() };
        json.insert(name.to_owned(), value);
    }
    for &required in known.map_or(&[][..], |known| known.required) {
        if !json.contains_key(required) {
            return Err(refused(format!("`{place}.{required}`: a {provider} voice needs it")));
        }
    }
    if known.is_some() && json.get("voiceId").is_some_and(|id| !id.is_string()) {
        return Err(refused(format!("`{place}.voiceId`: expected a text")));
    }
    Ok(Value::Object(json))
}

/// The voices that step in, named as Vapi names them.
fn fallback_voices(plan: &Value, place: &str) -> Result<Value, EngineRefusal> {
    let mut plan = plan.clone();
    if let Some(voices) = plan.get_mut("voices").and_then(Value::as_array_mut) {
        for (number, voice) in voices.iter_mut().enumerate() {
            if let Value::Object(fields) = voice {
                *voice = voice_json(fields, &format!("{place}.fallbackPlan.voices.{number}"))?;
            }
        }
    }
    Ok(plan)
}

/// Summary, lead and marks. Ranges are said in words because the schema dialect has none; answers are clamped when they come.
fn analysis_plan(config: &AgentConfig) -> Value {
    let text = |about: &str| json!({ "type": "string", "description": about });
    let mark = |about: &str| json!({ "type": "number", "description": format!("{about}; a whole number from 0 to 100") });
    let schema = json!({
        "type": "object",
        "properties": {
            "lead": { "type": "object", "description": "The person who is not the assistant", "properties": {
                "name": text("Full name as they gave it; leave out if not said"),
                "email": text("E-mail address; leave out if not said"),
                "phone": text("Phone number they gave, in E.164; leave out if not said"),
                "intent": text("What they want, in a few words"),
            }},
            "quality": { "type": "object", "description": "How well the assistant did", "properties": {
                "professionalism": mark("Manner and correctness"),
                "empathy": mark("How it took up what the person felt and said"),
                "information_gathering": mark("How much of what it had to learn it learned"),
                "resolution": mark("Whether the purpose of the call was reached"),
            }},
        },
    });
    let mut plan = json!({
        "minMessagesThreshold": 2,
        "summaryPlan": { "enabled": true, "timeoutSeconds": 20 },
        "structuredDataPlan": { "enabled": true, "schema": schema, "timeoutSeconds": 20 },
        "successEvaluationPlan": { "enabled": true, "rubric": "PassFail", "timeoutSeconds": 20 },
    });
    let theirs = &config.engine_extra.get("analysisPlan").cloned().unwrap_or_default();
    if let Some(evaluation) = theirs.get("successEvaluationPlan") {
        plan["successEvaluationPlan"] = evaluation.clone();
    }
    plan
}

fn artifact_plan(config: &AgentConfig) -> Value {
    let mut plan = json!({ "recordingEnabled": true, "recordingFormat": "wav;l16" });
    if let Some(Value::Object(theirs)) = config.engine_extra.get("artifactPlan") {
        for (name, value) in theirs {
            plan[name.as_str()] = value.clone();
        }
    }
    // The transcript is read by these names.
    plan["transcriptPlan"] = json!({ "enabled": true, "assistantName": "AI", "userName": "User" });
    plan
}

fn monitor_plan(config: &AgentConfig) -> Value {
    let mut plan = json!({ "listenEnabled": false });
    if let Some(Value::Object(theirs)) = config.engine_extra.get("monitorPlan") {
        for (name, value) in theirs {
            plan[name.as_str()] = value.clone();
        }
    }
    // Hanging up goes through it, without a key.
    plan["controlEnabled"] = json!(true);
    plan["controlAuthenticationEnabled"] = json!(false);
    plan
}
