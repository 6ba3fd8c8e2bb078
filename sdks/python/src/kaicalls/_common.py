"""What both clients know before and after an exchange: headers, retries, what a lost answer means. Nothing here does any IO."""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping, Optional, TypeVar

from ._base import Request, RequestOptions, Response, checked_timeout, is_final, logger, new_idempotency_key, pause
from ._errors import APIConnectionError, APITimeoutError, lost
from ._transport import was_late, was_never_sent
from ._version import __version__

RequestHook = Callable[[Request], None]
ResponseHook = Callable[[Request, Response], None]
Self = TypeVar("Self", bound="Common")


class Common:
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
        self.timeout = checked_timeout(timeout)
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
        unknown = [name for name in asked if name not in RequestOptions.__annotations__]
        if unknown:
            raise TypeError(f"unknown option {unknown[0]!r}; known are {', '.join(RequestOptions.__annotations__)}")
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
        return Request(method.upper(), path, query or {}, body, headers, checked_timeout(timeout), retries)

    def _url(self, request: Request) -> str:
        return request.path if "://" in request.path else self.base_url + request.path

    def _link(self, url: str) -> Request:
        """A request for what a link that needs no key leads to."""
        request = Request("GET", url, {}, None, {"User-Agent": f"kaicalls-python/{__version__}"}, self.timeout, self.max_retries)
        request.follows_redirects = True
        return request

    def _sending(self, request: Request) -> None:
        logger.debug("%s %s, attempt %d", request.method, request.path, request.attempt + 1)
        if self._on_request is not None:
            self._on_request(request)

    def _received(self, request: Request, response: Response) -> None:
        logger.debug("%s %s: %d, request %s", request.method, request.path, response.status, response.request_id)
        if self._on_response is not None:
            self._on_response(request, response)

    def _lost(self, request: Request, error: BaseException) -> float:
        """Seconds until the next attempt after one without an answer; raises if there is none."""
        if request.attempt < request.max_retries and (was_never_sent(error) or request.may_be_repeated):
            logger.info("%s %s: %s; trying again", request.method, request.path, type(error).__name__)
            return pause(None, request.attempt)
        raise self._lost_for_good(request, error) from error

    def _lost_for_good(self, request: Request, error: BaseException) -> APIConnectionError:
        where = f"{request.method} {self._url(request)}"
        if was_late(error):
            return lost(APITimeoutError, "timeout", f"{where}: no answer within {request.timeout:g} s")
        return lost(APIConnectionError, "connection_error", f"{where}: {str(error) or type(error).__name__}")

    def _again(self, request: Request, response: Response) -> Optional[float]:
        """Seconds until the next attempt after an answer; ``None`` if the answer stands."""
        if request.attempt >= request.max_retries or is_final(response):
            return None
        # Where too many requests were made, nothing has happened.
        if response.status != 429 and not request.may_be_repeated:
            return None
        return pause(response, request.attempt)
