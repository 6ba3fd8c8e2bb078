"""Meets a KaiCalls server from outside, through a proxy that ends TLS for it.

Holds the proxy's configuration in deploy/ against what the server needs of it: clients are told apart by their own addresses, whatever
they claim; pages of the public address may log in, and their cookie is for https; live views arrive event by event; a body that is too large
is refused in the server's words.

Environment: PROXY (host:port of the proxy), PROXY_CA (its certificate), KAICALLS_API_KEY (a test key with the scope `*`), KAICALLS_EMAIL
and KAICALLS_PASSWORD. The server lets an address log in five times a minute, and its sandbox calls take seconds.
"""

import http.client
import json
import os
import ssl
import sys
import time

HOST, PORT = os.environ["PROXY"].split(":")
ORIGIN = f"https://{HOST}:{PORT}"
KEY = os.environ["KAICALLS_API_KEY"]
TLS = ssl.create_default_context(cafile=os.environ["PROXY_CA"])
LOGINS_A_MINUTE = 5


def connect(source="127.0.0.1"):
    """A connection from an address of this machine: every 127.x is one."""
    return http.client.HTTPSConnection(HOST, int(PORT), context=TLS, timeout=30, source_address=(source, 0))


def ask(connection, method, path, body=None, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None and not isinstance(body, bytes):
        body, headers = json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read()


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: expected {wanted!r}, found {found!r}")


def log_in(source, password, **headers):
    body = {"email": os.environ["KAICALLS_EMAIL"], "password": password}
    return ask(connect(source), "POST", "/api/session", body, Origin=ORIGIN, **headers)


def clients_are_told_apart():
    """One client that has used up its logins locks out nobody else, and no header gives it more."""
    for attempt in range(LOGINS_A_MINUTE):
        forged = {"X_Forwarded_For": f"198.51.100.{attempt}", "Forwarded": f"for=198.51.100.{attempt}"}
        expect("a wrong password", log_in("127.0.0.2", "wrong password", **forged)[0], 401)
    status, headers, _ = log_in("127.0.0.2", "wrong password", X_Forwarded_For="198.51.100.9")
    expect("one login more than an address may try", status, 429)
    expect("how long to wait is told", headers["Retry-After"] is not None, True)
    status, headers, _ = log_in("127.0.0.3", os.environ["KAICALLS_PASSWORD"])
    expect("a login from another address", status, 200)
    cookie = headers["Set-Cookie"]
    expect("the cookie is for https", ("__Host-" in cookie, "Secure" in cookie), (True, True))


def pages_of_others_are_refused():
    body = {"email": os.environ["KAICALLS_EMAIL"], "password": os.environ["KAICALLS_PASSWORD"]}
    status, _, _ = ask(connect("127.0.0.4"), "POST", "/api/session", body, Origin="https://evil.example")
    expect("a login from a page of another site", status, 403)


def large_bodies_are_refused_by_the_server():
    body = json.dumps({"name": "x" * 300_000}).encode()
    authorised = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    status, _, answer = ask(connect(), "POST", "/api/v1/leads", body, **authorised)
    expect("a body over the limit", (status, json.loads(answer)["error"]["code"]), (413, "payload_too_large"))


def connections_are_kept():
    connection = connect()
    for _ in range(20):
        status, _, _ = ask(connection, "GET", "/api/v1/balance", Authorization=f"Bearer {KEY}")
        expect("one of many requests on a kept connection", status, 200)


def live_views_arrive_event_by_event():
    """A call of several seconds: its first events must be here long before its last ones."""
    authorised = {"Authorization": f"Bearer {KEY}"}
    status, _, balance = ask(connect(), "GET", "/api/v1/balance", **authorised)
    business = json.loads(balance)["businesses"][0]["business_id"]
    agent = {"business_id": business, "name": "Proxy", "system_prompt": "Be brief."}
    agent = json.loads(ask(connect(), "POST", "/api/v1/agents", agent, **authorised)[2])["id"]
    order = {"agent_id": agent, "to": "+15005550006"}
    call = json.loads(ask(connect(), "POST", "/api/v1/calls", order, **authorised)[2])["id"]
    stream = connect()
    stream.request("GET", f"/api/v1/calls/stream?id={call}", headers=authorised)
    answer = stream.getresponse()
    expect("the type of a live view", answer.headers["Content-Type"].split(";")[0], "text/event-stream")
    events, times = [], []
    while line := answer.readline():
        if line.startswith(b"event:"):
            events.append(line.split(b":", 1)[1].strip().decode())
            times.append(time.monotonic())
    expect("the last event of a call", events[-1], "completed")
    spread = times[-1] - times[0]
    if len(events) < 5 or spread < 1:
        sys.exit(f"a live view of {len(events)} events came within {spread:.2f} s: something holds it back")
    print(f"a live view of {len(events)} events, spread over {spread:.1f} s")


live_views_arrive_event_by_event()
connections_are_kept()
large_bodies_are_refused_by_the_server()
pages_of_others_are_refused()
clients_are_told_apart()
print("the proxy does what the server needs")
