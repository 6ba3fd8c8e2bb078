//! The second factor of a login: passkeys, apps for codes, and recovery codes for whoever has lost both.
//!
//! Whoever has one is asked for it after their password. The question is stored with a bound of wrong answers, so that it counts on every
//! server of an installation and ends with the first right one. A code of an app counts once; recovery codes are kept as keyed hashes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::audit::{Action, Deed, Target, TargetKind};
use domain::business::{FactorKind, User};
use domain::{FactorId, SessionId, Timestamp, UserId};
use factors::codes;
use factors::passkeys::{self, Asked, Made, Used};
use jiff::SignedDuration;
use sha2::{Digest as _, Sha256};
use store::StoreError;
use store::second_factors::{Factor, Step};
use store::vault::Place;

use crate::acting::Concerned;
use crate::{Acting, App};

/// A question is to be answered within this time.
pub const STEP_LIFETIME: SignedDuration = SignedDuration::from_mins(10);

/// Wrong answers to one question; after the last one the login begins anew.
const WRONG_ANSWERS: u32 = 5;

/// Wrong codes within an hour; then codes of apps do not count for a while, and passkeys and recovery codes still do. Only somebody who knows
/// the password gets so far.
const WRONG_CODES: u32 = 10;

const CODES_REST: SignedDuration = SignedDuration::from_hours(1);

/// How many second factors somebody may have.
const MOST: usize = 20;

/// The longest name of a second factor.
pub const MAX_NAME: usize = 60;

/// How many recovery codes there are at once.
const RECOVERY_CODES: usize = 10;

/// The site that passkeys are made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its domain.
    pub id: String,
    /// The origins of its pages.
    pub origins: Vec<String>,
}

/// What somebody shows.
#[derive(Debug, Clone)]
pub enum Proof {
    /// A code of an app, or a recovery code.
    Code(String),
    Passkey(Used),
}

/// Why what was shown does not count.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    #[error("that is not right")]
    Wrong,
    /// Codes of apps do not count for a while.
    #[error("too many wrong codes: for an hour only a passkey or a recovery code counts")]
    TooManyCodes,
    /// The question has expired, or was answered wrongly too often.
    #[error("the login has to begin anew")]
    Gone,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a second factor was not added.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    #[error("the passkey does not count: {0}")]
    Passkey(#[from] passkeys::Refused),
    #[error("that took too long; please try again")]
    Gone,
    #[error("the code is wrong; see whether the clock of your telephone is right, and try the next one")]
    Code,
    #[error("this passkey is in use already")]
    Known,
    #[error("there may be {MOST} second factors")]
    TooMany,
    #[error("a name has 1 to {MAX_NAME} characters")]
    Name,
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for EnrolError {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Conflict(_)) { Self::Known } else { Self::Store(error) }
    }
}

/// What somebody has besides their password.
#[derive(Debug, Clone, Default)]
pub struct Factors {
    /// Oldest first.
    pub all: Vec<Factor>,
    /// How many recovery codes are left.
    pub recovery_codes: u64,
}

pub async fn of_user(app: &App, user: UserId) -> Result<Factors, StoreError> {
    app.platform()
        .read(move |tx| {
            Box::pin(async move {
                let all = store::second_factors::of_user(tx, user).await?;
                let recovery_codes = store::second_factors::recovery_codes_left(tx, user).await?;
                Ok(Factors { all, recovery_codes })
            })
        })
        .await
}

/// What is asked of somebody.
#[derive(Debug, Clone)]
pub struct Question {
    /// What an authenticator is to sign.
    pub challenge: Vec<u8>,
    /// The passkeys that count, by the names that their authenticators gave them.
    pub passkeys: Vec<Vec<u8>>,
    /// Whether codes of an app count.
    pub has_app: bool,
}

impl Question {
    fn new(step: &Step, factors: Vec<Factor>) -> Self {
        let has_app = factors.iter().any(|factor| factor.kind == FactorKind::App);
        let passkeys = factors.into_iter().filter_map(|factor| factor.credential).collect();
        Self { challenge: step.challenge.clone(), passkeys, has_app }
    }
}

/// Asks somebody whose password was right; the text finds the question again.
pub(crate) async fn ask_at_login(app: &App, user: UserId) -> Result<String, StoreError> {
    let token = URL_SAFE_NO_PAD.encode(app.random::<32>());
    ask(app, user, login_hash(&token)).await?;
    Ok(token)
}

/// Asks somebody who is logged in to show again who they are.
pub async fn ask_to_confirm(app: &App, session: SessionId, user: UserId) -> Result<Question, StoreError> {
    let step = ask(app, user, session_hash(CONFIRM, session)).await?;
    Ok(Question::new(&step, of_user(app, user).await?.all))
}

