//! `kaicalls setup`: a settings file with a fresh master key, the first user and the first business.

use std::io::Write as _;
use std::path::Path;

use app::Entropy as _;
use app::setup::FirstAccount;
use clap::Args;
use store::MasterKey;

use crate::config::{Config, DEFAULT_FILE};
use crate::failure::Failure;
use crate::system::SystemEntropy;
use crate::wiring;

/// Make the settings file, the first user and the first business
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  kaicalls setup --email you@example.com --business \"Smith & Partners\" \\\n    \
                        --timezone America/Chicago --phone +15125550100\n\nThe password is read from KAICALLS_SETUP_PASSWORD; \
                        without it one is made and shown once."
)]
pub(crate) struct Setup {
    /// Login name of the first user
    #[arg(long)]
    email: String,
    /// Name of the business, as agents say it
    #[arg(long, value_name = "NAME")]
    business: String,
    /// Time zone of the business
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    timezone: String,
    /// Office number in E.164; also decides the home country
    #[arg(long, value_name = "NUMBER")]
    phone: Option<String>,
}

impl Setup {
    pub(crate) async fn run(self, mut config: Config) -> Result<(), Failure> {
        let email = checked_email(&self.email)?;
        let timezone = checked_timezone(&self.timezone)?;
        let phone = self.phone.as_deref().map(|phone| super::phone("--phone", phone)).transpose()?;
        let (password, made) = match config.text("setup_password") {
            Some(given) => {
                let checked =
                    checked_password(given).map_err(|problem| Failure::setting("setup_password", problem))?;
                (checked, false)
            }
            None => (new_password(), true),
        };
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
        let first = FirstAccount {
            email: email.clone(),
            password: password.clone(),
            business_name: self.business,
            timezone,
            phone,
        };
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
        println!("Login           {email}");
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

pub(crate) fn checked_email(email: &str) -> Result<String, Failure> {
    let good = email
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && email.len() <= 320);
    if good {
        Ok(email.to_owned())
    } else {
        Err(Failure::Because("the e-mail address: expected one like you@example.com".to_owned()))
    }
}

/// Gives the reason if a password is too short or too long.
pub(crate) fn checked_password(password: &str) -> Result<String, String> {
    let (shortest, longest) = (app::sessions::MIN_PASSWORD_CHARS, app::sessions::MAX_PASSWORD_BYTES);
    if password.chars().count() >= shortest && password.len() <= longest {
        Ok(password.to_owned())
    } else {
        Err(format!("expected at least {shortest} characters and at most {longest} bytes"))
    }
}

pub(crate) fn checked_timezone(name: &str) -> Result<String, Failure> {
    match jiff::tz::TimeZone::get(name) {
        Ok(_) => Ok(name.to_owned()),
        Err(_) => Err(Failure::Because(format!(
            "the time zone: expected an IANA name like America/Chicago, found {name}"
        ))),
    }
}

pub(crate) fn new_master_key() -> String {
    let mut bytes = [0; 32];
    SystemEntropy.fill(&mut bytes);
    MasterKey::new(bytes).to_base64()
}

/// Five groups of four letters and digits that are not mistaken for one another.
pub(crate) fn new_password() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut random = [0; 20];
    SystemEntropy.fill(&mut random);
    let letters: Vec<char> = random.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
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
