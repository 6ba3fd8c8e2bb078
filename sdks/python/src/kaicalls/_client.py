"""The clients."""

from __future__ import annotations

import asyncio
import copy
import time
from typing import Any, AsyncIterator, Callable, Dict, Iterator, List, Mapping, Optional, Tuple, cast

import httpx

from . import _async_resources as aio
from . import _resources as sync
from ._base import (
    DEFAULT_RETRIES,
    DEFAULT_TIMEOUT,
    Request,
    RequestOptions,
    Response,
    address,
    answer,
    is_final,
    logger,
    new_idempotency_key,
    pause,
    settings,
)
from ._errors import APIConnectionError, APITimeoutError, from_answer
from ._legacy import Account, AsyncAccount, AsyncDiscovery, Discovery, Legacy
from ._object import KaiObject
from ._version import __version__

RequestHook = Callable[[Request], None]
ResponseHook = Callable[[Request, Response], None]


class _Common:
    """What both clients are made of."""

    def __init__(
        self,
        api_key: str,
        base_url: str,
        timeout: float,
        max_retries: int,
        default_headers: Optional[Mapping[str, str]],
        on_request: Optional[RequestHook],
        on_response: Optional[ResponseHook],
    ) -> None:
        self.api_key = api_key
        self.base_url = base_url
        self.timeout = timeout
        self.max_retries = max_retries
        self.default_headers: Dict[str, str] = dict(default_headers or {})
        self._on_request = on_request
        self._on_response = on_response

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self.base_url!r}, api_key={self.api_key[:12]!r}…)"

    def _prepare(
        self,
        method: str,
        path: str,
        query: Optional[Mapping[str, Any]],
        body: Optional[Mapping[str, Any]],
        options: Optional[RequestOptions],
        idempotent: bool,
        session: bool,
    ) -> Request:
        asked: RequestOptions = options or {}
        headers = {
            "Accept": "application/json",
            "User-Agent": f"kaicalls-python/{__version__}",
            **self.default_headers,
        }
        if not session:
            headers["Authorization"] = f"Bearer {self.api_key}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        key = asked.get("idempotency_key")
        if key or idempotent:
            headers["Idempotency-Key"] = key or new_idempotency_key()
        headers.update(asked.get("headers") or {})
        timeout, retries = asked.get("timeout", self.timeout), asked.get("max_retries", self.max_retries)
        return Request(method.upper(), path, query or {}, body, headers, timeout, retries)

    def _sending(self, request: Request) -> None:
        logger.debug("%s %s, attempt %d", request.method, request.path, request.attempt + 1)
        if self._on_request is not None:
            self._on_request(request)

    def _received(self, request: Request, response: Response) -> None:
        logger.debug("%s %s: %d, request %s", request.method, request.path, response.status, response.request_id)
        if self._on_response is not None:
            self._on_response(request, response)

    def _lost(self, request: Request, error: httpx.TransportError) -> Optional[float]:
        """Seconds until the next attempt after one without an answer; raises if there is none."""
        never_sent = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))
        if request.attempt < request.max_retries and (never_sent or request.may_be_repeated):
            logger.info("%s %s: %s; trying again", request.method, request.path, type(error).__name__)
            return pause(None, request.attempt)
        where = f"{request.method} {self.base_url}{request.path}"
        if isinstance(error, httpx.TimeoutException):
            raise APITimeoutError(0, "timeout", f"{where}: no answer within {request.timeout:g} s") from error
        why = str(error) or type(error).__name__
        raise APIConnectionError(0, "connection_error", f"{where}: {why}") from error

    def _again(self, request: Request, response: Response) -> Optional[float]:
        """Seconds until the next attempt after an answer; ``None`` if the answer stands."""
        if request.attempt >= request.max_retries or is_final(response):
            return None
        # Where too many requests were made, nothing has happened.
        if response.status != 429 and not request.may_be_repeated:
            return None
        return pause(response, request.attempt)


