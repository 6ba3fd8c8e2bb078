"""Drives a running server with the official, unmodified Python SDK.

Whoever wrote a program against the hosted service must be able to point it at this server. So nothing here knows more than the
SDK and the public contract: every claim is made through the SDK, and the webhook is checked with somebody else's verifier.

Environment: KAICALLS_BASE_URL, KAICALLS_API_KEY (a test key with the scope `*` on one business) and, if webhooks to this machine are
allowed, KAICALLS_WEBHOOK_SECRET.
"""

import hashlib
import hmac
import json
import os
import queue
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from kaicalls import KaiCalls, KaiCallsError
from standardwebhooks.webhooks import Webhook

BASE_URL = os.environ["KAICALLS_BASE_URL"]
SECRET = os.environ.get("KAICALLS_WEBHOOK_SECRET")
SDK = KaiCalls(os.environ["KAICALLS_API_KEY"], base_url=BASE_URL + "/")

# The sandbox's numbers are personal ones, which no live call may reach. The emulator of Vapi knows the same lines in another area.
AREA = "512" if os.environ["KAICALLS_API_KEY"].startswith("kc_live_") else "500"
FRIENDLY = f"+1{AREA}5550006"
TELLS_EVERYTHING = f"+1{AREA}5550007"
NO_ANSWER = f"+1{AREA}5550004"
BUSY = f"+1{AREA}5550003"
INVALID = f"+1{AREA}5550001"


