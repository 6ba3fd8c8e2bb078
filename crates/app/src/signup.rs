//! Signing up: a user, a business, a key, an agent and, where one is free, a number, all in one transaction.

use domain::agent::{Agent, AgentConfig};
use domain::api_key::{ENTROPY_BYTES, PlainKey};
use domain::audit::Actor;
use domain::business::{Business, Limits, Role, User};
use domain::dial_policy::{country_calling_code, zones_of};
use domain::disclosure::Disclosures;
use domain::{AgentId, Author, BusinessId, E164, KeyId, Mode, Scope, ScopeSet};
use store::keys::Key;

use crate::numbers::hand_over;
use crate::setup::{
    AccountError, check_business_name, check_email, installations_country, new_password, new_user,
    note_account,
};
use crate::{Acting, App, agents, keys};

/// Who signs up.
#[derive(Debug, Clone)]
pub struct Signup {
    /// What the business is called; agents say it.
    pub business_name: String,
    /// E-mail address of its owner.
    pub email: String,
    /// What kind of business it is, for the agent's instructions.
    pub business_type: Option<String>,
    /// Address of its web page, for the agent's instructions.
    pub website: Option<String>,
    /// Where the agent passes callers on to; also decides the time zone.
    pub forward_to: Option<E164>,
}

/// Everything that a new account begins with.
#[derive(Debug, Clone)]
pub struct SignedUp {
    /// A live key that may do everything in the new business; shown this once.
    pub key: String,
    pub user: User,
    pub business: Business,
    pub agent: Agent,
    /// The number that the agent answers; `None` where none was free.
    pub number: Option<E164>,
}

/// What the first agent is called.
const AGENT_NAME: &str = "Kai";

/// Makes an account. The owner has a password that nobody knows: the operator gives them one that they can log in with.
pub async fn sign_up(app: &Acting, signup: Signup) -> Result<SignedUp, AccountError> {
    check_email(&signup.email)?;
    check_business_name(&signup.business_name)?;
    let password = new_password(&*app.parts().entropy);
    let password_hash = app.passwords().hash(password, app.random()).await;
    let now = app.now();
    let user = new_user(app, &signup.email);
    let mut business = business_of(app, &signup);
    let named_country = named_country(app, &signup);
    let agent = Agent {
        id: AgentId::new(app.ids()),
        business_id: business.id,
        config: first_agent(&signup),
        engine: None,
        vapi_assistant_id: None,
        version: 1,
        created_at: app.store().created_at(now),
        updated_at: now,
    };
    let plain = PlainKey::generate(Mode::Live, &app.random::<ENTROPY_BYTES>());
    let hash = keys::hash(app, &plain);
    let key = Key {
        id: KeyId::new(app.ids()),
        user_id: user.id,
        name: "Signup".to_owned(),
        prefix: plain.public_prefix().to_owned(),
        mode: Mode::Live,
        scopes: ScopeSet::new([Scope::All]),
        business_id: Some(business.id),
        created_at: app.store().created_at(now),
        last_used_at: None,
        expires_at: None,
        revoked_at: None,
    };
    let vault = app.store().vault().clone();
    let webhook_secret = webhooks::signature::new_secret(&app.random::<32>());
    let (nonce, stranger) = (app.random::<24>(), app.clone());
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                if store::users::by_email(tx, &user.email).await?.is_some() {
                    return Err(AccountError::EmailTaken);
                }
                business.country_calling_code = match named_country {
                    Some(named) => named,
                    None => installations_country(tx).await?,
                };
                store::users::insert(tx, &user, &password_hash).await?;
                store::businesses::insert(tx, &vault, &business, &webhook_secret, &nonce).await?;
                store::users::add_membership(tx, user.id, business.id, Role::Owner).await?;
                store::keys::insert(tx, &key, &hash).await?;
                store::agents::insert(tx, &agent, &Author::system()).await?;
                // Whoever asks becomes the new user.
                let who =
                    Actor::user(user.id, stranger.address().map(str::to_owned)).named(user.email.as_str());
                let acting = stranger.instead(who);
                note_account(tx, &acting, &user, &business).await?;
                acting.note(tx, keys::concerned(&key), keys::creation(&key)).await?;
                agents::note(tx, &acting, None, &agent, None).await?;
                let free = store::numbers::lock_free(tx, &business.country_calling_code).await?;
                if let Some(number) = &free {
                    hand_over(tx, &acting, number, Some(business.id), Some(agent.id)).await?;
                }
                let number = free.map(|number| number.phone_number);
                Ok(SignedUp { key: plain.reveal().to_owned(), user, business, agent, number })
            })
        })
        .await
}

/// The country of the number that calls are passed on to, if the operator allows calls there. Otherwise strangers could open any country to
/// calls that the operator pays for.
fn named_country(app: &App, signup: &Signup) -> Option<String> {
    let country = country_calling_code(signup.forward_to.as_ref()?);
    let allowed = &app.settings().allowed_countries;
    allowed.iter().find(|allowed| *allowed == country).cloned()
}

/// The business as it is asked for, at home nowhere yet.
fn business_of(app: &App, signup: &Signup) -> Business {
    let zone = signup.forward_to.as_ref().and_then(|phone| zones_of(phone).first().copied());
    Business {
        id: BusinessId::new(app.ids()),
        name: signup.business_name.trim().to_owned(),
        country_calling_code: String::new(),
        phone: signup.forward_to.clone(),
        timezone: zone.unwrap_or("UTC").to_owned(),
        disclosures: Disclosures::default(),
        limits: Limits::default(),
        created_at: app.store().created_at(app.now()),
    }
}

/// An agent that can answer from the first minute.
fn first_agent(signup: &Signup) -> AgentConfig {
    let kind = signup.business_type.as_deref().map(|kind| format!(" ({})", plain(kind))).unwrap_or_default();
    let website = signup.website.as_deref().map(|page| format!(" Its web page is {}.", plain(page)));
    AgentConfig {
        name: AGENT_NAME.to_owned(),
        system_prompt: format!(
            "You answer the phone for {{{{business_name}}}}{kind} and call people who asked {{{{business_name}}}} to call them.{} Be \
             brief and kind. Ask for name, e-mail address and what they need. Somebody from {{{{business_name}}}} calls them back \
             within one working day.",
            website.unwrap_or_default()
        ),
        first_message: Some(
            "Good {{time_of_day}}, this is Kai from {{business_name}}. How can I help you?".to_owned(),
        ),
        transfer_enabled: signup.forward_to.is_some(),
        transfer_phone_number: signup.forward_to.clone(),
        ..AgentConfig::default()
    }
}

/// A text without what a prompt would take for a place to fill in.
fn plain(text: &str) -> String {
    text.replace(['{', '}'], "")
}
