//! Calls as a CSV file.

use axum::extract::State;
use axum::response::Response;
use domain::clock::written;
use web::Web;
use web::calls::talked_s;

use super::list::{Filters, find, quality};
use crate::csv::{BATCH, Table};
use crate::form::Asked;
use crate::page::PageError;
use crate::visitor::Visitor;

/// The table that the filters show, beyond its first page.
pub(crate) async fn export(
    visitor: Visitor,
    State(web): State<Web>,
    asked: Asked,
) -> Result<Response, PageError> {
    let mut filters = Filters::of(&asked);
    let mut table = Table::new(&[
        "id",
        "created_at",
        "direction",
        "status",
        "to",
        "from",
        "name",
        "agent",
        "seconds",
        "ended_reason",
        "quality",
        "cost_cents",
        "summary",
    ]);
    loop {
        let found = find(&web, &visitor.tenancy, &filters, BATCH).await?;
        for view in &found.rows {
            let call = &view.call;
            let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
            table.push(&[
                &call.id.to_string(),
                &written(call.created_at),
                call.direction.as_str(),
                call.state().public(),
                call.to.as_str(),
                call.from.as_ref().map_or("", |from| from.as_str()),
                call.request.name.as_deref().unwrap_or_default(),
                &view.agent_name,
                &number(talked_s(call)),
                call.ended_reason().unwrap_or_default(),
                &number(quality(call).map(u64::from)),
                &call.cost_cents().to_string(),
                call.summary().unwrap_or_default(),
            ]);
        }
        filters = match found.next {
            Some(next) if table.has_room() => filters.from(next),
            _ => break,
        };
    }
    Ok(table.into_file(&format!("calls-{}.csv", visitor.mode())))
}
