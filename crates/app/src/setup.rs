//! The first account: a user and a business.

use domain::business::{Business, User};
use domain::dial_policy::country_calling_code;
use domain::disclosure::Disclosures;
use domain::{BusinessId, E164, UserId};
use store::StoreError;

use crate::{App, Entropy, sessions};

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

/// Makes the first account; `None` if there is one already.
pub async fn first_account(app: &App, first: FirstAccount) -> Result<Option<Account>, AccountError> {
    first.check()?;
    let known = app.platform().read(|tx| Box::pin(async move { store::users::count(tx).await })).await?;
    if known > 0 {
        return Ok(None);
    }
    let password_hash = app.passwords().hash(first.password, app.random()).await;
    let now = app.now();
    let country = home_country(first.phone.as_ref());
    let account = Account {
        user: User {
            id: UserId::new(app.ids()),
            email: first.email.trim().to_lowercase(),
            created_at: app.store().created_at(now),
        },
        business: Business {
            id: BusinessId::new(app.ids()),
            name: first.business_name,
            phone: first.phone,
            timezone: first.timezone,
            country_calling_code: country,
            disclosures: Disclosures::default(),
            created_at: app.store().created_at(now),
        },
    };
    let vault = app.store().vault().clone();
    let webhook_secret = webhooks::signature::new_secret(&app.random::<32>());
    let nonce = app.random::<24>();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                // Two replicas may start at once: the second one sees the first one's user here or at the insert.
                if store::users::count(tx).await? > 0 {
                    return Ok(None);
                }
                store::users::insert(tx, &account.user, &password_hash).await?;
                store::businesses::insert(tx, &vault, &account.business, &webhook_secret, &nonce).await?;
                store::users::add_membership(tx, account.user.id, account.business.id).await?;
                Ok(Some(account))
            })
        })
        .await
}
