"""What a flaky network does: a proxy in front of the real server loses, delays and refuses as told."""

from __future__ import annotations

import asyncio
import pickle
import socket
import threading
import time
from typing import Any, Iterator, List, Optional
from urllib.parse import urlsplit

import pytest
import requests

from kaicalls import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    AsyncKaiCalls,
    InternalServerError,
    InvalidResponseError,
    KaiCalls,
    NotFoundError,
    RateLimitedError,
)

from conftest import FRIENDLY, NO_ANSWER


class Proxy:
    """Forwards requests, one per connection; each entry of ``plan`` is what happens to one of them.

    ``pass``, ``drop`` (before it is forwarded), ``lose`` (forwarded, and the answer is lost), ``hang``, ``trickle`` and ``trickle
    headers`` (an answer that comes bit by bit and never ends), or an answer as text.
    """

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self.target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self.plan: List[str] = []
        self.requests: List[bytes] = []
        self.closing = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._handle, args=(client,), daemon=True).start()

    def _handle(self, client: socket.socket) -> None:
        with client:
            request = _read(client)
            if not request:
                return
            self.requests.append(request)
            step = self.plan.pop(0) if self.plan else "pass"
            if step == "drop":
                return
            if step == "hang":
                self.closing.wait(10)
                return
            if step == "trickle":
                client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                while not self.closing.wait(0.02):
                    try:
                        client.sendall(b" ")
                    except OSError:
                        return
            if step == "trickle headers":
                client.sendall(b"HTTP/1.1 200 OK\r\n")
                while not self.closing.wait(0.02):
                    try:
                        client.sendall(b"X-More: 1\r\n")
                    except OSError:
                        return
            if step not in ("pass", "lose"):
                client.sendall(step.encode())
                return
            with socket.create_connection(self.target) as server:
                head, _, body = request.partition(b"\r\n\r\n")
                lines = [line for line in head.split(b"\r\n") if not line.lower().startswith((b"connection:", b"host:"))]
                lines[1:1] = [b"Host: %s:%d" % (self.target[0].encode(), self.target[1]), b"Connection: close"]
                server.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)
                answer = b""
                while chunk := server.recv(65536):
                    answer += chunk
            if step == "pass":
                client.sendall(answer)

    def close(self) -> None:
        self.closing.set()
        self.listener.close()


