//! The first account: a user and a business, and what they begin with.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::agent::{Agent, AgentConfig};
use domain::audit::{Action, Deed, Target, of_business};
use domain::business::{Business, Limits, Role, User};
use domain::dial_policy::country_calling_code;
use domain::disclosure::Disclosures;
use domain::{BusinessId, E164, Mode, Scope, ScopeSet, UserId};
use jiff::SignedDuration;
use store::{PlatformTx, StoreError};

use crate::acting::Concerned;
use crate::agents::{self, AgentError};
use crate::idempotency::Once;
use crate::keys::{self, KeyError, NewKey};
use crate::{Acting, App, Entropy, sessions};

/// The longest name of a business, in characters.
const LONGEST_NAME: usize = 200;

/// The first user and the first business.
pub struct FirstAccount {
    /// E-mail address of the first user.
    pub email: String,
    /// Password of the first user.
    pub password: String,
    /// What the business is called; agents say it.
    pub business_name: String,
    /// IANA time zone of the business.
    pub timezone: String,
    /// Its office number; also decides its home country.
    pub phone: Option<E164>,
}

/// An account just made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// A user, who can log in with e-mail address and password.
    pub user: User,
    pub business: Business,
}

/// Why an account cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Nobody can have this e-mail address.
    #[error("the e-mail address: expected one like you@example.com")]
    Email,
    /// The password is too short or too long.
    #[error(
        "the password: expected at least {} characters and at most {} bytes",
        sessions::MIN_PASSWORD_CHARS,
        sessions::MAX_PASSWORD_BYTES
    )]
    Password,
    /// Another user has this e-mail address.
    #[error("there is a user with this e-mail address already")]
    EmailTaken,
    /// There is no such user.
    #[error("there is no such user; `kaicalls users list` shows them")]
    UnknownUser,
    /// There is no such business.
    #[error("there is no such business; `kaicalls businesses list` shows them")]
    UnknownBusiness,
    /// The user has no role in the business that could change.
    #[error("the user does not belong to this business")]
    NotAMember,
    /// The user has a role in the business already.
    #[error("the user belongs to this business already")]
    MemberAlready,
    /// Whoever asks may not give or take this role.
    #[error("your role in this business does not allow that")]
    BeyondRole,
    /// A business without an owner could be changed by nobody.
    #[error("the user is the only owner of this business; make somebody else an owner first")]
    LastOwner,
    /// Agents could not say this name.
    #[error("the name of the business: expected 1 to {LONGEST_NAME} characters in one line")]
    BusinessName,
    /// There is no such time zone.
    #[error("the time zone: expected an IANA name like America/Chicago, found {0}")]
    Timezone(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl FirstAccount {
    /// Looks whether an account can be made of it.
    pub fn check(&self) -> Result<(), AccountError> {
        check_email(&self.email)?;
        check_password(&self.password)?;
        check_business_name(&self.business_name)?;
        check_timezone(&self.timezone)
    }
}

pub(crate) fn check_email(email: &str) -> Result<(), AccountError> {
    let email = email.trim();
    let named = email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    if named && email.len() <= 320 { Ok(()) } else { Err(AccountError::Email) }
}

pub(crate) fn check_password(password: &str) -> Result<(), AccountError> {
    let long_enough = password.chars().count() >= sessions::MIN_PASSWORD_CHARS;
    let fits = long_enough && password.len() <= sessions::MAX_PASSWORD_BYTES;
    if fits { Ok(()) } else { Err(AccountError::Password) }
}

pub(crate) fn check_business_name(name: &str) -> Result<(), AccountError> {
    let is_plain = !name.contains(|c: char| c.is_control() || domain::text::is_harmful(c));
    let fits = is_plain && (1..=LONGEST_NAME).contains(&name.trim().chars().count());
    if fits { Ok(()) } else { Err(AccountError::BusinessName) }
}

pub(crate) fn check_timezone(timezone: &str) -> Result<(), AccountError> {
    let known = jiff::tz::TimeZone::get(timezone).map(drop);
    known.map_err(|_| AccountError::Timezone(timezone.to_owned()))
}

/// A password that nobody has to think of: five groups of four letters and digits that are not mistaken for one another.
pub fn new_password(entropy: &dyn Entropy) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut random = [0; 20];
    entropy.fill(&mut random);
    let letters: Vec<char> = random.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// The calling code of the country of an office number; that of the United States without one.
pub(crate) fn home_country(phone: Option<&E164>) -> String {
    phone.map_or_else(|| "1".to_owned(), |phone| country_calling_code(phone).to_owned())
}

/// A user who is not stored yet.
pub(crate) fn new_user(app: &App, email: &str) -> User {
    User {
        id: UserId::new(app.ids()),
        email: email.trim().to_lowercase(),
        created_at: app.store().created_at(app.now()),
    }
}

/// The calling code of the country of the installation's first business. Businesses that programs and strangers make are at home there as well:
/// calls to the home country are allowed and paid by the operator, so whoever makes a business does not choose it.
pub(crate) async fn installations_country(tx: &mut PlatformTx) -> Result<String, StoreError> {
    let first = store::businesses::first(tx).await?;
    Ok(first.map_or_else(|| home_country(None), |business| business.country_calling_code))
}

/// Makes the first account; `None` if there is one already.
pub async fn first_account(app: &Acting, first: FirstAccount) -> Result<Option<Account>, AccountError> {
    first.check()?;
    let known = app.platform().read(|tx| Box::pin(async move { store::users::count(tx).await })).await?;
    if known > 0 {
        return Ok(None);
    }
    let password_hash = app.passwords().hash(first.password, app.random()).await;
    let now = app.now();
    let country = home_country(first.phone.as_ref());
    let account = Account {
        user: new_user(app, &first.email),
        business: Business {
            id: BusinessId::new(app.ids()),
            name: first.business_name.trim().to_owned(),
            phone: first.phone,
            timezone: first.timezone,
            country_calling_code: country,
            disclosures: Disclosures::default(),
            limits: Limits::default(),
            created_at: app.store().created_at(now),
        },
    };
    let vault = app.store().vault().clone();
    let webhook_secret = webhooks::signature::new_secret(&app.random::<32>());
    let (nonce, acting) = (app.random::<24>(), app.clone());
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                // Two replicas may start at once: the second one sees the first one's user here or at the insert.
                if store::users::count(tx).await? > 0 {
                    return Ok(None);
                }
                store::users::insert(tx, &account.user, &password_hash).await?;
                store::businesses::insert(tx, &vault, &account.business, &webhook_secret, &nonce).await?;
                store::users::add_membership(tx, account.user.id, account.business.id, Role::Owner).await?;
                note_account(tx, &acting, &account.user, &account.business).await?;
                Ok(Some(account))
            })
        })
        .await
}

