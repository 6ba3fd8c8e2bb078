//! `kaicalls`: one binary that gives an AI agent a telephone.

mod client;
mod commands;
mod config;
mod failure;
mod http_server;
mod output;
mod panics;
mod private;
mod show;
mod sound;
mod system;
mod telemetry;
mod wiring;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::config::Config;
use crate::failure::Failure;
use crate::output::Format;

/// Requests take and give back a hundred small pieces of memory each, on several threads: what the system brings along needs a fifth
/// of a read's time for that, and with musl far more.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Gives an AI agent a telephone: places and answers calls, knows callers from its CRM, and sends signed webhooks
#[derive(Debug, Parser)]
#[command(name = "kaicalls", version, max_term_width = 100)]
#[command(
    after_help = "First steps:\n  kaicalls demo                      see everything work, nothing to install\n  \
                        kaicalls setup --email you@example.com --business \"Smith & Partners\"\n  \
                        kaicalls serve                     then open the API at http://127.0.0.1:8080/api/v1\n\n\
                        Commands marked (API) ask a running server over its public API: KAICALLS_API_KEY is their key and \
                        KAICALLS_BASE_URL the server, if it is not the one of the settings. They see what the key may see and \
                        work from any machine. Commands marked (database) open the database of the settings, with or without a \
                        running server beside them; they are for whoever runs the server.\n\n\
                        Settings come from kaicalls.toml and from KAICALLS_… variables; `kaicalls settings` lists them."
)]
struct Arguments {
    /// Settings file [default: kaicalls.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON for programs instead of tables for people
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve,
    /// Run a demonstration: a server, an agent, a call, a lead and a signed webhook
    Demo(commands::demo::Demo),
    /// Create the settings file, the first user, business, test key and agent (database)
    Setup(commands::setup::Setup),
    /// List and create businesses, and say what their agents disclose first (database)
    #[command(subcommand)]
    Businesses(commands::businesses::Businesses),
    /// List and invite users, set passwords, end sessions (database)
    #[command(subcommand)]
    Users(commands::users::Users),
    /// Make, list and revoke API keys (database)
    #[command(subcommand)]
    Keys(commands::keys::Keys),
    /// List, read, create and change agents (API); their versions and engine (database)
    #[command(subcommand)]
    Agents(commands::agents::Agents),
    /// Place, watch, list and end calls (API)
    #[command(subcommand)]
    Calls(commands::calls::Calls),
    /// List, read, create and change leads (API); find misread phone numbers (database)
    #[command(subcommand)]
    Leads(commands::leads::Leads),
    /// List and read transcripts (API)
    #[command(subcommand)]
    Transcripts(commands::transcripts::Transcripts),
    /// Get recordings (API)
    #[command(subcommand)]
    Recordings(commands::recordings::Recordings),
    /// List scripted callers, and have one of them call an agent (API)
    #[command(subcommand)]
    Sandbox(commands::sandbox::Sandbox),
    /// Register phone numbers and give them to agents (database)
    #[command(subcommand)]
    Numbers(commands::numbers::Numbers),
    /// Subscribe to events and try subscriptions out (API); show deliveries and the secret of a business (database)
    #[command(subcommand)]
    Webhooks(commands::webhooks::Webhooks),
    /// List events and the attempts to deliver them, and send events again (API)
    #[command(subcommand)]
    Events(commands::events::Events),
    /// Hand events to a program on this machine as signed webhooks, from any point in the past (API)
    Listen(commands::listen::Listen),
    /// List the numbers that must not be called, and lift such wishes (database)
    #[command(subcommand)]
    OptOuts(commands::opt_outs::OptOuts),
    /// Show minutes in use and the log of requests (API)
    #[command(subcommand)]
    Usage(commands::usage::Usage),
    /// List administrative changes: who did what, from where, and what it was before (database)
    Audit(commands::audit::Audit),
    /// List jobs and retry failed ones (database)
    #[command(subcommand)]
    Jobs(commands::jobs::Jobs),
    /// Copy everything that the installation keeps into a folder, while it runs (database)
    Backup(commands::backup::Backup),
    /// Bring back what `kaicalls backup` kept, into an installation that has no data yet (database)
    Restore(commands::restore::Restore),
    /// Write everything that one business has into a folder, as JSON lines and recordings (database)
    Export(commands::export::Export),
    /// Move the data of an installation from SQLite to PostgreSQL (database)
    Move(commands::moving::Move),
    /// Check settings, database and external services
    Doctor,
    /// Print the API's OpenAPI document
    Openapi,
    /// Print all settings with their defaults as a Markdown page
    Settings,
    /// Print all metrics with their meaning as a Markdown page
    Metrics,
    /// Print completions for a shell
    Completions(commands::shell::Completions),
    /// Print the manual page, or write the pages of all commands into a folder
    Man(commands::shell::Manual),
}

