"""Sends generated requests to a running server and holds every answer against its OpenAPI document.

No answer may be a 5xx other than a documented `call_failed`, and none may have a status, a content type or a body that the document
does not know. The generator is schemathesis; what it finds it shows with a request to repeat it.

Random ids would only ever meet 404, and random passwords 401. So there is data first: an agent, a lead, calls that were made, a
recording, a second key. About half of the generated requests name that data where they name anything; the others stay as they were
generated. Routes for people get the session of a login, the others the API key. At the end a table says how often each operation
answered with which status. An operation that never answered 2xx fails the run, because then nothing but its refusals was tested.

Environment: KAICALLS_BASE_URL, KAICALLS_API_KEY (a test key with the scope `*`), KAICALLS_EMAIL and KAICALLS_PASSWORD (of a user).
The server should have no limits on requests.
"""

import collections
import json
import os
import random
import shutil
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

import schemathesis
from schemathesis.cli import schemathesis as command
from schemathesis.generation.meta import TestPhase

BASE_URL = os.environ["KAICALLS_BASE_URL"]
KEY = os.environ["KAICALLS_API_KEY"]
LOGIN = {"email": os.environ["KAICALLS_EMAIL"], "password": os.environ["KAICALLS_PASSWORD"]}
SESSION = "kaicalls_session"

# Tells everything about themselves, hangs up early, does not answer: see docs/reference/sandbox.md.
RECIPIENTS = ["+15005550007", "+15005550011", "+15005550004"]
# Where an operation's `id` may come from.
OWNERS = {"agents": "agents", "calls": "calls", "leads": "leads", "keys": "keys", "webhooks": "webhooks"}
# Nobody answers there, and says so at once.
RECEIVER = "http://127.0.0.1:9/hook"

# Requests to these name their business once the key has made another one.
OF_ONE_BUSINESS = ("/api/v1/webhooks", "/api/v1/phone-numbers", "/api/v1/events/replay", "/api/v1/events/backfill")

dice = random.Random(1)
known = collections.defaultdict(list)
seen = collections.defaultdict(collections.Counter)


def request(method, path, body=None, cookie=None):
    """Sends one request of our own; gives the answer's body and headers."""
    headers = {"Content-Type": "application/json"}
    headers.update({"Cookie": cookie} if cookie else {"Authorization": f"Bearer {KEY}"})
    data = None if body is None else json.dumps(body).encode()
    sent = urllib.request.Request(BASE_URL + path, data=data, method=method, headers=headers)
    with urllib.request.urlopen(sent, timeout=30) as answer:
        return json.load(answer), answer.headers


class Session:
    """A login that is renewed when a generated request has ended it."""

    def __init__(self):
        self.cookie = None

    def value(self):
        if self.cookie is None:
            _, headers = request("POST", "/api/session", LOGIN)
            self.cookie = headers["Set-Cookie"].split(";")[0].split("=", 1)[1]
        return self.cookie

    def ended(self):
        self.cookie = None


session = Session()


def new_key():
    body = {"name": "to be revoked", "environment": "test", "scopes": ["calls:read"]}
    made, _ = request("POST", "/api/v1/keys", body, cookie=f"{SESSION}={session.value()}")
    return made["id"]


def new_webhook():
    body = {"business_id": known["businesses"][0], "webhook_url": RECEIVER, "events": ["lead.created"]}
    made, _ = request("POST", "/api/v1/webhooks", body)
    return made["id"]


def standing_webhook():
    """One that has not been removed, made anew if there is none."""
    listed, _ = request("GET", f"/api/v1/webhooks?business_id={known['businesses'][0]}")
    rows = listed["webhooks"]
    return rows[0]["id"] if rows else new_webhook()


def new_lead():
    made, _ = request("POST", "/api/v1/leads", {"business_id": known["businesses"][0], "name": "Ada Twice"})
    return made["id"]


