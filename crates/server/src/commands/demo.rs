//! `kaicalls demo`: the main job before the user's eyes, over the public API, with nothing else installed.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use api::Api;
use app::App;
use app::setup::{FirstAccount, new_password};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use bytes::Bytes;
use clap::Args;
use domain::{Clock as _, E164, Mode, Scope, ScopeSet};
use providers::LocalVoices;
use serde_json::{Value, json};
use store::Platform;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::client::Client;
use crate::commands::calls::{Colours, print_event, printable};
use crate::commands::{serve, setup};
use crate::config::Config;
use crate::failure::Failure;
use crate::http_server::{Drain, Limits};
use crate::system::{SystemClock, SystemEntropy};
use crate::{http_server, telemetry, wiring};

/// Who is called: gives name, e-mail address and reason.
const CALLED: &str = "+15005550007";

/// How long the webhook may take.
const WEBHOOK_PATIENCE: Duration = Duration::from_secs(20);

/// Run a demonstration: a server, an agent, a call, a lead and a signed webhook
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Stop the server after the call instead of keeping it running
    #[arg(long)]
    once: bool,
    /// Speed of the call: `fast` (as fast as the machine can), `realtime`, or a factor like `10`
    #[arg(long, default_value = "8")]
    pace: String,
    /// Address to listen on [default: 127.0.0.1:8080, or a free port if that is taken]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
}

/// A webhook as it came in.
struct Received {
    headers: HeaderMap,
    body: Bytes,
}

/// The running platform.
struct Running {
    app: App,
    store: Arc<Platform>,
    address: String,
    stop: watch::Sender<bool>,
    serving: tokio::task::JoinHandle<()>,
}

impl Demo {
    pub(crate) async fn run(&self) -> Result<(), Failure> {
        let colours = Colours::of_terminal();
        let mut config = Config::defaults();
        config.set("log", "warn");
        telemetry::start_logs(&config)?;

        let (heard, mut webhooks) = mpsc::channel(16);
        let receiver = http_server::listen("the demo's webhook receiver", "127.0.0.1:0").await?;
        let receiver_address = local_address(&receiver)?;
        let (stop_receiver, stopping) = watch::channel(false);
        let receiving = tokio::spawn(http_server::serve(
            receiver,
            receiver_router(heard),
            Limits::small("receiver"),
            http_server::told(stopping, Drain::alone(Duration::ZERO)),
        ));

        let folder = std::env::temp_dir().join(format!("kaicalls-demo-{}", std::process::id()));
        let running = self.start(&mut config, &folder, &receiver_address).await?;
        println!("{}", colours.bold("KaiCalls demo"));
        println!("  server    http://{}/api/v1", running.address);
        println!("  data      {} (SQLite; a new master key, for this demo only)", folder.display());
        let story = tell(&running, &receiver_address, &mut webhooks, &folder, colours).await;

        if story.is_ok() && !self.once {
            println!();
            println!("{}", colours.dim("The server keeps running. Ctrl-C ends it."));
            serve::signal_to_stop().await?;
        }
        running.app.announce_stop();
        running.stop.send_replace(true);
        stop_receiver.send_replace(true);
        // Both end when told to; what goes wrong with them now no longer matters.
        let _ = tokio::join!(running.serving, receiving);
        running.app.stop(Duration::from_secs(5)).await;
        story
    }

