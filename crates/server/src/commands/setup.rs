//! `kaicalls setup`: a settings file with a fresh master key, the first user and the first business.

use std::io::Write as _;
use std::path::Path;

use app::Entropy as _;
use app::setup::{AccountError, FirstAccount, new_password};
use clap::Args;
use store::MasterKey;

use crate::config::{Config, DEFAULT_FILE};
use crate::failure::Failure;
use crate::system::SystemEntropy;
use crate::wiring;

/// Create the settings file, the first user and the first business
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  kaicalls setup --email you@example.com --business \"Smith & Partners\" \\\n    \
                        --timezone America/Chicago --phone +15125550100\n\nThe password is read from KAICALLS_SETUP_PASSWORD; \
                        without it one is made and shown once."
)]
pub(crate) struct Setup {
    /// E-mail address of the first user, who logs in with it
    #[arg(long)]
    email: String,
    /// Name of the business, as agents say it
    #[arg(long, value_name = "NAME")]
    business: String,
    /// Time zone of the business, like America/Chicago
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    timezone: String,
    /// Office phone number in E.164 format; also decides the home country
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
}

impl Setup {
    pub(crate) async fn run(self, mut config: Config) -> Result<(), Failure> {
        let phone = self.phone.as_deref().map(|phone| super::phone("--phone", phone)).transpose()?;
        let (password, made) = match config.text("setup_password") {
            Some(given) => (given.to_owned(), false),
            None => (new_password(&SystemEntropy), true),
        };
        let first = FirstAccount {
            email: self.email.clone(),
            password: password.clone(),
            business_name: self.business,
            timezone: self.timezone,
            phone,
        };
        // Everything that can be wrong is found before anything is written.
        first.check()?;
        if config.text("master_key").is_none() {
            let key = new_master_key();
            write_settings(&key)?;
            config.set("master_key", key);
            println!(
                "Wrote {DEFAULT_FILE} with a new master key. Keep it as safe as the database: without it keys, links and"
            );
            println!("sealed secrets are lost.");
        }
        let store = wiring::open_store(&config, false).await?;
        let app = wiring::build_app(&config, store.clone())?;
        let Some(account) = app::setup::first_account(&app, first).await? else {
            return Err(Failure::Because("there is an account already; nothing was changed".to_owned()));
        };
        let business = account.business.id;
        let vault = store.vault().clone();
        let secret = store
            .read(move |tx| {
                Box::pin(async move { store::businesses::webhook_secret(tx, &vault, business).await })
            })
            .await?;
        println!("Business        {} ({business})", account.business.name);
        println!("Login           {}", account.user.email);
        if made {
            println!("Password        {password}   (shown this once)");
        }
        println!("Webhook secret  {}   (what webhooks are signed with)", secret.unwrap_or_default());
        println!();
        println!("Next:");
        println!("  kaicalls keys create --mode test     a key for the sandbox");
        println!("  kaicalls serve");
        Ok(())
    }
}

impl From<AccountError> for Failure {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Password => Self::setting("setup_password", error),
            AccountError::Store(error) => error.into(),
            other => Self::Because(other.to_string()),
        }
    }
}

pub(crate) fn new_master_key() -> String {
    let mut bytes = [0; 32];
    SystemEntropy.fill(&mut bytes);
    MasterKey::new(bytes).to_base64()
}

/// Adds the master key to the settings file, readable by its owner only.
fn write_settings(key: &str) -> Result<(), Failure> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let path = Path::new(DEFAULT_FILE);
    let problem = |error: std::io::Error| Failure::File {
        file: DEFAULT_FILE.to_owned(),
        problem: format!("cannot be written: {error}"),
    };
    let is_new = !path.exists();
    let mut file =
        std::fs::File::options().create(true).append(true).mode(0o600).open(path).map_err(problem)?;
    if is_new {
        writeln!(
            file,
            "# Settings of kaicalls; `kaicalls settings` lists them all. This file holds a secret."
        )
        .map_err(problem)?;
    }
    writeln!(file, "master_key = \"{key}\"").map_err(problem)?;
    file.sync_all().map_err(problem)
}
