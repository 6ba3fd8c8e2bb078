//! What a business limits when its agents make live calls: money, consent and how often a number is called.

use std::sync::Arc;
use std::time::Duration;

use domain::CallId;
use futures_util::future::join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};
use testkit::{Answer, ManualClock, Platform, Setup, Switchboard, databases};

/// Whom the agents of these tests call.
const MARIA: &str = "+15125551234";

/// A business whose live calls cost ten cents a minute.
struct Firm {
    platform: Platform,
    engine: Arc<Switchboard>,
    clock: Arc<ManualClock>,
    agent: String,
}

impl Firm {
    async fn on(database: &testkit::TestDatabase) -> Self {
        let engine = Arc::new(Switchboard::local("priced"));
        let clock = Arc::new(ManualClock::at("2026-01-15T18:00:00Z"));
        let setup = Setup { live: Some(engine.clone()), clock: clock.clone(), ..Setup::default() };
        let platform = Platform::start(database, setup).await;
        let agent = platform.agent().await;
        Self { platform, engine, clock, agent }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = self.platform.request(method, path, &self.platform.account.live_key);
        self.platform.send(request.body(body.to_string())).await
    }

    async fn get(&self, path: &str) -> Value {
        self.platform.send(self.platform.request("GET", path, &self.platform.account.live_key)).await.body
    }

    async fn limit(&self, mut changes: Value) {
        changes["id"] = json!(self.platform.account.business.id.to_string());
        let changed = self.send("PATCH", "/api/v1/workspaces", changes).await;
        assert_eq!((changed.status, &changed.body["success"]), (200, &json!(true)), "{}", changed.body);
    }

    async fn call(&self, more: Value) -> Answer {
        self.send("POST", "/api/v1/calls", self.order(more)).await
    }

    async fn check(&self, more: Value) -> Value {
        self.send("POST", "/api/v1/calls/check", self.order(more)).await.body
    }

    fn order(&self, more: Value) -> Value {
        let mut order = json!({ "agent_id": self.agent, "to": MARIA });
        for (name, value) in more.as_object().into_iter().flatten() {
            order[name] = value.clone();
        }
        order
    }

    /// Today's money: spent, set aside, left.
    async fn money(&self) -> [Value; 3] {
        let balance = self.get("/api/v1/balance").await;
        let today = &balance["businesses"][0]["today"];
        ["spent_cents", "reserved_cents", "left_cents"].map(|name| today[name].clone())
    }

