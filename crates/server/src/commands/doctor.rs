//! `kaicalls doctor`: looks at everything that a server needs, and says what to do about what is missing.

use std::collections::BTreeMap;

use domain::Mode;
use domain::engine::EngineRefusal;
use providers::LocalVoices;
use serde_json::{Value, json};
use store::Wakes;
use voice::{Health, Settings};

use crate::client::Client;
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Format, say};
use crate::{http_server, sound, wiring};

/// What was found, printed as it is found or all at once.
struct Diagnosis {
    format: Format,
    rows: Vec<Value>,
    wrong: usize,
}

impl Diagnosis {
    fn add(&mut self, verdict: &str, name: &str, text: String) -> Result<(), Failure> {
        if self.format == Format::Text {
            say!("{verdict:<5} {name:<12} {text}")?;
        }
        self.wrong += usize::from(verdict == "WRONG");
        self.rows.push(json!({ "verdict": verdict.to_lowercase(), "about": name, "text": text }));
        Ok(())
    }

    fn report(&mut self, name: &str, result: Result<String, String>) -> Result<(), Failure> {
        match result {
            Ok(text) => self.add("ok", name, text),
            Err(problem) => self.add("WRONG", name, problem),
        }
    }

    /// What is configured of a kind; adds what is wrong with the settings, or that there is nothing.
    fn configured<T>(
        &mut self,
        name: &str,
        all: Result<Vec<T>, Failure>,
        nothing: &str,
    ) -> Result<Vec<T>, Failure> {
        match all {
            Ok(all) if all.is_empty() => self.add("note", name, nothing.to_owned()).map(|()| all),
            Ok(all) => Ok(all),
            Err(error) => self.report(name, Err(error.to_string())).map(|()| Vec::new()),
        }
    }
}

/// Prints one line per finding; fails if something that a server cannot do without is wrong.
pub(crate) async fn run(config: Config, format: Format) -> Result<(), Failure> {
    let mut found = Diagnosis { format, rows: Vec::new(), wrong: 0 };
    let text = |error: Failure| error.to_string();
    found.report("master key", config.master_key().map(|_| "set".to_owned()).map_err(text))?;
    found.report("database", database(&config).await.map_err(text))?;
    found.report("data folder", data_folder(&config))?;
    if let Ok(url) = config.public_url() {
        found.add("ok", "public url", url)?;
    }
    found.report("listen", listens("KAICALLS_LISTEN", config.listen(), &config).await)?;
    match config.metrics_listen() {
        Some(address) => {
            found.report("metrics", listens("KAICALLS_METRICS_LISTEN", address, &config).await)?;
        }
        None => found.add("note", "metrics", "served nowhere; see KAICALLS_METRICS_LISTEN".to_owned())?,
    }
    let problems = config.problems();
    if problems.is_empty() {
        found.add("ok", "settings", "a server can start with them".to_owned())?;
    }
    for problem in problems {
        found.report("settings", Err(problem.to_string()))?;
    }
    let wide = config.exceptions().map(|exceptions| exceptions.wide()).unwrap_or_default();
    if !wide.is_empty() {
        let text = "opened to addresses that customers name, and more than receivers need; see KAICALLS_EGRESS_ALLOW";
        found.add("note", "webhooks", format!("{}: {text}", wide.join(", ")))?;
    }
    let scenarios = wiring::directory(&config).map(|_| "its scenarios can be read".to_owned());
    found.report("sandbox", scenarios.map_err(text))?;
    match LocalVoices::find() {
        Some(voices) => {
            found.add("ok", "recordings", format!("spoken by {}", speech::Synthesiser::name(&voices)))?;
        }
        None => found.add("note", "recordings", format!("none will be made: {}", LocalVoices::HINT))?,
    }
    hearing(&config, &mut found).await?;
    voices(&config, &mut found).await?;
    match wiring::language_model(&config) {
        Ok(Some(model)) => {
            let answer = model.check().await.map(|()| "the configured endpoint answers".to_owned());
            found.report("model", answer)?;
        }
        Err(error) => found.report("model", Err(error.to_string()))?,
        Ok(None) => {
            let text = "agents use the built-in receptionist; set KAICALLS_LLM_BASE_URL for a language model";
            found.add("note", "model", text.to_owned())?;
        }
    }
    for (name, result) in vapi(&config).await {
        found.report(name, result)?;
    }
    trunks(&config, &mut found).await?;
    match config.live_engine()? {
        Some(engine) => found.add("ok", "live calls", format!("made by the {engine} engine"))?,
        None => {
            let text = "fail until KAICALLS_LIVE_ENGINE is set; test keys use the sandbox";
            found.add("note", "live calls", text.to_owned())?;
        }
    }
    for engine in missing_engines(&config).await {
        found.add("note", "engines", engine)?;
    }
    for shortfall in lacking(&config).await {
        found.add("note", "agents", shortfall)?;
    }
    if format == Format::Json {
        output::json(&Value::Array(found.rows))?;
    }
    match found.wrong {
        0 => Ok(()),
        1 => Err(Failure::Because("one of these must be put right".to_owned())),
        wrong => Err(Failure::Because(format!("{wrong} of these must be put right"))),
    }
}

