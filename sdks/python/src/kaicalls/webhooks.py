"""Checking what a server sends to your ``webhook_url``, and signing what your tests send there.

    event = kaicalls.webhooks.verify(await request.body(), request.headers, secret)
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
import uuid
from datetime import datetime, timezone
from typing import Any, Dict, List, Literal, Mapping, Optional, Sequence, Tuple, Union, cast

from ._errors import WebhookVerificationError
from ._object import KaiObject

__all__ = ["TOLERANCE", "CallWebhook", "WebhookVerificationError", "sign", "test_message", "verify"]

TOLERANCE = 300.0
"""Seconds that a message may be old, or from the future."""

Payload = Union[bytes, bytearray, str]
Secret = Union[str, Sequence[str]]


class CallWebhook(KaiObject):
    """How a call ended."""

    event: str
    """``call.completed`` or ``call.failed``; more may follow."""
    call_id: str
    """The call."""
    status: Literal["completed", "failed"]
    """How the call ended."""
    duration: Optional[int]
    """``call.completed``: seconds from answer to end."""
    recording_url: Optional[str]
    """``call.completed``: plays without a key; expires."""
    summary: Optional[str]
    """``call.completed``: what was said."""
    error: Optional[str]
    """``call.failed``: why it never connected, like ``no_answer``."""
    timestamp: str
    """When."""
    event_id: Optional[str]
    """The same on every repetition: remember it to handle each event once."""


def verify(
    payload: Payload, headers: Mapping[str, Any], secret: Secret, *, tolerance: float = TOLERANCE, now: Optional[float] = None
) -> CallWebhook:
    """The event, if the server sent it.

    Args:
        payload: The body's bytes as they came. A body that was parsed and written again has another signature.
        headers: The request's headers, in any case.
        secret: ``whsec_…``, or several while one is being exchanged.
        tolerance: Seconds that the message may be old.
        now: Unix seconds; the clock otherwise.

    Raises:
        WebhookVerificationError: it is not from the server, is too old, or was changed; the message says which.
    """
    body = payload.encode() if isinstance(payload, str) else bytes(payload)
    secrets = [one for one in ([secret] if isinstance(secret, str) else list(secret)) if one]
    if not secrets:
        raise WebhookVerificationError("no webhook secret was given", "webhook_no_secret")
    lower = {str(name).lower(): _text(value) for name, value in dict(headers).items()}
    present = time.time() if now is None else now
    event_id: Optional[str] = lower.get("webhook-id") or lower.get("x-kaicalls-event-id")
    if "webhook-signature" in lower:
        at = _fresh(lower.get("webhook-timestamp"), "webhook-timestamp", present, tolerance)
        signed = f"{lower.get('webhook-id', '')}.{at}.".encode() + body
        given = [part[3:] for part in lower["webhook-signature"].split() if part.startswith("v1,")]
        expected = [_standard(one, signed) for one in secrets]
    elif "x-kaicalls-signature" in lower:
        at = _fresh(lower.get("x-kaicalls-timestamp"), "x-kaicalls-timestamp", present, tolerance)
        signed = f"{at}.".encode() + body
        names = ("x-kaicalls-signature", "x-kaicalls-signature-previous")
        given = [lower[name][7:] for name in names if lower.get(name, "").startswith("sha256=")]
        expected = [hmac.new(one.encode(), signed, hashlib.sha256).hexdigest() for one in secrets]
    else:
        raise WebhookVerificationError(
            "the signature headers are missing: did the request come through a proxy that drops them?",
            "webhook_no_signature",
        )
    if not _any_equal(given, expected):
        raise WebhookVerificationError(
            "the signature does not match: is this the secret of the business, and the body as it came?",
            "webhook_wrong_signature",
        )
    try:
        event: Any = json.loads(body)
    except ValueError:
        raise WebhookVerificationError("the body is signed but is no JSON", "webhook_no_json") from None
    if not isinstance(event, dict):
        raise WebhookVerificationError("the body is signed but is no object", "webhook_no_json")
    found = CallWebhook(cast(Dict[str, Any], event))
    found.setdefault("event_id", event_id)
    return found


def sign(
    payload: Union[Payload, Mapping[str, Any]],
    secret: str,
    *,
    id: Optional[str] = None,
    timestamp: Optional[float] = None,
    event: Optional[str] = None,
) -> Dict[str, str]:
    """The headers that a server would send with this body, for tests of your receiver.

    A mapping is signed as ``json.dumps`` writes it; send exactly those bytes. ``event`` is what the body says if it is not given.
    """
    if isinstance(payload, Mapping):
        payload = json.dumps(payload)
    body = payload.encode() if isinstance(payload, str) else bytes(payload)
    event_id, at = id or str(uuid.uuid4()), str(int(time.time() if timestamp is None else timestamp))
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {
        "content-type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": at,
        "webhook-signature": "v1," + _standard(secret, f"{event_id}.{at}.".encode() + body),
        "x-kaicalls-event": event or _event_of(body),
        "x-kaicalls-event-id": event_id,
        "x-kaicalls-timestamp": at,
        "x-kaicalls-signature": f"sha256={digest}",
    }


def test_message(event: str, secret: str, **fields: Any) -> Tuple[bytes, Dict[str, str]]:
    """A message as a server sends it, body and headers, for tests of your receiver.

    ``event`` is ``call.completed`` or ``call.failed``; another one has the fields that you give and nothing else. Fields replace those
    of the example: ``test_message("call.failed", secret, error="busy")``.
    """
    present = datetime.now(timezone.utc)
    message: Dict[str, Any] = {"event": event}
    if event in _EXAMPLES:
        message.update(call_id=str(uuid.uuid4()), **_EXAMPLES[event])
    message["timestamp"] = present.isoformat(timespec="microseconds").replace("+00:00", "Z")
    message.update(fields)
    body = json.dumps(message).encode()
    return body, sign(body, secret, timestamp=present.timestamp(), event=event)


# It is no test, whatever its name makes a test runner believe.
cast(Any, test_message).__test__ = False

_EXAMPLES: Dict[str, Dict[str, Any]] = {
    "call.completed": {
        "status": "completed",
        "duration": 127,
        "recording_url": None,
        "summary": "Confirmed the appointment for tomorrow at 2 pm.",
    },
    "call.failed": {"status": "failed", "error": "no_answer"},
}


def _event_of(body: bytes) -> str:
    try:
        event: Any = json.loads(body)
    except ValueError:
        return "call.completed"
    named = cast(Dict[str, Any], event).get("event") if isinstance(event, dict) else None
    return str(named or "call.completed")


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _fresh(text: Optional[str], name: str, now: float, tolerance: float) -> str:
    if not text or not text.isascii() or not text.isdigit():
        raise WebhookVerificationError(f"the header {name} is missing or no number", "webhook_no_timestamp")
    if abs(now - int(text)) > tolerance:
        raise WebhookVerificationError(
            f"the message was sent at another time than now, by more than {tolerance:g} seconds: an old one was sent "
            "again, or a clock is wrong",
            "webhook_stale",
        )
    return text


def _standard(secret: str, signed: bytes) -> str:
    """The signature of Standard Webhooks; its key is what the Base64 behind ``whsec_`` stands for."""
    text = secret[6:] if secret.startswith("whsec_") else secret
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_" if "-" in text or "_" in text else None, validate=True)
    except (binascii.Error, ValueError):
        key = secret.encode()
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def _any_equal(given: List[str], expected: List[str]) -> bool:
    # All are compared, so that the time does not tell which one came close.
    found = False
    for one in given:
        for other in expected:
            found |= hmac.compare_digest(one.encode(), other.encode())
    return found
