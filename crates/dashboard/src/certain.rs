//! "Confirm that it is you": before what cannot be taken back, somebody whose login is some time ago shows again who they are.
//!
//! The form that they sent comes back inside the question, so that nothing has to be filled in twice, with or without scripts.

use app::second_factor::{self, Proof, ProofError, Question};
use app::sessions::LoginError;
use askama::Template;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::REFERER;
use http::request::Parts;
use web::session::{SignedIn, count_login, site};
use web::{Refusal, Web};

use crate::form::{Filled, own_path};
use crate::page::{BareFrame, PageError, framed};
use crate::passkey::{self, Wanted};

/// What every field of the question begins with; no other form has such fields.
const PREFIX: &str = "confirm_";

/// A form from somebody who has shown not long ago who they are.
#[derive(Debug)]
pub(crate) struct Certain(pub(crate) Filled);

#[derive(Template)]
#[template(path = "confirm.html")]
struct ConfirmPage {
    frame: BareFrame,
    email: String,
    /// Where the form goes.
    path: String,
    /// What was filled in.
    fields: Vec<(String, String)>,
    /// Where whoever gives up goes.
    back: String,
    /// What is asked of somebody who has a second factor.
    factor: Option<FactorQuestion>,
    wrong: Option<String>,
}

/// A question for a second factor, as templates need it.
pub(crate) struct FactorQuestion {
    pub(crate) passkey: Option<Wanted>,
    pub(crate) has_app: bool,
    /// What the names of the fields begin with.
    pub(crate) prefix: &'static str,
}

impl FactorQuestion {
    pub(crate) fn new(web: &Web, question: &Question, prefix: &'static str) -> Self {
        let passkey = (!question.passkeys.is_empty()).then(|| Wanted::used(web, question));
        Self { passkey: passkey.flatten(), has_app: question.has_app, prefix }
    }
}

impl FromRequest<Web> for Certain {
    type Rejection = Response;

    async fn from_request(request: Request, web: &Web) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let user = match parts.extensions.get::<SignedIn>() {
            Some(user) => *user,
            None => {
                let user = SignedIn::from_request_parts(&mut parts, web).await;
                user.map_err(|refusal| PageError::from(refusal).into_response())?
            }
        };
        let form = Filled::from_request(Request::from_parts(parts.clone(), body), web).await;
        let form = form.map_err(PageError::into_response)?;
        if user.is_certain {
            return Ok(Self(form.without(PREFIX)));
        }
        let wrong = match answered(web, &parts, user, &form).await {
            Ok(true) => return Ok(Self(form.without(PREFIX))),
            Ok(false) => None,
            Err(Answer::Wrong(words)) => Some(words),
            Err(Answer::Refused(error)) => return Err(error.into_response()),
        };
        Err(question(web, &parts, user, form, wrong).await.unwrap_or_else(PageError::into_response))
    }
}

enum Answer {
    Wrong(String),
    Refused(PageError),
}

impl<E: Into<PageError>> From<E> for Answer {
    fn from(error: E) -> Self {
        Self::Refused(error.into())
    }
}

/// Whether the form holds the answer; false if it holds none.
async fn answered(web: &Web, parts: &Parts, user: SignedIn, form: &Filled) -> Result<bool, Answer> {
    let proof = passkey::proof(form, PREFIX);
    let password = form.raw("confirm_password");
    if proof.is_none() && password.is_empty() {
        return Ok(false);
    }
    count_login(web, parts)?;
    let has_factor = !second_factor::of_user(web.app(), user.user_id).await?.all.is_empty();
    match (has_factor, proof) {
        (true, Some(proof)) => factor(web, user, proof).await?,
        (false, _) => {
            let email = address(web, user).await?;
            match app::sessions::check(web.app(), &email, password).await {
                Ok(_) => second_factor::confirmed(web.app(), user.session_id).await?,
                Err(LoginError::Wrong) => return Err(Answer::Wrong("That is not your password.".to_owned())),
                Err(error) => return Err(Refusal::from(error).into()),
            }
        }
        (true, None) => return Ok(false),
    }
    Ok(true)
}

async fn factor(web: &Web, user: SignedIn, proof: Proof) -> Result<(), Answer> {
    let confirmed = second_factor::confirm(web.app(), user.session_id, user.user_id, &site(web), proof).await;
    match confirmed {
        Ok(()) => Ok(()),
        Err(ProofError::Store(error)) => Err(error.into()),
        Err(error) => Err(Answer::Wrong(passkey::words(&error))),
    }
}

async fn address(web: &Web, user: SignedIn) -> Result<String, PageError> {
    let person = app::accounts::person(web.app(), user.user_id).await?;
    let (known, _) = person.ok_or(PageError::Refused(Refusal::NoSession))?;
    Ok(known.email)
}

async fn question(
    web: &Web,
    parts: &Parts,
    user: SignedIn,
    form: Filled,
    wrong: Option<String>,
) -> Result<Response, PageError> {
    let email = address(web, user).await?;
    let has_factor = !second_factor::of_user(web.app(), user.user_id).await?.all.is_empty();
    let factor = if has_factor {
        let question = second_factor::ask_to_confirm(web.app(), user.session_id, user.user_id).await?;
        Some(FactorQuestion::new(web, &question, PREFIX))
    } else {
        None
    };
    let status = if wrong.is_some() { StatusCode::UNAUTHORIZED } else { StatusCode::FORBIDDEN };
    let referer = parts.headers.get(REFERER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let from = referer.splitn(4, '/').nth(3).map(|path| format!("/{path}")).unwrap_or_default();
    let page = ConfirmPage {
        email,
        path: parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
        fields: form.without(PREFIX).into_pairs(),
        back: own_path(&from),
        factor,
        wrong,
        frame: BareFrame::new(web, &parts.headers),
    };
    Ok((status, framed(&page.frame.nonce, &page)?).into_response())
}