/// One line per recogniser, by a real request.
async fn hearing(config: &Config, found: &mut Diagnosis) -> Result<(), Failure> {
    let nobody = "nobody hears callers on calls with sound; see KAICALLS_RECOGNISER";
    for recogniser in found.configured("hearing", sound::recognisers(config), nobody)? {
        let name = recogniser.name();
        let answer = providers::hearing::check_recogniser(&*recogniser).await;
        let answer = answer.map(|()| format!("{name} answers")).map_err(|error| format!("{name}: {error}"));
        found.report("hearing", answer)?;
    }
    Ok(())
}

/// One line per provider of voices, by a real request.
async fn voices(config: &Config, found: &mut Diagnosis) -> Result<(), Failure> {
    let nobody = "nobody speaks on calls with sound; see KAICALLS_VOICES";
    for synthesiser in found.configured("voices", sound::synthesisers(config), nobody)? {
        let name = synthesiser.name();
        let sound = providers::speaking::check_synthesiser(&*synthesiser).await;
        let sound = sound.map(|()| format!("{name} speaks")).map_err(|error| format!("{name}: {error}"));
        found.report("voices", sound)?;
    }
    Ok(())
}

/// Who hears and speaks on calls over trunks, where trunks reach us, and one line per trunk.
async fn trunks(config: &Config, found: &mut Diagnosis) -> Result<(), Failure> {
    let settings = match config.voice() {
        Ok(Some(settings)) => settings,
        Ok(None) => {
            let text = "none, so no call has sound of our own; set KAICALLS_VOICE_TRUNKS for calls over SIP";
            return found.add("note", "trunks", text.to_owned());
        }
        Err(error) => return found.report("trunks", Err(error.to_string())),
    };
    for variable in config.unclaimed_trunk_variables()? {
        found.add("note", "trunks", variable)?;
    }
    let speech = sound::hearing(config).and_then(|hearing| {
        let (hears, speaks) = (speech::Recogniser::name(&hearing).to_owned(), sound::speaking(config)?);
        Ok(format!(
            "on calls over trunks {hears} hears, and {} speaks",
            speech::StreamingSynthesiser::name(&speaks)
        ))
    });
    found.report("speech", speech.map_err(|error| error.to_string()))?;
    found.report("trunks", reached(config, &settings).await)?;
    let asked = match voice::ask_trunks(&settings).await {
        Ok(asked) => asked,
        Err(error) => return found.report("trunks", Err(error.to_string())),
    };
    for (trunk, (name, health)) in settings.trunks.iter().zip(asked) {
        let host = &trunk.signalling.host;
        let told = match health {
            Health::Up if trunk.signalling.asks => Ok(format!("{host} answers")),
            Health::Up => Ok(format!("{host} has an address; it is not asked, because its `options` say so")),
            Health::Unknown => Err(format!("{host} does not answer; calls over it fail")),
            Health::Down(reason) => Err(format!("{host}: {reason}; calls over it fail")),
        };
        found.report(&format!("trunk {name}"), told)?;
    }
    Ok(())
}

/// Where trunks reach us, if that is free or a KaiCalls server has it.
async fn reached(config: &Config, settings: &Settings) -> Result<String, String> {
    let address = settings.public_address.unwrap_or(settings.listen);
    let over_tls = match &settings.secure {
        Some(secure) => {
            voice::check_certificate(secure)
                .map_err(|reason| format!("KAICALLS_VOICE_TLS_CERTIFICATE: {reason}"))?;
            format!(" and over TLS at port {}", secure.listen.port())
        }
        None => String::new(),
    };
    let text = format!(
        "they reach us at {address}{over_tls}, and their sound at the UDP ports {}",
        config.text("voice_rtp_ports").unwrap_or_default()
    );
    match tokio::net::UdpSocket::bind(settings.listen).await {
        Err(error) if !is_served(config).await => {
            Err(format!("KAICALLS_VOICE_LISTEN: {} cannot be listened on: {error}", settings.listen))
        }
        _ => Ok(text),
    }
}

