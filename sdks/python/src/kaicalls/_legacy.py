"""Names of the first KaiCalls package that this one spells otherwise, and its methods for routes that a server may not have yet.

A program written for it runs unchanged; a route that is not there answers 404, as it does for that package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Dict, Optional, Tuple, cast

from ._base import AsyncResource, Resource
from ._object import KaiObject

if TYPE_CHECKING:
    from ._client import KaiCalls
    from ._models import Balance, Health, UsageList


class Account(Resource):
    """``kai.account``: the names of the first package for ``kai.balance`` and ``kai.usage``."""

    def balance(self) -> "Balance":
        """``kai.balance.get()``."""
        return self._client.balance.get()

    def usage(
        self, start: Optional[str] = None, end: Optional[str] = None, limit: Optional[int] = None
    ) -> "UsageList":
        """``kai.usage.list()``."""
        return self._client.usage.list(start=start, end=end, limit=limit)


class AsyncAccount(AsyncResource):
    """``kai.account``, asynchronously."""

    async def balance(self) -> "Balance":
        """``kai.balance.get()``."""
        return await self._client.balance.get()

    async def usage(
        self, start: Optional[str] = None, end: Optional[str] = None, limit: Optional[int] = None
    ) -> "UsageList":
        """``kai.usage.list()``."""
        return await self._client.usage.list(start=start, end=end, limit=limit)


class Discovery(Resource):
    """``kai.discovery``: what the server is and can do."""

    def health(self) -> "Health":
        """``kai.health.get()``."""
        return self._client.health.get()

    def openapi(self) -> KaiObject:
        """``kai.openapi.get()``."""
        return self._client.openapi.get()

    def capabilities(self, business_id: Optional[str] = None) -> Any:
        """What the server can do."""
        return self._client.request("GET", "/api/v1/capabilities", query={"business_id": business_id})

    def schemas(self, name: Optional[str] = None) -> Any:
        """Schemas by name."""
        return self._client.request("GET", "/api/v1/schemas", query={"name": name})


class AsyncDiscovery(AsyncResource):
    """``kai.discovery``, asynchronously."""

    async def health(self) -> "Health":
        """``kai.health.get()``."""
        return await self._client.health.get()

    async def openapi(self) -> KaiObject:
        """``kai.openapi.get()``."""
        return await self._client.openapi.get()


#: By resource and method: verb, path, and the arguments that may be given by place.
_ROUTES: Dict[str, Dict[str, Tuple[str, str, Tuple[str, ...]]]] = {
    "sms": {
        "send": ("POST", "sms/send", ("to", "from_agent_id", "message", "lead_id")),
        "update_prompt": ("POST", "sms/update-prompt", ("agent_id", "sms_prompt", "reason")),
        "conversations": ("GET", "sms/conversations", ("id", "limit")),
        "messages": ("GET", "sms/messages", ("conversation_id", "direction", "after", "limit")),
    },
    "phone_numbers": {
        "list": ("GET", "phone-numbers", ("business_id", "phone_number")),
        "available": ("GET", "phone-numbers/available", ("country", "area_code", "contains", "limit")),
        "assign": ("POST", "phone-numbers", ("phone_number", "agent_id", "business_id")),
        "release": ("DELETE", "phone-numbers", ("phone_number", "business_id")),
    },
    "workspaces": {
        "list": ("GET", "workspaces", ()),
        "get": ("GET", "workspaces", ("id",)),
        "create": ("POST", "workspaces", ("name", "metadata", "external_ref")),
        "update": ("PATCH", "workspaces", ("id",)),
    },
    "webhooks": {
        "list": ("GET", "webhooks", ("business_id",)),
        "create": ("POST", "webhooks", ("webhook_url", "business_id", "events", "description", "id", "is_active")),
        "delete": ("DELETE", "webhooks", ("id", "business_id")),
        "test": ("POST", "webhooks/test", ("id", "business_id", "data")),
        "rotate_secret": ("POST", "webhooks/rotate-secret", ("id", "business_id")),
    },
    "analytics": {
        "dashboard": ("GET", "analytics/dashboard", ("days",)),
        "calls": ("GET", "analytics/calls", ("days", "group_by", "agent_id")),
        "funnel": ("GET", "analytics/funnel", ("days", "source")),
        "agents": ("GET", "analytics/agents", ("days", "agent_id")),
        "weekly": ("GET", "analytics/weekly", ()),
        "businesses": ("GET", "analytics/businesses", ("days",)),
    },
    "evals": {
        "create": ("POST", "evals", ("agent_id", "business_id", "name", "messages", "description")),
        "list": ("GET", "evals", ("agent_id",)),
        "get": ("GET", "evals", ("id",)),
        "update": ("PATCH", "evals", ("id",)),
        "delete": ("DELETE", "evals", ("id",)),
        "run": ("POST", "evals/run", ("eval_id", "agent_id", "wait", "max_wait_ms")),
        "get_run": ("GET", "evals/run", ("run_id", "vapi_run_id", "agent_id")),
    },
    "events": {
        "list": ("GET", "events", ()),
        "deliveries": ("GET", "event-deliveries", ()),
        "replay": ("POST", "events/replay", ("event_id", "event_ids", "filter", "business_id")),
        "backfill": ("POST", "events/backfill", ("from_", "to", "business_id", "event_type", "status")),
    },
    "communication_runs": {
        "list": ("GET", "communication-runs", ("business_id", "id", "external_ref", "limit")),
        "jobs": ("GET", "communication-jobs", ()),
        "attempts": ("GET", "communication-attempts", ()),
    },
}


class Legacy:
    """A resource of the first package whose routes this server may not have."""

    def __init__(self, client: "KaiCalls", name: str) -> None:
        self._client = client
        self._name = name

    def __getattr__(self, method: str) -> Callable[..., Any]:
        route = _ROUTES[self._name].get(method)
        if method.startswith("__"):
            raise AttributeError(method)
        if route is None and self._name == "communication_runs":
            return self._of_runs(method)
        if route is None:
            raise AttributeError(f"kai.{self._name} has no method {method!r}")
        verb, path, names = route

        def call(*args: Any, **kwargs: Any) -> Any:
            fields: Dict[str, Any] = {**dict(zip(names, args)), **kwargs}
            if len(args) > len(names):
                raise TypeError(f"kai.{self._name}.{method} takes at most {len(names)} arguments by place")
            for long_name in ("workspace_id", "eval_id") if "id" in names else ():
                if long_name in fields:
                    fields["id"] = fields.pop(long_name)
            fields = {name[:-1] if name.endswith("_") else name: value for name, value in fields.items()}
            if verb in ("GET", "DELETE"):
                return self._client.request(verb, f"/api/v1/{path}", query=fields)
            return self._client.request(verb, f"/api/v1/{path}", body=fields)

        return call

    def _of_runs(self, method: str) -> Callable[..., Any]:
        path = "/api/v1/communication-runs"
        if method in ("validate", "preview"):

            def look(body: Dict[str, Any]) -> Any:
                return self._client.request("POST", f"{path}/{method}", body=body)

            return look
        if method == "create":

            def create(body: Dict[str, Any], idempotency_key: str) -> Any:
                return self._client.request("POST", path, body=body, headers={"Idempotency-Key": idempotency_key})

            return create
        if method in ("pause", "cancel"):

            def change(id: str, business_id: Optional[str] = None) -> Any:
                body = {"id": id, "action": method, "business_id": business_id}
                return self._client.request("PATCH", path, body=cast(Dict[str, Any], body))

            return change
        raise AttributeError(f"kai.communication_runs has no method {method!r}")