class Receiver:
    """A webhook endpoint on a free port that keeps what it was sent."""

    def __init__(self):
        self.received = queue.Queue(maxsize=1000)
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.put((dict(self.headers.items()), body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/calls"

    def next(self):
        headers, body = self.received.get(timeout=30)
        return {name.lower(): value for name, value in headers.items()}, body


def refused(status, code, action):
    """The action must be refused with this status and code."""
    try:
        answer = action()
    except KaiCallsError as error:
        assert (error.status, error.code) == (status, code), f"expected {status} {code}, got {error!r}"
        return error
    raise AssertionError(f"expected {status} {code}, got the answer {answer!r}")


def is_timestamp(text):
    return isinstance(text, str) and text.endswith("Z") and "T" in text


def discovery():
    document = SDK.discovery.openapi()
    assert document.openapi.startswith("3.1"), document.openapi
    assert "/api/v1/calls" in document.paths, sorted(document.paths)
    assert SDK.discovery.health().status in ("ok", "degraded")
    can = SDK.discovery.capabilities()
    assert can.scopes == ["*"], can.scopes
    assert [route for route in can.endpoints if (route["method"], route["path"]) == ("POST", "/api/v1/calls")], can.endpoints
    assert "CallPlaced" in SDK.discovery.schemas().schemas
    assert SDK.discovery.schemas(name="newcall").name == "NewCall"


def agents(business):
    created = SDK.agents.create(
        business_id=business,
        name="Front desk",
        system_prompt="You answer for {{business_name}}. Find out who calls and why.",
        first_message="Hello {{name}}, this is the front desk. How can I help?",
        metadata={"team": "intake", "shift": "day"},
    )
    assert created.id and created.name == "Front desk" and created.business_id == business
    assert is_timestamp(created.created_at) and "vapi_assistant_id" in created

    agent = SDK.agents.get(created.id)
    assert agent.model == {**agent.model, "provider": "openai", "model": "gpt-4.1", "temperature": 0.7}, agent.model
    assert any(listed.id == created.id for listed in SDK.agents.list().agents)

    updated = SDK.agents.update(created.id, name="Reception", metadata={"shift": "night"}, max_duration=120)
    assert updated.updated is True and updated.name == "Reception"
    assert SDK.agents.update(created.id).updated is False, "nothing to change is a success without a version"
    assert SDK.agents.get(created.id).name == "Reception"

    refused(400, "invalid_request", lambda: SDK.agents.create(business_id=business, name="", system_prompt="x"))
    refused(404, "not_found", lambda: SDK.agents.get("0190a0b0-0000-7000-8000-000000000000"))
    return created.id


def leads(business):
    created = SDK.leads.create(
        business, name="Ada Example", email="Ada@Example.com", phone=f"+1 ({AREA}) 555-0006", source="web_form"
    )
    assert (created.first_name, created.last_name) == ("Ada", "Example"), created
    assert created.status == "new" and created.phone == FRIENDLY, created
    assert SDK.leads.get(created.id).id == created.id
    assert SDK.leads.update(created.id, status="contacted", notes="Asked for a call.").status == "contacted"
    for filters in (
        {"status": ["contacted", "booked"]},
        {"email": "ada@example.com"},
        {"phone": FRIENDLY},
        {"source": "web_form", "limit": 1},
        {"created_after": "2020-01-01T00:00:00Z"},
    ):
        found = SDK.leads.list(**filters)
        assert any(lead.id == created.id for lead in found.leads), (filters, found)
    assert not SDK.leads.list(status="lost").leads
    refused(400, "invalid_request", lambda: SDK.leads.create(business, notes="nobody"))
    refused(404, "not_found", lambda: SDK.leads.get("0190a0b0-0000-7000-8000-000000000000"))
    return created.id


def completed_call(agent, lead):
    receiver = Receiver()
    placed = SDK.calls.create(
        agent_id=agent,
        to=FRIENDLY,
        name="Ada",
        context="Ada asked for a call about her estate.",
        lead_id=lead,
        webhook_url=receiver.url if SECRET else None,
    )
    assert placed.status == "queued" and placed.to == FRIENDLY and placed.name == "Ada", placed
    assert is_timestamp(placed.created_at) and "conversation_id" in placed
    call = SDK.calls.wait(placed.id, interval=0.05, timeout=60)
    assert call.status == "completed", call
    assert call.direction == "outbound" and call.agent_id == agent and call.lead_id == lead, call
    assert isinstance(call.duration, int) and call.duration > 0, call
    assert call.summary, "the summary is there the moment the call is final"
    grades = call.quality_dimensions
    assert set(grades) == {"professionalism", "empathy", "information_gathering", "resolution"}, grades
    assert all(isinstance(grade, int) and 0 <= grade <= 100 for grade in grades.values()), grades
    if SECRET:
        webhook(receiver, call)
    return call


def webhook(receiver, call):
    headers, body = receiver.next()
    told = json.loads(body)
    assert told == {
        "event": "call.completed",
        "call_id": call.id,
        "status": "completed",
        "duration": call.duration,
        "recording_url": told["recording_url"],
        "summary": call.summary,
        "timestamp": told["timestamp"],
    }, told
    assert is_timestamp(told["timestamp"])
    Webhook(SECRET).verify(body, headers)
    signed = headers["x-kaicalls-timestamp"].encode() + b"." + body
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(headers["x-kaicalls-signature"].removeprefix("sha256="), expected)
    assert headers["x-kaicalls-event"] == "call.completed" and headers["x-kaicalls-event-id"] == headers["webhook-id"]


def other_endings(agent):
    for number, error in ((BUSY, "busy"), (NO_ANSWER, "no_answer")):
        call = SDK.calls.wait(SDK.calls.create(agent_id=agent, to=number).id, interval=0.05, timeout=60)
        assert (call.status, call.error) == ("failed", error), call
    refused(500, "call_failed", lambda: SDK.calls.create(agent_id=agent, to=INVALID))
    refused(400, "invalid_request", lambda: SDK.calls.create(agent_id=agent, to="not a number"))
    refused(404, "not_found", lambda: SDK.calls.create(agent_id="0190a0b0-0000-7000-8000-000000000000", to=FRIENDLY))


def lead_from_call(agent):
    call = SDK.calls.wait(SDK.calls.create(agent_id=agent, to=TELLS_EVERYTHING).id, interval=0.05, timeout=60)
    assert call.status == "completed", call
    found = SDK.leads.list(phone=TELLS_EVERYTHING).leads
    assert len(found) == 1 and found[0].source == "call", found
    lead = found[0]
    assert lead.name and lead.email and isinstance(lead.score, int), lead
    assert call.lead_id == lead.id, call


def call_lists(agent, call):
    assert any(listed.id == call.id for listed in SDK.calls.list(agent_id=agent, status="completed").calls)
    assert SDK.calls.list(status="no-such-status").calls == []
    seen, after = [], None
    while True:
        page = SDK.calls.list(limit=2, after=after)
        seen += [listed.id for listed in page.calls]
        if not page.has_more:
            break
        after = page.calls[-1].created_at
    assert len(seen) == len(set(seen)) and call.id in seen, "pages neither repeat nor skip"
    refused(404, "not_found", lambda: SDK.calls.get("0190a0b0-0000-7000-8000-000000000000"))


def recordings(call):
    recording = SDK.recordings.get(call.id)
    assert recording.status in ("available", "processing", "unavailable"), recording
    if recording.status != "available":
        assert recording.recording_url is None, recording
        return
    with urllib.request.urlopen(recording.recording_url, timeout=30) as answer:
        assert answer.headers["Content-Type"] == "audio/wav", answer.headers
        assert answer.read(4) == b"RIFF"
    ranged = urllib.request.Request(recording.recording_url, headers={"Range": "bytes=0-3"})
    with urllib.request.urlopen(ranged, timeout=30) as answer:
        assert answer.status == 206 and answer.read() == b"RIFF"


def transcripts(agent, call):
    listed = SDK.transcripts.list(agent_id=agent, limit=100).transcripts
    mine = next(transcript for transcript in listed if transcript.call_id == call.id)
    lines = mine.transcript.splitlines()
    assert any(line.startswith("Agent: ") for line in lines), lines
    assert any(line.startswith("Caller: ") for line in lines), lines


def account(business):
    balance = SDK.account.balance().businesses
    assert [account.business_id for account in balance] == [business], balance
    assert balance[0].minutes_used > 0 and isinstance(balance[0].phone_numbers, int), balance
    usage = SDK.account.usage(limit=500).usage
    assert any(row.endpoint == "/v1/calls" and row.method == "POST" and row.call_id for row in usage), usage[:5]
    assert all(isinstance(row.status_code, int) and isinstance(row.cost_cents, int) for row in usage)


def subscriptions(business):
    """Webhook subscriptions and durable events; the receiver's side needs webhooks to this machine."""
    refused(400, "invalid_request", lambda: SDK.webhooks.create("https://10.0.0.1/hook", business_id=business))
    refused(404, "not_found", lambda: SDK.webhooks.rotate_secret("0190a0b0-0000-7000-8000-000000000000"))
    if not SECRET:
        return
    receiver = Receiver()
    made = SDK.webhooks.create(receiver.url, business_id=business, events=["lead.created"], description="CRM")
    assert made.webhook_secret.startswith("whsec_") and made.events == ["lead.created"] and made.is_active, made
    listed = SDK.webhooks.list(business_id=business)
    mine = next(one for one in listed.webhooks if one.id == made.id)
    assert mine.url == receiver.url and "webhook_secret" not in mine, mine
    assert mine.webhook_secret_masked.endswith(made.webhook_secret[-4:]), mine
    assert {"call.completed", "call.failed", "lead.created"} <= set(listed.events), listed.events

    tested = SDK.webhooks.test(made.id, business_id=business, data={"hello": "world"})
    assert tested.success is True and tested.event_type == "webhook.test", tested
    headers, body = receiver.next()
    assert json.loads(body)["data"] == {"hello": "world"} and headers["webhook-id"] == tested.event_id
    Webhook(made.webhook_secret).verify(body, headers)

    rotated = SDK.webhooks.rotate_secret(made.id)
    lead = SDK.leads.create(business, name="Grace Example")
    headers, body = receiver.next()
    told = json.loads(body)
    assert told["event"] == told["event_type"] == "lead.created" and told["data"]["id"] == lead.id, told
    for secret in (made.webhook_secret, rotated.webhook_secret):
        Webhook(secret).verify(body, headers)
        signed = headers["x-kaicalls-timestamp"].encode() + b"." + body
        expected = "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        given = [headers.get(name) for name in ("x-kaicalls-signature", "x-kaicalls-signature-previous")]
        assert expected in given, given

    deadline = time.monotonic() + 30
    while not (found := SDK.events.list(object_id=lead.id, status="delivered", from_="2026-01-01T00:00:00Z").events):
        assert time.monotonic() < deadline, SDK.events.list(object_id=lead.id)
        time.sleep(0.05)
    event = found[0]
    assert (event.id, event.object_type, event.payload) == (told["id"], "lead", told), event
    attempts = SDK.events.deliveries(event_id=event.id, webhook_id=made.id, status="succeeded").deliveries
    assert [(one.attempt, one.response_status) for one in attempts] == [(1, 204)], attempts

    again = SDK.events.replay(event_id=event.id)
    assert again.success and (again.queued, again.event_ids, again.not_found) == (1, [event.id], []), again
    assert receiver.next()[0]["webhook-id"] == event.id
    filled = SDK.events.backfill(from_="2020-01-01T00:00:00Z", to="2020-01-31T00:00:00Z", business_id=business)
    assert (filled.matched, filled.queued) == (0, 0), filled
    refused(400, "invalid_request", lambda: SDK.events.replay())
    refused(400, "invalid_request", lambda: SDK.events.backfill(from_="2020-01-01", to="2021-01-01"))
    deleted = SDK.webhooks.delete(made.id)
    assert deleted.success and deleted.deleted and deleted.id == made.id, deleted
    refused(404, "not_found", lambda: SDK.webhooks.delete(made.id))


def strangers():
    for key in ("kc_test_nobody", "kc_live_" + "0" * 38):
        refused(401, "unauthorized", lambda key=key: KaiCalls(key, base_url=BASE_URL).agents.list())
    refused(404, "not_found", lambda: SDK.request("GET", "/api/sdr/pipeline"))


def main():
    business = SDK.account.balance().businesses[0].business_id
    discovery()
    agent = agents(business)
    lead = leads(business)
    call = completed_call(agent, lead)
    other_endings(agent)
    lead_from_call(agent)
    call_lists(agent, call)
    recordings(call)
    transcripts(agent, call)
    account(business)
    subscriptions(business)
    strangers()
    print("the official Python SDK found everything it expects")


if __name__ == "__main__":
    main()
