//! `kaicalls`: one binary that gives an AI agent a telephone.

mod client;
mod commands;
mod config;
mod failure;
mod http_server;
mod panics;
mod system;
mod telemetry;
mod wiring;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::failure::Failure;

/// Gives an AI agent a telephone: places and answers calls, knows callers from its CRM, and sends signed webhooks
#[derive(Debug, Parser)]
#[command(name = "kaicalls", version, max_term_width = 100)]
#[command(
    after_help = "First steps:\n  kaicalls demo                      see everything work, nothing to install\n  \
                        kaicalls setup --email you@example.com --business \"Smith & Partners\"\n  \
                        kaicalls serve                     then open the API at http://127.0.0.1:8080/api/v1\n\n\
                        Settings come from kaicalls.toml and from KAICALLS_… variables; `kaicalls settings` lists them."
)]
struct Arguments {
    /// Settings file [default: kaicalls.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve,
    /// Run a demonstration: a server, an agent, a call, a lead and a signed webhook
    Demo(commands::demo::Demo),
    /// Create the settings file, the first user and the first business
    Setup(commands::setup::Setup),
    /// Create, list and revoke API keys
    #[command(subcommand)]
    Keys(commands::keys::Keys),
    /// Make and list agents (over the API)
    #[command(subcommand)]
    Agents(commands::agents::Agents),
    /// Place, watch and list calls (over the API)
    #[command(subcommand)]
    Calls(commands::calls::Calls),
    /// Register phone numbers and assign them to agents
    #[command(subcommand)]
    Numbers(commands::numbers::Numbers),
    /// List jobs and retry failed ones
    #[command(subcommand)]
    Jobs(commands::jobs::Jobs),
    /// List and remove do-not-call entries
    #[command(subcommand)]
    OptOuts(commands::opt_outs::OptOuts),
    /// Check settings, database and external services
    Doctor,
    /// Print the API's OpenAPI document
    Openapi,
    /// Print all settings with their defaults as a Markdown page
    Settings,
    /// Print all metrics with their meaning as a Markdown page
    Metrics,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("kaicalls: {failure}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    // These need no settings.
    match &arguments.command {
        Command::Demo(demo) => return demo.run().await,
        Command::Openapi => return commands::openapi::run(),
        Command::Settings => {
            commands::settings::run();
            return Ok(());
        }
        Command::Metrics => {
            commands::metrics::run();
            return Ok(());
        }
        _ => {}
    }
    let config = Config::load(arguments.config.as_deref())?;
    // A server says it in its log.
    if !matches!(arguments.command, Command::Serve) {
        for warning in config.warnings() {
            eprintln!("kaicalls: warning: {warning}");
        }
    }
    match arguments.command {
        Command::Serve => commands::serve::run(config).await,
        Command::Setup(setup) => setup.run(config).await,
        Command::Keys(keys) => keys.run(config).await,
        Command::Agents(agents) => agents.run(config).await,
        Command::Calls(calls) => calls.run(config).await,
        Command::Numbers(numbers) => numbers.run(config).await,
        Command::Jobs(jobs) => jobs.run(config).await,
        Command::OptOuts(opt_outs) => opt_outs.run(config).await,
        Command::Doctor => commands::doctor::run(config).await,
        Command::Demo(_) | Command::Openapi | Command::Settings | Command::Metrics => Ok(()),
    }
}
