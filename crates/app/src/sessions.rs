//! Logging in with e-mail and password.
//!
//! Unknown users cost as much time as known ones and get the same answer.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::audit::{Action, Actor, Deed, Target, TargetKind};
use domain::business::User;
use domain::{Mode, SessionId, Timestamp, UserId};
use jiff::SignedDuration;
use sha2::{Digest as _, Sha256};
use store::sessions::{NewSession, Session};
use store::{StoreError, Tenancy};

use crate::acting::Concerned;
use crate::second_factor::{self, Proof, ProofError, Site};
use crate::{Acting, App, passwords};

/// A session ends this long after its login.
pub const ABSOLUTE_LIFETIME: SignedDuration = SignedDuration::from_hours(12);

/// A session ends this long after its last use.
pub const IDLE_LIFETIME: SignedDuration = SignedDuration::from_mins(30);

/// Somebody who has shown who they are is asked again before a dangerous change this long afterwards.
pub const CERTAIN_FOR: SignedDuration = SignedDuration::from_mins(10);

/// Uses of a session are written down at most this often.
const TOUCH_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// The longest password; longer ones are refused before they cost anything.
pub const MAX_PASSWORD_BYTES: usize = 256;

/// The shortest password for a new account.
pub const MIN_PASSWORD_CHARS: usize = 10;

/// The program that somebody logs in with, as it says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// The header `User-Agent`.
    pub browser: Option<String>,
    /// The network address that the login comes from.
    pub address: Option<String>,
}

/// How many characters of a header `User-Agent` are kept.
const MAX_BROWSER: usize = 300;

/// A login that worked.
#[derive(Debug)]
pub struct LoggedIn {
    /// The value of the cookie; only its hash is stored.
    pub token: String,
    /// When the session ends at the latest.
    pub expires_at: Timestamp,
    pub user: User,
}

/// A login whose password was right.
#[derive(Debug)]
pub enum Login {
    Done(LoggedIn),
    /// The user has a second factor and is asked for it. The text is the value of the cookie that finds the question again.
    SecondFactor(String),
}

