"""Signatures: what the server sends is accepted, and nothing else."""

from __future__ import annotations

import json
import os
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Dict, Tuple

import pytest

from kaicalls import KaiCalls, WebhookVerificationError, webhooks

from conftest import BUSY, FRIENDLY

SECRET = "whsec_" + "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
BODY = json.dumps({"event": "call.completed", "call_id": "c1", "status": "completed", "duration": 7}).encode()


def test_what_the_server_sends_is_accepted(kai: KaiCalls, agent: str) -> None:
    received: "queue.Queue[Tuple[Dict[str, str], bytes]]" = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.put((dict(self.headers.items()), body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/calls"
    call = kai.calls.create(agent, FRIENDLY, webhook_url=url)
    headers, body = received.get(timeout=30)
    server.shutdown()
    secret = os.environ["KAICALLS_WEBHOOK_SECRET"]
    event = webhooks.verify(body, headers, secret)
    assert (event.event, event.call_id, event.status) == ("call.completed", call.id, "completed")
    assert event.event_id and event.summary
    standard = {name: value for name, value in headers.items() if not name.lower().startswith("x-kaicalls")}
    own = {name: value for name, value in headers.items() if name.lower().startswith("x-kaicalls")}
    for some in (standard, own):
        assert webhooks.verify(body, some, ["whsec_b2xk", secret]).call_id == call.id
        with pytest.raises(WebhookVerificationError, match="does not match"):
            webhooks.verify(body + b" ", some, secret)


def test_what_tests_sign_is_accepted_by_both_families() -> None:
    headers = webhooks.sign(BODY, SECRET, id="evt_1", timestamp=1_800_000_000)
    for prefix in ("webhook-", "x-kaicalls-"):
        some = {name.title(): value for name, value in headers.items() if name.startswith(prefix)}
        event = webhooks.verify(BODY, some, SECRET, now=1_800_000_299)
        assert event.duration == 7 and event.event_id == "evt_1"
    payload = {"event": "call.failed", "call_id": "c2", "status": "failed", "error": "busy"}
    assert webhooks.verify(json.dumps(payload), webhooks.sign(payload, SECRET), SECRET).error == "busy"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"webhook-signature": "v1,AAAA"}, "webhook_wrong_signature"),
        ({"webhook-signature": "v2,AAAA"}, "webhook_wrong_signature"),
        ({"webhook-id": "another"}, "webhook_wrong_signature"),
        ({"webhook-timestamp": "1800000001"}, "webhook_wrong_signature"),
        ({"webhook-timestamp": "soon"}, "webhook_no_timestamp"),
        ({"webhook-timestamp": "1700000000"}, "webhook_stale"),
        ({"webhook-signature": None, "x-kaicalls-signature": None}, "webhook_no_signature"),
        ({"webhook-signature": None, "x-kaicalls-signature": "sha256=00"}, "webhook_wrong_signature"),
    ],
)
def test_everything_else_is_refused(change: Dict[str, Any], code: str) -> None:
    headers: Dict[str, Any] = {**webhooks.sign(BODY, SECRET, timestamp=1_800_000_000), **change}
    headers = {name: value for name, value in headers.items() if value is not None}
    with pytest.raises(WebhookVerificationError) as error:
        webhooks.verify(BODY, headers, SECRET, now=1_800_000_000)
    assert error.value.code == code


def test_no_secret_accepts_nothing() -> None:
    headers = webhooks.sign(BODY, "", timestamp=1_800_000_000)
    for secret in ("", [], [""]):
        with pytest.raises(WebhookVerificationError, match="no webhook secret"):
            webhooks.verify(BODY, headers, secret, now=1_800_000_000)


def test_old_messages_and_those_from_the_future_are_refused() -> None:
    headers = webhooks.sign(BODY, SECRET, timestamp=1_800_000_000)
    for now in (1_800_000_301, 1_799_999_699):
        with pytest.raises(WebhookVerificationError, match="another time"):
            webhooks.verify(BODY, headers, SECRET, now=now)
    assert webhooks.verify(BODY, headers, SECRET, now=1_800_000_900, tolerance=1000).call_id == "c1"


def test_messages_of_every_kind_are_made_for_tests() -> None:
    for event, fields in (("call.completed", {"duration": 5}), ("call.failed", {"error": "busy"}), ("lead.created", {"id": "l1"})):
        body, headers = webhooks.test_message(event, SECRET, **fields)
        read = webhooks.verify(body, headers, SECRET)
        assert read.event == event == headers["x-kaicalls-event"] and read.event_id == headers["webhook-id"]
        assert fields.items() <= read.items() and read.timestamp.endswith("Z")
    assert webhooks.sign({"event": "call.failed"}, SECRET)["x-kaicalls-event"] == "call.failed"


def test_a_test_message_has_the_fields_of_a_real_one(kai: KaiCalls, agent: str) -> None:
    received: "queue.Queue[Dict[str, Any]]" = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for number in (FRIENDLY, BUSY):
        kai.calls.create(agent, number, webhook_url=f"http://127.0.0.1:{server.server_address[1]}/calls")
        real = received.get(timeout=30)
        assert real.keys() == json.loads(webhooks.test_message(real["event"], SECRET)[0]).keys()
    server.shutdown()
