"""The client without its constructor: requests with their retries, streams, files."""

# Made by `cargo xtask codegen` from the module of this name in `_async`; do not edit.

from __future__ import annotations

import copy
from typing import Any, Iterator, Dict, Mapping, Optional, Type, TypeVar, cast

from .._base import Request, RequestOptions, Response, address, answer, body_of
from .._common import Common, RequestHook, ResponseHook
from .._errors import from_answer
from .._object import KaiObject, wrap
from .._transport import Http, Refused, exchange, lines, sleep, failures
from . import legacy, resources

Self = TypeVar("Self", bound="Client")


class Client(Common):
    """What a client does, whatever it was made with."""

    def __init__(
        self,
        http: Http,
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
        self.calls = resources.CallsResource(self)
        self.agents = resources.AgentsResource(self)
        self.leads = resources.LeadsResource(self)
        self.consents = resources.ConsentsResource(self)
        self.recordings = resources.RecordingsResource(self)
        self.transcripts = resources.TranscriptsResource(self)
        self.numbers = resources.NumbersResource(self)
        self.webhooks = resources.WebhooksResource(self)
        self.events = resources.EventsResource(self)
        self.sandbox = resources.SandboxResource(self)
        self.balance = resources.BalanceResource(self)
        self.usage = resources.UsageResource(self)
        self.keys = resources.KeysResource(self)
        self.workspaces = resources.WorkspacesResource(self)
        self.audit = resources.AuditResource(self)
        self.session = resources.SessionResource(self)
        self.health = resources.HealthResource(self)
        self.capabilities = resources.CapabilitiesResource(self)
        self.schemas = resources.SchemasResource(self)
        self.openapi = resources.OpenapiResource(self)
        self.account = legacy.Account(self)
        self.discovery = legacy.Discovery(self)
        self.sms = legacy.Sms(self)
        self.phone_numbers = legacy.PhoneNumbers(self)
        self.analytics = legacy.Analytics(self)
        self.evals = legacy.Evals(self)
        self.communication_runs = legacy.CommunicationRuns(self)

    @classmethod
    def login(cls: Type[Self], email: str, password: str, base_url: Optional[str] = None, **more: Any) -> Self:
        """A client with a login and without a key, for ``kai.keys``."""
        kai = cast(Any, cls)(more.pop("api_key", None) or "login", address(base_url), **more)
        kai.session.create(email=email, password=password)
        return cast(Self, kai)

    def with_options(self: Self, *, timeout: Optional[float] = None, max_retries: Optional[int] = None) -> Self:
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
        """Any request, for what has no method yet: ``kai.request("GET", "/api/v1/analytics/calls")``."""
        asked: RequestOptions = {**(options or {})}
        asked["headers"] = {**asked.get("headers", {}), **(headers or {})}
        response = self._request(method, path, query, body, asked, False, False)
        found = body_of(response)
        return answer(response, KaiObject) if isinstance(found, dict) else wrap(found)

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
        return self._fetch(self._prepare(method, path, query, body, options, idempotent, session))

    def _fetch(self, request: Request) -> Response:
        """Sends a request, as often as it takes."""
        while True:
            self._sending(request)
            try:
                response = exchange(self._http, request, self._url(request))
            except failures() as error:
                wait: Optional[float] = self._lost(request, error)
            else:
                self._received(request, response)
                wait = self._again(request, response)
                if wait is None:
                    return response
            sleep(wait or 0.0)
            request.attempt += 1

    def _lines(self, path: str, query: Mapping[str, Any], headers: Mapping[str, str], timeout: float) -> Iterator[str]:
        """The lines of an answer as they come."""
        options: RequestOptions = {"headers": {**headers}, "timeout": timeout}
        request = self._prepare("GET", path, query, None, options, False, False)
        self._sending(request)
        try:
            for line in lines(self._http, request, self._url(request)):
                yield line
        except Refused as refused:
            self._received(request, refused.response)
            raise from_answer(refused.response.status, refused.response.json(), refused.response.headers) from None
        except failures() as error:
            raise self._lost_for_good(request, error) from error

    def _download(self, url: str) -> bytes:
        """A file behind a link that needs no key."""
        response = self._fetch(self._link(url))
        if response.status != 200:
            raise from_answer(response.status, response.json(), response.headers)
        return response.content

    def close(self) -> None:
        """Closes the connections."""
        if self._owns_http:
            self._http.close()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
