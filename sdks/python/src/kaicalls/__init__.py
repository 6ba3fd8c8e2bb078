"""KaiCalls: give your AI agent a phone.

    from kaicalls import KaiCalls

    kai = KaiCalls()                                  # KAICALLS_API_KEY, KAICALLS_BASE_URL
    call = kai.calls.create(agent_id="…", to="+15005550006", name="John Smith")
    print(kai.calls.wait(call.id).summary)
"""

from . import types, webhooks
from ._base import NULL, Request, RequestOptions, Response
from ._errors import (
    APIConnectionError,
    APIError,
    APITimeoutError,
    AuthenticationError,
    CallFailedError,
    ConflictError,
    InternalServerError,
    InvalidRequestError,
    InvalidResponseError,
    KaiCallsError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    VapiError,
    WaitTimeoutError,
    WebhookVerificationError,
)
from ._events import CallEvent
from ._object import KaiObject, Page
from ._version import __version__
from .client import AsyncKaiCalls, KaiCalls, signup

__all__ = [
    "NULL",
    "APIConnectionError",
    "APIError",
    "APITimeoutError",
    "AsyncKaiCalls",
    "AuthenticationError",
    "CallEvent",
    "CallFailedError",
    "ConflictError",
    "InternalServerError",
    "InvalidRequestError",
    "InvalidResponseError",
    "KaiCalls",
    "KaiCallsError",
    "KaiObject",
    "NotFoundError",
    "Page",
    "PermissionDeniedError",
    "RateLimitedError",
    "Request",
    "RequestOptions",
    "Response",
    "VapiError",
    "WaitTimeoutError",
    "WebhookVerificationError",
    "__version__",
    "signup",
    "types",
    "webhooks",
]
