//! The way in and out: where a visitor begins, the login form, and leaving.

use app::second_factor::ProofError;
use askama::Template;
use axum::extract::{FromRequestParts as _, State};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use domain::Mode;
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use store::Page;
use store::calls::CallFilter;
use web::session::{
    Entry, SignedIn, at_second_step, client, count_login, forget_step, from_own_page, log_out,
};
use web::{LOGIN_PAGE, Refusal, Web};

use crate::certain::FactorQuestion;
use crate::form::{Asked, Filled, address, own_path};
use crate::page::{BareFrame, PageError, framed};
use crate::passkey;

/// The address without anything behind it: the mode in which there are calls.
pub(crate) async fn front(user: SignedIn, State(web): State<Web>) -> Result<Redirect, PageError> {
    let tenancy = user.tenancy(&web, Mode::Live).await?;
    let newest = Page { limit: 1, after: None };
    let has_live = web
        .read(move |tx| {
            Box::pin(async move {
                let calls = store::calls::list(tx, &tenancy, &CallFilter::default(), &newest).await?;
                Ok(!calls.rows.is_empty())
            })
        })
        .await?;
    Ok(Redirect::to(if has_live { "/live" } else { "/test" }))
}

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    frame: BareFrame,
    email: String,
    next: String,
    wrong: Option<String>,
}

fn login_page(
    web: &Web,
    headers: &HeaderMap,
    email: String,
    next: String,
    wrong: Option<String>,
) -> Result<Response, PageError> {
    let page = LoginPage { frame: BareFrame::new(web, headers), email, next, wrong };
    framed(&page.frame.nonce, &page)
}

/// The form. Whoever is logged in already goes on.
pub(crate) async fn form(
    State(web): State<Web>,
    asked: Asked,
    mut parts: Parts,
) -> Result<Response, PageError> {
    let next = own_path(&asked.text("next").unwrap_or_default());
    match SignedIn::from_request_parts(&mut parts, &web).await {
        Ok(_) => Ok(Redirect::to(&next).into_response()),
        Err(Refusal::NoSession) => login_page(&web, &parts.headers, String::new(), next, None),
        Err(other) => Err(other.into()),
    }
}

/// Logs in and goes to where the visitor wanted to be.
pub(crate) async fn log_in(
    State(web): State<Web>,
    parts: Parts,
    fields: Filled,
) -> Result<Response, PageError> {
    let (email, password) = (fields.text("email"), fields.raw("password"));
    let next = own_path(&fields.text("next"));
    from_own_page(&web, &parts)?;
    count_login(&web, &parts)?;
    match web::session::log_in(&web, client(&web, &parts), &email, password).await {
        Ok(Entry::Opened(opened)) => Ok(([(SET_COOKIE, opened.cookie)], Redirect::to(&next)).into_response()),
        Ok(Entry::SecondFactor(cookie)) => {
            let further = address("/login/second", &[("next", Some(&next))]);
            Ok(([(SET_COOKIE, cookie)], Redirect::to(&further)).into_response())
        }
        Err(refusal @ (Refusal::WrongCredentials | Refusal::LoginsBusy)) => {
            let (status, words) = match refusal {
                Refusal::WrongCredentials => {
                    (StatusCode::UNAUTHORIZED, "The e-mail address or the password is wrong.")
                }
                _ => {
                    (StatusCode::SERVICE_UNAVAILABLE, "Many people log in at this moment. Please try again.")
                }
            };
            let mut response = login_page(&web, &parts.headers, email, next, Some(words.to_owned()))?;
            *response.status_mut() = status;
            Ok(response)
        }
        Err(other) => Err(other.into()),
    }
}

#[derive(Template)]
#[template(path = "login_second.html")]
struct SecondPage {
    frame: BareFrame,
    email: String,
    next: String,
    factor: FactorQuestion,
    wrong: Option<String>,
}

/// The second step; whoever has not taken the first one begins there.
async fn second_page(
    web: &Web,
    parts: &Parts,
    next: String,
    wrong: Option<String>,
) -> Result<Response, PageError> {
    let Some((user, question)) = at_second_step(web, parts).await? else {
        return match wrong {
            None => Ok(Redirect::to(&address(LOGIN_PAGE, &[("next", Some(&next))])).into_response()),
            wrong => login_page(web, &parts.headers, String::new(), next, wrong),
        };
    };
    let page = SecondPage {
        frame: BareFrame::new(web, &parts.headers),
        email: user.email,
        next,
        factor: FactorQuestion::new(web, &question, ""),
        wrong,
    };
    framed(&page.frame.nonce, &page)
}

pub(crate) async fn second_form(
    State(web): State<Web>,
    asked: Asked,
    parts: Parts,
) -> Result<Response, PageError> {
    second_page(&web, &parts, own_path(&asked.text("next").unwrap_or_default()), None).await
}

/// Takes a passkey or a code, and lets its owner in.
pub(crate) async fn second(
    State(web): State<Web>,
    parts: Parts,
    fields: Filled,
) -> Result<Response, PageError> {
    from_own_page(&web, &parts)?;
    count_login(&web, &parts)?;
    let next = own_path(&fields.text("next"));
    let shown = match passkey::proof(&fields, "") {
        Some(proof) => web::session::finish(&web, &parts, proof).await,
        None => Err(ProofError::Wrong),
    };
    match shown {
        Ok(opened) => {
            let cookies = AppendHeaders([(SET_COOKIE, opened.cookie), (SET_COOKIE, forget_step(&web))]);
            Ok((cookies, Redirect::to(&next)).into_response())
        }
        Err(ProofError::Store(error)) => Err(error.into()),
        Err(error) => {
            let mut response = second_page(&web, &parts, next, Some(passkey::words(&error))).await?;
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            Ok(response)
        }
    }
}

pub(crate) async fn leave(State(web): State<Web>, parts: Parts) -> Result<Response, PageError> {
    Ok(([(SET_COOKIE, log_out(&web, &parts).await?)], Redirect::to(LOGIN_PAGE)).into_response())
}
