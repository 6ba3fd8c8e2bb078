//! What Vapi charges for a call, from whichever of its places.

use domain::usage::MicroDollars;
use serde_json::Value;

use crate::time::number;

/// The parts of a `costBreakdown`; the rest of it counts tokens and letters.
const PARTS: [&str; 6] = ["transport", "stt", "llm", "tts", "vapi", "chat"];
const ANALYSIS_PARTS: [&str; 4] = ["summary", "structuredData", "successEvaluation", "structuredOutput"];

/// The first place that names a price counts; a price of nothing only if no other place knows more.
pub(crate) fn cost(source: &Value) -> Option<MicroDollars> {
    let call = &source["call"];
    let found: Vec<MicroDollars> =
        [source, call].into_iter().flat_map(places).flatten().filter_map(MicroDollars::of_a_call).collect();
    found.iter().copied().find(|cost| cost.0 > 0).or_else(|| found.first().copied())
}

fn places(source: &Value) -> [Option<f64>; 4] {
    let breakdown = &source["costBreakdown"];
    [dollars(&source["cost"]), dollars(&breakdown["total"]), listed(&source["costs"]), parts(breakdown)]
}

fn listed(costs: &Value) -> Option<f64> {
    let costs: Vec<f64> = costs.as_array()?.iter().filter_map(|item| dollars(&item["cost"])).collect();
    sum(&costs)
}

fn parts(breakdown: &Value) -> Option<f64> {
    let analysis = &breakdown["analysisCostBreakdown"];
    let costs =
        PARTS.iter().map(|name| &breakdown[*name]).chain(ANALYSIS_PARTS.iter().map(|name| &analysis[*name]));
    sum(&costs.filter_map(dollars).collect::<Vec<_>>())
}

fn sum(costs: &[f64]) -> Option<f64> {
    (!costs.is_empty() && costs.iter().all(|cost| *cost >= 0.0)).then(|| costs.iter().sum())
}

/// An amount, also as a text with a currency sign.
fn dollars(value: &Value) -> Option<f64> {
    number(value).or_else(|| {
        let text = value.as_str()?.trim().trim_start_matches('$').trim_end_matches("USD").trim();
        text.parse().ok().filter(|amount: &f64| amount.is_finite())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_price_is_found_wherever_it_stands_and_keeps_its_fractions() {
        for (source, micros) in [
            (json!({ "cost": 0.0742 }), Some(74_200)),
            (json!({ "cost": 0.000_004 }), Some(4)),
            (json!({ "cost": "0.0742" }), Some(74_200)),
            (json!({ "cost": "$0.0742" }), Some(74_200)),
            (json!({ "cost": "0.0742 USD" }), Some(74_200)),
            (
                json!({ "costBreakdown": { "total": 0.0742, "llm": 9.0, "llmPromptTokens": 900 } }),
                Some(74_200),
            ),
            (
                json!({ "costBreakdown": { "stt": 0.01, "llm": 0.02, "llmPromptTokens": 900,
                                        "analysisCostBreakdown": { "summary": 0.001, "summaryPromptTokens": 50 } } }),
                Some(31_000),
            ),
            (
                json!({ "costs": [{ "type": "vapi", "cost": 0.05 }, { "type": "model", "cost": "0.0242" }] }),
                Some(74_200),
            ),
            (json!({ "cost": 0, "costBreakdown": { "total": 0.0742 } }), Some(74_200)),
            (json!({ "cost": null, "call": { "cost": 0.0742 } }), Some(74_200)),
            (json!({ "cost": 0, "costs": [] }), Some(0)),
            (json!({ "cost": 0.3, "call": { "cost": 0 } }), Some(300_000)),
            (json!({ "cost": -3.0 }), None),
            (json!({ "cost": -5e9, "costs": [{ "cost": -1 }] }), None),
            (json!({ "cost": 1e7 }), None),
            (json!({ "cost": "much", "costs": "many", "costBreakdown": 7 }), None),
            (json!({}), None),
        ] {
            assert_eq!(cost(&source).map(|cost| cost.0), micros, "{source}");
        }
    }
}
