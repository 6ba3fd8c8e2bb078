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
    match config.text("llm_base_url") {
        Some(_) => println!("ok    model        agents think with the configured endpoint"),
        None => println!(
            "note  model        agents use the built-in receptionist; set KAICALLS_LLM_BASE_URL for a language model"
        ),
    }
    match config.live_engine()? {
        Some(engine) => println!("ok    live calls   made by the {engine} engine"),
        None => {
            println!("note  live calls   fail until KAICALLS_LIVE_ENGINE is set; test keys use the sandbox");
        }
    }
    if wrong == 0 { Ok(()) } else { Err(Failure::Because(format!("{wrong} of these must be put right"))) }
}

async fn database(config: &Config) -> Result<String, Failure> {
    let store = wiring::open_store(config, false).await?;
    store.health().await?;
    let users = store.read(|tx| Box::pin(async move { store::users::count(tx).await })).await?;
    let pending = store.read(|tx| Box::pin(async move { store::jobs::pending(tx).await })).await?;
    let jobs: u64 = pending.iter().map(|(_, count)| count).sum();
    let hint = if users == 0 { "; no user yet, run `kaicalls setup`" } else { "" };
    Ok(format!("{} answers, {jobs} jobs wait{hint}", store.engine()))
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