/// Writes down that there is a new user with a new business.
pub(crate) async fn note_account(
    tx: &mut PlatformTx,
    acting: &Acting,
    user: &User,
    business: &Business,
) -> Result<(), StoreError> {
    let concerned = Concerned::Business(business.id);
    acting.note(tx, concerned, founding(business)).await?;
    acting.note(tx, concerned, created(user)).await
}

/// What is noted of a new account.
pub(crate) fn created(user: &User) -> Deed {
    Deed::new(Action::UserCreated, Target::user(user))
}

/// What is noted of a new business.
pub(crate) fn founding(business: &Business) -> Deed {
    Deed::new(Action::BusinessCreated, Target::business(business)).with_all(of_business(None, business))
}

/// How long the link lasts by which the first account is made.
const LINK_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

const START: &str = "start-link";

/// The last part of a link by which the first account can be made, for an hour and until somebody did. Every replica takes it.
pub fn start_token(app: &App) -> String {
    let expires_at = (app.now() + LINK_LIFETIME).as_second().to_be_bytes();
    let mac = app.store().vault().mac(START, &expires_at);
    URL_SAFE_NO_PAD.encode([&expires_at[..], &mac[..]].concat())
}

/// Whether the first account may be made by this link.
pub async fn may_start(app: &App, token: &str) -> Result<bool, StoreError> {
    let bytes = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
    let Some((expires_at, mac)) = bytes.split_first_chunk::<8>() else { return Ok(false) };
    let is_good = store::vault::equal(&app.store().vault().mac(START, expires_at), mac);
    if !is_good || i64::from_be_bytes(*expires_at) <= app.now().as_second() {
        return Ok(false);
    }
    let known = app.platform().read(|tx| Box::pin(async move { store::users::count(tx).await })).await?;
    Ok(known == 0)
}

/// What a new account begins with.
#[derive(Debug, Clone)]
pub struct Beginning {
    /// A key for the sandbox that may do everything; shown once.
    pub key: String,
    pub agent: Agent,
}

