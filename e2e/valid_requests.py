"""What makes a generated request valid and cannot be said by a schema: hooks for Schemathesis."""

import uuid
import zoneinfo

import schemathesis

ZONES = zoneinfo.available_timezones()


@schemathesis.hook
def filter_body(context, body):
    """A time zone is one of the IANA list, and a new subscription has an address."""
    if not isinstance(body, dict):
        return True
    zone = body.get("timezone")
    if zone is not None and zone not in ZONES:
        return False
    if context.operation.method.upper() == "POST" and context.operation.path == "/api/v1/webhooks":
        return bool(body.get("webhook_url"))
    return True


@schemathesis.hook
def map_query(context, query):
    """Subscriptions are deleted one by one, or all of a business that is named."""
    if context.operation.method.upper() == "DELETE" and context.operation.path == "/api/v1/webhooks":
        query = dict(query or {})
        if not query.get("id") and not query.get("business_id"):
            query["id"] = str(uuid.uuid4())
    return query


@schemathesis.hook
def map_headers(context, headers):
    """Each request is an intent of its own."""
    if headers and "Idempotency-Key" in headers:
        headers["Idempotency-Key"] = uuid.uuid4().hex
    return headers
