//! What engines themselves found out about calls.

use domain::call::Findings;
use domain::{CallId, Timestamp};
use serde_json::{Value, json};

use crate::StoreError;
use crate::transcripts::{utterance_from_value, utterance_to_value};
use crate::tx::{Tx, params};

/// Keeps findings. Of two for one call the later one counts where it knows something.
pub async fn put(tx: &mut Tx, id: CallId, found: &Findings, now: Timestamp) -> Result<(), StoreError> {
    let earlier = get(tx, id).await?.unwrap_or_default();
    let both = merge(earlier, found.clone());
    tx.execute(
        "INSERT INTO findings (call_id, body, found_at) VALUES ($1, $2, $3) \
         ON CONFLICT (call_id) DO UPDATE SET body = excluded.body, found_at = excluded.found_at",
        params![id, to_value(&both).to_string(), now],
    )
    .await?;
    Ok(())
}

fn merge(earlier: Findings, later: Findings) -> Findings {
    Findings {
        summary: later.summary.or(earlier.summary),
        quality: later.quality.or(earlier.quality),
        name: later.name.or(earlier.name),
        email: later.email.or(earlier.email),
        phone: later.phone.or(earlier.phone),
        intent: later.intent.or(earlier.intent),
        cost_cents: later.cost_cents.or(earlier.cost_cents),
        transcript: if later.transcript.len() >= earlier.transcript.len() {
            later.transcript
        } else {
            earlier.transcript
        },
    }
}

/// The findings of a call.
pub async fn get(tx: &mut Tx, id: CallId) -> Result<Option<Findings>, StoreError> {
    let row = tx.query_one("SELECT body FROM findings WHERE call_id = $1", params![id]).await?;
    row.map(|row| row.of("findings").parse(|text| from_value(&serde_json::from_str(text).ok()?))).transpose()
}

fn to_value(found: &Findings) -> Value {
    json!({
        "summary": found.summary,
        "quality": found.quality,
        "name": found.name,
        "email": found.email,
        "phone": found.phone,
        "intent": found.intent,
        "cost_cents": found.cost_cents,
        "transcript": found.transcript.iter().map(utterance_to_value).collect::<Vec<_>>(),
    })
}

fn from_value(value: &Value) -> Option<Findings> {
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    let marks: Option<Vec<u8>> = value["quality"]
        .as_array()
        .and_then(|marks| marks.iter().map(|mark| mark.as_u64()?.try_into().ok()).collect());
    Some(Findings {
        summary: text("summary"),
        quality: marks.and_then(|marks| marks.try_into().ok()),
        name: text("name"),
        email: text("email"),
        phone: text("phone"),
        intent: text("intent"),
        cost_cents: value["cost_cents"].as_u64().and_then(|cents| cents.try_into().ok()),
        transcript: value["transcript"]
            .as_array()?
            .iter()
            .map(utterance_from_value)
            .collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::call::{Party, Utterance};

    use super::*;

    #[test]
    fn findings_read_back_and_a_poorer_report_takes_nothing_away() {
        let said = Utterance {
            by: Party::Caller,
            text: "Hello".into(),
            start: Duration::from_millis(10),
            end: Duration::from_millis(900),
            interrupted: false,
        };
        let rich = Findings {
            summary: Some("A talk.".into()),
            quality: Some([90, 80, 70, 60]),
            email: Some("a@example.com".into()),
            cost_cents: Some(7),
            transcript: vec![said],
            ..Findings::default()
        };
        assert_eq!(from_value(&to_value(&rich)), Some(rich.clone()));
        let poor = Findings { name: Some("Maria".into()), ..Findings::default() };
        let both = Findings { name: Some("Maria".into()), ..rich.clone() };
        assert_eq!(merge(rich.clone(), poor.clone()), both);
        assert_eq!(merge(poor, rich), both);
    }
}
