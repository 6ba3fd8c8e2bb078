//! `kaicalls serve`.

use std::sync::Arc;
use std::time::Duration;

use app::setup::FirstAccount;
use app::{App, Desk};
use store::Platform;
use store::Wakes;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use crate::commands::setup;
use crate::config::Config;
use crate::failure::Failure;
use crate::http_server::{Drain, Limits, Readiness};
use crate::output::say;
use crate::telemetry::{self, Figures};
use crate::{http_server, wiring};

/// Files that are open beside connections of clients, webhooks and the database.
const OTHER_FILES: usize = 300;

/// Runs until SIGTERM or Ctrl-C.
pub(crate) async fn run(mut config: Config) -> Result<(), Failure> {
    telemetry::start_logs(&config)?;
    own_master_key(&mut config)?;
    for warning in config.warnings().iter().chain(&config.unclaimed_trunk_variables()?) {
        tracing::warn!("{warning}");
    }
    let figures = Figures::start()?;
    // Everything that can be wrong is found before the database is touched.
    let (unready, drain) = (config.unready()?, config.drain()?);
    let limits = connection_limits(&config)?;
    let listener = http_server::listen("KAICALLS_LISTEN", config.listen()).await?;
    let operations = match config.metrics_listen() {
        Some(address) => Some(http_server::listen("KAICALLS_METRICS_LISTEN", address).await?),
        None => None,
    };
    let store = wiring::open_store(&config, true).await?;
    if store.wakes() == Some(Wakes::Unheard) {
        tracing::warn!("{}", wiring::POOLER);
    }
    let vapi = wiring::vapi_engine(&config, &store)?;
    let voice = wiring::voice_engine(&config)?;
    let app = wiring::build_app_on(&config, store.clone(), vapi.clone(), voice.clone())?;
    let webhooks = match &vapi {
        Some(engine) => Some(wiring::vapi_routes(&config, &app, engine)?),
        None => None,
    };
    first_account(&config, &app, &store, &address_of(&listener)).await?;
    app::audit::note_retention(&app.for_itself()).await?;
    app::jobs::start(&app).await?;
    // Where it takes no calls it only hands over what it has recorded.
    let voice = voice.filter(|_| matches!(config.voice_takes_calls(), Ok(true)));
    if let Some(voice) = &voice {
        let started = voice.start(Arc::new(Desk::new(app.clone()))).await;
        started.map_err(|error| Failure::setting("voice_listen", error))?;
        let trunks: Vec<String> = voice.health().into_iter().map(|(trunk, _)| trunk).collect();
        let reached_at = voice.address().map(|address| address.to_string());
        tracing::info!(reached_at, trunks = trunks.join(", "), "Takes and makes calls over trunks");
    }
    let api = wiring::build_api(&config, app.clone()).await?;

    if let Some(model) = wiring::language_model(&config)? {
        // A model that is down or still loading is no reason not to start.
        tokio::spawn(async move {
            if let Err(problem) = model.check().await {
                tracing::warn!(problem, "the language model does not answer; calls need it");
            }
        });
    }
    let metrics_listen = operations.as_ref().map(address_of);
    let readiness = Readiness::of(app.clone());
    if let Some(listener) = operations {
        let router = http_server::operations_router(figures, readiness.clone());
        let limits = Limits::small("operations");
        // It answers as long as the process lives.
        tokio::spawn(http_server::serve(listener, router, limits, std::future::pending()));
    }
    tracing::info!(
        listen = address_of(&listener),
        metrics_listen,
        database = store.engine(),
        version = env!("CARGO_PKG_VERSION"),
        "Ready"
    );
    let mut others =
        http_server::probes(readiness.clone()).merge(dashboard::with_reference(api.web(), api.document()));
    if let Some(webhooks) = webhooks {
        others = others.merge(webhooks.layer(axum::middleware::from_fn(web::body::settled)));
    }
    let routes = api::beside(&api, others, dashboard::or_nothing_here);
    let (stop, stopping) = oneshot::channel();
    let told = async move { stopping.await.unwrap_or(Drain::within(drain)) };
    // Until then requests are carried out as always, live views among them.
    let closed = {
        let app = app.clone();
        move || app.announce_stop()
    };
    let serving = tokio::spawn(http_server::serve_and_tell(listener, routes, limits, told, closed));
    let reason = signal_to_stop().await?;
    #[expect(clippy::disallowed_methods, reason = "the time for stopping is measured on the monotonic clock")]
    let begun = tokio::time::Instant::now();
    app.announce_leaving();
    if let Some(voice) = &voice {
        voice.announce_leaving();
    }
    let stopping = async {
        if readiness.is_watched() {
            tracing::info!(reason, "Stopping: not ready any more, going on until balancers have noticed");
            tokio::time::sleep(unready.min(drain)).await;
        }
        tracing::info!(reason, "Stopping: waiting for calls and requests under way");
        // It is listening as long as it serves.
        let _ = stop.send(Drain::within(drain.saturating_sub(begun.elapsed())));
        if let Err(error) = serving.await {
            tracing::error!(%error, "the listener broke");
        }
        app.stop(drain.saturating_sub(begun.elapsed())).await;
    };
    tokio::select! {
        () = stopping => {}
        again = signal_to_stop() => {
            tracing::info!(reason = again?, "Told to stop once more: waiting for nothing");
            app.stop(Duration::ZERO).await;
        }
    }
    if let Some(voice) = &voice {
        voice.stop().await;
    }
    if let Err(error) = api.usage().flush().await {
        tracing::warn!(%error, "usage rows wait in their file for the next start");
    }
    store.close();
    tracing::info!("Stopped");
    Ok(())
}

