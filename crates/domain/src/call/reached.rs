//! What the words for how a call ended tell of who answered it.

/// What machines do that answer a telephone, as runs of words: the words of our own engines (`voicemail`, `number-not-in-service`, `menu`,
/// `on-hold`, `screener`), and those by which others name the same.
const MACHINES: &[&[&str]] = &[
    &["voicemail"],
    &["machine"],
    &["not", "in", "service"],
    &["intercept"],
    &["menu"],
    &["hold"],
    &["screener"],
];

/// True if a call that ended for this reason had reached a machine and no person: nothing said in it is anybody's wish or name.
pub fn ended_by_machine(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    let words: Vec<&str> =
        reason.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    MACHINES.iter().any(|machine| words.windows(machine.len()).any(|window| window == *machine))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_are_told_from_people_by_how_the_call_ended() {
        for machine in [
            "voicemail",
            "Voicemail",
            "number-not-in-service",
            "menu",
            "on-hold",
            "screener",
            "answering_machine",
            "machine-detected",
        ] {
            assert!(ended_by_machine(machine), "{machine}");
        }
        for person in [
            "",
            "caller-hung-up",
            "customer-ended-call",
            "agent-said-goodbye",
            "silence",
            "engine-lost",
            "max-duration",
            "call.in-progress.error-vapifault-worker-not-available",
            "customer-withheld-number",
        ] {
            assert!(!ended_by_machine(person), "{person}");
        }
    }
}