/// Whether an address of the server is free, or a KaiCalls server has it already.
async fn listens(name: &'static str, address: &str, config: &Config) -> Result<String, String> {
    let Err(error) = http_server::listen(name, address).await else {
        return Ok(format!("{address} is free"));
    };
    if is_served(config).await {
        Ok(format!("a KaiCalls server answers at {}", config.listen()))
    } else {
        Err(error.to_string())
    }
}

/// Whether a KaiCalls server answers at the address of the server.
async fn is_served(config: &Config) -> bool {
    let document =
        Client::new(format!("http://{}", config.listen()), String::new()).get("/openapi.json").await;
    document.is_ok_and(|document| {
        document["info"]["title"].as_str().is_some_and(|title| title.contains("KaiCalls"))
    })
}

/// What names an engine that is not configured: calls that nobody can be asked after, numbers and agents that it would serve.
async fn missing_engines(config: &Config) -> Vec<String> {
    let Ok(store) = wiring::open_store(config, false).await else { return Vec::new() };
    let Ok(app) = wiring::build_app(config, store.clone()) else { return Vec::new() };
    let read = store.read(|tx| {
        Box::pin(async move {
            let calls = store::calls::unfinished_by_engine(tx).await?;
            let numbers = store::numbers::by_engine(tx).await?;
            Ok::<_, store::StoreError>((calls, numbers, store::agents::by_engine(tx).await?))
        })
    });
    let Ok((calls, numbers, agents)) = read.await else { return Vec::new() };
    let missing = |found: Vec<(String, u64)>, what: &str| -> Vec<String> {
        found
            .into_iter()
            .filter(|(engine, _)| app.engines().of(engine).is_none())
            .map(|(engine, count)| format!("the engine `{engine}` is not configured; {what}: {count}"))
            .collect()
    };
    let mut notes = missing(calls, "calls under way on it");
    notes.extend(missing(numbers, "phone numbers that it carries"));
    notes.extend(missing(agents, "agents that prefer it"));
    notes
}

/// Agents that are read at once.
const AGENTS: u32 = 500;

/// How many agents are named that lack the same thing.
const NAMED: usize = 5;