/// Where a listener listens, with the port that the system chose if the settings left that open.
fn address_of(listener: &TcpListener) -> String {
    listener.local_addr().map(|address| address.to_string()).unwrap_or_default()
}

/// How many connections the API may have: what the settings say, or what the system's limit of open files leaves for it.
fn connection_limits(config: &Config) -> Result<Limits, Failure> {
    let wanted = config.max_connections()?;
    let others = OTHER_FILES + config.delivery_concurrency()? + config.database_pool()?;
    let total = match http_server::raise_limit().and_then(|files| usize::try_from(files).ok()) {
        Some(files) => wanted.min(files.saturating_sub(others).max(1)),
        None => wanted,
    };
    if total < wanted {
        tracing::warn!(
            max_connections = wanted,
            possible = total,
            "The system's limit of open files allows fewer connections than `max_connections`; raise it (LimitNOFILE in systemd)"
        );
    }
    Ok(Limits {
        listener: "api",
        total,
        per_address: config.max_connections_per_address()?,
        proxies: config.trusted_proxies()?,
    })
}

/// Waits for the system or the user; says which.
pub(crate) async fn signal_to_stop() -> Result<&'static str, Failure> {
    let mut terminate = signal(SignalKind::terminate())
        .map_err(|error| Failure::Because(format!("signals cannot be heard: {error}")))?;
    tokio::select! {
        _ = terminate.recv() => Ok("SIGTERM"),
        _ = tokio::signal::ctrl_c() => Ok("Ctrl-C"),
    }
}

/// Where there is neither a database nor a master key, both are about to begin: a key is made and written down. A database without its key is
/// refused later, with what to do about it.
fn own_master_key(config: &mut Config) -> Result<(), Failure> {
    let store::DatabaseUrl::SqliteFile(file) = config.database_url()? else { return Ok(()) };
    if config.text("master_key").is_some() || file.exists() {
        return Ok(());
    }
    config.keep_master_key(setup::new_master_key())?;
    say!(
        "Wrote {} with a new master key. Keep it as safe as the database: without it keys, links and sealed secrets are lost.",
        config.file().display()
    )
}

/// Makes the first account where settings ask for it.
async fn first_account(config: &Config, app: &App, store: &Platform, address: &str) -> Result<(), Failure> {
    let users = store.read(|tx| Box::pin(async move { store::users::count(tx).await })).await?;
    if users > 0 {
        return Ok(());
    }
    let Some(email) = config.text("setup_email") else {
        tracing::warn!(
            "there is no user yet: open the link that is printed, run `kaicalls setup`, or set KAICALLS_SETUP_EMAIL and KAICALLS_SETUP_PASSWORD"
        );
        let base = match config.text("public_url") {
            Some(_) => config.public_url()?,
            None => format!("http://{address}"),
        };
        // The link is a secret, so it does not go into the log.
        say!("Nobody can log in yet. Within an hour, make the first user and business here:")?;
        say!("  {base}/start/{}", app::setup::start_token(app))?;
        return Ok(());
    };
    let password = config.text("setup_password").unwrap_or_default();
    let first = FirstAccount {
        email: email.to_owned(),
        password: password.to_owned(),
        business_name: config.text("setup_business").unwrap_or("My business").to_owned(),
        timezone: config.text("setup_timezone").unwrap_or("UTC").to_owned(),
        phone: config
            .text("setup_phone")
            .map(|phone| crate::commands::phone("KAICALLS_SETUP_PHONE", phone))
            .transpose()?,
    };
    if let Some(account) = app::setup::first_account(&app.for_itself(), first).await? {
        tracing::info!(business = %account.business.id, "Made the first user and business");
    }
    Ok(())
}