impl Command {
    /// `--json` stands before and after every command; those that print nothing for programs say so instead of ignoring it.
    fn can_print_json(&self) -> Result<(), Failure> {
        let instead = match self {
            Self::Serve => "the setting `log_format` chooses the form of the log",
            Self::Demo(_) => {
                "the demonstration is told to people; `kaicalls calls create --json` places a call for programs"
            }
            Self::Settings | Self::Metrics => "this prints a page in Markdown",
            Self::Completions(_) => "this prints a program for a shell",
            Self::Man(_) => "this prints a page for `man`",
            _ => return Ok(()),
        };
        Err(Failure::Because(format!("--json: {instead}")))
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments).await {
        // A reader who has seen enough is no failure.
        Ok(()) | Err(Failure::NobodyReads) => ExitCode::SUCCESS,
        Err(failure) => {
            output::remark(failure);
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let format = if arguments.json { Format::Json } else { Format::Text };
    if arguments.json {
        arguments.command.can_print_json()?;
    }
    // These need no settings.
    match &arguments.command {
        Command::Openapi => return commands::openapi::run(),
        Command::Settings => return commands::settings::run(),
        Command::Metrics => return commands::metrics::run(),
        Command::Completions(completions) => return completions.run(Arguments::command()),
        Command::Man(manual) => return manual.run(Arguments::command()),
        _ => {}
    }
    // From here on files hold what people said, or open it.
    private::begin();
    let makes_file = matches!(arguments.command, Command::Setup(_));
    let config = Config::load(arguments.config.as_deref(), makes_file)?;
    // A server says it in its log.
    if !matches!(arguments.command, Command::Serve) {
        for warning in config.warnings() {
            output::remark(format_args!("warning: {warning}"));
        }
    }
    match arguments.command {
        Command::Serve => commands::serve::run(config).await,
        Command::Demo(demo) => demo.run(&config).await,
        Command::Setup(setup) => setup.run(config, format).await,
        Command::Businesses(businesses) => businesses.run(config, format).await,
        Command::Users(users) => users.run(config, format).await,
        Command::Keys(keys) => keys.run(config, format).await,
        Command::Agents(agents) => agents.run(config, format).await,
        Command::Calls(calls) => calls.run(config, format).await,
        Command::Leads(leads) => leads.run(config, format).await,
        Command::Transcripts(transcripts) => transcripts.run(config, format).await,
        Command::Recordings(recordings) => recordings.run(config, format).await,
        Command::Sandbox(sandbox) => sandbox.run(config, format).await,
        Command::Numbers(numbers) => numbers.run(config, format).await,
        Command::Webhooks(webhooks) => webhooks.run(config, format).await,
        Command::Events(events) => events.run(config, format).await,
        Command::Listen(listen) => listen.run(config, format).await,
        Command::OptOuts(opt_outs) => opt_outs.run(config, format).await,
        Command::Usage(usage) => usage.run(config, format).await,
        Command::Audit(audit) => audit.run(&config, format).await,
        Command::Jobs(jobs) => jobs.run(config, format).await,
        Command::Backup(backup) => backup.run(&config, format).await,
        Command::Restore(restore) => restore.run(&config, format).await,
        Command::Export(export) => export.run(&config, format).await,
        Command::Move(moving) => moving.run(&config, format).await,
        Command::Doctor => commands::doctor::run(config, format).await,
        Command::Openapi
        | Command::Settings
        | Command::Metrics
        | Command::Completions(_)
        | Command::Man(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_do_not_contradict_each_other() {
        Arguments::command().debug_assert();
    }

    fn parsed(line: &str) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from(std::iter::once("kaicalls").chain(line.split(' ')))
    }

    #[test]
    fn complete_command_lines_are_taken_and_incomplete_or_contradictory_ones_are_not() {
        let id = "0190b5a0-0000-7000-8000-000000000000";
        for line in [
            "serve",
            "serve --config kai.toml",
            "--json keys list",
            "keys list --json",
            "calls create --to +15005550007 --watch",
            "events replay ID ID ID",
            "events replay --status failed --webhook ID",
            "events backfill --from 2026-11-01 --to 2026-11-08",
            "opt-outs remove +15125550142 --mode test",
            "webhooks update ID --active false",
            "webhooks secret rotate --revoke-previous",
            "jobs list --failed",
        ] {
            assert!(parsed(&line.replace("ID", id)).is_ok(), "{line}");
        }
        for line in [
            "keys",
            "dance",
            "calls create",
            "calls create --to +15005550007 --max-duration long",
            "events replay ID --status failed",
            "events replay ID --type call.failed",
            "events replay ID --object ID",
            "events backfill --from 2026-11-01",
            "opt-outs remove +15125550142 --mode both",
            "opt-outs remove",
            "webhooks update ID --active perhaps",
            "leads list --min-score 256",
            "leads list --limit -1",
        ] {
            assert!(parsed(&line.replace("ID", id)).is_err(), "{line}");
        }
    }
}
