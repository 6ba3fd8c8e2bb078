//! Joins the parts. The only place that knows them all.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use api::{Api, Settings as ApiSettings};
use app::{Acting, App, Desk, Engines, Entropy as _, Parts, RecordingFiles, Settings};
use axum::Router;
use domain::agent::Model;
use domain::audit::Actor;
use domain::engine::CallEngine;
use domain::{IdSource as _, NodeId};
use providers::{DeterministicAnalyst, LocalVoices, ModelAnalyst, OpenAi, OpenAiSettings, Receptionist};
use sandbox::{Directory, Recorder, SandboxEngine, SandboxSettings};
use speech::{CallAnalyst, LanguageModel};
use store::usage::UsageLog;
use store::{DatabaseUrl, Options, Platform, Store};
use vapi::{Client, ClientSettings, EngineSettings, Hook, HookSettings, Scheme, VapiEngine, Verifier};
use voice::{Parts as VoiceParts, VoiceEngine};
use web::Web;

use crate::config::Config;
use crate::failure::Failure;
use crate::private;
use crate::sound;
use crate::system::{self, SystemClock, SystemEntropy, TimeOrderedIds};

/// How long POST `/calls` waits for the engine's word.
const ACCEPTANCE_WAIT: Duration = Duration::from_secs(5);

/// How long nothing may have reached a subscription before it is switched off.
const WEBHOOK_PATIENCE: Duration = Duration::from_secs(5 * 24 * 3600);

/// What is said where a pooler keeps no sessions for us and there is no way past it.
pub(crate) const POOLER: &str = "KAICALLS_DATABASE_URL leads to a pooler that lends connections for single transactions: statements are planned anew each time, and \
     what other servers add is found by looking from time to time. Set KAICALLS_DATABASE_DIRECT_URL to hear of it at once";

/// Opens the database for this process. `exclusive` is for servers; other commands may look in beside one.
pub(crate) async fn open_store(config: &Config, exclusive: bool) -> Result<Arc<Platform>, Failure> {
    private::tighten(config);
    open_database(config, &config.database_url()?, exclusive).await
}

/// The same for another database than that of the settings.
pub(crate) async fn open_database(
    config: &Config,
    url: &DatabaseUrl,
    exclusive: bool,
) -> Result<Arc<Platform>, Failure> {
    let mut options = Options::new(config.master_key()?);
    let mut slot = [0; 2];
    SystemEntropy.fill(&mut slot);
    // A single server on SQLite is alone; whoever works beside it, and every replica, gets a slot of its own.
    let alone = exclusive && !matches!(url, DatabaseUrl::Postgres(_));
    options.node_slot = if alone { 0 } else { 1 + u16::from_le_bytes(slot) % 999 };
    options.pool = config.database_pool()?;
    if *url == config.database_url()? {
        options.direct_url = config.database_direct_url()?;
    }
    options.exclusive = exclusive;
    Ok(Arc::new(Store::open(url, options).await?))
}

/// The use cases over an opened database.
pub(crate) fn build_app(config: &Config, database: Arc<Platform>) -> Result<App, Failure> {
    let vapi = vapi_engine(config, &database)?;
    build_app_on(config, database, vapi, voice_engine(config)?)
}

/// The use cases on behalf of whoever runs a command on the server's machine.
pub(crate) fn operators_app(config: &Config, database: Arc<Platform>) -> Result<Acting, Failure> {
    Ok(build_app(config, database)?.for_actor(Actor::operator(system::account())))
}

/// The use cases, with those engines for live calls that are configured.
pub(crate) fn build_app_on(
    config: &Config,
    database: Arc<Platform>,
    vapi: Option<Arc<VapiEngine>>,
    voice: Option<Arc<VoiceEngine>>,
) -> Result<App, Failure> {
    let exceptions = config.exceptions()?;
    for network in exceptions.wide() {
        tracing::warn!(
            network,
            "KAICALLS_EGRESS_ALLOW opens a large or a whole private network, or one in which cloud providers hand out passwords, to \
             addresses that customers name; name the networks of your receivers"
        );
    }
    let mind = mind(config)?;
    let engines = engines(config, sandbox_engine(config, mind.model)?, vapi, voice)?;
    let parts = Parts {
        database,
        clock: Arc::new(SystemClock),
        ids: Arc::new(TimeOrderedIds),
        entropy: Arc::new(SystemEntropy),
        node: NodeId(TimeOrderedIds.next()),
        engines,
        analyst: mind.analyst,
        fallback_analyst: Arc::new(DeterministicAnalyst),
        egress: egress::Client::new(exceptions, app::jobs::webhook_limits()),
        recordings: RecordingFiles::new(config.data_dir().join("recordings")),
        settings: Settings {
            public_url: config.public_url()?,
            rates: config.rates()?,
            webhook_schedule: config.webhook_schedule()?,
            webhook_patience: WEBHOOK_PATIENCE,
            max_concurrent_calls: config.max_concurrent_calls()?,
            allowed_countries: config.allowed_countries()?,
            destinations: config.destinations()?,
            calling_hours: config.calling_hours()?,
            acceptance_wait: ACCEPTANCE_WAIT,
            recording_link_ttl: config.recording_link_ttl()?,
            delivery_concurrency: config.delivery_concurrency()?,
            call_job_concurrency: config.call_job_concurrency()?,
            retention: config.retention()?,
        },
    };
    Ok(App::new(parts))
}