/// What agents ask for and their engine lacks, each with the agents that do without it.
async fn lacking(config: &Config) -> Vec<String> {
    let Ok(store) = wiring::open_store(config, false).await else { return Vec::new() };
    let Ok(app) = wiring::build_app(config, store.clone()) else { return Vec::new() };
    // Where no live calls are made, test calls are what agents have.
    let mode = if app.engines().default_name(Mode::Live).is_some() { Mode::Live } else { Mode::Test };
    let mut lacking: BTreeMap<(&'static str, String), Vec<String>> = BTreeMap::new();
    let mut last = None;
    loop {
        let read =
            store.read(move |tx| Box::pin(async move { store::agents::after(tx, last, AGENTS).await }));
        let Ok(agents) = read.await else { return Vec::new() };
        let Some(agent) = agents.last() else { break };
        last = Some(agent.id);
        for agent in &agents {
            for shortfall in app::agents::shortfalls(&app, mode, agent) {
                let name = format!("{} ({})", output::printable(&agent.config.name), agent.id);
                lacking.entry((shortfall.field, shortfall.instead)).or_default().push(name);
            }
        }
    }
    let told = lacking.into_iter().map(|((field, instead), agents)| {
        let more = match agents.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let named: Vec<String> = agents.into_iter().take(NAMED).collect();
        format!("{field}: {instead}: {}{more}", named.join(", "))
    });
    told.collect()
}

/// The account, the address that it delivers to, and its numbers; nothing if no new calls run there.
async fn vapi(config: &Config) -> Vec<(&'static str, Result<String, String>)> {
    let set = match config.vapi_takes_calls().and_then(|takes| if takes { config.vapi() } else { Ok(None) }) {
        Ok(Some(set)) => set,
        Ok(None) => return Vec::new(),
        Err(error) => return vec![("vapi", Err(error.to_string()))],
    };
    let mut found = Vec::new();
    let public = config.public_url().unwrap_or_default();
    found.push((
        "vapi webhook",
        if public.starts_with("https://") || set.base_url.starts_with("http://") {
            Ok(format!("messages come to {public}{}…; `kaicalls serve` must be reachable there", vapi::PATH))
        } else {
            Err(format!("KAICALLS_PUBLIC_URL is {public}, and Vapi delivers to https only: set it to the https:// address \
                         under which Vapi reaches this server (a tunnel will do for a trial)"))
        },
    ));
    let Ok(store) = wiring::open_store(config, false).await else { return found };
    let engine = match wiring::vapi_engine(config, &store) {
        Ok(Some(engine)) => engine,
        Ok(None) => return found,
        Err(error) => {
            found.push(("vapi", Err(error.to_string())));
            return found;
        }
    };
    let held = match domain::engine::EngineNumbers::list(&*engine).await {
        Ok(held) => held,
        Err(refusal) => {
            let why = match refusal {
                EngineRefusal::Refused { status: status @ (401 | 403), .. } => format!(
                    "Vapi does not accept KAICALLS_VAPI_API_KEY (status {status}): it must be the private key of the account"
                ),
                other => other.to_string(),
            };
            found.push(("vapi key", Err(why)));
            return found;
        }
    };
    found.push(("vapi key", Ok(format!("{} accepts it", set.base_url))));
    found.push(("vapi numbers", numbers(&store, &held.numbers).await));
    if let Some(id) = &set.phone_number_id {
        let known = engine.holds(id).await;
        let problem = format!("KAICALLS_VAPI_PHONE_NUMBER_ID: the account holds no number with the id {id}");
        found.push((
            "vapi number",
            if known { Ok("the configured one is there".to_owned()) } else { Err(problem) },
        ));
    }
    found
}

/// Whether the account holds the numbers that agents here answer and call from.
async fn numbers(store: &store::Platform, held: &[domain::E164]) -> Result<String, String> {
    if held.is_empty() {
        return Err("the account holds none: buy or import one at Vapi, then run `kaicalls numbers import`"
            .to_owned());
    }
    let registered = store.read(|tx| Box::pin(async move { store::numbers::all(tx).await })).await;
    let registered = registered.map_err(|error: store::StoreError| error.to_string())?;
    let lost: Vec<&str> = registered
        .iter()
        .filter(|number| number.agent_id.is_some() && !held.contains(&number.phone_number))
        .map(|number| number.phone_number.as_str())
        .collect();
    if !lost.is_empty() {
        return Err(format!(
            "agents have {}, which the account does not hold: import them at Vapi, or `kaicalls numbers release` them",
            lost.join(", ")
        ));
    }
    let answered = registered.iter().filter(|number| number.agent_id.is_some()).count();
    let hint = if answered == 0 { "; `kaicalls numbers assign` gives one to an agent" } else { "" };
    Ok(format!("{} in the account, {answered} answered by agents{hint}", held.len()))
}

async fn database(config: &Config) -> Result<String, Failure> {
    let store = wiring::open_store(config, false).await?;
    store.health().await?;
    let users = store.read(|tx| Box::pin(async move { store::users::count(tx).await })).await?;
    let pending = store.read(|tx| Box::pin(async move { store::jobs::pending(tx).await })).await?;
    let jobs: u64 = pending.iter().map(|(_, count)| count).sum();
    let failed = store.read(|tx| Box::pin(async move { store::jobs::failed(tx).await })).await?;
    let failed = match failed {
        0 => String::new(),
        failed => format!(", {failed} have failed (`kaicalls jobs list --failed`)"),
    };
    let hint = if users == 0 { "; no user yet, run `kaicalls setup`" } else { "" };
    let secured = match store.is_encrypted().await? {
        Some(true) => " over TLS",
        Some(false) => " without TLS",
        None => "",
    };
    let pooler =
        if store.wakes() == Some(Wakes::Unheard) { format!("; {}", wiring::POOLER) } else { String::new() };
    Ok(format!("{} answers{secured}, {jobs} jobs wait{failed}{hint}{pooler}", store.engine()))
}

fn data_folder(config: &Config) -> Result<String, String> {
    let folder = config.data_dir();
    let probe = folder.join(".doctor");
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&probe, b"x"))
        .and_then(|()| std::fs::remove_file(&probe))
        .map(|()| format!("{} can be written", folder.display()))
        .map_err(|error| format!("KAICALLS_DATA_DIR: {} cannot be written: {error}", folder.display()))
}
