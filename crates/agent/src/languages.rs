//! In which languages an agent speaks: those that its owner chose, else that of its first message.

use domain::call::CallPlan;
use understanding::{Language, language};

/// The languages of a call, the agent's own first. Never empty.
///
/// An agent whose owner chose none speaks the language of its first message, and with callers who speak another one that the built-in
/// receptionist knows, that one. A language that we have no words for is spoken by the model alone; our fixed words are English then.
pub(crate) fn of(plan: &CallPlan) -> Vec<Language> {
    let mut languages: Vec<Language> = Vec::new();
    let chosen = plan.agent.languages.iter().filter_map(|tag| Language::of_tag(tag.as_str()));
    if plan.agent.languages.is_empty() {
        languages.extend(language::heard(&plan.first_message));
        languages.extend([Language::English, Language::Spanish]);
    } else {
        languages.extend(chosen);
    }
    let mut known = Vec::new();
    languages.retain(|language| {
        let is_new = !known.contains(language);
        known.push(*language);
        is_new
    });
    if languages.is_empty() {
        languages.push(Language::English);
    }
    languages
}