/// All engines, each in one line, and which of them is the default.
fn engines(
    config: &Config,
    sandbox: Arc<dyn CallEngine>,
    vapi: Option<Arc<VapiEngine>>,
    voice: Option<Arc<VoiceEngine>>,
) -> Result<Engines, Failure> {
    let mut engines = Engines::new(sandbox);
    if let Some(vapi) = vapi {
        engines = if config.vapi_takes_calls()? { engines.with(vapi) } else { engines.with_finishing(vapi) };
    }
    if let Some(voice) = voice {
        engines =
            if config.voice_takes_calls()? { engines.with(voice) } else { engines.with_finishing(voice) };
    }
    let default = config.live_engine()?;
    engines.make_default(default).map_err(|error| Failure::setting("live_engine", error))?;
    Ok(engines)
}

/// Our own voice, where there are trunks. It listens once it is started.
pub(crate) fn voice_engine(config: &Config) -> Result<Option<Arc<VoiceEngine>>, Failure> {
    let Some(settings) = config.voice()? else { return Ok(None) };
    let parts = VoiceParts {
        model: mind(config)?.model,
        recogniser: Arc::new(sound::hearing(config)?),
        voice: Arc::new(sound::speaking(config)?),
        clock: Arc::new(SystemClock),
    };
    let engine = VoiceEngine::new(settings, parts)
        .map_err(|error| Failure::Because(format!("calls over trunks cannot be made ready: {error}")))?;
    Ok(Some(Arc::new(engine)))
}

/// Vapi, where its key is set. What it has to know of us is made from the master key, so that replicas agree.
pub(crate) fn vapi_engine(config: &Config, store: &Store) -> Result<Option<Arc<VapiEngine>>, Failure> {
    let Some(vapi) = config.vapi()? else { return Ok(None) };
    // A key for signatures is never shown.
    let secret = (vapi.scheme == Scheme::Secret)
        .then(|| vapi.secrets.first().cloned().unwrap_or_else(|| derived(store, "vapi-webhook-secret")));
    let settings = EngineSettings {
        webhook_url: format!("{}{}{}", config.public_url()?, vapi::PATH, webhook_token(store)),
        webhook_secret: secret,
        credential_id: vapi.credential_id,
        phone_number_id: vapi.phone_number_id,
        installation: derived(store, "vapi-installation")[..16].to_owned(),
        looks: EngineSettings::usual_looks(),
        max_concurrent_calls: vapi.max_concurrent_calls,
    };
    let client = Client::new(ClientSettings {
        base_url: vapi.base_url,
        api_key: vapi.api_key,
        timeouts: ClientSettings::usual_timeouts(),
    });
    let files = egress::Client::new(config.exceptions()?, VapiEngine::file_limits());
    Ok(Some(Arc::new(VapiEngine::new(client, files, Arc::new(SystemClock), settings))))
}

/// The route on which Vapi tells what happens.
pub(crate) fn vapi_routes(config: &Config, app: &App, engine: &VapiEngine) -> Result<Router, Failure> {
    let Some(vapi) = config.vapi()? else { return Ok(Router::new()) };
    let local = vapi.base_url.starts_with("http://");
    if config.vapi_takes_calls()? && !local && !config.public_url()?.starts_with("https://") {
        let problem =
            "Vapi delivers to https only: expected the https:// address under which it reaches this server";
        return Err(Failure::setting("public_url", problem));
    }
    let mut secrets = vapi.secrets;
    if secrets.is_empty() {
        secrets.push(derived(app.store(), "vapi-webhook-secret"));
    }
    let settings =
        HookSettings { token: webhook_token(app.store()), verifier: Verifier::new(vapi.scheme, secrets) };
    let hook = Hook::new(engine, Arc::new(Desk::new(app.clone())), Arc::new(SystemClock), settings);
    Ok(vapi::router(Arc::new(hook)))
}

