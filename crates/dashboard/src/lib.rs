//! The dashboard: pages on which people see, hear and steer every call.
//!
//! Served by the same binary, drawn on the server, of use without scripts; the scripts add search as you type, keys, sound and what
//! happens at this moment. The mode stands in every address (`/live/…`, `/test/…`), so that two tabs may show both. What a page shows is
//! read through `store` and `web`, what it changes goes through `app`: nothing here can do more than a route of the API. Everything that
//! callers, leads and clients wrote passes the templates, which encode it.

mod assets;
mod calls;
mod door;
mod form;
mod home;
mod live;
mod page;
mod show;
mod visitor;

use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Router};
use domain::Mode;
use web::Web;
use web::request::{Pages, observed};

/// The pages, and everything else behind them. Who looks for a page that is not there is told so by one.
pub fn in_front_of(web: &Web, rest: Router) -> Router {
    router(web).fallback_service(rest.layer(axum::middleware::from_fn(page::or_nothing_here)))
}

/// The pages. Whatever else is asked for is up to the router that they are put in front of.
pub fn router(web: &Web) -> Router {
    let routes = Router::new()
        .route("/", get(door::front))
        .route("/login", get(door::form).post(door::log_in))
        .route("/logout", post(door::leave));
    let pages: [(&str, MethodRouter<Web>); 8] = [
        ("", get(home::page)),
        ("/live", get(home::live)),
        ("/calls", get(calls::list::page)),
        ("/calls.csv", get(calls::csv::export)),
        ("/calls/{id}", get(calls::one::page)),
        ("/calls/{id}/live", get(calls::one::live)),
        ("/calls/{id}/end", post(calls::act::end)),
        ("/calls/{id}/again", post(calls::act::again)),
    ];
    let routes = pages.into_iter().fold(routes, |routes, (path, methods)| {
        Mode::ALL.iter().fold(routes, |routes, &mode| {
            routes.route(&format!("/{mode}{path}"), methods.clone().layer(Extension(mode)))
        })
    });
    observed(routes, Pages(web.clone()))
        .route("/assets/{name}", get(assets::serve))
        .route("/favicon.ico", get(assets::icon))
        .layer(axum::middleware::from_fn(page::shielded))
        .with_state(web.clone())
}
