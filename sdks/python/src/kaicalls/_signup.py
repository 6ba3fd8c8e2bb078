"""Making an account, where a server offers that."""

from __future__ import annotations

from typing import Any, Optional

from ._base import DEFAULT_TIMEOUT, compact
from ._client import KaiCalls
from ._object import KaiObject


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
) -> KaiObject:
    """Makes an account where the server takes new ones; the answer holds its first ``api_key``.

    A server of your own makes accounts with ``kaicalls setup`` instead and answers 404 here.
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
        found: KaiObject = kai.request("POST", "/api/v1/signup", body=compact(fields))
        return found
