//! `kaicalls demo`: the main job before the user's eyes, over the public API, with nothing else installed.

use std::path::{Path, PathBuf};
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
use sandbox::Pace;
use serde_json::json;
use store::Platform;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::client::Client;
use crate::commands::{serve, setup};
use crate::config::Config;
use crate::failure::Failure;
use crate::http_server::{Drain, Limits};
use crate::output::{printable, say};
use crate::show::{Colours, print_event, print_outcome};
use crate::system::{SystemClock, SystemEntropy};
use crate::{http_server, telemetry, wiring};

/// Number of the scripted caller who is called, one who gives name, e-mail address and reason.
const CALLED: &str = "+15005550007";

/// Instructions of the demonstration's agent.
const PROMPT: &str = "You call people who asked the law firm Smith & Partners for help. Be brief and kind. Ask for name, e-mail \
    address and matter. Never give legal advice. A first consultation is free. Consultations are by phone or in the office, on \
    weekdays from nine to five. A lawyer calls back within one working day.";

/// First sentence of the demonstration's agent.
const OPENING: &str =
    "Good {{time_of_day}}, this is Kai from {{business_name}}. You asked us to call. How can I help you?";

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

struct Running {
    app: App,
    store: Arc<Platform>,
    address: String,
    stop: watch::Sender<bool>,
    serving: tokio::task::JoinHandle<()>,
}

impl Demo {
    /// Runs the demonstration. It takes the settings of the language model from the configuration; everything else it brings along, and
    /// leaves nothing behind.
    pub(crate) async fn run(&self, settings: &Config) -> Result<(), Failure> {
        self.pace.parse::<Pace>().map_err(|expected| Failure::Because(format!("--pace: {expected}")))?;
        let colours = Colours::of_terminal();
        let mut config = Config::defaults();
        for name in ["llm_base_url", "llm_api_key", "llm_model"] {
            config.set(name, settings.text(name).unwrap_or_default());
        }
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

        let folder = Folder(std::env::temp_dir().join(format!("kaicalls-demo-{}", std::process::id())));
        let running = self.start(&mut config, &folder.0, &receiver_address).await?;
        let stage = Stage { running: &running, receiver: &receiver_address, folder: &folder.0, colours };
        let story = tokio::select! {
            story = self.tell(&stage, &mut webhooks) => story,
            stopped = serve::signal_to_stop() => stopped.map(drop),
        };
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
        let store = wiring::open_store(config, true).await?;
        let app = wiring::build_app(config, store.clone())?;
        app::jobs::start(&app).await?;
        let api: Api = wiring::build_api(config, app.clone()).await?;
        let (stop, stopping) = watch::channel(false);
        let serving = tokio::spawn(http_server::serve(
            listener,
            api::beside(
                &api,
                dashboard::with_reference(api.web(), api.document()),
                dashboard::or_nothing_here,
            ),
            Limits::small("api"),
            http_server::told(stopping, Drain::alone(Duration::from_secs(5))),
        ));
        Ok(Running { app, store, address, stop, serving })
    }

    /// The demonstration, and then a server to play with until somebody stops it.
    async fn tell(&self, stage: &Stage<'_>, webhooks: &mut mpsc::Receiver<Received>) -> Result<(), Failure> {
        let colours = stage.colours;
        say!("{}", colours.bold("KaiCalls demo"))?;
        if !self.once {
            say!("  server    http://{}/api/v1", stage.running.address)?;
            say!("  data      {} (SQLite; gone when the demo ends)", stage.folder.display())?;
        }
        let story = stage.tell(webhooks, self.once).await?;
        if self.once {
            return Ok(());
        }
        stage.propose(&story)?;
        say!()?;
        say!("{}", colours.dim("The server keeps running. Ctrl-C ends it and removes its data."))?;
        std::future::pending().await
    }
}

/// A folder that goes with the demo.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed is a temporary file of the system's.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The running platform on which the demonstration takes place, and the receiver of its webhook.
struct Stage<'a> {
    running: &'a Running,
    /// Where webhooks are received.
    receiver: &'a str,
    folder: &'a Path,
    colours: Colours,
}

