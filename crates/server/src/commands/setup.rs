//! `kaicalls setup`: a settings file with a fresh master key, the first user, the first business, a test key and an agent, and the lines
//! that use them.

use app::Entropy as _;
use app::setup::{AccountError, Beginning, FirstAccount, new_password};
use clap::Args;
use serde_json::json;
use store::MasterKey;

use crate::config::Config;
use crate::failure::Failure;
use crate::output::{self, Format, say};
use crate::system::SystemEntropy;
use crate::wiring;

/// Create the settings file, the first user, business, test key and agent
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
    pub(crate) async fn run(self, mut config: Config, format: Format) -> Result<(), Failure> {
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
        first.check().map_err(|error| match error {
            AccountError::Password => Failure::setting("setup_password", error),
            other => other.into(),
        })?;
        if config.text("master_key").is_none() {
            config.keep_master_key(new_master_key())?;
            if format == Format::Text {
                say!(
                    "Wrote {} with a new master key. Keep it as safe as the database: without it keys, links",
                    config.file().display()
                )?;
                say!("and sealed secrets are lost.")?;
                say!()?;
            }
        }
        let store = wiring::open_store(&config, false).await?;
        let app = wiring::operators_app(&config, store.clone())?;
        let Some(account) = app::setup::first_account(&app, first).await? else {
            return Err(Failure::Because("there is an account already; nothing was changed. `kaicalls users invite` adds a user, `kaicalls \
                 businesses create` a business, `kaicalls keys create` a key"
                    .to_owned(),));
        };
        let business = account.business.id;
        let vault = store.vault().clone();
        let secret = store
            .read(move |tx| {
                Box::pin(async move { store::businesses::webhook_secret(tx, &vault, business).await })
            })
            .await?;
        let Beginning { key, agent } = app::setup::begin(&app, &account).await?;
        let (agent, agent_name) = (agent.id.to_string(), agent.config.name);
        let secret = secret.unwrap_or_default();
        let shown = made.then_some(password.as_str());
        if format == Format::Json {
            return output::json(&json!({
                "business_id": business.to_string(),
                "email": account.user.email,
                "password": shown,
                "webhook_secret": secret,
                "test_key": key,
                "agent_id": agent,
            }));
        }
        say!("Business        {} ({business})", account.business.name)?;
        say!("Login           {}", account.user.email)?;
        if let Some(password) = shown {
            say!("Password        {password}   (shown this once)")?;
        }
        say!("Test key        {key}   (shown this once)")?;
        say!("Agent           {agent_name} ({agent})")?;
        say!("Webhook secret  {secret}   (what webhooks are signed with)")?;
        say!()?;
        say!("Next, start the server:")?;
        say!()?;
        say!("  kaicalls serve{}", config.same_file())?;
        say!()?;
        say!("and in another terminal have {agent_name} call a scripted caller of the sandbox:")?;
        say!()?;
        say!("  export KAICALLS_API_KEY={key}")?;
        say!("  kaicalls calls create --to +15005550007 --watch{}", config.same_file())
    }
}

impl From<AccountError> for Failure {
    fn from(error: AccountError) -> Self {
        match error {
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
