//! Views that people keep: the filters of the table of calls under a name of their own.

use axum::extract::State;
use axum::response::Redirect;
use web::Web;

use super::act::not_noted;
use super::list::Filters;
use crate::form::{Asked, Filled, fits};
use crate::page::PageError;
use crate::visitor::Visitor;

/// The longest name of a view.
const LONGEST_NAME: usize = 40;

/// Keeps the filters of the page under a name.
pub(crate) async fn keep(
    visitor: Visitor,
    State(web): State<Web>,
    form: Filled,
) -> Result<Redirect, PageError> {
    let name = form.text("name");
    if name.is_empty() || !fits(&name, LONGEST_NAME) {
        return Err(PageError::Wrong(format!("Give the view a name of at most {LONGEST_NAME} characters.")));
    }
    // Only what the page itself would read is kept.
    let query = Filters::of(&Asked::of(form.raw("query"))).query();
    if query.is_empty() {
        return Err(PageError::Wrong("Narrow the table first, then save what it shows.".to_owned()));
    }
    let page = format!("/{}/calls?{query}", visitor.mode());
    app::remarks::keep_view(web.app(), visitor.user.user_id, name, query).await.map_err(not_noted)?;
    Ok(Redirect::to(&page))
}

/// Forgets a view.
pub(crate) async fn forget(
    visitor: Visitor,
    State(web): State<Web>,
    form: Filled,
) -> Result<Redirect, PageError> {
    app::remarks::forget_view(web.app(), visitor.user.user_id, form.text("name")).await?;
    Ok(Redirect::to(&format!("/{}/calls", visitor.mode())))
}