def _read(client: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = client.recv(65536)
        if not chunk:
            return data
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += client.recv(65536)
    return head + b"\r\n\r\n" + body


def _answer(status: str, *headers: str, body: str = "{}") -> str:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", body]
    return "\r\n".join(lines)


def _key(request: bytes) -> Optional[bytes]:
    lines = request.lower().split(b"\r\n")
    return next((line for line in lines if line.startswith(b"idempotency-key:")), None)


@pytest.fixture()
def proxy(base_url: str) -> Iterator[Proxy]:
    made = Proxy(base_url)
    yield made
    made.close()


@pytest.fixture()
def pauses(monkeypatch: pytest.MonkeyPatch) -> List[float]:
    """Pauses are noted instead of waited."""
    noted: List[float] = []
    monkeypatch.setattr("time.sleep", noted.append)

    async def sleep(seconds: float) -> None:
        noted.append(seconds)

    monkeypatch.setattr("kaicalls._async.client.asleep", sleep)
    monkeypatch.setattr("kaicalls._async.extras.asleep", sleep)
    return noted


def test_reads_are_repeated_until_they_get_through(proxy: Proxy, pauses: List[float]) -> None:
    proxy.plan = ["drop", _answer("503 Service Unavailable"), "pass"]
    with KaiCalls(base_url=proxy.url) as kai:
        assert kai.agents.list().rows
    assert len(proxy.requests) == 3 and len(pauses) == 2 and all(0 < pause <= 8 for pause in pauses)


def test_a_lost_answer_to_a_call_places_no_second_one(proxy: Proxy, pauses: List[float], agent: str) -> None:
    with KaiCalls(base_url=proxy.url) as kai:
        before = {call.id for call in kai.calls.list(agent_id=agent)}
        proxy.plan = ["lose", "lose", "pass"]
        proxy.requests.clear()
        placed = kai.calls.create(agent, NO_ANSWER)
        after = {call.id for call in kai.calls.list(agent_id=agent)}
    keys = {_key(request) for request in proxy.requests[:3]}
    assert len(keys) == 1 and None not in keys, "the same key on every attempt"
    assert after - before == {placed.id}, "one call"


def test_the_server_says_how_long_to_wait(proxy: Proxy, pauses: List[float]) -> None:
    proxy.plan = [_answer("429 Too Many Requests", "Retry-After: 7"), _answer("429 Too Many Requests", "Retry-After: 0"), "pass"]
    with KaiCalls(base_url=proxy.url) as kai:
        kai.agents.list()
    assert pauses == [7.0, 0.0]


def test_it_gives_up_with_the_last_answer(proxy: Proxy, pauses: List[float]) -> None:
    body = '{"error":{"code":"rate_limited","message":"Slow down."}}'
    proxy.plan = [_answer("429 Too Many Requests", "Retry-After: 3", body=body)] * 3
    with KaiCalls(base_url=proxy.url) as kai, pytest.raises(RateLimitedError) as error:
        kai.agents.list()
    assert error.value.retry_after == 3.0 and len(proxy.requests) == 3
    proxy.plan = [_answer("502 Bad Gateway", body="<html>")]
    with KaiCalls(base_url=proxy.url, max_retries=0) as kai, pytest.raises(InternalServerError, match="502"):
        kai.agents.list()


def test_what_cannot_be_repeated_is_not(proxy: Proxy, pauses: List[float]) -> None:
    for step, expected in (("lose", APIConnectionError), (_answer("503 Service Unavailable"), InternalServerError)):
        proxy.plan, proxy.requests[:] = [step], []
        with KaiCalls(base_url=proxy.url) as kai, pytest.raises(expected):
            kai.request("POST", "/api/v1/calls", body={})
        assert len(proxy.requests) == 1
    proxy.plan, proxy.requests[:] = [_answer('500 Internal Server Error', body='{"error":{"code":"call_failed","message":"No."}}')], []
    with KaiCalls(base_url=proxy.url) as kai, pytest.raises(Exception, match="No."):
        kai.calls.create("a", NO_ANSWER)
    assert len(proxy.requests) == 1, "the call exists and has failed"


def test_time_runs_out_for_one_request(proxy: Proxy) -> None:
    proxy.plan = ["hang"]
    with KaiCalls(base_url=proxy.url) as kai, pytest.raises(APITimeoutError, match="0.2 s"):
        kai.agents.list(options={"timeout": 0.2, "max_retries": 0})


def test_nobody_listens(pauses: List[float]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with KaiCalls("kc_test_x", base_url=f"http://127.0.0.1:{port}") as kai, pytest.raises(APIConnectionError) as error:
        kai.agents.list()
    assert len(pauses) == 2 and "KAICALLS_BASE_URL" in (error.value.hint or "")
    assert isinstance(error.value, requests.ConnectionError), "what programs of the first package catch"
    assert type(pickle.loads(pickle.dumps(error.value))) is APIConnectionError


async def test_asynchronous_requests_are_repeated_and_can_be_cancelled(proxy: Proxy, pauses: List[float]) -> None:
    proxy.plan = ["drop", "pass"]
    async with AsyncKaiCalls(base_url=proxy.url) as kai:
        assert (await kai.agents.list()).rows
        proxy.plan = ["hang"]
        task = asyncio.ensure_future(kai.health.get())
        while len(proxy.requests) < 3:
            await asyncio.get_running_loop().run_in_executor(None, proxy.closing.wait, 0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def test_nobody_waits_longer_than_anybody_would(proxy: Proxy, pauses: List[float]) -> None:
    for told in ("3600", "Fri, 31 Dec 2100 23:59:59 GMT", "inf"):
        proxy.plan, proxy.requests[:] = [_answer("429 Too Many Requests", f"Retry-After: {told}")], []
        with KaiCalls(base_url=proxy.url) as kai, pytest.raises(RateLimitedError) as error:
            kai.agents.list()
        assert len(proxy.requests) == 1 and pauses == [], "asking earlier is what the server does not want"
        assert error.value.retry_after is not None and error.value.retry_after >= 3600


async def test_an_answer_that_never_ends_is_given_up(proxy: Proxy) -> None:
    begun = time.monotonic()
    for way in ("trickle", "trickle headers"):
        proxy.plan = [way, way]
        with KaiCalls(base_url=proxy.url, timeout=0.3, max_retries=0) as kai, pytest.raises(APITimeoutError) as error:
            kai.agents.list()
        assert isinstance(error.value, requests.Timeout)
        async with AsyncKaiCalls(base_url=proxy.url, timeout=0.3, max_retries=0) as akai:
            with pytest.raises(APITimeoutError):
                await akai.agents.list()
    assert time.monotonic() - begun < 5


async def test_success_that_is_no_json_is_an_error(proxy: Proxy, pauses: List[float]) -> None:
    for body in ("<html>", '{"agents": [', "OK", "", " "):
        proxy.plan = [_answer("200 OK", body=body)] * 3
        with KaiCalls(base_url=proxy.url) as kai:
            for action in (kai.agents.list, lambda: kai.request("GET", "/x")):
                with pytest.raises(InvalidResponseError, match="no JSON"):
                    action()
        async with AsyncKaiCalls(base_url=proxy.url) as akai:
            with pytest.raises(InvalidResponseError):
                await akai.agents.get("x")


async def test_an_answer_that_breaks_off_is_asked_for_again(proxy: Proxy, pauses: List[float]) -> None:
    broken = _answer("200 OK", body='{"agents": []}').replace("Content-Length: 14", "Content-Length: 140")
    proxy.plan = [broken, "pass", broken, "pass", broken]
    with KaiCalls(base_url=proxy.url) as kai:
        assert kai.agents.list(limit=1).rows is not None
        async with AsyncKaiCalls(base_url=proxy.url) as akai:
            assert await akai.agents.list(limit=1) is not None
        with pytest.raises(APIConnectionError):
            kai.agents.list(options={"max_retries": 0})


async def test_streams_and_files_fail_with_errors_of_this_package(proxy: Proxy, pauses: List[float], agent: str) -> None:
    with KaiCalls(base_url=proxy.url) as kai:
        call = kai.calls.create(agent, FRIENDLY)
        proxy.plan = ["drop", "drop", "drop"]
        with pytest.raises(APIConnectionError):
            list(kai.calls.stream(call.id))
        with pytest.raises(NotFoundError):
            list(kai.calls.stream("0190a0b0-0000-7000-8000-000000000000"))
        for steps, expected in ((["drop"] * 3, APIConnectionError), ([_answer("410 Gone")], APIError)):
            recording = _answer("200 OK", body='{"recording_url":"%s/file","status":"available"}' % proxy.url)
            proxy.plan = [recording, *steps]
            with pytest.raises(expected):
                kai.recordings.download(call.id)
            async with AsyncKaiCalls(base_url=proxy.url) as akai:
                proxy.plan = [recording, *steps]
                with pytest.raises(expected):
                    await akai.recordings.download(call.id)
                proxy.plan = ["drop", "drop", "drop"]
                with pytest.raises(APIConnectionError):
                    _ = [event async for event in akai.calls.stream(call.id)]


def test_a_session_of_requests_sends_and_its_errors_are_caught(proxy: Proxy, pauses: List[float], agent: str) -> None:
    session = requests.Session()
    session.headers["x-own"] = "kept"
    with KaiCalls(base_url=proxy.url, session=session, max_retries=0) as kai:
        assert kai.agents.get(agent).id == agent and b"x-own: kept" in proxy.requests[-1].lower()
        call = kai.calls.create(agent, FRIENDLY)
        assert [event.type for event in kai.calls.stream(call.id)][-1] == "completed"
        for step, expected in (("drop", requests.ConnectionError), ("hang", requests.Timeout)):
            proxy.plan = [step]
            with pytest.raises(expected) as error:
                kai.agents.list(options={"timeout": 0.2})
            caught: Any = error.value
            assert isinstance(caught, APIConnectionError)


def test_an_answer_that_has_no_body_is_none(proxy: Proxy) -> None:
    proxy.plan = ["HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"]
    with KaiCalls(base_url=proxy.url) as kai:
        assert kai.request("GET", "/x") is None


async def test_what_is_needed_and_not_there_is_noticed_before_anything_is_sent(proxy: Proxy) -> None:
    with KaiCalls(base_url=proxy.url) as kai:
        nothing: Any = None
        for action in (
            lambda: kai.calls.get(nothing),
            lambda: kai.calls.get(call_id=nothing),
            lambda: kai.agents.update(nothing, name="Kai"),
            lambda: kai.calls.create(agent_id="a", to=nothing),
            lambda: kai.calls.wait(nothing),
        ):
            with pytest.raises(TypeError, match="got None"):
                action()
        unknown: Any = {"timeot": 3}
        with pytest.raises(TypeError, match="timeot"):
            kai.calls.get("x", options=unknown)
    for seconds in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="timeout"):
            KaiCalls(timeout=seconds)
    async with AsyncKaiCalls(base_url=proxy.url) as akai:
        with pytest.raises(TypeError, match="got None"):
            await akai.leads.get(nothing)
    assert proxy.requests == []
