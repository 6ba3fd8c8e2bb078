"""What every request has in common: options, retries, spelling. Nothing here does any IO."""

from __future__ import annotations

import functools
import json
import logging
import os
import random
import re
import uuid
from typing import (
    TYPE_CHECKING,
    Any,
    AsyncIterator,
    Awaitable,
    Callable,
    Dict,
    Generator,
    Generic,
    Iterable,
    Mapping,
    Optional,
    Tuple,
    Type,
    TypedDict,
    TypeVar,
    Union,
    cast,
)

from ._errors import InvalidResponseError, KaiCallsError, from_answer, retry_after
from ._object import KaiObject, Page

if TYPE_CHECKING:
    from ._async.client import AsyncClient
    from ._sync.client import Client

logger = logging.getLogger("kaicalls")

#: A server of your own on this machine, as ``kaicalls serve`` starts it.
DEFAULT_BASE_URL = "http://127.0.0.1:8080"
DEFAULT_TIMEOUT = 60.0
DEFAULT_RETRIES = 2

LONGEST_PAUSE = 8.0
LONGEST_ASKED_PAUSE = 60.0
RETRIED = frozenset({408, 429, 500, 502, 503, 504})
#: What is answered with one of these has no body.
EMPTY = frozenset({204, 205})

Model = TypeVar("Model", bound=KaiObject)
PageModel = TypeVar("PageModel", bound="Page[Any]")
Row = TypeVar("Row")
Function = TypeVar("Function", bound=Callable[..., Any])


class Null:
    """Sends null where leaving something out would leave it as it is: ``kai.agents.update(id=…, voice=NULL)``."""

    def __repr__(self) -> str:
        return "NULL"

    def __bool__(self) -> bool:
        return False


NULL = Null()


class RequestOptions(TypedDict, total=False):
    """What may be said about a single request."""

    timeout: float
    """Seconds until an answer must be there."""
    max_retries: int
    """How often to try again."""
    headers: Dict[str, str]
    """More headers."""
    idempotency_key: str
    """Instead of one made for this request. Two requests with the same key have one effect."""
    extra: Dict[str, Any]
    """More fields of the request, for a server that knows some that this package does not."""


class Request:
    """A request about to be sent; hooks may look at it and change its headers."""

    def __init__(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        body: Optional[Mapping[str, Any]],
        headers: Dict[str, str],
        timeout: float,
        max_retries: int,
    ) -> None:
        self.method = method
        self.path = path
        self.query = encode_query(query)
        self.body = None if body is None else compact(body)
        self.headers = headers
        self.timeout = timeout
        self.max_retries = max_retries
        self.attempt = 0
        self.follows_redirects = False

    @property
    def may_be_repeated(self) -> bool:
        """True if a second attempt does no harm although the first may have had its effect."""
        return self.method != "POST" or "Idempotency-Key" in self.headers

    def __repr__(self) -> str:
        return f"Request({self.method} {self.path}, attempt {self.attempt + 1})"