/// What the first agent is called.
const AGENT_NAME: &str = "Kai";

/// Gives a new account its first key and its first agent.
pub async fn begin(app: &Acting, account: &Account) -> Result<Beginning, StoreError> {
    let new = NewKey {
        name: "First test key".to_owned(),
        mode: Mode::Test,
        scopes: ScopeSet::new([Scope::All]),
        business_id: None,
        expires_at: None,
    };
    let key = match keys::create(app, account.user.id, new).await {
        Ok(made) => made.plain,
        Err(KeyError::Store(error)) => return Err(error),
        Err(KeyError::ForeignBusiness | KeyError::BeyondRole) => unreachable!("the key is for no business"),
    };
    let name = &account.business.name;
    let config = AgentConfig {
        name: AGENT_NAME.to_owned(),
        system_prompt: format!(
            "You answer the phone for {name} and call people who asked {name} to call them. Be brief and kind. Ask for name, e-mail \
             address and what they need. Somebody from {name} calls them back within one working day."
        ),
        first_message: Some(
            "Good {{time_of_day}}, this is Kai from {{business_name}}. How can I help you?".to_owned(),
        ),
        ..AgentConfig::default()
    };
    // In test mode no engine elsewhere is asked; one that needs the agent gets it with its first live call.
    match agents::create(app, Mode::Test, account.business.id, config, None).await {
        Ok(Once::New(agent)) => Ok(Beginning { key, agent }),
        Ok(Once::Repeated(_)) => unreachable!("it was asked for without a key"),
        Err(AgentError::Store(error)) => Err(error),
        Err(AgentError::Engine(_) | AgentError::Contended) => {
            unreachable!("no engine is asked, and nobody else knows the agent")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives these bytes again and again.
    struct Bytes(&'static [u8]);

    impl Entropy for Bytes {
        fn fill(&self, buffer: &mut [u8]) {
            for (byte, given) in buffer.iter_mut().zip(self.0.iter().cycle()) {
                *byte = *given;
            }
        }
    }

    #[test]
    fn a_made_password_has_no_letter_that_is_mistaken_for_another_and_can_be_used() {
        for (bytes, expected) in [
            (&[0][..], "aaaa-aaaa-aaaa-aaaa-aaaa"),
            (&[255], "9999-9999-9999-9999-9999"),
            (&[0, 11, 23, 31], "amz9-amz9-amz9-amz9-amz9"),
        ] {
            let password = new_password(&Bytes(bytes));
            assert_eq!(password, expected);
            assert!(check_password(&password).is_ok());
        }
        let all: Vec<u8> = (0..=255).collect();
        let all: &'static [u8] = all.leak();
        let letters: std::collections::BTreeSet<char> = (0..all.len())
            .flat_map(|skip| new_password(&Bytes(&all[skip..])).chars().collect::<Vec<_>>())
            .collect();
        assert_eq!(letters.len(), 33, "32 letters and the hyphen");
        assert!(letters.is_disjoint(&['l', 'o', '0', '1', 'I', 'O'].into()), "{letters:?}");
    }

    #[test]
    fn the_length_of_a_password_is_counted_in_characters_at_least_and_in_bytes_at_most() {
        for (password, is_good) in [
            ("123456789".to_owned(), false),
            ("1234567890".to_owned(), true),
            ("\u{e4}".repeat(9), false),
            ("\u{e4}".repeat(10), true),
            ("x".repeat(256), true),
            ("x".repeat(257), false),
            ("\u{e4}".repeat(129), false),
        ] {
            assert_eq!(check_password(&password).is_ok(), is_good, "{password}");
        }
    }

    #[test]
    fn an_e_mail_address_has_a_name_and_a_host_with_a_dot() {
        for (email, is_good) in [
            ("you@example.com", true),
            (" you@example.com ", true),
            ("y@e.x", true),
            ("you", false),
            ("@example.com", false),
            ("you@localhost", false),
            ("", false),
        ] {
            assert_eq!(check_email(email).is_ok(), is_good, "{email:?}");
        }
    }

    #[test]
    fn a_business_is_at_home_where_its_office_telephone_is() {
        assert_eq!(home_country(None), "1");
        for (phone, country) in [("+442079460958", "44"), ("+4930123456", "49"), ("+15125550100", "1")] {
            assert_eq!(home_country(E164::parse(phone).ok().as_ref()), country);
        }
    }
}
