//! The dashboard: pages on which people see, hear and steer every call.
//!
//! Served by the same binary, drawn on the server, of use without scripts; the scripts add search as you type, keys, sound and what
//! happens at this moment. The mode stands in every address (`/live/…`, `/test/…`), so that two tabs may show both. What a page shows is
//! read through `store` and `web`, what it changes goes through `app`: nothing here can do more than a route of the API. Everything that
//! callers, leads and clients wrote passes the templates, which encode it.

mod agents;
mod assets;
mod audit;
mod calls;
mod certain;
mod csv;
mod events;
mod exchange;
mod form;
mod home;
mod keys;
mod leads;
mod live;
mod login;
mod page;
mod passkey;
mod people;
mod reference;
mod requests;
mod second_factor;
mod settings;
mod show;
mod start;
mod visitor;
mod webhooks;

use std::sync::Arc;

use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Router};
use bytes::Bytes;
use domain::Mode;
use reference::Reference;
use web::Web;
use web::request::{Pages, observed};

/// The pages, and the reference of the API that this OpenAPI document describes.
pub fn with_reference(web: &Web, document: Bytes) -> Router {
    let reference = Arc::new(Reference::of(document));
    let reference = Router::new().route("/docs", get(reference::page).layer(Extension(reference)));
    finished(web, pages().merge(reference))
}

/// Shows people a page where a router knows nothing of an address that they look for.
pub fn or_nothing_here(unknown: Router) -> Router {
    unknown.layer(axum::middleware::from_fn(page::or_nothing_here))
}

/// The pages. Whatever else is asked for is up to the routes that they are put beside.
pub fn router(web: &Web) -> Router {
    finished(web, pages())
}

fn pages() -> Router<Web> {
    let routes = Router::new()
        .route("/", get(login::front))
        .route("/login", get(login::form).post(login::log_in))
        .route("/login/second", get(login::second_form).post(login::second))
        .route("/logout", post(login::leave))
        .route("/start/{token}", get(start::form).post(start::begin))
        .route("/enter/{token}", get(start::enter));
    let pages: [(&str, MethodRouter<Web>); 48] = [
        ("", get(home::page)),
        ("/live", get(home::live)),
        ("/calls", get(calls::list::page).post(calls::act::new)),
        ("/calls.csv", get(calls::export::export)),
        ("/calls/{id}", get(calls::one::page)),
        ("/calls/{id}/live", get(calls::one::live)),
        ("/calls/{id}/end", post(calls::act::end)),
        ("/calls/{id}/note", post(calls::act::note)),
        ("/calls/views", post(calls::views::keep)),
        ("/calls/views/forget", post(calls::views::forget)),
        ("/calls/{id}/again", post(calls::act::again)),
        ("/agents", get(agents::list::page).post(agents::list::new)),
        ("/agents/{id}", get(agents::editor::page).post(agents::editor::save)),
        ("/agents/{id}/talk", post(agents::talk::begin)),
        ("/agents/{id}/talk/{call}", post(agents::talk::write)),
        ("/agents/{id}/talk/{call}/live", get(agents::talk::live)),
        ("/agents/{id}/versions/{number}", get(agents::versions::page)),
        ("/agents/{id}/versions/{number}/restore", post(agents::versions::restore)),
        ("/leads", get(leads::page).post(leads::new)),
        ("/leads.csv", get(leads::export)),
        ("/leads/{id}", get(leads::one).post(leads::save)),
        ("/leads/import", get(leads::import::page).post(leads::import::read)),
        ("/leads/{id}/merge", post(leads::merge)),
        ("/leads/{id}/do-not-call", post(leads::do_not_call)),
        ("/webhooks", get(webhooks::list::page).post(webhooks::list::new)),
        ("/webhooks/{id}", get(webhooks::one::page).post(webhooks::one::save)),
        ("/webhooks/{id}/active", post(webhooks::act::switch)),
        ("/webhooks/{id}/delete", post(webhooks::act::delete)),
        ("/webhooks/{id}/secret", post(webhooks::act::rotate)),
        ("/webhooks/{id}/test", post(webhooks::act::test)),
        ("/webhooks/{id}/replay", post(webhooks::act::replay)),
        ("/events", get(events::list)),
        ("/events/{id}", get(events::one)),
        ("/events/{id}/replay", post(events::replay)),
        ("/keys", get(keys::page).post(keys::new)),
        ("/keys/{id}/revoke", post(keys::revoke)),
        ("/requests", get(requests::page)),
        ("/people/{business}", get(people::page).post(people::add)),
        ("/people/{business}/role", post(people::change)),
        ("/audit", get(audit::page)),
        ("/settings", get(settings::page)),
        ("/settings/password", post(settings::password)),
        ("/settings/sessions", post(settings::end_sessions)),
        ("/settings/second-factor", get(second_factor::page).post(second_factor::add_passkey)),
        ("/settings/second-factor/app", get(second_factor::app).post(second_factor::add_app)),
        ("/settings/second-factor/codes", post(second_factor::codes)),
        ("/settings/second-factor/{id}/name", post(second_factor::rename)),
        ("/settings/second-factor/{id}/remove", post(second_factor::remove)),
    ];
    pages.into_iter().fold(routes, |routes, (path, methods)| {
        Mode::ALL.iter().fold(routes, |routes, &mode| {
            routes.route(&format!("/{mode}{path}"), methods.clone().layer(Extension(mode)))
        })
    })
}

/// Routes with what is around all of them, and what pages load.
fn finished(web: &Web, routes: Router<Web>) -> Router {
    observed(routes, Pages(web.clone()))
        .route("/assets/{name}", get(assets::serve))
        .route("/favicon.ico", get(assets::icon))
        .layer(axum::middleware::from_fn(page::shielded))
        .with_state(web.clone())
}
