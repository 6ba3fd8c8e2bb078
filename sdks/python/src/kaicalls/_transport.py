"""One exchange with the server, where synchronous and asynchronous code differ by nature: in how the whole of it is kept within its
time. Also ``requests`` sessions, as the first KaiCalls package took them.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import threading
import time
from typing import Any, AsyncIterator, Dict, Iterator, List, Optional, Union, cast

import httpcore
import httpx

from ._base import Request, Response

asleep = asyncio.sleep


def sleep(seconds: float) -> None:
    """Looks ``time.sleep`` up when it is called, so that tests can replace it."""
    time.sleep(seconds)


class Session:
    """Sends with a ``requests.Session``, whose retries, proxies and hooks then apply."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def exchange(self, request: Request, url: str) -> Response:
        """One request and its answer."""
        answered = self._session.request(
            request.method,
            url,
            params=request.query or None,
            json=request.body,
            headers=request.headers,
            timeout=request.timeout,
        )
        headers: Dict[str, str] = dict(getattr(answered, "headers", None) or {})
        # A stand-in for a session in somebody's tests may know text only.
        content = getattr(answered, "content", None)
        return Response(answered.status_code, headers, answered.text.encode() if content is None else content)

    def lines(self, request: Request, url: str) -> Iterator[str]:
        """The lines of an answer as they come."""
        answered = self._session.request(
            request.method,
            url,
            params=request.query or None,
            headers=request.headers,
            timeout=request.timeout,
            stream=True,
        )
        with answered:
            if answered.status_code != 200:
                raise Refused(Response(answered.status_code, answered.headers, answered.content))
            for line in answered.iter_lines():
                yield line.decode()

    def close(self) -> None:
        """The session belongs to whoever made it."""


class Refused(Exception):
    """A stream was asked for, and something else came."""

    def __init__(self, response: Response) -> None:
        super().__init__(response)
        self.response = response


Http = Union[httpx.Client, Session]
AsyncHttp = httpx.AsyncClient


def failures() -> "tuple[type[BaseException], ...]":
    """What an exchange without an answer raises."""
    requests: Any = sys.modules.get("requests")
    return (httpx.RequestError,) if requests is None else (httpx.RequestError, requests.RequestException)


def was_late(error: BaseException) -> bool:
    """Whether time ran out."""
    requests: Any = sys.modules.get("requests")
    late = isinstance(error, httpx.TimeoutException)
    return late or (requests is not None and isinstance(error, requests.Timeout))


def was_never_sent(error: BaseException) -> bool:
    """Whether nothing can have reached the server."""
    requests: Any = sys.modules.get("requests")
    unsent = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))
    return unsent or (requests is not None and isinstance(error, requests.ConnectTimeout))


def _built(http: Any, request: Request, url: str) -> httpx.Request:
    built = http.build_request(
        request.method,
        url,
        params=request.query or None,
        json=request.body,
        headers=request.headers,
        timeout=request.timeout,
    )
    return cast(httpx.Request, built)


def _late(request: Request) -> httpx.ReadTimeout:
    return httpx.ReadTimeout(f"no whole answer within {request.timeout:g} s")


class _Deadline(threading.local):
    """Until when the exchange that this thread is having must be over."""

    at: Optional[float] = None

    def left(self, seconds: Optional[float]) -> Optional[float]:
        """How much of a time to wait is left."""
        if self.at is None:
            return seconds
        left = max(0.001, self.at - time.monotonic())
        return left if seconds is None else min(left, seconds)


_deadline = _Deadline()


class _Stream(httpcore.NetworkStream):
    """A connection on which nobody waits longer than until the end of the exchange, for headers neither."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: Optional[float] = None) -> bytes:
        if _deadline.at is not None and time.monotonic() > _deadline.at:
            raise httpcore.ReadTimeout("the answer is not whole")
        return self._stream.read(max_bytes, _deadline.left(timeout))

    def write(self, buffer: bytes, timeout: Optional[float] = None) -> None:
        self._stream.write(buffer, _deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: Optional[str] = None, timeout: Optional[float] = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _deadline.left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Opens such connections."""

    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._backend = backend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: Optional[float] = None,
        local_address: Optional[str] = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._backend.connect_tcp(host, port, _deadline.left(timeout), local_address, socket_options))

    def connect_unix_socket(
        self, path: str, timeout: Optional[float] = None, socket_options: Any = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._backend.connect_unix_socket(path, _deadline.left(timeout), socket_options))

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


def bounded_client() -> httpx.Client:
    """A client whose connections know how long an exchange may take. httpx bounds each single wait and no exchange, and gives no other
    place to say so than its pools of connections.
    """
    client = httpx.Client()
    inner = cast(Any, client)
    for transport in [inner._transport, *inner._mounts.values()]:
        pool = getattr(transport, "_pool", None)
        backend = getattr(pool, "_network_backend", None)
        if backend is not None:
            cast(Any, pool)._network_backend = _Backend(backend)
    return client


def exchange(http: Http, request: Request, url: str) -> Response:
    """One request and its whole answer, within its time."""
    if isinstance(http, Session):
        return http.exchange(request, url)
    deadline = time.monotonic() + request.timeout
    _deadline.at = deadline
    try:
        received = http.send(_built(http, request, url), stream=True, follow_redirects=request.follows_redirects)
        try:
            # What is left of the time is all that a silent server gets for the rest of its answer.
            received.request.extensions["timeout"]["read"] = max(0.001, deadline - time.monotonic())
            parts: List[bytes] = []
            for part in received.iter_bytes():
                parts.append(part)
                if time.monotonic() > deadline:
                    raise _late(request)
        finally:
            received.close()
    finally:
        _deadline.at = None
    return Response(received.status_code, received.headers, b"".join(parts))


async def aexchange(http: AsyncHttp, request: Request, url: str) -> Response:
    """One request and its whole answer, within its time."""

    async def whole() -> Response:
        follow = request.follows_redirects
        received = await http.send(_built(http, request, url), follow_redirects=follow)
        return Response(received.status_code, received.headers, received.content)

    try:
        return await asyncio.wait_for(whole(), request.timeout)
    except asyncio.TimeoutError:
        raise _late(request) from None


def lines(http: Http, request: Request, url: str) -> Iterator[str]:
    """The lines of an answer as they come. A pause between two of them may be as long as the request's time."""
    if isinstance(http, Session):
        yield from http.lines(request, url)
        return
    received = http.send(_built(http, request, url), stream=True)
    try:
        if received.status_code != 200:
            raise Refused(Response(received.status_code, received.headers, received.read()))
        yield from received.iter_lines()
    finally:
        received.close()


async def alines(http: AsyncHttp, request: Request, url: str) -> AsyncIterator[str]:
    """The lines of an answer as they come. A pause between two of them may be as long as the request's time."""
    received = await http.send(_built(http, request, url), stream=True)
    try:
        if received.status_code != 200:
            raise Refused(Response(received.status_code, received.headers, await received.aread()))
        async for line in received.aiter_lines():
            yield line
    finally:
        await received.aclose()