/// What was made in the course of it.
struct Story {
    user: domain::UserId,
    call: String,
    agent: String,
    test_key: String,
    live_key: String,
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

impl Stage<'_> {
    /// Account, agent, lead, call, and what follows from it. What outlives the demo only if the server does is left out if it ends
    /// at once.
    async fn tell(
        &self,
        webhooks: &mut mpsc::Receiver<Received>,
        ends_at_once: bool,
    ) -> Result<Story, Failure> {
        let Self { running, receiver, colours, .. } = *self;
        let first = FirstAccount {
            email: "demo@example.com".to_owned(),
            password: new_password(&SystemEntropy),
            business_name: "Smith & Partners".to_owned(),
            timezone: "America/Chicago".to_owned(),
            phone: E164::parse("+15125550100").ok(),
        };
        let account = app::setup::first_account(&running.app.for_itself(), first).await?;
        let account =
            account.ok_or_else(|| Failure::Because("the demo's database is not empty".to_owned()))?;
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
            let made = app::keys::create(&running.app.for_itself(), account.user.id, new).await;
            keys.push(made.map_err(|error| Failure::Because(error.to_string()))?.plain);
        }
        let client = Client::new(format!("http://{}", running.address), keys[0].clone());

        let agent = json!({ "business_id": business, "name": "Kai", "system_prompt": PROMPT, "first_message": OPENING });
        let agent = client.post("/agents", &agent).await?;
        let agent = agent["id"].as_str().unwrap_or_default().to_owned();
        let lead =
            json!({ "business_id": business, "phone": CALLED, "source": "web_form", "first_name": "Maria" });
        client.post("/leads", &lead).await?;
        say!("  business  Smith & Partners, with agent Kai and a lead from the web form")?;
        say!()?;
        say!("{}", colours.bold(&format!("Calling {CALLED}, a scripted caller")))?;

        let webhook_url = format!("http://{receiver}/calls");
        let call = json!({ "agent_id": agent, "to": CALLED, "webhook_url": webhook_url });
        let call = client.post("/calls", &call).await?;
        let call = call["id"].as_str().unwrap_or_default().to_owned();
        client.follow(&call, |event| print_event(&event, colours)).await?;
        print_outcome(&client, &call, colours).await?;
        self.show_recording(&client, &call, ends_at_once).await?;
        show_webhook(running, account.business.id, webhooks, colours).await?;
        let live_key = keys.pop().unwrap_or_default();
        let test_key = keys.pop().unwrap_or_default();
        Ok(Story { user: account.user.id, call, agent, test_key, live_key })
    }

    async fn show_recording(&self, client: &Client, call: &str, ends_at_once: bool) -> Result<(), Failure> {
        let detail = client.get(&format!("/calls?id={call}")).await?;
        let Some(url) = detail["recording_url"].as_str() else {
            return say!("  recording  none; {}", LocalVoices::HINT);
        };
        if ends_at_once {
            return say!("  recording  made, and removed with the demo's data");
        }
        say!("  recording  {url}")?;
        match newest_recording(self.folder) {
            Some(file) => say!("             {}", file.display()),
            None => Ok(()),
        }
    }

    /// What to try on the server while it runs.
    fn propose(&self, story: &Story) -> Result<(), Failure> {
        let Story { user, call, agent, test_key, live_key } = story;
        let address = &self.running.address;
        let header = format!("-H 'Authorization: Bearer {test_key}'");
        say!()?;
        say!("{}", self.colours.bold("See and hear the call"))?;
        let entry = app::sessions::entry_token(&self.running.app, *user);
        say!("  http://{address}/enter/{entry}?next=/test/calls/{call}")?;
        say!("  {}", self.colours.dim("(logs you in once, within an hour)"))?;
        say!()?;
        say!("{}", self.colours.bold("Try next"))?;
        say!("  curl http://{address}/api/v1/calls {header}")?;
        say!("  curl http://{address}/api/v1/leads {header}")?;
        say!(
            "  curl http://{address}/api/v1/calls {header} -d '{{\"agent_id\":\"{agent}\",\"to\":\"+15005550012\"}}'   # interrupts"
        )?;
        say!("  {}", self.colours.dim(&format!("(a live key, also on the sandbox in this demo: {live_key})")))
    }
}

fn newest_recording(folder: &Path) -> Option<PathBuf> {
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
    say!()?;
    say!("{}", colours.bold("The webhook that arrived"))?;
    say!("  {}", printable(&String::from_utf8_lossy(&received.body)))?;
    for name in ["webhook-id", "webhook-signature", "x-kaicalls-signature"] {
        say!("  {}", colours.dim(&format!("{name}: {}", header(name).unwrap_or("-"))))?;
    }
    match verdict {
        Ok(()) => say!("  {}", colours.paint("32", "both signatures are good")),
        Err(error) => Err(Failure::Because(format!("the webhook's signature is not good: {error}"))),
    }
}
