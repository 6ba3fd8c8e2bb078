//! Leads from a file: what its columns hold, what would come of it, and what came of it.
//!
//! The text travels with the form from step to step, so that nothing is kept for somebody who goes away.

use app::leads::import::{self, Destination, Field, Outcome, Run, Sheet, Verdict};
use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use domain::Author;
use domain::business::Business;
use http::StatusCode;
use web::Web;

use crate::form::Filled;
use crate::page::{Frame, PageError, Section, framed};
use crate::visitor::Visitor;

/// Lines that a page shows of each kind.
const SHOWN: usize = 50;

/// A column of the file, and what it is taken for.
struct Column {
    name: String,
    /// What stands in it at first.
    sample: String,
    /// Word and label of each field, and whether it is chosen.
    fields: Vec<(&'static str, String, bool)>,
}

struct Row {
    line: u64,
    who: String,
    tone: &'static str,
    verdict: String,
}

/// What would come, or has come, of a file.
struct Preview {
    columns: Vec<Column>,
    rows: Vec<Row>,
    /// How many lines there are besides those that are shown.
    further: usize,
    new: usize,
    changed: usize,
    same: usize,
    wrong: usize,
    is_done: bool,
}

#[derive(Template)]
#[template(path = "lead_import.html")]
struct ImportPage {
    frame: Frame,
    path: String,
    businesses: Vec<(String, String)>,
    business: String,
    text: String,
    preview: Option<Preview>,
    problem: Option<String>,
}

fn drawn(
    web: &Web,
    visitor: &Visitor,
    business: &Business,
    text: String,
    preview: Option<Preview>,
    problem: Option<String>,
) -> Result<Response, PageError> {
    let status = if problem.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let page = ImportPage {
        path: format!("/{}/leads", visitor.mode()),
        businesses: visitor.business_choices(),
        business: business.id.to_string(),
        text,
        preview,
        problem,
        frame: visitor.frame(web, Section::Leads),
    };
    Ok((status, framed(&page.frame.nonce, &page)?).into_response())
}

pub(crate) async fn page(visitor: Visitor, State(web): State<Web>) -> Result<Response, PageError> {
    drawn(&web, &visitor, visitor.business("")?, String::new(), None, None)
}

/// Tries a file, or reads it.
pub(crate) async fn read(
    visitor: Visitor,
    State(web): State<Web>,
    form: Filled,
) -> Result<Response, PageError> {
    let business = visitor.business(&form.text("business"))?;
    let text = form.raw("table").to_owned();
    let sheet = match Sheet::read(&text) {
        Ok(sheet) => sheet,
        Err(error) => {
            return drawn(&web, &visitor, business, text, None, Some(format!("That did not work: {error}.")));
        }
    };
    let chosen: Vec<&str> = form.all("field").collect();
    let mapping = if chosen.len() == sheet.columns.len() {
        chosen.into_iter().map(Field::parse).collect()
    } else {
        import::suggested(&sheet.columns)
    };
    let twice = mapping.iter().enumerate().find_map(|(at, field)| {
        (*field).filter(|_| mapping[..at].contains(field)).map(|field| label(field).to_lowercase())
    });
    let run = if form.text("step") == "write" && twice.is_none() { Run::Write } else { Run::Try };
    let into = Destination {
        business: business.id,
        mode: visitor.mode(),
        home: business.country_calling_code.clone(),
        by: Author::person(visitor.email.as_str()),
    };
    let outcomes = import::run(web.app(), &into, &sheet, &mapping, run).await?;
    let problem = twice.map(|field| format!("Two columns cannot both be the {field}. Choose one of them."));
    let preview = preview(&sheet, &mapping, outcomes, run);
    drawn(&web, &visitor, business, text, Some(preview), problem)
}

fn label(field: Field) -> &'static str {
    match field {
        Field::Name => "Full name",
        Field::FirstName => "First name",
        Field::LastName => "Last name",
        Field::Phone => "Phone number",
        Field::Email => "E-mail address",
        Field::Status => "Status",
        Field::Message => "What they want",
        Field::Notes => "Notes",
        Field::Address => "Address",
        Field::City => "City",
        Field::State => "State",
        Field::Zip => "Zip",
        Field::Source => "Source",
    }
}

fn preview(sheet: &Sheet, mapping: &[Option<Field>], outcomes: Vec<Outcome>, run: Run) -> Preview {
    let count = |wanted: fn(&Verdict) -> bool| outcomes.iter().filter(|one| wanted(&one.verdict)).count();
    let (new, changed) = (count(|one| *one == Verdict::New), count(|one| *one == Verdict::Changed));
    let (same, wrong) = (count(|one| *one == Verdict::Same), count(|one| matches!(one, Verdict::Wrong(_))));
    let total = outcomes.len();
    // What is wrong comes first: it is what somebody has to look at.
    let (bad, good): (Vec<_>, Vec<_>) =
        outcomes.into_iter().partition(|one| matches!(one.verdict, Verdict::Wrong(_)));
    let shown = bad.into_iter().take(SHOWN).chain(good.into_iter().take(SHOWN));
    let rows: Vec<Row> = shown.map(|one| row(one, run)).collect();
    let columns = sheet.columns.iter().zip(mapping).enumerate().map(|(at, (name, chosen))| Column {
        name: name.clone(),
        sample: sheet
            .lines
            .iter()
            .find_map(|line| line.cells.get(at).filter(|cell| !cell.is_empty()))
            .cloned()
            .unwrap_or_default(),
        fields: Field::ALL
            .iter()
            .map(|&field| (field.as_str(), label(field).to_owned(), *chosen == Some(field)))
            .collect(),
    });
    Preview {
        columns: columns.collect(),
        further: total - rows.len(),
        rows,
        new,
        changed,
        same,
        wrong,
        is_done: run == Run::Write,
    }
}

fn row(outcome: Outcome, run: Run) -> Row {
    let (tone, verdict) = match (outcome.verdict, run) {
        (Verdict::New, Run::Try) => ("good", "is new".to_owned()),
        (Verdict::New, Run::Write) => ("good", "added".to_owned()),
        (Verdict::Changed, Run::Try) => ("busy", "would change".to_owned()),
        (Verdict::Changed, Run::Write) => ("busy", "changed".to_owned()),
        (Verdict::Same, _) => ("", "says nothing new".to_owned()),
        (Verdict::Wrong(why), _) => ("bad", why),
    };
    Row { line: outcome.line, who: outcome.who, tone, verdict }
}
