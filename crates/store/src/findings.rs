//! What engines themselves found out about calls.

use domain::call::{Findings, Quality};
use domain::usage::MicroDollars;
use domain::{CallId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::table::{table, text};
use crate::tx::{PlatformTx, params};
use crate::utterances::KeptUtterance;

table! {
    /// What engines found, one row a call, as JSON.
    Kept = "findings" as "f", (found: &Findings, call: CallId, now: Timestamp)
    key {}
    fixed { body = to_text(found) }
    unread { call_id = call, found_at = now }
    read {
        let body: String = body;
        from_text(&body).ok_or_else(|| StoreError::corrupt("findings", "a value that this version cannot read"))?
    }
}

/// Keeps findings. Of two for one call the later one counts where it knows something. False if that brought nothing new.
pub async fn put(
    tx: &mut PlatformTx,
    id: CallId,
    found: &Findings,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const PUT: &str = text!(
        Kept::INSERT,
        " ON CONFLICT (call_id) DO UPDATE SET body = excluded.body, found_at = excluded.found_at"
    );
    let earlier = get(tx, id).await?.unwrap_or_default();
    let both = merge(earlier.clone(), found.clone());
    if both == earlier {
        return Ok(false);
    }
    tx.execute(PUT, &Kept::inserted(&both, id, now)).await?;
    Ok(true)
}

fn merge(earlier: Findings, later: Findings) -> Findings {
    Findings {
        summary: later.summary.or(earlier.summary),
        quality: later.quality.or(earlier.quality),
        name: later.name.or(earlier.name),
        email: later.email.or(earlier.email),
        phone: later.phone.or(earlier.phone),
        intent: later.intent.or(earlier.intent),
        cost: later.cost.or(earlier.cost),
        transcript: if later.transcript.len() >= earlier.transcript.len() {
            later.transcript
        } else {
            earlier.transcript
        },
    }
}

/// The findings of a call.
pub async fn get(tx: &mut PlatformTx, id: CallId) -> Result<Option<Findings>, StoreError> {
    const SQL: &str = text!("SELECT ", Kept::COLUMNS, " FROM findings f WHERE f.call_id = $1");
    tx.query_one(SQL, params![id]).await?.map(Kept::read).transpose()
}

/// Findings as they are kept. The names of the fields are for good.
#[derive(Serialize, Deserialize)]
struct KeptFindings {
    summary: Option<String>,
    quality: Option<[u8; 4]>,
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    intent: Option<String>,
    /// Read by the release before, in which costs had no parts of a cent.
    cost_cents: Option<u32>,
    #[serde(default)]
    cost_microdollars: Option<u64>,
    transcript: Vec<KeptUtterance>,
}

fn to_text(found: &Findings) -> String {
    let kept = KeptFindings {
        summary: found.summary.clone(),
        quality: found.quality.map(|marks| {
            [marks.professionalism, marks.empathy, marks.information_gathering, marks.resolution]
        }),
        name: found.name.clone(),
        email: found.email.clone(),
        phone: found.phone.clone(),
        intent: found.intent.clone(),
        cost_cents: found.cost.map(MicroDollars::cents),
        cost_microdollars: found.cost.map(|cost| cost.0),
        transcript: found.transcript.iter().map(KeptUtterance::from).collect(),
    };
    serde_json::to_string(&kept).expect("texts and numbers can be written as JSON")
}

fn from_text(text: &str) -> Option<Findings> {
    let kept: KeptFindings = serde_json::from_str(text).ok()?;
    Some(Findings {
        summary: kept.summary,
        quality: kept.quality.map(|[professionalism, empathy, information_gathering, resolution]| Quality {
            professionalism,
            empathy,
            information_gathering,
            resolution,
        }),
        name: kept.name,
        email: kept.email,
        phone: kept.phone,
        intent: kept.intent,
        cost: kept
            .cost_microdollars
            .or_else(|| kept.cost_cents.map(|cents| u64::from(cents) * 10_000))
            .map(MicroDollars),
        transcript: kept.transcript.into_iter().map(KeptUtterance::read).collect::<Option<_>>()?,
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
            quality: Some(Quality {
                professionalism: 90,
                empathy: 80,
                information_gathering: 70,
                resolution: 60,
            }),
            email: Some("a@example.com".into()),
            cost: Some(MicroDollars(74_213)),
            transcript: vec![said],
            ..Findings::default()
        };
        assert_eq!(from_text(&to_text(&rich)), Some(rich.clone()));
        let poor = Findings { name: Some("Maria".into()), ..Findings::default() };
        let both = Findings { name: Some("Maria".into()), ..rich.clone() };
        assert_eq!(merge(rich.clone(), poor.clone()), both);
        assert_eq!(merge(poor, rich), both);
    }
}