/// The last part of the webhook's address, which nobody can guess.
fn webhook_token(store: &Store) -> String {
    derived(store, "vapi-webhook-token")[..32].to_owned()
}

/// 64 hexadecimal digits for a purpose.
fn derived(store: &Store, purpose: &str) -> String {
    domain::digest::hex(&store.vault().mac(purpose, b""))
}

/// The API over the use cases.
pub(crate) async fn build_api(config: &Config, app: App) -> Result<Api, Failure> {
    // Replicas may share a data folder; each keeps its usage rows in one of its own.
    let folder =
        if app.store().is_shared() { format!("usage-{}", std::process::id()) } else { "usage".to_owned() };
    let usage = UsageLog::open(app.store().clone(), &config.data_dir().join(folder)).await?;
    let web = Web::new(
        app,
        usage,
        web::Settings {
            rate_limits: config.rate_limits()?,
            trusted_proxies: config.trusted_proxies()?,
            own_origin: config.own_origin()?,
        },
    );
    Ok(Api::new(web, ApiSettings { cors_origins: config.cors_origins()? }))
}

/// What thinks for agents, and what reads calls.
struct Mind {
    model: Arc<dyn LanguageModel>,
    analyst: Option<Arc<dyn CallAnalyst>>,
}

fn mind(config: &Config) -> Result<Mind, Failure> {
    let Some(model) = language_model(config)? else {
        return Ok(Mind { model: Arc::new(Receptionist), analyst: None });
    };
    let model = Arc::new(model);
    Ok(Mind {
        model: Arc::new(PerAgent { model: Arc::clone(&model) }),
        analyst: Some(Arc::new(ModelAnalyst::new(model))),
    })
}

/// The configured endpoint of language models, if there is one.
pub(crate) fn language_model(config: &Config) -> Result<Option<OpenAi>, Failure> {
    let Some(written) = config.text("llm_base_url") else { return Ok(None) };
    let settings = OpenAiSettings {
        base_url: providers::base_url(written)
            .map_err(|expected| Failure::setting("llm_base_url", expected))?,
        api_key: config.text("llm_api_key").map(str::to_owned),
        model: config.text("llm_model").map(str::to_owned),
    };
    Ok(Some(OpenAi::new(settings)))
}

/// The agent's `model.provider` decides: `receptionist` is built in, everything else is the configured endpoint.
struct PerAgent {
    model: Arc<OpenAi>,
}

impl PerAgent {
    fn choose(&self, chat: &speech::Chat) -> &dyn LanguageModel {
        if chat.model.provider == "receptionist" { &Receptionist } else { &*self.model }
    }
}

impl LanguageModel for PerAgent {
    fn name(&self) -> &'static str {
        "per-agent"
    }

    fn lacks(&self, model: &Model) -> Option<String> {
        if model.provider == "receptionist" { None } else { self.model.lacks(model) }
    }

    fn reply<'a, 'b>(
        &'a self,
        chat: speech::Chat,
    ) -> std::pin::Pin<Box<dyn Future<Output = Result<speech::DeltaStream, speech::SpeechError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        let chosen = self.choose(&chat);
        chosen.reply(chat)
    }
}

/// The scripted callers of the sandbox: the built-in ones, and those in the configured folder.
pub(crate) fn directory(config: &Config) -> Result<Directory, Failure> {
    let Some(folder) = config.text("sandbox_scenarios").map(PathBuf::from) else {
        return Ok(Directory::built_in());
    };
    let directory = Directory::built_in().with_folder(&folder);
    directory.map_err(|error| Failure::setting("sandbox_scenarios", error))
}

fn sandbox_engine(config: &Config, model: Arc<dyn LanguageModel>) -> Result<Arc<dyn CallEngine>, Failure> {
    let directory = directory(config)?;
    let voices = if config.sandbox_recordings()? { LocalVoices::find() } else { None };
    let recorder = voices.map(|voices| Recorder::new(Arc::new(voices)));
    let settings = SandboxSettings {
        pace: config.sandbox_pace()?,
        seed: config.sandbox_seed()?,
        ..SandboxSettings::default()
    };
    Ok(Arc::new(SandboxEngine::new(directory, model, recorder, settings)))
}

#[cfg(test)]
mod tests;
