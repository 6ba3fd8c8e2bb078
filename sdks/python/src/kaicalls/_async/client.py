"""The client without its constructor: requests with their retries, streams, files."""

from __future__ import annotations

import copy
from typing import Any, AsyncIterator, Dict, Mapping, Optional, Type, TypeVar, cast

from .._base import Request, RequestOptions, Response, address, answer, body_of
from .._common import Common, RequestHook, ResponseHook
from .._errors import from_answer
from .._object import KaiObject, wrap
from .._transport import AsyncHttp, Refused, aexchange, alines, asleep, failures
from . import legacy, resources

Self = TypeVar("Self", bound="AsyncClient")


class AsyncClient(Common):
    """What a client does, whatever it was made with."""

    def __init__(
        self,
        http: AsyncHttp,
        owns_http: bool,
        api_key: str,
        base_url: str,
        timeout: float,
        max_retries: int,
        default_headers: Optional[Mapping[str, str]],
        on_request: Optional[RequestHook],
        on_response: Optional[ResponseHook],
    ) -> None:
        super().__init__(api_key, base_url, timeout, max_retries, default_headers, on_request, on_response)
        self._http = http
        self._owns_http = owns_http
        self._make_resources()

    def _make_resources(self) -> None:
        self.calls = resources.AsyncCallsResource(self)
        self.agents = resources.AsyncAgentsResource(self)
        self.leads = resources.AsyncLeadsResource(self)
        self.consents = resources.AsyncConsentsResource(self)
        self.recordings = resources.AsyncRecordingsResource(self)
        self.transcripts = resources.AsyncTranscriptsResource(self)
        self.numbers = resources.AsyncNumbersResource(self)
        self.webhooks = resources.AsyncWebhooksResource(self)
        self.events = resources.AsyncEventsResource(self)
        self.sandbox = resources.AsyncSandboxResource(self)
        self.balance = resources.AsyncBalanceResource(self)
        self.usage = resources.AsyncUsageResource(self)
        self.keys = resources.AsyncKeysResource(self)
        self.workspaces = resources.AsyncWorkspacesResource(self)
        self.audit = resources.AsyncAuditResource(self)
        self.session = resources.AsyncSessionResource(self)
        self.health = resources.AsyncHealthResource(self)
        self.capabilities = resources.AsyncCapabilitiesResource(self)
        self.schemas = resources.AsyncSchemasResource(self)
        self.openapi = resources.AsyncOpenapiResource(self)
        self.account = legacy.AsyncAccount(self)
        self.discovery = legacy.AsyncDiscovery(self)
        self.sms = legacy.AsyncSms(self)
        self.phone_numbers = legacy.AsyncPhoneNumbers(self)
        self.analytics = legacy.AsyncAnalytics(self)
        self.evals = legacy.AsyncEvals(self)
        self.communication_runs = legacy.AsyncCommunicationRuns(self)

    @classmethod
    async def login(cls: Type[Self], email: str, password: str, base_url: Optional[str] = None, **more: Any) -> Self:
        """A client with a login and without a key, for ``kai.keys``."""
        kai = cast(Any, cls)(more.pop("api_key", None) or "login", address(base_url), **more)
        await kai.session.create(email=email, password=password)
        return cast(Self, kai)

    def with_options(self: Self, *, timeout: Optional[float] = None, max_retries: Optional[int] = None) -> Self:
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
        """Any request, for what has no method yet: ``kai.request("GET", "/api/v1/analytics/calls")``."""
        asked: RequestOptions = {**(options or {})}
        asked["headers"] = {**asked.get("headers", {}), **(headers or {})}
        response = await self._request(method, path, query, body, asked, False, False)
        found = body_of(response)
        return answer(response, KaiObject) if isinstance(found, dict) else wrap(found)

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
        return await self._fetch(self._prepare(method, path, query, body, options, idempotent, session))

    async def _fetch(self, request: Request) -> Response:
        """Sends a request, as often as it takes."""
        while True:
            self._sending(request)
            try:
                response = await aexchange(self._http, request, self._url(request))
            except failures() as error:
                wait: Optional[float] = self._lost(request, error)
            else:
                self._received(request, response)
                wait = self._again(request, response)
                if wait is None:
                    return response
            await asleep(wait or 0.0)
            request.attempt += 1

    async def _lines(self, path: str, query: Mapping[str, Any], headers: Mapping[str, str], timeout: float) -> AsyncIterator[str]:
        """The lines of an answer as they come."""
        options: RequestOptions = {"headers": {**headers}, "timeout": timeout}
        request = self._prepare("GET", path, query, None, options, False, False)
        self._sending(request)
        try:
            async for line in alines(self._http, request, self._url(request)):
                yield line
        except Refused as refused:
            self._received(request, refused.response)
            raise from_answer(refused.response.status, refused.response.json(), refused.response.headers) from None
        except failures() as error:
            raise self._lost_for_good(request, error) from error

    async def _download(self, url: str) -> bytes:
        """A file behind a link that needs no key."""
        response = await self._fetch(self._link(url))
        if response.status != 200:
            raise from_answer(response.status, response.json(), response.headers)
        return response.content

    async def close(self) -> None:
        """Closes the connections."""
        if self._owns_http:
            await self._http.aclose()

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.close()