def set_up():
    """Makes what generated requests shall find."""
    balance, _ = request("GET", "/api/v1/balance")
    business = balance["businesses"][0]["business_id"]
    known["businesses"].append(business)
    agent, _ = request("POST", "/api/v1/agents", {"business_id": business, "name": "Intake", "system_prompt": "Ask for the name."})
    known["agents"].append(agent["id"])
    lead = {"business_id": business, "name": "Ada Example", "phone": "+15005550006", "email": "ada@example.com"}
    made, _ = request("POST", "/api/v1/leads", lead)
    known["leads"].append(made["id"])
    known["webhooks"].append(new_webhook())
    events, _ = request("GET", "/api/v1/events")
    known["events"].extend(row["id"] for row in events["events"])
    numbers, _ = request("GET", "/api/v1/numbers?limit=100")
    known["numbers"].extend(row["phone_number"] for row in numbers["numbers"] if row["agent_id"])
    for recipient in RECIPIENTS:
        call, _ = request("POST", "/api/v1/calls", {"agent_id": agent["id"], "to": recipient})
        known["calls"].append(call["id"])
    for call in known["calls"]:
        deadline = time.monotonic() + 60
        while request("GET", f"/api/v1/calls?id={call}")[0]["status"] not in ("completed", "failed"):
            assert time.monotonic() < deadline, f"call {call} did not end within a minute"
            time.sleep(0.05)
    try:
        recording, _ = request("GET", f"/api/v1/recordings?call_id={known['calls'][0]}")
    except urllib.error.HTTPError as refusal:
        assert refusal.code == 404, refusal
    else:
        known["recorded"].append(known["calls"][0])
        known["tokens"].append(urllib.parse.urlsplit(recording["recording_url"]).path.rsplit("/", 1)[1])


def resource(path):
    """The kind of thing that `id` names below this path."""
    return OWNERS.get(path.removeprefix("/api/v1/").split("/")[0])


def name_known_things(path, method, values):
    """Puts ids that exist where the request names things. What a link of the stateful phase put there stays."""
    candidates = {
        "agent_id": "agents",
        "agentId": "agents",
        "business_id": "businesses",
        "lead_id": "leads",
        "call_id": "recorded" if "recordings" in path else "calls",
        "id": resource(path),
        "token": "tokens",
        "event_id": "events",
        "webhook_id": "webhooks",
        "object_id": "leads",
    }
    if (method, path) == ("DELETE", "/api/v1/keys"):
        values["id"] = new_key()
    if (method, path) == ("DELETE", "/api/v1/webhooks"):
        # Those that others name stay.
        values["id"] = new_webhook()
        values.pop("business_id", None)
        return
    if path.endswith("/leads/merge"):
        # Those that others name stay what they are.
        values["merge_lead_id"] = new_lead()
    if "webhook_url" in values and path.endswith("/webhooks"):
        values["webhook_url"] = RECEIVER
    for field, kind in candidates.items():
        if isinstance(values.get(field), str) and known[kind] and values[field] not in known[kind]:
            values[field] = dice.choice(known[kind])
    if path.endswith("/sandbox/incoming"):
        if known["numbers"]:
            values.update({"to": dice.choice(known["numbers"]), "scenario": "new_client"})
    elif path.endswith("/backfill"):
        values.update({"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"})
    elif isinstance(values.get("to"), str) and "events" not in path:
        values["to"] = dice.choice(RECIPIENTS)
    if path in OF_ONE_BUSINESS and method == "POST":
        values["business_id"] = known["businesses"][0]
    if path in ("/api/v1/webhooks/test", "/api/v1/webhooks/rotate-secret"):
        # The one that was made at first may have been removed.
        values["id"] = standing_webhook()
        values.pop("business_id", None)
        return
    if (method, path) == ("PATCH", "/api/v1/workspaces"):
        values["id"] = known["businesses"][0]
    if (method, path) == ("POST", "/api/v1/phone-numbers") and known["numbers"]:
        values["phone_number"] = dice.choice(known["numbers"])
    if path == "/api/session":
        values.update(LOGIN)
    if path == "/api/v1/signup" and "email" in values:
        values["email"] = f"{dice.getrandbits(64)}@example.com"


@schemathesis.hook
def before_call(context, case, kwargs):
    path, method = case.operation.path, case.method.upper()
    if path.startswith(("/api/session", "/api/v1/keys")) and dice.random() < 0.9:
        case.cookies = {**(case.cookies or {}), SESSION: session.value()}
    stateful = case.meta is not None and case.meta.phase.name is TestPhase.STATEFUL
    if not stateful and dice.random() < 0.5:
        return
    if "Idempotency-Key" in (case.headers or {}):
        # The generator likes the same few keys, and a key that came with another body is refused.
        case.headers["Idempotency-Key"] = str(uuid.UUID(int=dice.getrandbits(128)))
    for values in (case.query, case.path_parameters, case.body):
        if isinstance(values, dict) and values:
            name_known_things(path, method, values)


