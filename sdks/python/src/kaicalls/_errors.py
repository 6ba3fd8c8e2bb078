"""Errors, one class per code, each with the id of the request and with what to do."""

from __future__ import annotations

import math
import sys
import time
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar, Dict, List, Mapping, Optional, Type, cast


class KaiCallsError(Exception):
    """Something went wrong. Every error of this package is one of these.

    ``str(error)`` is the message alone. From Python 3.11 on a traceback also shows status, code, request id and what to do.
    """

    _plain: ClassVar[Optional[Type[KaiCallsError]]] = None

    status: int
    """HTTP status; 0 if there was no answer."""
    code: str
    """The API's code, like ``not_found``."""
    body: Any
    """The answer as it came."""
    request_id: Optional[str]
    """Under which the server's log has it."""
    hint: Optional[str]
    """What to do about it."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        body: Any = None,
        *,
        request_id: Optional[str] = None,
        headers: Optional[Mapping[str, str]] = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.body = body
        self.request_id = request_id
        self.headers: Dict[str, str] = dict(headers or {})
        self.hint = _HINTS.get(code)
        facts = [f"{status} {code}" if status else "", f"request {request_id}" if request_id else ""]
        notes = [", ".join(fact for fact in facts if fact), self.hint or ""]
        self.__dict__["__notes__"] = [note for note in notes if note]

    def __repr__(self) -> str:
        return f"{type(self).__name__}(status={self.status}, code={self.code!r}, message={self.message!r})"

    def __reduce__(self) -> Any:
        return _rebuild, (self._plain or type(self), self.status, self.code, self.message, self.body, self.request_id, self.headers)


def _rebuild(
    kind: Type[KaiCallsError],
    status: int,
    code: str,
    message: str,
    body: Any,
    request_id: Optional[str],
    headers: Dict[str, str],
) -> KaiCallsError:
    return kind(status, code, message, body, request_id=request_id, headers=headers)


class APIError(KaiCallsError):
    """The server answered, and not with what was asked for."""


class InvalidRequestError(APIError):
    """Something in the request is not as the API wants it; ``fields`` says what."""

    @property
    def fields(self) -> List[Dict[str, str]]:
        """``[{"field": …, "expected": …}]``."""
        fields = _at(_at(_at(self.body, "error"), "details"), "fields")
        return cast(List[Dict[str, str]], fields) if isinstance(fields, list) else []


def _at(value: Any, name: str) -> Any:
    """A field, if there is one."""
    return cast(Dict[str, Any], value).get(name) if isinstance(value, dict) else None


class AuthenticationError(APIError):
    """The key is missing, wrong, expired or revoked."""


class PermissionDeniedError(APIError):
    """The key lacks a scope, or the business is another's."""


class NotFoundError(APIError):
    """There is no such thing, or not for this key."""


class ConflictError(APIError):
    """Somebody else changed it, or the idempotency key was used for something else."""


class RateLimitedError(APIError):
    """Too many requests, even after waiting and trying again."""

    @property
    def retry_after(self) -> Optional[float]:
        """Seconds to wait, as the server says."""
        return retry_after(self.headers)


class VapiError(APIError):
    """The voice platform refused the agent."""


class CallFailedError(APIError):
    """The call could not be started."""


class InternalServerError(APIError):
    """The server failed."""


class InvalidResponseError(APIError):
    """The server, or something on the way to it, answered with success and with something that is no JSON."""


class APIConnectionError(KaiCallsError):
    """No answer: the network, the address, or the certificate."""


class APITimeoutError(APIConnectionError):
    """No answer in time."""


class WaitTimeoutError(KaiCallsError):
    """The call still ran when the time to wait was over; ``call`` is how it stood."""

    @property
    def call(self) -> Any:
        """The call as it was last seen."""
        return self.body


class WebhookVerificationError(KaiCallsError):
    """The message is not from the server, is too old, or was changed on its way."""

    def __init__(self, message: str, code: str = "webhook_invalid") -> None:
        super().__init__(0, code, message)

    def __reduce__(self) -> Any:
        return WebhookVerificationError, (self.message, self.code)


_CLASSES: Dict[str, Type[APIError]] = {
    "invalid_request": InvalidRequestError,
    "unauthorized": AuthenticationError,
    "forbidden": PermissionDeniedError,
    "not_found": NotFoundError,
    "conflict": ConflictError,
    "idempotency_conflict": ConflictError,
    "rate_limited": RateLimitedError,
    "vapi_error": VapiError,
    "call_failed": CallFailedError,
    "internal_error": InternalServerError,
}

_BY_STATUS: Dict[int, Type[APIError]] = {
    400: InvalidRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    429: RateLimitedError,
}

_HINTS: Dict[str, str] = {
    "unauthorized": "Check the API key: it begins with kc_live_ or kc_test_, and comes from KAICALLS_API_KEY if not given.",
    "forbidden": "Make a key with the scope that the message names, or one for this business.",
    "not_found": "Check the id, and that the key may see this business; live and test keys see different calls.",
    "rate_limited": "Wait as long as `retry_after` says, or spread the requests.",
    "call_failed": "The call exists and has failed; its `error` says why. Test keys need no carrier.",
    "idempotency_conflict": "Use a new idempotency key for a new request.",
    "invalid_response": "Does `base_url` name the server itself, and not a page or a proxy in front of it?",
    "connection_error": "Is the server running there? Check `base_url` or KAICALLS_BASE_URL.",
    "timeout": "Raise `timeout`, or look whether the server is overloaded.",
    "wait_timeout": "The call goes on: call `wait` again, or give it a larger `timeout`.",
}


def from_answer(status: int, body: Any, headers: Mapping[str, str]) -> APIError:
    """The error that an answer means."""
    error: Any = cast(Any, body).get("error") if isinstance(body, dict) else None
    details = cast(Dict[str, Any], error) if isinstance(error, dict) else {}
    code = str(details.get("code") or f"http_{status}")
    message = str(details.get("message") or f"KaiCalls API error (HTTP {status})")
    fallback: Type[APIError] = InternalServerError if status >= 500 else APIError
    kind = _CLASSES.get(code) or _BY_STATUS.get(status) or fallback
    return kind(status, code, message, body, request_id=headers.get("x-request-id"), headers=headers)


def retry_after(headers: Mapping[str, str]) -> Optional[float]:
    """Seconds that the server asks to wait, in whichever form it says so."""
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - time.time()
        except (IndexError, TypeError, ValueError):
            return None
    return None if math.isnan(seconds) else max(0.0, seconds)


def lost(kind: Type[APIConnectionError], code: str, message: str) -> APIConnectionError:
    """The error of a request without an answer.

    A program that caught what ``requests`` raises, as programs of the first package had to, catches this too: where ``requests`` is
    loaded, the error is also one of its own.
    """
    return (_of_requests(kind) if "requests" in sys.modules else kind)(0, code, message)


_OF_REQUESTS: Dict[Type[APIConnectionError], Type[APIConnectionError]] = {}


def _of_requests(kind: Type[APIConnectionError]) -> Type[APIConnectionError]:
    if kind not in _OF_REQUESTS:
        exceptions: Any = sys.modules["requests"].exceptions
        other = exceptions.Timeout if issubclass(kind, APITimeoutError) else exceptions.ConnectionError
        made: Any = type(kind.__name__, (kind, other), {"__doc__": kind.__doc__, "_plain": kind})
        _OF_REQUESTS[kind] = made
    return _OF_REQUESTS[kind]
