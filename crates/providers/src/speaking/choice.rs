//! Whose voice an agent asks for.

use speech::VoiceChoice;

/// The choice, if it is one for the provider of these names.
pub(super) fn own<'a>(voice: &'a VoiceChoice, names: &[&str]) -> Option<&'a VoiceChoice> {
    let provider = voice.provider.as_deref();
    Some(voice).filter(|_| provider.is_none_or(|provider| is_one_of(provider, names)))
}

pub(super) fn is_one_of(provider: &str, names: &[&str]) -> bool {
    names.iter().any(|name| name.eq_ignore_ascii_case(provider))
}

/// What to say about a voice of another provider.
pub(super) fn other_provider(voice: &VoiceChoice, names: &[&str], speaker: &str) -> Option<String> {
    let provider = voice.provider.as_deref().filter(|provider| !is_one_of(provider, names))?;
    let provider: String = provider.chars().take(60).collect();
    Some(format!("no voices of `{provider}` are configured here; {speaker} speaks instead"))
}
