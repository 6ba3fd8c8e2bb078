//! Everything that can go wrong between Vapi and us, as switches.
//!
//! A fault is JSON, so that it can be set by hand as well: what it is about (`method` and `path` for requests, `type` for
//! messages), how often (`times`), and what happens.

use serde_json::Value;

/// What the emulator does wrong when a request comes.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) id: u64,
    method: Option<String>,
    path: Option<String>,
    kind: Option<String>,
    status: Option<String>,
    times: u64,
    pub(super) action: Value,
}

impl Fault {
    /// Reads one; says what is wrong with it.
    pub(super) fn read(id: u64, fault: &Value) -> Result<Self, String> {
        let text = |name: &str| fault[name].as_str().map(str::to_owned);
        let action = fault["action"].clone();
        let known = [
            // Requests: answered so instead of being carried out; carried out and then answered so; answered late; answered with
            // half a body; messages first; reads that lag behind; one byte at a time, so far apart.
            "answer",
            "answer_after",
            "hang_ms",
            "truncate",
            "early_ms",
            "stale_ms",
            "trickle_ms",
            // Messages: never sent; sent so often, so far apart; at once; so late; with other contents; without some; with other
            // headers.
            "lose",
            "copies",
            "gap_ms",
            "concurrently",
            "delay_ms",
            "merge",
            "remove",
            "headers",
            "body",
            // Both: half a surrogate pair in the texts.
            "half_character",
        ];
        let Some(actions) = action.as_object().filter(|actions| !actions.is_empty()) else {
            return Err("`action` must be an object".to_owned());
        };
        if let Some(unknown) = actions.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(format!("there is no action `{unknown}`; there are {}", known.join(", ")));
        }
        if fault["path"].is_null() && fault["type"].is_null() {
            return Err("either `path` (of a request) or `type` (of a message) must be given".to_owned());
        }
        Ok(Self {
            id,
            method: text("method"),
            path: text("path"),
            kind: text("type"),
            status: text("status"),
            times: fault["times"].as_u64().unwrap_or(1),
            action,
        })
    }

    /// Whether it is about this request; counts it if so. `{id}` in a path stands for anything.
    pub(super) fn hits_request(&mut self, method: &str, path: &str) -> bool {
        let Some(mine) = &self.path else { return false };
        let mut ours = path.split('/');
        let same_path =
            mine.split('/').all(|part| ours.next().is_some_and(|other| part == "{id}" || part == other))
                && ours.next().is_none();
        let hit = self.times > 0 && same_path && self.method.as_deref().is_none_or(|mine| mine == method);
        self.times -= u64::from(hit);
        hit
    }

    /// Whether it is about this message; counts it if so.
    pub(super) fn hits_message(&mut self, kind: &str, status: &str) -> bool {
        let Some(mine) = &self.kind else { return false };
        let hit = self.times > 0 && mine == kind && self.status.as_deref().is_none_or(|mine| mine == status);
        self.times -= u64::from(hit);
        hit
    }
}