/// Asks somebody who is logged in for a new passkey.
pub async fn ask_for_passkey(app: &App, session: SessionId, user: UserId) -> Result<Question, StoreError> {
    let step = ask(app, user, session_hash(ENROL, session)).await?;
    Ok(Question::new(&step, of_user(app, user).await?.all))
}

const CONFIRM: &[u8] = b"confirm";
const ENROL: &[u8] = b"enrol";

async fn ask(app: &App, user_id: UserId, hash: [u8; 32]) -> Result<Step, StoreError> {
    let challenge = app.random::<32>().to_vec();
    let step = Step { hash, user_id, challenge, wrong: 0, expires_at: app.now() + STEP_LIFETIME };
    let stored = step.clone();
    app.platform()
        .write(move |tx| Box::pin(async move { store::second_factors::ask(tx, &stored).await }))
        .await?;
    Ok(step)
}

/// Who is at the second step of a login, and what they are asked; `None` if it is over.
pub async fn at_login(app: &App, token: &str) -> Result<Option<(User, Question)>, StoreError> {
    let Some(step) = waiting(app, login_hash(token)).await? else { return Ok(None) };
    let id = step.user_id;
    let user =
        app.platform().read(move |tx| Box::pin(async move { store::users::get(tx, id).await })).await?;
    let factors = of_user(app, id).await?.all;
    Ok(user.map(|user| (user, Question::new(&step, factors))))
}

async fn waiting(app: &App, hash: [u8; 32]) -> Result<Option<Step>, StoreError> {
    let now = app.now();
    app.platform()
        .read(move |tx| Box::pin(async move { store::second_factors::step(tx, &hash, now).await }))
        .await
}

/// Checks what is shown at the second step of a login, and says whose login that is.
pub(crate) async fn answer_at_login(
    app: &App,
    token: &str,
    site: &Site,
    proof: Proof,
) -> Result<UserId, ProofError> {
    let step = waiting(app, login_hash(token)).await?.ok_or(ProofError::Gone)?;
    let user = step.user_id;
    prove(app, user, Some(&step), site, proof).await?;
    Ok(user)
}

/// Checks what somebody shows who is logged in, and notes in their session that they did.
pub async fn confirm(
    app: &App,
    session: SessionId,
    user: UserId,
    site: &Site,
    proof: Proof,
) -> Result<(), ProofError> {
    let step = waiting(app, session_hash(CONFIRM, session)).await?.ok_or(ProofError::Gone)?;
    if step.user_id != user {
        return Err(ProofError::Gone);
    }
    prove(app, user, Some(&step), site, proof).await?;
    Ok(confirmed(app, session).await?)
}

/// Notes that the user of a session has shown who they are.
pub async fn confirmed(app: &App, session: SessionId) -> Result<(), StoreError> {
    let now = app.now();
    app.platform()
        .write(move |tx| Box::pin(async move { store::sessions::confirm(tx, session, now).await }))
        .await
}

/// Checks a code that came together with a password.
pub(crate) async fn check_code(app: &App, user: UserId, code: String) -> Result<(), ProofError> {
    let nowhere = Site { id: String::new(), origins: Vec::new() };
    prove(app, user, None, &nowhere, Proof::Code(code)).await
}

/// What was shown, and what becomes of it.
enum Shown {
    Factor { known: Box<Factor>, counter: u64 },
    RecoveryCode([u8; 32]),
}

async fn prove(
    app: &App,
    user: UserId,
    step: Option<&Step>,
    site: &Site,
    proof: Proof,
) -> Result<(), ProofError> {
    let account = format!("second factor of {user}");
    let delay = app.guesses().delay(&account, app.now());
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let (now, hash) = (app.now(), step.map(|step| step.hash));
    let known = of_user(app, user).await?.all;
    let shown = match proof {
        Proof::Passkey(used) => {
            let challenge = step.map(|step| step.challenge.as_slice()).unwrap_or_default();
            let asked = Asked { site: &site.id, origins: &site.origins, challenge };
            with_passkey(&known, &asked, &used)
        }
        Proof::Code(code) => with_code(app, user, known, &code, now)?,
    };
    let counts = app
        .platform()
        .write(move |tx| {
            Box::pin(async move {
                let counts = match &shown {
                    Some(Shown::Factor { known, counter }) => {
                        store::second_factors::used(tx, known, *counter, now).await?
                    }
                    Some(Shown::RecoveryCode(code)) => {
                        store::second_factors::use_recovery_code(tx, user, code).await?
                    }
                    None => false,
                };
                if counts {
                    return match hash {
                        Some(hash) => store::second_factors::close_step(tx, &hash).await,
                        None => Ok(true),
                    };
                }
                if let Some(hash) = hash {
                    store::second_factors::step_wrong(tx, &hash, WRONG_ANSWERS).await?;
                }
                store::second_factors::wrong(tx, user, now - CODES_REST, now).await?;
                Ok(false)
            })
        })
        .await?;
    if !counts {
        app.guesses().wrong(&account, now);
        return Err(ProofError::Wrong);
    }
    app.guesses().right(&account);
    Ok(())
}

