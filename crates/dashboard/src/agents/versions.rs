//! One version of an agent: what is different from the one before, and going back to it.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Redirect, Response};
use domain::agent::AgentConfig;
use serde_json::Value;
use store::agents::WholeVersion;
use web::Web;

use super::list::refused;
use crate::form::parse_id;
use crate::page::{Frame, PageError, Section, framed};
use crate::show::money;
use crate::visitor::Visitor;

/// A line of a comparison: `add`, `del`, `same`, or `name` for the field that the next ones belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    kind: &'static str,
    text: String,
}

#[derive(Template)]
#[template(path = "version.html")]
struct VersionPage {
    frame: Frame,
    path: String,
    name: String,
    number: u32,
    current: u32,
    lines: Vec<Line>,
}

/// The fields of an agent with a name that people know.
fn fields(config: &AgentConfig) -> Vec<(&'static str, String)> {
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let object = |value: Value| match value {
        Value::Object(object) if object.is_empty() => String::new(),
        other => serde_json::to_string_pretty(&other).unwrap_or_default(),
    };
    let languages: Vec<String> = config.languages.iter().map(ToString::to_string).collect();
    let model = &config.model;
    vec![
        ("Name", config.name.clone()),
        ("Prompt", config.system_prompt.clone()),
        ("Prompt of outgoing calls", optional(&config.outbound_prompt)),
        ("Prompt of text messages", optional(&config.sms_prompt)),
        ("First message", optional(&config.first_message)),
        ("First message of outgoing calls", optional(&config.outbound_first_message)),
        ("Voicemail message", optional(&config.voicemail_message)),
        ("Model", format!("{} {}\ntemperature {}", model.provider, model.model, model.temperature)),
        ("Model, more", object(Value::Object(model.extra.clone()))),
        ("Voice", config.voice.clone().map(|voice| object(Value::Object(voice))).unwrap_or_default()),
        ("Languages", languages.join(", ")),
        (
            "Longest call",
            config.max_duration.map(|limit| format!("{} s", limit.as_secs())).unwrap_or_default(),
        ),
        ("Budget of a day", config.daily_budget_cents.map(money).unwrap_or_default()),
        (
            "Transfer",
            if config.transfer_enabled {
                config.transfer_phone_number.as_ref().map_or("on".to_owned(), |to| format!("to {to}"))
            } else {
                "off".to_owned()
            },
        ),
        (
            "Machines that answer",
            format!(
                "voicemail: {}\nscreener: {}\nmenu: {}",
                config.answering.voicemail.as_str(),
                config.answering.screener.as_str(),
                config.answering.menu.as_str()
            ),
        ),
        (
            "Card and social security numbers",
            if config.keep_sensitive_numbers { "kept" } else { "not kept" }.to_owned(),
        ),
        ("Engine settings", object(Value::Object(config.vapi_config()))),
        ("Metadata", object(Value::Object(config.metadata.clone()))),
    ]
}

/// What is different, field by field and line by line.
fn compared(before: &AgentConfig, after: &AgentConfig) -> Vec<Line> {
    let mut lines = Vec::new();
    for ((name, old), (_, new)) in fields(before).into_iter().zip(fields(after)) {
        if old != new {
            lines.push(Line { kind: "name", text: name.to_owned() });
            lines.extend(changed(&old, &new));
        }
    }
    lines
}

/// The longest texts that are compared line by line; longer ones are shown whole.
const MOST_LINES: usize = 1000;

/// The lines of two texts by their longest common sequence.
fn changed(old: &str, new: &str) -> Vec<Line> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let line = |kind, text: &str| Line { kind, text: text.to_owned() };
    if old.len() > MOST_LINES || new.len() > MOST_LINES {
        let gone = old.iter().map(|text| line("del", text));
        return gone.chain(new.iter().map(|text| line("add", text))).collect();
    }
    let width = new.len() + 1;
    let mut common = vec![0_u32; (old.len() + 1) * width];
    for (i, old) in old.iter().enumerate().rev() {
        for (j, new) in new.iter().enumerate().rev() {
            common[i * width + j] = if old == new {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push(line("same", old[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < old.len()
            && (j == new.len() || common[(i + 1) * width + j] >= common[i * width + j + 1])
        {
            lines.push(line("del", old[i]));
            i += 1;
        } else {
            lines.push(line("add", new[j]));
            j += 1;
        }
    }
    lines
}

pub(crate) async fn page(
    visitor: Visitor,
    State(web): State<Web>,
    Path((name, number)): Path<(String, u32)>,
) -> Result<Response, PageError> {
    let (tenancy, id) = (visitor.tenancy.clone(), parse_id(&name)?);
    let found = web
        .read(move |tx| Box::pin(async move { store::agents::version(tx, &tenancy, id, number).await }))
        .await?;
    let WholeVersion { config, before, agent, .. } = found.ok_or(PageError::NotFound)?;
    let page = VersionPage {
        path: format!("/{}/agents/{id}", visitor.mode()),
        name: agent.config.name,
        number,
        current: agent.version,
        lines: before.map(|before| compared(&before, &config)).unwrap_or_default(),
        frame: visitor.frame(&web, Section::Agents),
    };
    framed(&page.frame.nonce, &page)
}

/// Makes the agent what it was in a version. That is a new version, so nothing is lost.
pub(crate) async fn restore(
    visitor: Visitor,
    State(web): State<Web>,
    Path((name, number)): Path<(String, u32)>,
) -> Result<Redirect, PageError> {
    let (id, acting) = (parse_id(&name)?, visitor.acting(&web));
    let updated = Box::pin(app::agents::roll_back(&acting, &visitor.tenancy, id, number)).await;
    updated.map_err(refused)?.ok_or(PageError::NotFound)?;
    Ok(Redirect::to(&format!("/{}/agents/{id}?done=saved", visitor.mode())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_shows_the_lines_that_differ_under_the_name_of_their_field() {
        let before = AgentConfig { system_prompt: "One.\nTwo.\nThree.".into(), ..AgentConfig::default() };
        let after =
            AgentConfig { system_prompt: "One.\nTwo and a half.\nThree.\nFour.".into(), ..before.clone() };
        let shown: Vec<(&str, String)> =
            compared(&before, &after).into_iter().map(|line| (line.kind, line.text)).collect();
        let expected = [
            ("name", "Prompt"),
            ("same", "One."),
            ("del", "Two."),
            ("add", "Two and a half."),
            ("same", "Three."),
            ("add", "Four."),
        ];
        assert_eq!(shown, expected.map(|(kind, text)| (kind, text.to_owned())));
        assert!(compared(&before, &before).is_empty());
    }
}