class Response:
    """An answer as it came."""

    def __init__(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.status = status
        self.headers: Dict[str, str] = {name.lower(): value for name, value in headers.items()}
        self.content = content

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode("utf-8", "replace")

    @property
    def request_id(self) -> Optional[str]:
        """Under which the server's log has it."""
        return self.headers.get("x-request-id")

    def json(self) -> Any:
        """The body; its text if it is no JSON, ``None`` if there is none."""
        if not self.content.strip():
            return None
        try:
            return json.loads(self.content)
        except ValueError:
            return self.text

    def __repr__(self) -> str:
        return f"Response({self.status}, request_id={self.request_id!r})"


def compact(fields: Mapping[str, Any]) -> Dict[str, Any]:
    """Without what was not given; with null where null was asked for."""
    return {name: None if isinstance(value, Null) else value for name, value in fields.items() if value is not None}


def encode_query(query: Mapping[str, Any]) -> Dict[str, Union[str, int, float]]:
    """Query values as they go into an address: several in one, times as text."""
    encoded: Dict[str, Union[str, int, float]] = {}
    for name, value in query.items():
        if value is None or isinstance(value, Null):
            continue
        if isinstance(value, bool):
            encoded[name] = "true" if value else "false"
        elif isinstance(value, (str, int, float)):
            encoded[name] = value
        elif hasattr(value, "isoformat"):
            encoded[name] = value.isoformat()
        elif isinstance(value, Iterable):
            encoded[name] = ",".join(str(item) for item in cast("Iterable[Any]", cast(object, value)))
        else:
            encoded[name] = str(value)
    return encoded


_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")


def snake(name: str) -> str:
    """``firstMessage`` as ``first_message``."""
    return _HUMP.sub(lambda hump: "_" + hump.group(1).lower(), name)


def spelled(function: Function) -> Function:
    """Lets arguments be spelled ``firstMessage`` as well as ``first_message``, and what is got be named ``id``."""
    code = function.__code__
    known = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    required = code.co_varnames[1 : code.co_argcount - len(function.__defaults__ or ())]
    by_id = known[0] if known and known[0].endswith("_id") and function.__name__ == "get" else None

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        for name in list(kwargs):
            if name in known:
                continue
            other = by_id if name == "id" and by_id else snake(name)
            if other in known and other not in kwargs:
                kwargs[other] = kwargs.pop(name)
        # An id that is not there reads as None, and without it the request would mean something else.
        for name, value in [*zip(required, args[1:]), *kwargs.items()]:
            if value is None and name in required:
                raise TypeError(f"{function.__qualname__}() needs {name}, and got None")
        return function(*args, **kwargs)

    return cast(Function, wrapper)


def pause(response: Optional[Response], attempt: int) -> float:
    """Seconds before the next attempt: what the server asks for, else a random part of a growing time."""
    if response is not None:
        asked = retry_after(response.headers)
        if asked is not None:
            return asked
    return random.uniform(0.5, 1.0) * min(LONGEST_PAUSE, 0.5 * 2.0**attempt)


def is_final(response: Response) -> bool:
    """True if asking again would not change the answer."""
    if response.status not in RETRIED:
        return True
    # Nobody waits that long for an answer, and asking earlier is what the server does not want.
    if (retry_after(response.headers) or 0.0) > LONGEST_ASKED_PAUSE:
        return True
    body = response.json()
    error: Any = cast(Any, body).get("error") if isinstance(body, dict) else None
    code = cast(Any, error).get("code") if isinstance(error, dict) else None
    # The call exists and has failed; a new attempt would be a new call.
    return code == "call_failed"


def settings(api_key: Optional[str], base_url: Optional[str]) -> Tuple[str, str]:
    """Key and address from the arguments or the environment."""
    key = os.environ.get("KAICALLS_API_KEY", "") if api_key is None else api_key
    if not key:
        raise ValueError(
            "KaiCalls: api_key is required. Give KaiCalls(api_key=\"kc_test_…\") or set KAICALLS_API_KEY; "
            "`kaicalls keys create --mode test` makes one"
        )
    if not key.isascii() or any(character.isspace() for character in key):
        raise ValueError("KaiCalls: api_key holds a space, a line break or another character that no key has")
    return key, address(base_url)


def address(base_url: Optional[str]) -> str:
    """The server's address, with or without what follows in paths."""
    url = (base_url or os.environ.get("KAICALLS_BASE_URL") or DEFAULT_BASE_URL).strip().rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"KaiCalls: base_url must begin with http:// or https://, not {url!r}")
    for suffix in ("/api/v1", "/api"):
        if url.endswith(suffix):
            url = url[: -len(suffix)]
    return url


def checked_timeout(seconds: float) -> float:
    """Seconds in which an answer can come."""
    if not seconds > 0:
        raise ValueError(f"KaiCalls: timeout must be more than 0 seconds, not {seconds!r}")
    return seconds


def new_idempotency_key() -> str:
    """A key that nobody used before."""
    return str(uuid.uuid4())


def body_of(response: Response) -> Any:
    """What a good answer holds; an error if it is not a good one."""
    body = response.json()
    if not 200 <= response.status < 300:
        raise from_answer(response.status, body, response.headers)
    has_none = body is None and not response.content.strip()
    if isinstance(body, str) or (has_none and response.status not in EMPTY):
        raise InvalidResponseError(
            response.status,
            "invalid_response",
            f"The answer is no JSON, or only the beginning of it: {response.text[:60]!r}",
            body,
            request_id=response.request_id,
            headers=response.headers,
        )
    return body


