//! How server messages are delivered: one target, no cascade, retries only with a plan.

use std::time::{Duration, Instant};

use base64::Engine as _;
use domain::digest::hmac_sha256;
use serde_json::{Value, json};

use super::calls::Due;
use super::{Delivered, VapiEmulator};

/// How long who answers a call may take.
const ANSWER_LIMIT: Duration = Duration::from_millis(7500);

/// A message on its way.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) call: String,
    pub(super) kind: String,
    pub(super) message: Value,
    pub(super) server: Value,
    pub(super) from_request: bool,
    pub(super) attempt: u32,
    /// True if a fault has had its say.
    pub(super) copy: bool,
}

impl VapiEmulator {
    /// Sends a message, with whatever goes wrong on the way.
    pub(super) async fn send(&self, mut message: Outgoing) {
        let fault = if message.copy {
            None
        } else {
            let status = message.message["status"].as_str().unwrap_or_default().to_owned();
            self.state().fault_of_message(&message.kind, &status)
        };
        message.copy = true;
        let Some(fault) = fault else { return self.attempt(message, &json!({})).await };
        if fault["lose"] == true {
            return;
        }
        if let Some(changes) = fault["merge"].as_object() {
            for (path, value) in changes {
                set(&mut message.message, path, value.clone());
            }
        }
        for path in fault["remove"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            remove(&mut message.message, path);
        }
        if let Some(ms) = fault["delay_ms"].as_i64() {
            self.state().later(ms, Due::Send(Box::new(message)));
            return;
        }
        let copies = fault["copies"].as_u64().unwrap_or(1);
        if fault["concurrently"] == true {
            let all = (0..copies).map(|_| self.attempt(message.clone(), &fault));
            futures_util::future::join_all(all).await;
            return;
        }
        let gap = fault["gap_ms"].as_i64().unwrap_or(0);
        for number in 1..copies {
            let number = i64::try_from(number).unwrap_or(1);
            self.state().later(gap * number, Due::Send(Box::new(message.clone())));
        }
        self.attempt(message, &fault).await;
    }

    /// One attempt, and the next one if it fails and there is a plan.
    async fn attempt(&self, message: Outgoing, fault: &Value) {
        let seconds = message.server["timeoutSeconds"].as_u64().unwrap_or(20);
        let (status, _) = self.post(&message, Duration::from_secs(seconds), fault).await;
        if (200..300).contains(&status) {
            return;
        }
        let plan = &message.server["backoffPlan"];
        let excluded =
            plan["excludedStatusCodes"].as_array().is_some_and(|codes| codes.contains(&json!(status)));
        let most = plan["maxRetries"].as_u64().unwrap_or(0);
        if excluded || u64::from(message.attempt) > most {
            return;
        }
        let base = plan["baseDelaySeconds"].as_f64().unwrap_or(0.0);
        let factor =
            if plan["type"] == "exponential" { f64::from(1_u32 << (message.attempt - 1)) } else { 1.0 };
        #[expect(clippy::cast_possible_truncation, reason = "a pause of minutes")]
        let ms = (base * factor * 1000.0) as i64;
        let again = Outgoing { attempt: message.attempt + 1, ..message };
        self.state().later(ms, Due::Send(Box::new(again)));
    }

    /// Asks who answers a call; `None` if nothing usable is answered in time.
    pub(super) async fn ask_who_answers(&self, mut request: Outgoing) -> Option<Value> {
        let fault = self.state().fault_of_message("assistant-request", "").unwrap_or_default();
        if fault["lose"] == true {
            return None;
        }
        request.copy = true;
        let (status, reply) = self.post(&request, ANSWER_LIMIT, &fault).await;
        ((200..300).contains(&status) && reply.is_object()).then_some(reply)
    }