@schemathesis.hook
def after_call(context, case, response):
    path, method = case.operation.path, case.method.upper()
    # Other methods are tried too; they say nothing about the operation.
    if method == case.operation.method.upper():
        seen[f"{method} {path}"][response.status_code] += 1
    if (method, path) == ("DELETE", "/api/session"):
        session.ended()
    if method == "POST" and response.status_code == 201 and resource(path):
        known[resource(path)].append(response.json()["id"])


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Says what the stateful phase may follow: what was made can be read, changed and used. And what one event of a live view is: the
    generator holds each of them against the schema, which in OpenAPI 3.1 describes the stream as a whole."""
    stream = raw_schema["paths"]["/api/v1/calls/stream"]["get"]["responses"]["200"]["content"]
    stream["text/event-stream"]["schema"] = {
        "type": "object",
        "required": ["id", "event", "data"],
        "properties": {"id": {"type": "string", "pattern": "^[1-9][0-9]*$"}, "event": {"type": "string", "minLength": 1}},
    }
    by_id = {"agents": "agents", "calls": "calls", "leads": "leads"}
    for made in by_id:
        created = raw_schema["paths"][f"/api/v1/{made}"]["post"]["responses"]["201"]
        links = created.setdefault("links", {})
        links["read"] = {"operationId": f"{made}.read", "parameters": {"query.id": "$response.body#/id"}}
        if "patch" in raw_schema["paths"][f"/api/v1/{made}"]:
            links["change"] = {
                "operationId": f"{made}.update",
                "requestBody": {"id": "$response.body#/id"},
                "x-schemathesis": {"merge_body": True},
            }
    agents = raw_schema["paths"]["/api/v1/agents"]["post"]["responses"]["201"]["links"]
    agents["call"] = {
        "operationId": "calls.create",
        "requestBody": {"agent_id": "$response.body#/id"},
        "x-schemathesis": {"merge_body": True},
    }
    calls = raw_schema["paths"]["/api/v1/calls"]["post"]["responses"]["201"]["links"]
    for name, operation, field in (
        ("watch", "calls.stream", "id"),
        ("hear", "recordings.read", "call_id"),
        ("transcript", "transcripts.list", "call_id"),
    ):
        calls[name] = {"operationId": operation, "parameters": {f"query.{field}": "$response.body#/id"}}
    keys = raw_schema["paths"]["/api/v1/keys"]["post"]["responses"]["201"]
    keys["links"] = {"revoke": {"operationId": "keys.revoke", "parameters": {"query.id": "$response.body#/id"}}}


def run():
    """Runs the generator; gives its exit code."""
    try:
        return command.main(
            [
                "run",
                f"{BASE_URL}/api/v1/openapi.json",
                "--header",
                f"Authorization: Bearer {KEY}",
                "--checks",
                "status_code_conformance,content_type_conformance,response_schema_conformance",
                "--phases",
                "examples,coverage,fuzzing,stateful",
                "--max-examples",
                "30",
                # A live view stays open as long as its call lasts; sandbox calls last a moment.
                "--request-timeout",
                "30",
                # Two at once fall over each other inside the generator now and then.
                "--workers",
                "1",
                "--seed",
                "1",
                # Whether generated requests were mostly accepted is what the table below answers.
                "--warnings",
                "off",
                "--no-color",
                "--generation-database",
                "none",
            ],
            standalone_mode=False,
        )
    except SystemExit as ended:
        return ended.code


def reached():
    """Prints how often each operation answered how; tells whether each answered 2xx at least once."""
    document, _ = request("GET", "/api/v1/openapi.json")
    # The generator leaves out the operation that it got the document from.
    seen["GET /api/v1/openapi.json"][200] += 1
    operations = [f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item]
    classes = ("2xx", "3xx", "4xx", "5xx")
    print(f"\n{'operation':42}" + "".join(f"{name:>7}" for name in classes) + "   each status")
    missing = []
    for operation in operations:
        counts = collections.Counter()
        for status, count in seen[operation].items():
            counts[f"{status // 100}xx"] += count
        each = " ".join(f"{status}:{count}" for status, count in sorted(seen[operation].items()))
        print(f"{operation:42}" + "".join(f"{counts[name]:>7}" for name in classes) + f"   {each}")
        if not counts["2xx"]:
            missing.append(operation)
    silent = not known["tokens"] and not any(map(shutil.which, ("flite", "espeak-ng")))
    if silent:
        print("LEFT OUT: recordings, because neither flite nor espeak-ng is installed and nothing was recorded.")
        missing = [operation for operation in missing if "recordings" not in operation]
    if not known["numbers"]:
        print("LEFT OUT: callers that ring an agent's number, because no agent has one.")
        missing = [operation for operation in missing if "/sandbox/incoming" not in operation]
    if missing:
        print("never answered 2xx: " + ", ".join(missing))
    return not missing


set_up()
code = run()
everything_reached = reached()
sys.exit(code or (0 if everything_reached else 1))