class KaiCalls(_Common):
    """A client.

    Args:
        api_key: ``kc_live_…`` or ``kc_test_…``; from ``KAICALLS_API_KEY`` if not given.
        base_url: The server, with or without ``/api/v1``; from ``KAICALLS_BASE_URL`` if not given.
        timeout: Seconds until an answer must be there.
        session: A ``requests.Session`` to send with, as the first KaiCalls package took one.
        max_retries: How often a request is tried again that may be.
        default_headers: Sent with every request.
        http_client: An ``httpx.Client`` to send with, for proxies and certificates.
        on_request: Called before every attempt; may change its headers.
        on_response: Called with every answer.

    It keeps connections open. ``with KaiCalls() as kai:`` closes them; so does ``kai.close()``.
    """

    def __init__(
        self,
        api_key: Optional[str] = None,
        base_url: Optional[str] = None,
        timeout: float = DEFAULT_TIMEOUT,
        session: Any = None,
        *,
        max_retries: int = DEFAULT_RETRIES,
        default_headers: Optional[Mapping[str, str]] = None,
        http_client: Optional[httpx.Client] = None,
        on_request: Optional[RequestHook] = None,
        on_response: Optional[ResponseHook] = None,
    ) -> None:
        key, url = settings(api_key, base_url)
        super().__init__(key, url, timeout, max_retries, default_headers, on_request, on_response)
        self._owns_http = http_client is None
        self._http = http_client or httpx.Client(transport=_session_transport(session))
        self._make_resources()

    @classmethod
    def login(cls, email: str, password: str, base_url: Optional[str] = None, **more: Any) -> "KaiCalls":
        """A client with a login and without a key, for ``kai.keys``."""
        kai = cls(more.pop("api_key", None) or "login", address(base_url), **more)
        kai.session.create(email=email, password=password)
        return kai

    def _make_resources(self) -> None:
        self.calls = sync.CallsResource(self)
        self.agents = sync.AgentsResource(self)
        self.leads = sync.LeadsResource(self)
        self.recordings = sync.RecordingsResource(self)
        self.transcripts = sync.TranscriptsResource(self)
        self.numbers = sync.NumbersResource(self)
        self.balance = sync.BalanceResource(self)
        self.usage = sync.UsageResource(self)
        self.keys = sync.KeysResource(self)
        self.session = sync.SessionResource(self)
        self.health = sync.HealthResource(self)
        self.openapi = sync.OpenapiResource(self)
        self.account = Account(self)
        self.discovery = Discovery(self)
        self.sms = Legacy(self, "sms")
        self.phone_numbers = Legacy(self, "phone_numbers")
        self.workspaces = Legacy(self, "workspaces")
        self.webhooks = Legacy(self, "webhooks")
        self.analytics = Legacy(self, "analytics")
        self.evals = Legacy(self, "evals")
        self.events = Legacy(self, "events")
        self.communication_runs = Legacy(self, "communication_runs")

    def with_options(self, *, timeout: Optional[float] = None, max_retries: Optional[int] = None) -> "KaiCalls":
        """The same client with other defaults, over the same connections."""
        other = copy.copy(self)
        other.timeout = self.timeout if timeout is None else timeout
        other.max_retries = self.max_retries if max_retries is None else max_retries
        other._owns_http = False
        other._make_resources()
        return other

    def request(
        self,
        method: str,
        path: str,
        query: Optional[Mapping[str, Any]] = None,
        body: Optional[Mapping[str, Any]] = None,
        headers: Optional[Dict[str, str]] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> Any:
        """Any request, for what has no method yet: ``kai.request("GET", "/api/v1/capabilities")``."""
        asked: RequestOptions = {**(options or {})}
        asked["headers"] = {**asked.get("headers", {}), **(headers or {})}
        return answer(self._request(method, path, query, body, asked, False, False), KaiObject)

    def _request(
        self,
        method: str,
        path: str,
        query: Optional[Mapping[str, Any]],
        body: Optional[Mapping[str, Any]],
        options: Optional[RequestOptions],
        idempotent: bool,
        session: bool,
    ) -> Response:
        request = self._prepare(method, path, query, body, options, idempotent, session)
        while True:
            self._sending(request)
            try:
                received = self._http.request(
                    request.method,
                    self.base_url + request.path,
                    params=request.query,
                    json=request.body,
                    headers=request.headers,
                    timeout=request.timeout,
                )
                response = Response(received.status_code, received.headers, received.text)
            except httpx.TransportError as error:
                wait = self._lost(request, error)
            else:
                self._received(request, response)
                wait = self._again(request, response)
                if wait is None:
                    return response
            time.sleep(wait or 0.0)
            request.attempt += 1

    def _lines(self, path: str, query: Mapping[str, Any], headers: Mapping[str, str], timeout: float) -> Iterator[str]:
        """The lines of an answer as they come."""
        request = self._prepare("GET", path, query, None, {"headers": {**headers}}, False, False)
        with self._http.stream(
            "GET", self.base_url + path, params=request.query, headers=request.headers, timeout=timeout
        ) as received:
            if received.status_code != 200:
                received.read()
                response = Response(received.status_code, received.headers, received.text)
                raise from_answer(response.status, response.json(), response.headers)
            yield from received.iter_lines()

    def _download(self, url: str) -> Tuple[str, bytes]:
        """A file behind a link that needs no key."""
        received = self._http.get(url, timeout=self.timeout, follow_redirects=True)
        if received.status_code >= 400:
            raise from_answer(received.status_code, None, received.headers)
        return received.headers.get("content-type", ""), received.content

    def close(self) -> None:
        """Closes the connections."""
        if self._owns_http:
            self._http.close()

    def __enter__(self) -> "KaiCalls":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


class AsyncKaiCalls(_Common):
    """A client for ``async`` code; takes what :class:`KaiCalls` takes, and ``http_client`` is an ``httpx.AsyncClient``.

    Cancelling a task cancels its request.
    """

    def __init__(
        self,
        api_key: Optional[str] = None,
        base_url: Optional[str] = None,
        timeout: float = DEFAULT_TIMEOUT,
        *,
        max_retries: int = DEFAULT_RETRIES,
        default_headers: Optional[Mapping[str, str]] = None,
        http_client: Optional[httpx.AsyncClient] = None,
        on_request: Optional[RequestHook] = None,
        on_response: Optional[ResponseHook] = None,
    ) -> None:
        key, url = settings(api_key, base_url)
        super().__init__(key, url, timeout, max_retries, default_headers, on_request, on_response)
        self._owns_http = http_client is None
        self._http = http_client or httpx.AsyncClient()
        self._make_resources()

    @classmethod
    async def login(cls, email: str, password: str, base_url: Optional[str] = None, **more: Any) -> "AsyncKaiCalls":
        """A client with a login and without a key, for ``kai.keys``."""
        kai = cls(more.pop("api_key", None) or "login", address(base_url), **more)
        await kai.session.create(email=email, password=password)
        return kai

    def _make_resources(self) -> None:
        self.calls = aio.AsyncCallsResource(self)
        self.agents = aio.AsyncAgentsResource(self)
        self.leads = aio.AsyncLeadsResource(self)
        self.recordings = aio.AsyncRecordingsResource(self)
        self.transcripts = aio.AsyncTranscriptsResource(self)
        self.numbers = aio.AsyncNumbersResource(self)
        self.balance = aio.AsyncBalanceResource(self)
        self.usage = aio.AsyncUsageResource(self)
        self.keys = aio.AsyncKeysResource(self)
        self.session = aio.AsyncSessionResource(self)
        self.health = aio.AsyncHealthResource(self)
        self.openapi = aio.AsyncOpenapiResource(self)
        self.account = AsyncAccount(self)
        self.discovery = AsyncDiscovery(self)

    def with_options(self, *, timeout: Optional[float] = None, max_retries: Optional[int] = None) -> "AsyncKaiCalls":
        """The same client with other defaults, over the same connections."""
        other = copy.copy(self)
        other.timeout = self.timeout if timeout is None else timeout
        other.max_retries = self.max_retries if max_retries is None else max_retries
        other._owns_http = False
        other._make_resources()
        return other

    async def request(
        self,
        method: str,
        path: str,
        query: Optional[Mapping[str, Any]] = None,
        body: Optional[Mapping[str, Any]] = None,
        headers: Optional[Dict[str, str]] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> Any:
        """Any request, for what has no method yet."""
        asked: RequestOptions = {**(options or {})}
        asked["headers"] = {**asked.get("headers", {}), **(headers or {})}
        return answer(await self._request(method, path, query, body, asked, False, False), KaiObject)

    async def _request(
        self,
        method: str,
        path: str,
        query: Optional[Mapping[str, Any]],
        body: Optional[Mapping[str, Any]],
        options: Optional[RequestOptions],
        idempotent: bool,
        session: bool,
    ) -> Response:
        request = self._prepare(method, path, query, body, options, idempotent, session)
        while True:
            self._sending(request)
            try:
                received = await self._http.request(
                    request.method,
                    self.base_url + request.path,
                    params=request.query,
                    json=request.body,
                    headers=request.headers,
                    timeout=request.timeout,
                )
                response = Response(received.status_code, received.headers, received.text)
            except httpx.TransportError as error:
                wait = self._lost(request, error)
            else:
                self._received(request, response)
                wait = self._again(request, response)
                if wait is None:
                    return response
            await asyncio.sleep(wait or 0.0)
            request.attempt += 1

    async def _lines(
        self, path: str, query: Mapping[str, Any], headers: Mapping[str, str], timeout: float
    ) -> AsyncIterator[str]:
        """The lines of an answer as they come."""
        request = self._prepare("GET", path, query, None, {"headers": {**headers}}, False, False)
        async with self._http.stream(
            "GET", self.base_url + path, params=request.query, headers=request.headers, timeout=timeout
        ) as received:
            if received.status_code != 200:
                await received.aread()
                response = Response(received.status_code, received.headers, received.text)
                raise from_answer(response.status, response.json(), response.headers)
            async for line in received.aiter_lines():
                yield line

    async def _download(self, url: str) -> Tuple[str, bytes]:
        """A file behind a link that needs no key."""
        received = await self._http.get(url, timeout=self.timeout, follow_redirects=True)
        if received.status_code >= 400:
            raise from_answer(received.status_code, None, received.headers)
        return received.headers.get("content-type", ""), received.content

    async def close(self) -> None:
        """Closes the connections."""
        if self._owns_http:
            await self._http.aclose()

    async def __aenter__(self) -> "AsyncKaiCalls":
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.close()


class _SessionTransport(httpx.BaseTransport):
    """Sends with a ``requests.Session``, whose retries, proxies and hooks then apply."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        timeouts = cast(Dict[str, Optional[float]], request.extensions.get("timeout") or {})
        answered = self._session.request(
            request.method,
            str(request.url),
            data=request.read(),
            headers=dict(request.headers),
            timeout=timeouts.get("read"),
            allow_redirects=False,
        )
        hidden = {"content-encoding", "transfer-encoding", "content-length"}
        headers: List[Tuple[str, str]] = [
            (name, value) for name, value in answered.headers.items() if name.lower() not in hidden
        ]
        return httpx.Response(answered.status_code, headers=headers, content=answered.content, request=request)


def _session_transport(session: Any) -> Optional[httpx.BaseTransport]:
    return None if session is None else _SessionTransport(session)
