//! `kaicalls doctor`: looks at everything that a server needs, and says what to do about what is missing.

use providers::LocalVoices;

use crate::config::Config;
use crate::failure::Failure;
use crate::{http_server, wiring};

/// Prints one line per finding; fails if something that a server cannot do without is wrong.
pub(crate) async fn run(config: Config) -> Result<(), Failure> {
    let mut wrong = 0;
    let mut report = |name: &str, result: Result<String, String>| match result {
        Ok(text) => println!("ok    {name:<12} {text}"),
        Err(problem) => {
            wrong += 1;
            println!("WRONG {name:<12} {problem}");
        }
    };
    report("master key", config.master_key().map(|_| "set".to_owned()).map_err(|error| error.to_string()));
    report("database", database(&config).await.map_err(|error| error.to_string()));
    report("data folder", data_folder(&config));
    report("public url", config.public_url().map_err(|error| error.to_string()));
    report(
        "listen",
        match http_server::listen("KAICALLS_LISTEN", config.listen()).await {
            Ok(_) => Ok(format!("{} is free", config.listen())),
            Err(error) => Err(format!("{error} (fine if that is your own server)")),
        },
    );
    for (name, problem) in [
        ("webhooks", config.exceptions().map(drop).and_then(|()| config.webhook_schedule().map(drop)).err()),
        ("prices", config.rates().map(drop).err()),
        ("limits", config.rate_limits().map(drop).err()),
        ("sandbox", config.sandbox_pace().map(drop).err()),
    ] {
        report(name, problem.map_or_else(|| Ok("fine".to_owned()), |error| Err(error.to_string())));
    }
    match LocalVoices::find() {
        Some(voices) => println!("ok    recordings   spoken by {}", speech::Synthesiser::name(&voices)),
        None => println!("note  recordings   none will be made: {}", LocalVoices::HINT),
    }
    match wiring::language_model(&config) {
        Ok(Some(model)) => {
            report("model", model.check().await.map(|()| "the configured endpoint answers".to_owned()));
        }
        Err(error) => report("model", Err(error.to_string())),
        Ok(None) => println!(
            "note  model        agents use the built-in receptionist; set KAICALLS_LLM_BASE_URL for a language model"
        ),
    }
    for (name, result) in vapi(&config).await {
        report(name, result);
    }
    match config.live_engine()? {
        Some(engine) => println!("ok    live calls   made by the {engine} engine"),
        None => {
            println!("note  live calls   fail until KAICALLS_LIVE_ENGINE is set; test keys use the sandbox");
        }
    }
    for engine in missing_engines(&config).await {
        println!("note  engines      {engine}");
    }
    if wrong == 0 { Ok(()) } else { Err(Failure::Because(format!("{wrong} of these must be put right"))) }
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
            .map(|(engine, count)| format!("{count} {what} `{engine}`, which is not configured"))
            .collect()
    };
    let mut notes = missing(calls, "calls are under way on");
    notes.extend(missing(numbers, "phone numbers are carried by"));
    notes.extend(missing(agents, "agents prefer"));
    notes
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
            found.push(("vapi key", Err(refusal.to_string())));
            return found;
        }
    };
    found.push(("vapi key", Ok(format!("{} accepts it", set.base_url))));
    found.push(("vapi numbers", numbers(&store, &held).await));
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
    Ok(format!("{} answers, {jobs} jobs wait{failed}{hint}", store.engine()))
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
