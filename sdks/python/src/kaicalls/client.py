"""The clients.

The first KaiCalls package had its client here too, so ``from kaicalls.client import KaiCalls`` is understood.
"""

from __future__ import annotations

# Programs of the first package replace `kaicalls.client.time.sleep` in their tests.
import time as time
from typing import Any, Mapping, Optional

import httpx

from ._async.client import AsyncClient
from ._base import DEFAULT_BASE_URL, DEFAULT_RETRIES, DEFAULT_TIMEOUT, answer, compact, settings
from ._common import RequestHook, ResponseHook
from ._errors import KaiCallsError
from ._object import KaiObject
from ._sync.client import Client
from ._transport import Session, bounded_client
from .types import AccountCreated

__all__ = ["DEFAULT_BASE_URL", "DEFAULT_TIMEOUT", "AsyncKaiCalls", "KaiCalls", "KaiCallsError", "KaiObject", "signup"]


class KaiCalls(Client):
    """A client.

    Args:
        api_key: ``kc_live_…`` or ``kc_test_…``; from ``KAICALLS_API_KEY`` if not given.
        base_url: The server, with or without ``/api/v1``; from ``KAICALLS_BASE_URL`` if not given, otherwise the one on this machine.
        timeout: Seconds until the whole answer must be there.
        session: A ``requests.Session`` to send with, as the first KaiCalls package took one. It takes ``timeout`` as the longest
            silence, as ``requests`` does.
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
        http = http_client or (bounded_client() if session is None else Session(session))
        owns = http_client is None
        super().__init__(http, owns, key, url, timeout, max_retries, default_headers, on_request, on_response)


class AsyncKaiCalls(AsyncClient):
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
        http, owns = http_client or httpx.AsyncClient(), http_client is None
        super().__init__(http, owns, key, url, timeout, max_retries, default_headers, on_request, on_response)


def signup(
    business_name: str,
    email: str,
    business_type: Optional[str] = None,
    website: Optional[str] = None,
    phone_forward_to: Optional[str] = None,
    plan_id: Optional[str] = None,
    base_url: Optional[str] = None,
    session: Any = None,
    timeout: float = DEFAULT_TIMEOUT,
) -> AccountCreated:
    """Makes an account where the server takes new ones; the answer holds its first ``api_key``.

    A server of your own answers 403 here unless its setting ``signups_per_hour`` lets people sign up.
    """
    fields = {
        "business_name": business_name,
        "email": email,
        "business_type": business_type,
        "website": website,
        "phone_forward_to": phone_forward_to,
        "plan_id": plan_id,
    }
    with KaiCalls("signup", base_url, timeout, session, max_retries=0) as kai:
        # There is no key yet, so none is sent.
        return answer(kai._request("POST", "/api/v1/signup", None, compact(fields), None, False, True), AccountCreated)
