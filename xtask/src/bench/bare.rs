//! A bare axum route that answers the same JSON as the server: what reads are held against. It runs in a process of its own, as the
//! server does.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::State;
use axum::response::IntoResponse as _;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;

use super::goals;
use super::report::Report;
use super::scale::{CONNECTIONS, LOAD};
use super::subject::Subject;
use crate::failure::{Doing, Failure};
use crate::load::figures::{Request, Until, hammer};
use crate::load::server;
use crate::programs;

/// Serves `/call`, `/lead` and `/calls` with the members of that name of a JSON file, until it is killed.
pub async fn serve(address: &str, file: &str) -> Result<(), Failure> {
    let text = std::fs::read_to_string(file).doing(format!("read {file}"))?;
    let answers: Value = serde_json::from_str(&text).map_err(|error| Failure::Claim(error.to_string()))?;
    let mut routes = Router::new();
    for name in ["call", "lead", "calls"] {
        let answer = Arc::new(answers[name].clone());
        let route = get(|State(answer): State<Arc<Value>>| async move { Json(&*answer).into_response() });
        let route = route.with_state(answer);
        routes = routes.route(&format!("/{name}"), route);
    }
    let listener = tokio::net::TcpListener::bind(address).await.doing(format!("listen on {address}"))?;
    axum::serve(listener, routes).await.doing("serve")
}

/// Measures it with the answers of a server.
pub async fn measure(database: &'static str, subject: &Subject, report: &mut Report) -> Result<(), Failure> {
    let folder = tempfile::tempdir().doing("make a temporary folder")?;
    let file = folder.path().join("answers.json");
    std::fs::write(&file, subject.answers().await?.to_string()).doing("write the answers")?;
    let address = server::free_address()?;
    let ourselves = std::env::current_exe().doing("find this program")?;
    let mut route = programs::program(ourselves);
    route.arg("bench-bare-route").arg(address.to_string()).arg(&file);
    let mut route = route.spawn().doing("start the bare route")?;
    server::answers(address).await?;
    for (name, path) in
        [(goals::BARE_CALL, "/call"), (goals::BARE_LEAD, "/lead"), (goals::BARE_LIST, "/calls")]
    {
        report.rate(database, name, &ask(address, path).await?);
    }
    route.kill().await.doing("end the bare route")
}

async fn ask(address: SocketAddr, path: &'static str) -> Result<crate::load::figures::Figures, Failure> {
    let request = move |_| Request::Get(path.to_owned());
    hammer(address, "", CONNECTIONS, Until::Elapsed(LOAD / 2), request).await.doing("load the bare route")
}