    async fn start(
        &self,
        config: &mut Config,
        folder: &std::path::Path,
        receiver: &str,
    ) -> Result<Running, Failure> {
        let listener = match &self.listen {
            Some(address) => http_server::listen("--listen", address).await?,
            None => match TcpListener::bind("127.0.0.1:8080").await {
                Ok(listener) => listener,
                Err(_) => http_server::listen("--listen", "127.0.0.1:0").await?,
            },
        };
        let address = local_address(&listener)?;
        config.set("database_url", format!("sqlite:{}", folder.join("kaicalls.db").display()));
        config.set("data_dir", folder.display().to_string());
        config.set("master_key", setup::new_master_key());
        config.set("listen", address.clone());
        config.set("sandbox_pace", self.pace.clone());
        config.set("live_engine", "sandbox");
        config.set("egress_allow", receiver);
        config.sandbox_pace().map_err(|error| Failure::Because(format!("--pace: {error}")))?;
        let store = wiring::open_store(config, true).await?;
        let app = wiring::build_app(config, store.clone())?;
        app::jobs::start(&app).await?;
        let api: Api = wiring::build_api(config, app.clone()).await?;
        let (stop, stopping) = watch::channel(false);
        let serving = tokio::spawn(http_server::serve(
            listener,
            api::router(&api),
            Limits::small("api"),
            http_server::told(stopping, Drain::alone(Duration::from_secs(5))),
        ));
        Ok(Running { app, store, address, stop, serving })
    }
}

fn local_address(listener: &TcpListener) -> Result<String, Failure> {
    listener
        .local_addr()
        .map(|address| address.to_string())
        .map_err(|error| Failure::Because(error.to_string()))
}

/// Stands for the server of a customer, which receives webhooks.
fn receiver_router(heard: mpsc::Sender<Received>) -> Router {
    let receive = |State(heard): State<mpsc::Sender<Received>>, headers: HeaderMap, body: Bytes| async move {
        // A full channel means that nobody reads any more.
        let _ = heard.try_send(Received { headers, body });
        StatusCode::NO_CONTENT
    };
    Router::new().route("/calls", post(receive)).with_state(heard)
}

/// Runs the demonstration: account, agent, lead, call, and what follows from it.
async fn tell(
    running: &Running,
    receiver: &str,
    webhooks: &mut mpsc::Receiver<Received>,
    folder: &std::path::Path,
    colours: Colours,
) -> Result<(), Failure> {
    let first = FirstAccount {
        email: "demo@example.com".to_owned(),
        password: new_password(&SystemEntropy),
        business_name: "Smith & Partners".to_owned(),
        timezone: "America/Chicago".to_owned(),
        phone: E164::parse("+15125550100").ok(),
    };
    let account = app::setup::first_account(&running.app, first).await?;
    let account = account.ok_or_else(|| Failure::Because("the demo's database is not empty".to_owned()))?;
    let business = account.business.id.to_string();
    let mut keys = Vec::new();
    for mode in [Mode::Test, Mode::Live] {
        let new = app::keys::NewKey {
            name: format!("demo, {mode}"),
            mode,
            scopes: ScopeSet::new([Scope::All]),
            business_id: None,
            expires_at: None,
        };
        let made = app::keys::create(&running.app, account.user.id, new).await;
        keys.push(made.map_err(|error| Failure::Because(error.to_string()))?.plain);
    }
    let client = Client::new(format!("http://{}", running.address), keys[0].clone());

    let agent = client
        .post(
            "/agents",
            &json!({
                "business_id": business,
                "name": "Kai",
                "system_prompt": "You call people who asked the law firm Smith & Partners for help. Be brief and kind. Ask for name, \
                    e-mail address and matter. Never give legal advice. A first consultation is free. Consultations are by phone or \
                    in the office, on weekdays from nine to five. A lawyer calls back within one working day.",
                "first_message": "Good {{time_of_day}}, this is Kai from {{business_name}}. You asked us to call. How can I help you?",
            }),
        )
        .await?;
    let agent = agent["id"].as_str().unwrap_or_default().to_owned();
    let lead =
        json!({ "business_id": business, "phone": CALLED, "source": "web_form", "first_name": "Maria" });
    client.post("/leads", &lead).await?;
    println!("  business  Smith & Partners, with agent Kai and a lead from the web form");
    println!();
    println!("{}", colours.bold(&format!("Calling {CALLED}, a scripted caller")));

    let webhook_url = format!("http://{receiver}/calls");
    let call = client
        .post(
            "/calls",
            &json!({ "agent_id": agent, "to": CALLED, "lead_id": Value::Null, "webhook_url": webhook_url }),
        )
        .await?;
    let call = call["id"].as_str().unwrap_or_default().to_owned();
    client.follow(&call, |event| print_event(&event, colours)).await?;
    show_results(&client, &call, folder, colours).await?;
    show_webhook(running, account.business.id, webhooks, colours).await?;

    println!();
    println!("{}", colours.bold("Try next"));
    let (address, key) = (&running.address, &keys[0]);
    let header = format!("-H 'Authorization: Bearer {key}'");
    println!("  curl http://{address}/api/v1/calls {header}");
    println!("  curl http://{address}/api/v1/leads {header}");
    println!(
        "  curl http://{address}/api/v1/calls {header} -d '{{\"agent_id\":\"{agent}\",\"to\":\"+15005550012\"}}'   # interrupts"
    );
    println!("  {}", colours.dim(&format!("(a live key, also on the sandbox in this demo: {})", keys[1])));
    Ok(())
}