/// Why a login did not work.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// E-mail or password is wrong; which of them stays unsaid.
    #[error("wrong e-mail or password")]
    Wrong,
    /// Too many logins at once.
    #[error("too many logins at once")]
    Busy,
    /// The user has a second factor, and no code came with the password.
    #[error("this account has a second factor")]
    SecondFactor,
    /// What was shown as the second factor does not count.
    #[error(transparent)]
    Proof(ProofError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ProofError> for LoginError {
    fn from(error: ProofError) -> Self {
        if let ProofError::Store(error) = error { Self::Store(error) } else { Self::Proof(error) }
    }
}

/// Checks e-mail and password, and opens a session unless the user has a second factor. An account at which somebody has guessed waits first
/// (see `passwords.rs`).
pub async fn log_in(app: &App, email: &str, password: &str, client: Client) -> Result<Login, LoginError> {
    let user = check_and_note(app, email, password, &client).await?;
    if second_factor::of_user(app, user.id).await?.all.is_empty() {
        return Ok(Login::Done(open(app, user, client, "password").await?));
    }
    Ok(Login::SecondFactor(second_factor::ask_at_login(app, user.id).await?))
}

/// The same in one step, for programs: a user with a second factor sends a code along.
pub async fn log_in_with_code(
    app: &App,
    email: &str,
    password: &str,
    code: Option<String>,
    client: Client,
) -> Result<LoggedIn, LoginError> {
    let user = check_and_note(app, email, password, &client).await?;
    if second_factor::of_user(app, user.id).await?.all.is_empty() {
        return Ok(open(app, user, client, "password").await?);
    }
    let code = code.ok_or(LoginError::SecondFactor)?;
    second_factor::check_code(app, user.id, code).await?;
    Ok(open(app, user, client, "second factor").await?)
}

/// Checks e-mail and password, and writes down if they were wrong.
async fn check_and_note(app: &App, email: &str, password: &str, client: &Client) -> Result<User, LoginError> {
    let checked = check(app, email, password).await;
    if matches!(checked, Err(LoginError::Wrong))
        && let Err(error) = note_failure(app, email, client).await
    {
        tracing::warn!(%error, "a login that failed could not be written down");
    }
    checked
}

/// Writes down that somebody could not log in. What was given for an e-mail address that nobody has is not kept: it may be a password.
async fn note_failure(app: &App, email: &str, client: &Client) -> Result<(), StoreError> {
    let (email, acting) =
        (email.trim().to_lowercase(), app.for_actor(Actor::stranger(client.address.clone())));
    app.platform()
        .write_lazily(move |tx| {
            Box::pin(async move {
                let known = store::users::by_email(tx, &email).await?.map(|(user, _)| user);
                let (concerned, target) = match &known {
                    Some(user) => (Concerned::User(user.id), Target::user(user)),
                    None => (Concerned::Installation, Target::unknown(TargetKind::User)),
                };
                acting.note(tx, concerned, Deed::new(Action::LoginFailed, target)).await
            })
        })
        .await
}

/// The second step of a login, after [`Login::SecondFactor`].
pub async fn finish(
    app: &App,
    token: &str,
    site: &Site,
    proof: Proof,
    client: Client,
) -> Result<LoggedIn, ProofError> {
    let id = second_factor::answer_at_login(app, token, site, proof).await?;
    let user =
        app.platform().read(move |tx| Box::pin(async move { store::users::get(tx, id).await })).await?;
    Ok(open(app, user.ok_or(ProofError::Gone)?, client, "second factor").await?)
}

/// Checks e-mail and password, and opens nothing.
pub async fn check(app: &App, email: &str, password: &str) -> Result<User, LoginError> {
    let email = email.trim().to_lowercase();
    let delay = app.guesses().delay(&email, app.now());
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let wanted = email.clone();
    let known = app
        .platform()
        .read(move |tx| Box::pin(async move { store::users::by_email(tx, &wanted).await }))
        .await?;
    let (user, hash) = known.unzip();
    let right = password.len() <= MAX_PASSWORD_BYTES
        && app
            .passwords()
            .verify(password.to_owned(), hash)
            .await
            .map_err(|passwords::Full| LoginError::Busy)?;
    let Some(user) = user.filter(|_| right) else {
        app.guesses().wrong(&email, app.now());
        return Err(LoginError::Wrong);
    };
    app.guesses().right(&email);
    Ok(user)
}

/// Opens a session for somebody who has shown who they are.
pub async fn open(app: &App, user: User, client: Client, by: &'static str) -> Result<LoggedIn, StoreError> {
    let token = URL_SAFE_NO_PAD.encode(app.random::<32>());
    let now = app.now();
    let who = Actor::user(user.id, client.address.clone()).named(user.email.as_str());
    let (acting, known) = (app.for_actor(who), user.clone());
    let session = NewSession {
        id: SessionId::new(app.ids()),
        user_id: user.id,
        token_hash: token_hash(&token),
        created_at: now,
        expires_at: now + ABSOLUTE_LIFETIME,
        browser: client
            .browser
            .map(|browser| domain::text::clean(&browser).chars().take(MAX_BROWSER).collect()),
        address: client.address,
    };
    let expires_at = session.expires_at;
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                store::sessions::insert(tx, &session).await?;
                let deed = Deed::new(Action::LoggedIn, Target::user(&known)).with("by", None::<&str>, by);
                acting.note(tx, Concerned::User(known.id), deed).await
            })
        })
        .await?;
    Ok(LoggedIn { token, expires_at, user })
}

/// How long a link for a login lasts.
const LINK_LIFETIME: SignedDuration = SignedDuration::from_hours(1);

/// The last part of a link by which a user logs in once, within an hour and while this process lives. For whoever runs the server.
pub fn entry_token(app: &App, user: UserId) -> String {
    let mut token = user.0.as_bytes().to_vec();
    token.extend_from_slice(&(app.now() + LINK_LIFETIME).as_second().to_be_bytes());
    token.extend_from_slice(&app.random::<16>());
    let mac = app.store().vault().mac(ENTRY, &token);
    token.extend_from_slice(&mac);
    URL_SAFE_NO_PAD.encode(token)
}

const ENTRY: &str = "entry-link";

/// Opens the session that a link is for; `None` if it is forged, has expired or was used.
pub async fn enter(app: &App, token: &str, client: Client) -> Result<Option<LoggedIn>, StoreError> {
    let Ok(bytes) = URL_SAFE_NO_PAD.decode(token) else { return Ok(None) };
    let Some((signed, mac)) = bytes.split_at_checked(40) else { return Ok(None) };
    let Ok(proof) = <[u8; 32]>::try_from(mac) else { return Ok(None) };
    let expires_at = i64::from_be_bytes(signed[16..24].try_into().expect("eight bytes"));
    let is_good = store::vault::equal(&app.store().vault().mac(ENTRY, signed), &proof);
    if !is_good || expires_at <= app.now().as_second() || !app.use_link(proof) {
        return Ok(None);
    }
    let id = UserId(uuid::Uuid::from_slice(&signed[..16]).expect("sixteen bytes"));
    let user =
        app.platform().read(move |tx| Box::pin(async move { store::users::get(tx, id).await })).await?;
    match user {
        Some(user) => open(app, user, client, "link").await.map(Some),
        None => Ok(None),
    }
}

