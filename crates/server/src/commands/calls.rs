//! `kaicalls calls`: placing, watching and listing calls over the API, with a key.

use std::io::IsTerminal as _;

use clap::Subcommand;
use serde_json::{Value, json};

use crate::client::{Client, Event};
use crate::config::Config;
use crate::failure::Failure;

/// Place, watch and list calls (over the API)
#[derive(Debug, Subcommand)]
pub(crate) enum Calls {
    /// Place a call
    #[command(
        after_help = "Example:\n  export KAICALLS_API_KEY=kc_test_…\n  kaicalls calls create --agent ID --to +15005550007 \
                            --watch\n\nThe sandbox's numbers are in docs/reference/sandbox.md."
    )]
    Create {
        /// Id of the agent that makes the call
        #[arg(long, value_name = "ID")]
        agent: String,
        /// Phone number to call, in E.164 format like +15125550123
        #[arg(long, value_name = "NUMBER")]
        to: String,
        /// Name of the person who is called; the agent greets them by it
        #[arg(long)]
        name: Option<String>,
        /// What the agent should know about this call
        #[arg(long)]
        context: Option<String>,
        /// Print the conversation as it happens, until the call ends
        #[arg(long)]
        watch: bool,
    },
    /// Print a conversation as it happens, until the call ends
    Watch {
        /// Id of the call
        id: String,
    },
    /// List calls, newest first
    List {
        /// Number of calls to list
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
}

impl Calls {
    pub(crate) async fn run(self, config: Config) -> Result<(), Failure> {
        let client = Client::configured(&config)?;
        match self {
            Self::Create { agent, to, name, context, watch } => {
                let body = json!({ "agent_id": agent, "to": to, "name": name, "context": context });
                let call = client.post("/calls", &body).await?;
                let id = call["id"].as_str().unwrap_or_default();
                println!("{id}");
                if watch {
                    follow(&client, id).await?;
                }
            }
            Self::Watch { id } => follow(&client, &id).await?,
            Self::List { limit } => {
                let calls = client.get(&format!("/calls?limit={limit}")).await?;
                for call in calls["calls"].as_array().into_iter().flatten() {
                    let text = |name: &str| call[name].as_str().unwrap_or("-").to_owned();
                    let duration = call["duration"]
                        .as_u64()
                        .map_or_else(|| "-".to_owned(), |seconds| format!("{seconds} s"));
                    println!(
                        "{}  {:<11}  {duration:>6}  {}  {}",
                        text("id"),
                        text("status"),
                        text("to"),
                        text("created_at")
                    );
                }
            }
        }
        Ok(())
    }
}

async fn follow(client: &Client, id: &str) -> Result<(), Failure> {
    let colours = Colours::of_terminal();
    client.follow(id, |event| print_event(&event, colours)).await
}

/// Whether standard output takes colours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Colours(bool);

impl Colours {
    /// Colours on a terminal, unless NO_COLOR asks for none (no-color.org).
    pub(crate) fn of_terminal() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "a convention of all command-line tools, no setting of ours"
        )]
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self(std::io::stdout().is_terminal() && !unwanted)
    }

    pub(crate) fn paint(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }
}

/// Prints one event of a call.
pub(crate) fn print_event(event: &Event, colours: Colours) {
    if event.kind == "said" {
        let (who, code) = match event.data["by"].as_str() {
            Some("agent") => ("Agent ", "36"),
            _ => ("Caller", "33"),
        };
        let cut = if event.data["interrupted"].as_bool() == Some(true) { " —" } else { "" };
        let text = printable(event.data["text"].as_str().unwrap_or_default());
        let time = clock(event.data["start_ms"].as_u64().unwrap_or(0));
        println!("  {}  {}  {text}{cut}", colours.dim(&time), colours.paint(code, who));
        return;
    }
    let more = match event.kind.as_str() {
        "noted" => event.data["what"].as_str().unwrap_or_default().replace('_', " "),
        "ended" => reason(&event.data),
        _ => String::new(),
    };
    let line = format!("         {} {more}", event.kind);
    println!("{}", colours.dim(line.trim_end()));
}

fn reason(data: &Value) -> String {
    let reason = data["reason"].as_str().unwrap_or_default().replace('-', " ");
    match data["talked_ms"].as_u64() {
        Some(talked) => format!("{reason}, after {}", clock(talked)),
        None => reason,
    }
}

/// Minutes and seconds.
fn clock(millis: u64) -> String {
    format!("{:>2}:{:02}", millis / 60_000, millis / 1000 % 60)
}

/// What a caller said cannot move the cursor or change colours.
pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