    /// The call, once its status is this one.
    async fn turned(&self, id: &str, status: &str) -> Value {
        let turns = async {
            loop {
                let call = self.get(&format!("/api/v1/calls?id={id}")).await;
                if call["status"] == status {
                    return call;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), turns)
            .await
            .unwrap_or_else(|_| panic!("{id} never turns {status}"))
    }
}

fn assert_over_budget(refused: &Answer, of: &str, figures: [u64; 4]) {
    assert_eq!((refused.status, refused.code()), (403, "budget_exceeded"), "{}", refused.body);
    let details = &refused.body["error"]["details"];
    assert_eq!((&details["rule"], &details["reason"]), (&json!("budget"), &json!("budget-exceeded")));
    let budget = &details["budget"];
    let told =
        ["limit_cents", "spent_cents", "reserved_cents", "needed_cents"].map(|name| budget[name].clone());
    assert_eq!((&budget["of"], told), (&json!(of), figures.map(|cents| json!(cents))));
    // The business has not said where it is, so its days are those of UTC.
    assert_eq!(budget["frees_at"], "2026-01-16T00:00:00.000000Z");
}

#[tokio::test]
async fn a_call_is_placed_if_the_budget_has_room_for_the_most_that_it_can_cost() {
    for database in databases().await {
        let firm = Firm::on(&database).await;
        firm.limit(json!({ "timezone": "UTC" })).await;
        assert_eq!(firm.money().await, [json!(0), json!(0), Value::Null]);
        firm.limit(json!({ "daily_budget_cents": 250 })).await;
        // Ten minutes at ten cents each.
        let first = firm.call(json!({})).await;
        assert_eq!(first.status, 201, "{}", first.body);
        assert_eq!(firm.call(json!({})).await.status, 201);
        assert_eq!(firm.money().await, [json!(0), json!(200), json!(50)]);
        let refused = firm.call(json!({})).await;
        assert_over_budget(&refused, "business", [250, 0, 200, 100]);
        let checked = firm.check(json!({})).await;
        assert_eq!(
            (&checked["allowed"], &checked["error"], &checked["rule"]),
            (&json!(false), &json!("budget_exceeded"), &json!("budget"))
        );
        assert_eq!(checked["budget"], refused.body["error"]["details"]["budget"]);
        assert_eq!(checked["message"], refused.body["error"]["message"]);
        // A call that cannot last as long fits in.
        assert_eq!(firm.check(json!({ "max_duration": 300 })).await["allowed"], true);
        let short = firm.call(json!({ "max_duration": 300 })).await;
        assert_eq!(short.status, 201, "{}", short.body);
        assert_eq!(firm.money().await, [json!(0), json!(250), json!(0)]);
        // A later day has a budget of its own, which is looked at then.
        assert_eq!(firm.check(json!({ "scheduled_at": "2026-01-17T18:00:00Z" })).await["allowed"], true);
        // In test mode nothing rings, and nothing is refused for its price.
        let test = firm.platform.post("/api/v1/calls/check", &firm.order(json!({}))).await;
        assert_eq!(test.body["allowed"], true, "{}", test.body);
        firm.platform.stop().await;
    }
}

#[tokio::test]
async fn what_was_set_aside_for_a_call_ends_with_it_and_its_cost_remains() {
    for database in databases().await {
        let firm = Firm::on(&database).await;
        firm.limit(json!({ "timezone": "UTC", "daily_budget_cents": 150 })).await;
        let id = firm.call(json!({})).await.text("id");
        assert_eq!(firm.call(json!({})).await.code(), "budget_exceeded");
        let call: CallId = id.parse().expect("an id");
        let answered_at = firm.platform.app.now();
        firm.engine.answer(call, answered_at).await;
        firm.clock.advance(SignedDuration::from_secs(61));
        firm.engine.hang_up_after(call, answered_at, 61).await;
        firm.turned(&id, "completed").await;
        // Two minutes that have begun.
        assert_eq!(firm.money().await, [json!(20), json!(0), json!(130)]);
        // One that fails costs nothing.
        let failed = firm.call(json!({})).await.text("id");
        assert_eq!(firm.money().await, [json!(20), json!(100), json!(30)]);
        firm.engine.fail(failed.parse().expect("an id"), firm.platform.app.now()).await;
        firm.turned(&failed, "failed").await;
        assert_eq!(firm.money().await, [json!(20), json!(0), json!(130)]);
        assert_eq!(firm.call(json!({})).await.status, 201);
        assert_over_budget(&firm.call(json!({})).await, "business", [150, 20, 100, 100]);
        firm.platform.stop().await;
    }
}

#[tokio::test]
async fn an_agent_has_a_budget_of_its_own() {
    for database in databases().await {
        let firm = Firm::on(&database).await;
        firm.limit(json!({ "timezone": "UTC" })).await;
        let other = firm.platform.agent().await;
        let change = json!({ "id": firm.agent, "daily_budget_cents": 100 });
        assert_eq!(firm.send("PATCH", "/api/v1/agents", change).await.status, 200);
        let read = firm.get(&format!("/api/v1/agents?id={}", firm.agent)).await;
        assert_eq!(read["daily_budget_cents"], 100);
        assert_eq!(firm.call(json!({})).await.status, 201);
        assert_over_budget(&firm.call(json!({})).await, "agent", [100, 0, 100, 100]);
        assert_eq!(firm.call(json!({ "agent_id": other })).await.status, 201);
        let clear = json!({ "id": firm.agent, "daily_budget_cents": null });
        assert_eq!(firm.send("PATCH", "/api/v1/agents", clear).await.status, 200);
        assert_eq!(firm.call(json!({})).await.status, 201);
        firm.platform.stop().await;
    }
}

#[tokio::test]
async fn of_many_requests_at_once_a_budget_lets_through_what_it_has_room_for() {
    for database in databases().await {
        let firm = Firm::on(&database).await;
        firm.limit(json!({ "timezone": "UTC", "daily_budget_cents": 350 })).await;
        let twins = join_all((0..16).map(|_| firm.call(json!({})))).await;
        let placed = twins.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(
            placed,
            3,
            "{}: {:?}",
            database.kind,
            twins.iter().map(|one| one.status).collect::<Vec<_>>()
        );
        assert!(
            twins.iter().filter(|answer| answer.status != 201).all(|one| one.code() == "budget_exceeded")
        );
        assert_eq!(firm.money().await, [json!(0), json!(300), json!(50)]);
        firm.platform.stop().await;
    }
}

#[tokio::test]
async fn a_scheduled_call_is_refused_when_its_time_comes_and_the_budget_is_used_up() {
    for database in databases().await {
        let firm = Firm::on(&database).await;
        firm.limit(json!({ "timezone": "UTC", "daily_budget_cents": 100 })).await;
        let placed = firm.call(json!({ "scheduled_at": "2026-01-15T18:30:00Z" })).await;
        assert_eq!(placed.status, 201, "{}", placed.body);
        assert_eq!(
            firm.money().await,
            [json!(0), json!(0), json!(100)],
            "nothing is set aside for a later time"
        );
        assert_eq!(firm.call(json!({})).await.status, 201);
        firm.clock.advance(SignedDuration::from_mins(31));
        let refused = firm.turned(&placed.text("id"), "failed").await;
        assert_eq!(
            (&refused["error"], &refused["ended_reason"]),
            (&json!("blocked"), &json!("budget-exceeded"))
        );
        firm.platform.stop().await;
    }
}

#[tokio::test]
async fn where_a_business_demands_consent_it_is_asked_for_given_and_withdrawn() {
    for database in databases().await {
        let firm = Firm::on(&database).await;
        firm.limit(json!({ "consent_required": "marketing" })).await;
        let refused = firm.call(json!({})).await;
        assert_eq!((refused.status, refused.code()), (400, "tcpa_violation"), "{}", refused.body);
        let details = &refused.body["error"]["details"];
        assert_eq!((&details["rule"], &details["reason"]), (&json!("consent"), &json!("no-consent")));
        assert_eq!(firm.check(json!({})).await["message"], refused.body["error"]["message"]);
        assert_eq!(firm.call(json!({ "purpose": "service" })).await.status, 201);
        firm.limit(json!({ "consent_required": "always" })).await;
        assert_eq!(firm.call(json!({ "purpose": "service" })).await.code(), "tcpa_violation");

        let consent = json!({ "phone_number": MARIA, "source": "web form", "evidence": "form 17",
                              "given_at": "2026-01-02T03:04:05Z" });
        let record = async || {
            let request = firm.platform.request("POST", "/api/v1/consents", &firm.platform.account.live_key);
            firm.platform.send(request.header("idempotency-key", "form-17").body(consent.to_string())).await
        };
        let given = record().await;
        assert_eq!((given.status, given.text("status").as_str()), (201, "given"), "{}", given.body);
        assert_eq!(record().await.body, given.body, "a repetition records nothing");
        assert_eq!(firm.call(json!({ "purpose": "marketing" })).await.status, 201);
        let passed = firm.check(json!({})).await;
        let rule = passed["rules"].as_array().into_iter().flatten().find(|rule| rule["rule"] == "consent");
        assert_eq!(rule.expect("the rule")["detail"], "given on 2026-01-02T03:04:05Z");

        let path = "/api/v1/consents?phone_number=%2B15125551234&source=call";
        let withdrawn = firm.send("DELETE", path, json!({})).await;
        assert_eq!((withdrawn.status, &withdrawn.body["withdrawn"]), (200, &json!(true)));
        assert_eq!(firm.send("DELETE", path, json!({})).await.body["withdrawn"], false);
        assert_eq!(firm.call(json!({})).await.code(), "tcpa_violation");
        let listed = firm.get("/api/v1/consents?phone_number=%2B15125551234").await;
        let words: Vec<&Value> =
            listed["consents"].as_array().into_iter().flatten().map(|one| &one["status"]).collect();
        assert_eq!(words, [&json!("withdrawn"), &json!("given")]);
        firm.platform.stop().await;
    }
}

#[tokio::test]
async fn a_number_is_called_as_often_as_the_business_allows() {
    for database in databases().await {
        let firm = Firm::on(&database).await;
        firm.limit(json!({ "max_attempts_per_day": 2, "max_attempts_per_week": 3 })).await;
        for _ in 0..2 {
            assert_eq!(firm.call(json!({})).await.status, 201);
            firm.clock.advance(SignedDuration::from_hours(1));
        }
        let refused = firm.call(json!({})).await;
        assert_eq!((refused.status, refused.code()), (400, "tcpa_violation"), "{}", refused.body);
        let details = &refused.body["error"]["details"];
        assert_eq!((&details["rule"], &details["reason"]), (&json!("frequency"), &json!("too-often")));
        assert!(
            details["frees_at"].as_str().expect("a time").starts_with("2026-01-16T18:00:00"),
            "{details}"
        );
        assert_eq!(firm.call(json!({ "to": "+15125551235" })).await.status, 201, "each number by itself");
        firm.clock.advance(SignedDuration::from_mins(22 * 60 + 1));
        assert_eq!(firm.call(json!({})).await.status, 201, "the first call is a day old");
        firm.clock.advance(SignedDuration::from_hours(24));
        let weekly = firm.check(json!({})).await;
        assert_eq!((&weekly["rule"], &weekly["allowed"]), (&json!("frequency"), &json!(false)));
        firm.limit(json!({ "max_attempts_per_week": null })).await;
        assert_eq!(firm.call(json!({})).await.status, 201);
        firm.platform.stop().await;
    }
}

#[tokio::test]
async fn a_workspace_changes_what_is_sent_and_nothing_else() {
    for database in databases().await {
        let firm = Firm::on(&database).await;
        let id = firm.platform.account.business.id.to_string();
        let change = async |changes: Value| {
            let mut body = changes;
            body["id"] = json!(id);
            firm.send("PATCH", "/api/v1/workspaces", body).await
        };
        let changed = change(json!({
            "name": "Jones & Co", "timezone": "America/Chicago", "phone": "+15125550199", "disclose_ai": true,
            "metadata": { "tier": "gold", "old": 1 }, "external_ref": "crm-9", "daily_budget_cents": 700,
        }))
        .await;
        assert_eq!(changed.status, 200, "{}", changed.body);
        let merged = change(json!({ "metadata": { "old": null, "new": true } })).await;
        assert_eq!(merged.body["metadata"], json!({ "tier": "gold", "new": true }));
        let read = firm.get(&format!("/api/v1/workspaces?id={id}")).await;
        for (name, value) in [
            ("name", json!("Jones & Co")),
            ("timezone", json!("America/Chicago")),
            ("phone", json!("+15125550199")),
            ("disclose_ai", json!(true)),
            ("disclose_recording", json!(false)),
            ("external_ref", json!("crm-9")),
            ("daily_budget_cents", json!(700)),
            ("consent_required", json!("off")),
        ] {
            assert_eq!((&read[name], &merged.body[name]), (&value, &value), "{name}");
        }
        for wrong in [
            json!({ "name": "" }),
            json!({ "name": null }),
            json!({ "timezone": "Mars" }),
            json!({ "consent_required": "sometimes" }),
            json!({ "daily_budget_cents": -1 }),
            json!({ "max_attempts_per_day": 0 }),
            json!({ "action": "pause" }),
        ] {
            let refused = change(wrong.clone()).await;
            assert_eq!(
                (refused.status, refused.code()),
                (400, "invalid_request"),
                "{wrong}: {}",
                refused.body
            );
        }
        let cleared = change(json!({ "daily_budget_cents": null, "phone": null })).await;
        assert_eq!(
            (&cleared.body["daily_budget_cents"], &cleared.body["phone"]),
            (&Value::Null, &Value::Null)
        );
        let missing = json!({ "id": "01900000-0000-7000-8000-0000000000ff", "name": "A" });
        assert_eq!(firm.send("PATCH", "/api/v1/workspaces", missing).await.status, 404);
        firm.platform.stop().await;
    }
}
