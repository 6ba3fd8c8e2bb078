//! One time axis for everything in a call: both voices, who spoke when, how long the agent took, and what happened.

use std::time::Duration;

use domain::call::Party;

use super::sound::Wave;
use super::story::Story;
use crate::show;

/// How long an agent may take before it is noticed, and before it is bad.
const NOTICED: Duration = Duration::from_millis(1500);
const BAD: Duration = Duration::from_millis(3000);

/// How a wait looks.
pub(super) fn wait_tone(wait: Duration) -> &'static str {
    match wait {
        _ if wait >= BAD => "bad",
        _ if wait >= NOTICED => "warn",
        _ => "",
    }
}

/// A place on the axis in per cent of its length.
type Place = String;

pub(super) struct Tick {
    pub(super) at: Place,
    pub(super) label: String,
}

/// Something that somebody said.
pub(super) struct Block {
    pub(super) at: Place,
    pub(super) width: Place,
    pub(super) is_agent: bool,
    pub(super) text: String,
}

/// A turn of the agent that was waited for.
pub(super) struct Turn {
    pub(super) at: Place,
    pub(super) width: Place,
    /// Its height from the bottom of its lane, of 22.
    pub(super) height: u64,
    pub(super) y: u64,
    pub(super) tone: &'static str,
    pub(super) text: String,
}

pub(super) struct Mark {
    pub(super) at: Place,
    pub(super) tone: &'static str,
    pub(super) text: String,
}

pub(super) struct Timeline {
    pub(super) length_ms: u128,
    pub(super) ticks: Vec<Tick>,
    pub(super) blocks: Vec<Block>,
    pub(super) turns: Vec<Turn>,
    pub(super) marks: Vec<Mark>,
    pub(super) wave: Option<Wave>,
}

impl Timeline {
    /// The timeline of a call; `None` if nobody has answered.
    pub(super) fn of(story: &Story, wave: Option<Wave>) -> Option<Self> {
        story.answered_at()?;
        let length = story.talk_length().max(Duration::from_secs(1));
        let place = |at: Duration| {
            format!("{:.2}%", (at.as_secs_f64() / length.as_secs_f64() * 100.0).clamp(0.0, 100.0))
        };
        let step = step(length);
        let ticks = (0..).map(|count| step * count).take_while(|&at| at <= length.mul_f64(0.96));
        let blocks = story.said.iter().map(|said| Block {
            at: place(said.start),
            width: place(said.end.saturating_sub(said.start)),
            is_agent: said.by == Party::Agent,
            text: said.text.clone(),
        });
        let turns = story.said.iter().zip(story.waits()).filter_map(|(said, wait)| {
            let wait = wait.filter(|wait| !wait.is_zero())?;
            let height = (u64::try_from(wait.as_millis()).unwrap_or(u64::MAX) * 22 / 3000).clamp(3, 22);
            Some(Turn {
                at: place(said.start.saturating_sub(wait)),
                width: place(wait),
                height,
                y: 136 - height,
                tone: wait_tone(wait),
                text: format!("The agent answered after {}", show::span(wait)),
            })
        });
        let noted =
            |(at, text, tone)| Mark { at: place(at), tone, text: format!("{}  {text}", show::length(at)) };
        let mut marks: Vec<Mark> = story.notes().map(noted).collect();
        marks.extend(story.deliveries.iter().map(|delivery| Mark {
            at: "100%".to_owned(),
            tone: if delivery.state == "failed" { "bad" } else { "hook" },
            text: format!("Webhook {}: {}", delivery.event_type, delivery.state),
        }));
        Some(Self {
            length_ms: length.as_millis(),
            ticks: ticks.map(|at| Tick { at: place(at), label: show::length(at) }).collect(),
            blocks: blocks.collect(),
            turns: turns.collect(),
            marks,
            wave,
        })
    }
}

/// How far apart the labels of the axis are: five to nine of them.
fn step(length: Duration) -> Duration {
    let steps = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200];
    let fits = steps.into_iter().find(|&step| length.as_secs() / step <= 8);
    Duration::from_secs(fits.unwrap_or(14_400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_has_a_few_labels_whatever_the_length() {
        for (length, expected) in [(6, 1), (40, 5), (84, 10), (600, 120), (3600, 600)] {
            assert_eq!(step(Duration::from_secs(length)).as_secs(), expected, "{length} s");
        }
    }
}