async fn show_results(
    client: &Client,
    call: &str,
    folder: &std::path::Path,
    colours: Colours,
) -> Result<(), Failure> {
    let detail = client.get(&format!("/calls?id={call}")).await?;
    let text = |value: &Value| printable(value.as_str().unwrap_or("-"));
    println!();
    println!("{}", colours.bold("What came of it"));
    println!("  summary    {}", text(&detail["summary"]));
    let marks = detail["quality_dimensions"].as_object().map(|marks| {
        marks
            .iter()
            .map(|(name, mark)| format!("{} {mark}", name.replace('_', " ")))
            .collect::<Vec<_>>()
            .join(", ")
    });
    println!("  quality    {}", marks.unwrap_or_else(|| "-".to_owned()));
    if let Some(lead) = detail["lead_id"].as_str() {
        let lead = client.get(&format!("/leads?id={lead}")).await?;
        let (name, email) = (text(&lead["name"]), text(&lead["email"]));
        println!("  lead       {name}, {email}, {}, status {}", text(&lead["phone"]), text(&lead["status"]));
        println!("             wants: {}", text(&lead["message"]));
        println!("             score {}: {}", lead["score"], text(&lead["score_explanation"]));
    }
    match detail["recording_url"].as_str() {
        Some(url) => {
            println!("  recording  {url}");
            if let Some(file) = newest_recording(folder) {
                println!("             {}", file.display());
            }
        }
        None => println!("  recording  none; {}", LocalVoices::HINT),
    }
    Ok(())
}

fn newest_recording(folder: &std::path::Path) -> Option<PathBuf> {
    let folders = std::fs::read_dir(folder.join("recordings")).ok()?;
    let files =
        folders.flatten().filter_map(|folder| std::fs::read_dir(folder.path()).ok()).flatten().flatten();
    files.map(|file| file.path()).find(|path| path.extension().is_some_and(|extension| extension == "wav"))
}

async fn show_webhook(
    running: &Running,
    business: domain::BusinessId,
    webhooks: &mut mpsc::Receiver<Received>,
    colours: Colours,
) -> Result<(), Failure> {
    let received = tokio::time::timeout(WEBHOOK_PATIENCE, webhooks.recv()).await.ok().flatten();
    let received = received.ok_or_else(|| Failure::Because("the webhook did not arrive".to_owned()))?;
    let vault = running.store.vault().clone();
    let secret = running
        .store
        .read(move |tx| {
            Box::pin(async move { store::businesses::webhook_secret(tx, &vault, business).await })
        })
        .await?
        .unwrap_or_default();
    let headers = Arc::new(received.headers);
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let verdict = webhooks::signature::verify(header, &received.body, &secret, SystemClock.now());
    println!();
    println!("{}", colours.bold("The webhook that arrived"));
    println!("  {}", printable(&String::from_utf8_lossy(&received.body)));
    for name in ["webhook-id", "webhook-signature", "x-kaicalls-signature"] {
        println!("  {}", colours.dim(&format!("{name}: {}", header(name).unwrap_or("-"))));
    }
    match verdict {
        Ok(()) => println!("  {}", colours.paint("32", "both signatures are good")),
        Err(error) => return Err(Failure::Because(format!("the webhook's signature is not good: {error}"))),
    }
    Ok(())
}