fn with_passkey(known: &[Factor], asked: &Asked<'_>, used: &Used) -> Option<Shown> {
    let factor = known.iter().find(|factor| factor.credential.as_ref() == Some(&used.id))?;
    let counter = u32::try_from(factor.counter).ok()?;
    let counter = passkeys::used(asked, used, &factor.secret, counter).ok()?;
    Some(Shown::Factor { known: Box::new(factor.clone()), counter: counter.into() })
}

fn with_code(
    app: &App,
    user: UserId,
    known: Vec<Factor>,
    code: &str,
    now: Timestamp,
) -> Result<Option<Shown>, ProofError> {
    let is_of_app = code.trim().len() < 8;
    if !is_of_app {
        return Ok(Some(Shown::RecoveryCode(recovery_hash(app, user, code))));
    }
    for factor in known.into_iter().filter(|factor| factor.kind == FactorKind::App) {
        let is_recent = factor.wrong_at.is_some_and(|at| now.duration_since(at) < CODES_REST);
        if factor.wrong >= WRONG_CODES && is_recent {
            return Err(ProofError::TooManyCodes);
        }
        let secret = app.store().vault().open(place(factor.id.0), &factor.secret)?;
        if let Some(step) = codes::step_of(&secret, code, now.as_second(), factor.counter) {
            return Ok(Some(Shown::Factor { known: Box::new(factor), counter: step }));
        }
    }
    Ok(None)
}

fn place(row: uuid::Uuid) -> Place<'static> {
    Place { column: "second_factors.secret", row }
}

/// Adds a passkey that a page made in answer to [`ask_for_passkey`]. With the first second factor come recovery codes, to be shown once.
pub async fn add_passkey(
    app: &Acting,
    session: SessionId,
    user: UserId,
    site: &Site,
    name: &str,
    made: Made,
) -> Result<Vec<String>, EnrolError> {
    let name = checked_name(name)?;
    let step = waiting(app, session_hash(ENROL, session)).await?.filter(|step| step.user_id == user);
    let step = step.ok_or(EnrolError::Gone)?;
    let asked = Asked { site: &site.id, origins: &site.origins, challenge: &step.challenge };
    let counter = passkeys::made(&asked, &made)?;
    let id = FactorId::new(app.ids());
    add(
        app,
        Some(step.hash),
        Factor {
            id,
            user_id: user,
            kind: FactorKind::Passkey,
            name,
            credential: Some(made.id),
            secret: made.public_key,
            counter: counter.into(),
            wrong: 0,
            wrong_at: None,
            created_at: app.now(),
            last_used_at: None,
        },
    )
    .await
}

/// What an app for codes is given.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The secret, sealed for its user: it comes back with the first code.
    pub sealed: String,
    /// The secret as people type it.
    pub typed: String,
    /// The address behind the picture that an app reads.
    pub address: String,
}

/// A new secret for an app. Nothing is stored before its first code is right.
pub fn offer_app(app: &App, user: UserId, email: &str) -> Offer {
    let secret = app.random::<20>();
    let place = Place { column: "second_factors.offer", row: user.0 };
    offered(&app.store().vault().seal(place, &app.random(), &secret), &secret, email)
}

fn offered(sealed: &[u8], secret: &[u8], email: &str) -> Offer {
    Offer {
        sealed: URL_SAFE_NO_PAD.encode(sealed),
        typed: codes::base32(secret),
        address: codes::address(email, secret),
    }
}

/// The same offer again, after a wrong code; `None` if it was made for somebody else, or by nobody.
pub fn offer_again(app: &App, user: UserId, email: &str, sealed: &str) -> Option<Offer> {
    let (sealed, secret) = opened_offer(app, user, sealed)?;
    Some(offered(&sealed, &secret, email))
}

fn opened_offer(app: &App, user: UserId, sealed: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let place = Place { column: "second_factors.offer", row: user.0 };
    let secret = app.store().vault().open(place, &sealed).ok()?;
    Some((sealed, secret))
}

/// Adds an app for codes that was offered and shows its first code. With the first second factor come recovery codes, to be shown once.
pub async fn add_app(
    app: &Acting,
    user: UserId,
    name: &str,
    sealed: &str,
    code: &str,
) -> Result<Vec<String>, EnrolError> {
    let name = checked_name(name)?;
    let (_, secret) = opened_offer(app, user, sealed).ok_or(EnrolError::Gone)?;
    let now = app.now();
    let step = codes::step_of(&secret, code, now.as_second(), 0).ok_or(EnrolError::Code)?;
    let id = FactorId::new(app.ids());
    add(
        app,
        None,
        Factor {
            id,
            user_id: user,
            kind: FactorKind::App,
            name,
            credential: None,
            secret: app.store().vault().seal(place(id.0), &app.random(), &secret),
            counter: step,
            wrong: 0,
            wrong_at: None,
            created_at: now,
            last_used_at: None,
        },
    )
    .await
}