def answer(response: Response, model: Type[Model]) -> Model:
    """The answer as an object; an error if it is one."""
    body = body_of(response)
    result = model(body) if isinstance(body, dict) else cast(Model, KaiObject() if body is None else KaiObject(data=body))
    result.__dict__["last_response"] = response
    return result


class Resource:
    """A part of the API behind a client."""

    def __init__(self, client: "Client") -> None:
        self._client = client

    def _send(
        self,
        model: Type[Model],
        method: str,
        path: str,
        *,
        query: Optional[Mapping[str, Any]] = None,
        body: Optional[Mapping[str, Any]] = None,
        options: Optional[RequestOptions] = None,
        idempotent: bool = False,
        session: bool = False,
    ) -> Model:
        query, body = merged(query, body, options)
        return answer(self._client._request(method, path, query, body, options, idempotent, session), model)

    def _pages(
        self,
        model: Type[PageModel],
        method: str,
        path: str,
        *,
        query: Optional[Mapping[str, Any]] = None,
        options: Optional[RequestOptions] = None,
        session: bool = False,
    ) -> PageModel:
        query, _ = merged(query, None, options)

        def page(query: Mapping[str, Any]) -> PageModel:
            found = answer(self._client._request(method, path, query, None, options, False, session), model)

            def more(cursor: str) -> PageModel:
                return page({**query, "after": cursor})

            found.__dict__["_more"] = more
            return found

        return page(query or {})


class AsyncResource:
    """A part of the API behind an asynchronous client."""

    def __init__(self, client: "AsyncClient") -> None:
        self._client = client

    async def _send(
        self,
        model: Type[Model],
        method: str,
        path: str,
        *,
        query: Optional[Mapping[str, Any]] = None,
        body: Optional[Mapping[str, Any]] = None,
        options: Optional[RequestOptions] = None,
        idempotent: bool = False,
        session: bool = False,
    ) -> Model:
        query, body = merged(query, body, options)
        return answer(await self._client._request(method, path, query, body, options, idempotent, session), model)

    def _pages(
        self,
        model: Type[PageModel],
        method: str,
        path: str,
        *,
        query: Optional[Mapping[str, Any]] = None,
        options: Optional[RequestOptions] = None,
        session: bool = False,
    ) -> "AsyncPager[PageModel, Any]":
        query, _ = merged(query, None, options)
        wanted: Mapping[str, Any] = query or {}

        async def fetch(cursor: Optional[str]) -> PageModel:
            asked = wanted if cursor is None else {**wanted, "after": cursor}
            return answer(await self._client._request(method, path, asked, None, options, False, session), model)

        return AsyncPager(fetch)


class AsyncPager(Generic[PageModel, Row]):
    """``await`` it for the first page, or ``async for`` over the rows of all pages."""

    def __init__(self, fetch: Callable[[Optional[str]], Awaitable[PageModel]]) -> None:
        self._fetch = fetch

    def __await__(self) -> Generator[Any, None, PageModel]:
        return self._fetch(None).__await__()

    async def pages(self) -> AsyncIterator[PageModel]:
        """The pages, one after the other."""
        cursor: Optional[str] = None
        while True:
            page = await self._fetch(cursor)
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return

    async def __aiter__(self) -> AsyncIterator[Row]:
        async for page in self.pages():
            for row in page.rows:
                yield row


def merged(
    query: Optional[Mapping[str, Any]], body: Optional[Mapping[str, Any]], options: Optional[RequestOptions]
) -> Tuple[Optional[Mapping[str, Any]], Optional[Mapping[str, Any]]]:
    """What was named and what this package does not know yet, together."""
    extra = (options or {}).get("extra")
    if not extra:
        return query, body
    if body is not None:
        return query, {**body, **extra}
    return {**(query or {}), **extra}, None


__all__ = [
    "NULL",
    "AsyncPager",
    "AsyncResource",
    "KaiCallsError",
    "Null",
    "Request",
    "RequestOptions",
    "Resource",
    "Response",
    "spelled",
]
