//! What the agent says to a caller who wants no more calls, whichever model thinks for it.
//!
//! The caller's own words decide (`understanding::opt_out`), before the model is asked: no model can overlook the wish, argue with it, or
//! invent it. Whoever stores the call blocks the number by the same reading.

use conversation::ReplyEnd;
use speech::{ChatMessage, Role};
use understanding::opt_out::{self, OptOut, Speaker, Turn};

/// The reply, if the caller's words ask for one of this kind.
pub(crate) fn reply(history: &[ChatMessage]) -> Option<(&'static str, ReplyEnd)> {
    let turns: Vec<Turn<'_>> = history
        .iter()
        .filter_map(|message| {
            let by = match message.role {
                Role::Assistant => Speaker::Agent,
                Role::User => Speaker::Caller,
                Role::System | Role::Tool => return None,
            };
            Some(Turn { by, text: &message.content })
        })
        .collect();
    match opt_out::read(&turns) {
        OptOut::Clear(evidence) => Some((opt_out::promise(evidence.language), ReplyEnd::EndCall)),
        OptOut::Doubtful(evidence) => {
            let question = opt_out::question(evidence.language);
            let asked = turns.iter().any(|turn| turn.by == Speaker::Agent && turn.text.contains(question));
            let is_news = evidence.turn + 1 == turns.len();
            (is_news && !asked).then_some((question, ReplyEnd::Complete))
        }
        OptOut::No => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(lines: &[(Role, &str)]) -> Option<(&'static str, ReplyEnd)> {
        let history: Vec<ChatMessage> =
            lines.iter().map(|(role, text)| ChatMessage::text(*role, *text)).collect();
        reply(&history)
    }

    #[test]
    fn a_clear_wish_is_granted_in_the_callers_language_and_ends_the_call() {
        let (words, end) =
            said(&[(Role::System, "Be kind."), (Role::User, "Never call me again.")]).expect("a reply");
        assert!(words.contains("will not call you again"), "{words}");
        assert!(matches!(end, ReplyEnd::EndCall));
        let (words, _) = said(&[(Role::User, "No me llamen más, por favor.")]).expect("a reply");
        assert!(words.contains("no volveremos a llamarle"), "{words}");
    }

    #[test]
    fn a_doubtful_wish_is_asked_back_once() {
        let (question, end) = said(&[(Role::User, "Leave me alone.")]).expect("a reply");
        assert!(question.ends_with('?') && matches!(end, ReplyEnd::Complete));
        let asked = [(Role::User, "Leave me alone."), (Role::Assistant, question)];
        let with = |answer| [asked[0], asked[1], (Role::User, answer)];
        assert!(matches!(said(&with("Yes.")), Some((_, ReplyEnd::EndCall))));
        assert!(said(&with("No, go on.")).is_none());
        assert!(
            said(&with("Who is this?")).is_none(),
            "the model answers, and the question is not put again"
        );
    }

    #[test]
    fn other_talk_is_the_models() {
        assert!(said(&[(Role::User, "Don't stop calling until you reach my wife.")]).is_none());
        assert!(said(&[]).is_none());
    }
}