async fn add(app: &Acting, answered: Option<[u8; 32]>, factor: Factor) -> Result<Vec<String>, EnrolError> {
    let (codes, hashes) = new_codes(app, factor.user_id);
    let acting = app.clone();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                if let Some(step) = answered
                    && !store::second_factors::close_step(tx, &step).await?
                {
                    return Err(EnrolError::Gone);
                }
                let user = factor.user_id;
                let there = store::second_factors::of_user(tx, user).await?.len();
                if there >= MOST {
                    return Err(EnrolError::TooMany);
                }
                store::second_factors::insert(tx, &factor).await?;
                acting.note(tx, Concerned::User(user), deed(Action::SecondFactorAdded, &factor)).await?;
                if there > 0 {
                    return Ok(Vec::new());
                }
                store::second_factors::replace_recovery_codes(tx, user, &hashes).await?;
                Ok(codes)
            })
        })
        .await
}

/// Gives a second factor of a user another name; false if they have no such factor.
pub async fn rename(app: &App, user: UserId, id: FactorId, name: &str) -> Result<bool, EnrolError> {
    let name = checked_name(name)?;
    let renamed = app
        .platform()
        .write(move |tx| Box::pin(async move { store::second_factors::rename(tx, user, id, &name).await }))
        .await?;
    Ok(renamed)
}

/// Removes a second factor; with the last one the recovery codes go as well. False if the user has no such factor.
pub async fn remove(app: &Acting, user: UserId, id: FactorId) -> Result<bool, StoreError> {
    let acting = app.clone();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                let all = store::second_factors::of_user(tx, user).await?;
                let Some(factor) = all.iter().find(|factor| factor.id == id) else { return Ok(false) };
                let removed = store::second_factors::delete(tx, user, id).await?;
                if removed && all.len() == 1 {
                    store::second_factors::delete_of_user(tx, user).await?;
                }
                acting.note(tx, Concerned::User(user), deed(Action::SecondFactorRemoved, factor)).await?;
                Ok(removed)
            })
        })
        .await
}

/// What was done to a second factor.
fn deed(action: Action, factor: &Factor) -> Deed {
    Deed::new(action, Target::new(TargetKind::SecondFactor, factor.id.0, factor.name.as_str()))
}

/// Makes new recovery codes, to be shown once; the old ones count no longer. None for somebody without a second factor.
pub async fn new_recovery_codes(app: &Acting, user: UserId) -> Result<Vec<String>, StoreError> {
    let (codes, hashes) = new_codes(app, user);
    let acting = app.clone();
    app.platform()
        .write(move |tx| {
            Box::pin(async move {
                if store::second_factors::of_user(tx, user).await?.is_empty() {
                    return Ok(Vec::new());
                }
                if let Some(user) = store::users::get(tx, user).await? {
                    let deed = Deed::new(Action::RecoveryCodesMade, Target::user(&user));
                    acting.note(tx, Concerned::User(user.id), deed).await?;
                }
                store::second_factors::replace_recovery_codes(tx, user, &hashes).await?;
                Ok(codes)
            })
        })
        .await
}

fn checked_name(name: &str) -> Result<String, EnrolError> {
    let name = name.trim();
    let fits = (1..=MAX_NAME).contains(&name.chars().count()) && !name.contains(domain::text::is_harmful);
    if fits { Ok(name.to_owned()) } else { Err(EnrolError::Name) }
}

/// Recovery codes and what is stored of them.
fn new_codes(app: &App, user: UserId) -> (Vec<String>, Vec<[u8; 32]>) {
    let code = || {
        let letters = codes::base32(&app.random::<10>()).to_lowercase();
        format!("{}-{}-{}-{}", &letters[..4], &letters[4..8], &letters[8..12], &letters[12..])
    };
    let codes: Vec<String> = std::iter::repeat_with(code).take(RECOVERY_CODES).collect();
    let hashes = codes.iter().map(|code| recovery_hash(app, user, code)).collect();
    (codes, hashes)
}

fn recovery_hash(app: &App, user: UserId, code: &str) -> [u8; 32] {
    let letters = code.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase());
    let said: Vec<u8> = user.0.as_bytes().iter().copied().chain(letters).collect();
    app.store().vault().mac("recovery-code", &said)
}

fn login_hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn session_hash(purpose: &[u8], session: SessionId) -> [u8; 32] {
    Sha256::digest([purpose, session.0.as_bytes()].concat()).into()
}