/// Who is logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrentUser {
    pub session_id: SessionId,
    pub user_id: UserId,
    /// Whether they showed who they are not long ago, so that they may do what cannot be taken back.
    pub is_certain: bool,
}

/// The session behind a cookie; `None` if it never was, has ended or has been idle for too long.
pub async fn current(app: &App, token: &str) -> Result<Option<CurrentUser>, StoreError> {
    let (hash, now) = (token_hash(token), app.now());
    let found = app
        .platform()
        .read(move |tx| Box::pin(async move { store::sessions::by_token_hash(tx, &hash, now).await }))
        .await?;
    let Some(session) = found.filter(|session| now.duration_since(session.last_seen_at) <= IDLE_LIFETIME)
    else {
        return Ok(None);
    };
    if now.duration_since(session.last_seen_at) > TOUCH_EVERY {
        let id = session.id;
        app.platform()
            .write_lazily(move |tx| Box::pin(async move { store::sessions::touch(tx, id, now).await }))
            .await?;
    }
    let is_certain = session.confirmed_at.is_some_and(|at| now.duration_since(at) <= CERTAIN_FOR);
    Ok(Some(CurrentUser { session_id: session.id, user_id: session.user_id, is_certain }))
}

/// Whether a session still lasts. Asking is no use of it: a page that is left open does not keep its session alive.
pub async fn is_open(app: &App, session: SessionId) -> Result<bool, StoreError> {
    let now = app.now();
    let seen = app
        .platform()
        .read(move |tx| Box::pin(async move { store::sessions::last_seen(tx, session, now).await }))
        .await?;
    Ok(seen.is_some_and(|seen| now.duration_since(seen) <= IDLE_LIFETIME))
}

/// The sessions of a user that still last, the latest login first.
pub async fn of_user(app: &App, user: UserId) -> Result<Vec<Session>, StoreError> {
    let now = app.now();
    let found = app
        .platform()
        .read(move |tx| Box::pin(async move { store::sessions::of_user(tx, user, now).await }))
        .await?;
    Ok(found
        .into_iter()
        .filter(|session| now.duration_since(session.last_seen_at) <= IDLE_LIFETIME)
        .collect())
}

/// Ends one session of a user; false if it is over already, or somebody else's.
pub async fn end(app: &Acting, user: UserId, session: SessionId) -> Result<bool, StoreError> {
    let acting = app.clone();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let ended = store::sessions::delete_one(tx, user, session).await?;
                if ended && let Some(known) = store::users::get(tx, user).await? {
                    let deed = Deed::new(Action::SessionsEnded, Target::user(&known)).with(
                        "session_id",
                        session.to_string(),
                        None::<&str>,
                    );
                    acting.note(tx, Concerned::User(user), deed).await?;
                }
                Ok(ended)
            })
        })
        .await
}

/// What a user may see in a mode.
pub async fn tenancy(app: &App, user: UserId, mode: Mode) -> Result<Tenancy, StoreError> {
    let businesses = app
        .platform()
        .read(move |tx| Box::pin(async move { store::users::businesses_of(tx, user).await }))
        .await?;
    Ok(Tenancy::new(businesses, mode))
}

/// Ends the session behind a cookie. Nothing happens if there is none.
pub async fn log_out(app: &App, token: &str, address: Option<String>) -> Result<(), StoreError> {
    let (hash, now, app) = (token_hash(token), app.now(), app.clone());
    let platform = app.clone();
    platform
        .platform()
        .write(move |tx| {
            Box::pin(async move {
                let known = store::sessions::by_token_hash(tx, &hash, now).await?;
                store::sessions::delete(tx, &hash).await?;
                let Some(session) = known else { return Ok(()) };
                let Some(user) = store::users::get(tx, session.user_id).await? else { return Ok(()) };
                let acting = app.for_actor(Actor::user(user.id, address).named(user.email.as_str()));
                acting
                    .note(tx, Concerned::User(user.id), Deed::new(Action::LoggedOut, Target::user(&user)))
                    .await
            })
        })
        .await
}

fn token_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}