    async fn post(&self, message: &Outgoing, timeout: Duration, fault: &Value) -> (u16, Value) {
        let mut body = json!({ "message": self.dressed(message) });
        if !fault["body"].is_null() {
            body = fault["body"].clone();
        }
        let text = super::written(&body, fault);
        let url = message.server["url"].as_str().unwrap_or_default().to_owned();
        let mut request = self.0.http.post(url).timeout(timeout).header("content-type", "application/json");
        for (name, value) in self.headers(message, &text) {
            let replaced =
                fault["headers"].get(&name).map(|value| value.as_str().unwrap_or_default().to_owned());
            request = request.header(&name, replaced.unwrap_or(value));
        }
        let begun = Instant::now();
        let (status, reply) = match request.body(text).send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                (status, response.json().await.unwrap_or(Value::Null))
            }
            Err(_) => (0, Value::Null),
        };
        let problems = if (200..300).contains(&status) && reply != json!({}) {
            self.0.schemas.check(&format!("reply {}", message.kind), &reply)
        } else {
            Vec::new()
        };
        self.state().delivered.push(Delivered {
            call: message.call.clone(),
            kind: message.kind.clone(),
            attempt: message.attempt,
            body,
            status,
            reply: reply.clone(),
            problems,
            took: begun.elapsed(),
        });
        (status, reply)
    }

    /// The message with fresh signed addresses and our own address in place.
    fn dressed(&self, message: &Outgoing) -> Value {
        let mut body = message.message.clone();
        if body["artifact"]["recording"].is_object() {
            let mut state = self.state();
            let ttl = state.org["presignedTtlMs"].as_i64().unwrap_or(3_600_000);
            let until = state.now_ms + ttl;
            let artifact = &mut body["artifact"];
            for name in ["presignedMonoUrl", "presignedStereoUrl"] {
                let token = state.signed(&message.call, until);
                artifact[name] = json!(format!("{{url}}/media/{token}"));
            }
            artifact["presignedUrlsExpiresAt"] = json!(super::text_of(until));
        }
        self.with_url(&body)
    }

    /// Puts our own address where it belongs.
    pub(super) fn with_url(&self, value: &Value) -> Value {
        serde_json::from_str(&value.to_string().replace("{url}", self.url()))
            .expect("an address keeps JSON whole")
    }

    fn headers(&self, message: &Outgoing, body: &str) -> Vec<(String, String)> {
        let state = self.state();
        let withheld = message.from_request && state.is_on("withholdForRequestServer");
        let mut headers: Vec<(String, String)> = Vec::new();
        if !withheld {
            let fixed = message.server["headers"].as_object().into_iter().flatten();
            headers.extend(
                fixed.map(|(name, value)| {
                    (name.to_lowercase(), value.as_str().unwrap_or_default().to_owned())
                }),
            );
        }
        let credential = message.server["credentialId"].as_str().and_then(|id| state.credentials.get(id));
        match credential.filter(|_| !withheld) {
            Some(credential) if credential["scheme"] == "hmac" => {
                let at = (state.now_ms / 1000).to_string();
                let secret = credential["secret"].as_str().unwrap_or_default();
                let mac = hmac_sha256(secret.as_bytes(), &[at.as_bytes(), b".", body.as_bytes()]);
                let signature = base64::prelude::BASE64_STANDARD.encode(mac);
                headers.push(("x-timestamp".to_owned(), at));
                headers.push(("x-signature".to_owned(), signature));
            }
            Some(credential) => {
                let secret = credential["secret"].as_str().unwrap_or_default();
                headers.push(("authorization".to_owned(), format!("Bearer {secret}")));
            }
            None => {
                let shown = headers.iter().any(|(name, _)| name == "x-vapi-secret");
                if state.is_on("emptySecretHeader") && !shown {
                    headers.push(("x-vapi-secret".to_owned(), String::new()));
                }
            }
        }
        headers
    }
}

/// Sets what a path like `artifact.recording` means.
fn set(value: &mut Value, path: &str, to: Value) {
    match path.split_once('.') {
        Some((first, rest)) => set(&mut value[first], rest, to),
        None => value[path] = to,
    }
}

fn remove(value: &mut Value, path: &str) {
    match path.split_once('.') {
        Some((first, rest)) => remove(&mut value[first], rest),
        None => {
            if let Some(fields) = value.as_object_mut() {
                fields.remove(path);
            }
        }
    }
}
