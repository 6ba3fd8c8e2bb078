//! A call on a terminal: what happens in it, and what came of it.

use std::io::IsTerminal as _;

use serde_json::Value;

use crate::client::{Client, Event};
use crate::failure::Failure;
use crate::output::{printable, say};

/// Whether standard output takes colours.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Colours(bool);

impl Colours {
    /// Colours on a terminal, unless NO_COLOR asks for none (no-color.org).
    pub(crate) fn of_terminal() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "a convention of all command-line tools, no setting of ours"
        )]
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self(std::io::stdout().is_terminal() && !unwanted)
    }

    pub(crate) fn paint(self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }
}

/// Prints one event of a call.
pub(crate) fn print_event(event: &Event, colours: Colours) -> Result<(), Failure> {
    if event.kind == "said" {
        let (who, code) = match event.data["by"].as_str() {
            Some("agent") => ("Agent ", "36"),
            _ => ("Caller", "33"),
        };
        let cut = if event.data["interrupted"].as_bool() == Some(true) { " —" } else { "" };
        let text = printable(event.data["text"].as_str().unwrap_or_default());
        let time = clock(event.data["start_ms"].as_u64().unwrap_or(0));
        return say!("  {}  {}  {text}{cut}", colours.dim(&time), colours.paint(code, who));
    }
    let more = match event.kind.as_str() {
        "noted" => event.data["what"].as_str().unwrap_or_default().replace('_', " "),
        "turn" => turn(&event.data),
        "sound" => sound(&event.data),
        "ended" => reason(&event.data),
        _ => String::new(),
    };
    let line = format!("         {} {more}", event.kind);
    say!("{}", colours.dim(line.trim_end()))
}

fn reason(data: &Value) -> String {
    let reason = data["reason"].as_str().unwrap_or_default().replace('-', " ");
    match data["talked_ms"].as_u64() {
        Some(talked) => format!("{reason}, after {}", clock(talked)),
        None => reason,
    }
}

/// How long the caller waited for the agent, and what for.
fn turn(data: &Value) -> String {
    let at = |step: &str| data[format!("{step}_ms")].as_u64();
    let Some(waited) = at("waited") else {
        return format!("heard {} ms after the answer", at("first_agent_packet").unwrap_or(0));
    };
    let took =
        |name: &str, from: &str, to: &str| Some(format!("{name} {} ms", at(to)?.saturating_sub(at(from)?)));
    let stages = [
        took("end of turn", "last_caller_packet", "end_of_turn"),
        took("model", "end_of_turn", "first_token"),
        took("voice", "first_sentence", "first_audio"),
    ];
    let stages: Vec<String> = stages.into_iter().flatten().collect();
    format!("answered after {waited} ms ({})", stages.join(", "))
}

fn sound(data: &Value) -> String {
    let figure = |name: &str| data[name].as_f64().unwrap_or_default();
    format!("mos {:.1}, {} % lost, jitter {} ms", figure("mos"), figure("loss_percent"), figure("jitter_ms"))
}

/// A time in a call as minutes and seconds, such as ` 1:05`.
fn clock(millis: u64) -> String {
    format!("{:>2}:{:02}", millis / 60_000, millis / 1000 % 60)
}

/// Prints what came of a call that is over: summary, marks and lead.
pub(crate) async fn print_outcome(client: &Client, call: &str, colours: Colours) -> Result<(), Failure> {
    let detail = client.find("/calls", &[("id", Some(call.to_owned()))]).await?;
    say!()?;
    say!("{}", colours.bold("What came of it"))?;
    if let Some(error) = detail["error"].as_str() {
        return say!("  failed     {}", error.replace('_', " "));
    }
    say!("  summary    {}", text(&detail["summary"]))?;
    if let Some(marks) = detail["quality_dimensions"].as_object() {
        let marks: Vec<String> =
            marks.iter().map(|(name, mark)| format!("{} {mark}", name.replace('_', " "))).collect();
        say!("  quality    {}", marks.join(", "))?;
    }
    let Some(id) = detail["lead_id"].as_str() else { return Ok(()) };
    // A key that may not read leads still knows which one it is.
    let Ok(lead) = client.find("/leads", &[("id", Some(id.to_owned()))]).await else {
        return say!("  lead       {id}");
    };
    let (name, email, phone) = (text(&lead["name"]), text(&lead["email"]), text(&lead["phone"]));
    say!("  lead       {name}, {email}, {phone}, status {}", text(&lead["status"]))?;
    if !lead["message"].is_null() {
        say!("             wants: {}", text(&lead["message"]))?;
    }
    if !lead["score"].is_null() {
        say!("             score {}: {}", lead["score"], text(&lead["score_explanation"]))?;
    }
    Ok(())
}

fn text(value: &Value) -> String {
    printable(value.as_str().unwrap_or("-"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_of_a_talk_are_minutes_and_seconds() {
        for (millis, shown) in
            [(0, " 0:00"), (999, " 0:00"), (65_000, " 1:05"), (600_000, "10:00"), (43_200_000, "720:00")]
        {
            assert_eq!(clock(millis), shown);
        }
    }

    #[test]
    fn the_end_says_why_and_after_how_long() {
        assert_eq!(
            reason(&json!({ "reason": "caller-hung-up", "talked_ms": 65_000 })),
            "caller hung up, after  1:05"
        );
        assert_eq!(reason(&json!({ "reason": "no-answer" })), "no answer");
        assert_eq!(reason(&json!({})), "");
    }

    #[test]
    fn a_turn_says_how_long_the_caller_waited_and_what_for() {
        let measured = json!({
            "last_caller_packet_ms": 1000, "end_of_turn_ms": 1400, "first_token_ms": 1700, "first_sentence_ms": 1750,
            "first_audio_ms": 1900, "first_agent_packet_ms": 1915, "waited_ms": 915,
        });
        assert_eq!(turn(&measured), "answered after 915 ms (end of turn 400 ms, model 300 ms, voice 150 ms)");
        let greeting = json!({ "first_agent_packet_ms": 20, "waited_ms": null });
        assert_eq!(turn(&greeting), "heard 20 ms after the answer");
    }

    #[test]
    fn the_sound_is_told_in_one_line() {
        let measured = json!({ "mos": 4.31, "loss_percent": 1.2, "jitter_ms": 2.5 });
        assert_eq!(sound(&measured), "mos 4.3, 1.2 % lost, jitter 2.5 ms");
    }

    #[test]
    fn colours_are_for_terminals_only() {
        assert_eq!((Colours(false).bold("x"), Colours(false).dim("x")), ("x".to_owned(), "x".to_owned()));
        assert_eq!(Colours(true).bold("x"), "\x1b[1mx\x1b[0m");
        assert_eq!(Colours(true).dim("x"), "\x1b[2mx\x1b[0m");
    }
}
