"""Names of the first KaiCalls package that this one spells otherwise, and its methods for routes that a server may not have.

A route that is not there answers 404, as it did for that package.
"""

# Made by `cargo xtask codegen` from the module of this name in `_async`; do not edit.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Optional

from .._base import Resource
from .._object import KaiObject

if TYPE_CHECKING:
    from ..types import Balance, Health, UsageList


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


class Discovery(Resource):
    """``kai.discovery``: what the server is and can do."""

    def health(self) -> "Health":
        """``kai.health.get()``."""
        return self._client.health.get()

    def openapi(self) -> KaiObject:
        """``kai.openapi.get()``."""
        return self._client.openapi.get()

    def capabilities(self, business_id: Optional[str] = None) -> Any:
        """``kai.capabilities.get()``."""
        return self._client.capabilities.get(business_id=business_id)

    def schemas(self, name: Optional[str] = None) -> Any:
        """``kai.schemas.get()``."""
        return self._client.schemas.get(name=name)


class Legacy(Resource):
    """Requests to routes that have no types."""

    def _ask(self, method: str, path: str, fields: Dict[str, Any]) -> Any:
        # ``from`` cannot be the name of an argument.
        fields = {"from" if name == "from_" else name: value for name, value in fields.items()}
        if method in ("GET", "DELETE"):
            return self._client.request(method, f"/api/v1/{path}", query=fields)
        return self._client.request(method, f"/api/v1/{path}", body=fields)


class Sms(Legacy):
    """``kai.sms``: Text messages."""

    def send(self, to: str, from_agent_id: str, message: str, lead_id: Optional[str] = None) -> Any:
        """``POST /api/v1/sms/send``."""
        fields: Dict[str, Any] = {"to": to, "from_agent_id": from_agent_id, "message": message, "lead_id": lead_id}
        return self._ask("POST", "sms/send", fields)

    def update_prompt(self, agent_id: str, sms_prompt: str, reason: Optional[str] = None) -> Any:
        """``POST /api/v1/sms/update-prompt``."""
        return self._ask("POST", "sms/update-prompt", {"agent_id": agent_id, "sms_prompt": sms_prompt, "reason": reason})

    def conversations(self, id: Optional[str] = None, limit: Optional[int] = None) -> Any:
        """``GET /api/v1/sms/conversations``."""
        return self._ask("GET", "sms/conversations", {"id": id, "limit": limit})

    def messages(
        self,
        conversation_id: Optional[str] = None,
        direction: Optional[str] = None,
        after: Optional[str] = None,
        limit: Optional[int] = None,
    ) -> Any:
        """``GET /api/v1/sms/messages``."""
        fields: Dict[str, Any] = {"conversation_id": conversation_id, "direction": direction, "after": after, "limit": limit}
        return self._ask("GET", "sms/messages", fields)


class PhoneNumbers(Legacy):
    """``kai.phone_numbers``: Phone numbers to buy and to assign."""

    def list(self, business_id: Optional[str] = None, phone_number: Optional[str] = None) -> Any:
        """``GET /api/v1/phone-numbers``."""
        return self._ask("GET", "phone-numbers", {"business_id": business_id, "phone_number": phone_number})

    def available(
        self,
        country: Optional[str] = None,
        area_code: Optional[str] = None,
        capability: Optional[str] = None,
        limit: Optional[int] = None,
    ) -> Any:
        """``GET /api/v1/phone-numbers/available``."""
        fields: Dict[str, Any] = {"country": country, "area_code": area_code, "capability": capability, "limit": limit}
        return self._ask("GET", "phone-numbers/available", fields)

    def assign(self, phone_number: str, business_id: Optional[str] = None, agent_id: Optional[str] = None) -> Any:
        """``POST /api/v1/phone-numbers``."""
        fields: Dict[str, Any] = {"phone_number": phone_number, "agent_id": agent_id, "business_id": business_id}
        return self._ask("POST", "phone-numbers", fields)

    def release(self, phone_number: str, business_id: Optional[str] = None) -> Any:
        """``DELETE /api/v1/phone-numbers``."""
        return self._ask("DELETE", "phone-numbers", {"phone_number": phone_number, "business_id": business_id})


class Analytics(Legacy):
    """``kai.analytics``: Figures."""

    def dashboard(self, days: Optional[int] = None) -> Any:
        """``GET /api/v1/analytics/dashboard``."""
        return self._ask("GET", "analytics/dashboard", {"days": days})

    def calls(self, days: Optional[int] = None, group_by: Optional[str] = None, agent_id: Optional[str] = None) -> Any:
        """``GET /api/v1/analytics/calls``."""
        return self._ask("GET", "analytics/calls", {"days": days, "group_by": group_by, "agent_id": agent_id})

    def funnel(self, days: Optional[int] = None, source: Optional[str] = None) -> Any:
        """``GET /api/v1/analytics/funnel``."""
        return self._ask("GET", "analytics/funnel", {"days": days, "source": source})

    def agents(self, days: Optional[int] = None, agent_id: Optional[str] = None) -> Any:
        """``GET /api/v1/analytics/agents``."""
        return self._ask("GET", "analytics/agents", {"days": days, "agent_id": agent_id})

    def weekly(self) -> Any:
        """``GET /api/v1/analytics/weekly``."""
        return self._ask("GET", "analytics/weekly", {})

    def businesses(self, days: Optional[int] = None) -> Any:
        """``GET /api/v1/analytics/businesses``."""
        return self._ask("GET", "analytics/businesses", {"days": days})


class Evals(Legacy):
    """``kai.evals``: Tests of agents."""

    def create(
        self,
        agent_id: str,
        business_id: str,
        name: str,
        messages: List[Dict[str, Any]],
        description: Optional[str] = None,
    ) -> Any:
        """``POST /api/v1/evals``."""
        fields: Dict[str, Any] = {"agent_id": agent_id, "business_id": business_id, "name": name, "messages": messages, "description": description}
        return self._ask("POST", "evals", fields)

    def list(self, agent_id: Optional[str] = None) -> Any:
        """``GET /api/v1/evals``."""
        return self._ask("GET", "evals", {"agent_id": agent_id})

    def get(self, eval_id: str) -> Any:
        """``GET /api/v1/evals``."""
        return self._ask("GET", "evals", {"id": eval_id})

    def update(self, id: str, **fields: Any) -> Any:
        """``PATCH /api/v1/evals``."""
        return self._ask("PATCH", "evals", {"id": id, **fields})

    def delete(self, eval_id: str) -> Any:
        """``DELETE /api/v1/evals``."""
        return self._ask("DELETE", "evals", {"id": eval_id})

    def run(
        self,
        eval_id: Optional[str] = None,
        agent_id: Optional[str] = None,
        wait: Optional[bool] = None,
        max_wait_ms: Optional[int] = None,
    ) -> Any:
        """``POST /api/v1/evals/run``."""
        fields: Dict[str, Any] = {"eval_id": eval_id, "agent_id": agent_id, "wait": wait, "max_wait_ms": max_wait_ms}
        return self._ask("POST", "evals/run", fields)

    def get_run(
        self,
        run_id: Optional[str] = None,
        vapi_run_id: Optional[str] = None,
        agent_id: Optional[str] = None,
    ) -> Any:
        """``GET /api/v1/evals/run``."""
        return self._ask("GET", "evals/run", {"run_id": run_id, "vapi_run_id": vapi_run_id, "agent_id": agent_id})


class CommunicationRuns(Legacy):
    """``kai.communication_runs``: Campaigns."""

    def list(
        self,
        business_id: Optional[str] = None,
        id: Optional[str] = None,
        external_ref: Optional[str] = None,
        limit: Optional[int] = None,
    ) -> Any:
        """``GET /api/v1/communication-runs``."""
        fields: Dict[str, Any] = {"business_id": business_id, "id": id, "external_ref": external_ref, "limit": limit}
        return self._ask("GET", "communication-runs", fields)

    def jobs(self, **fields: Any) -> Any:
        """``GET /api/v1/communication-jobs``."""
        return self._ask("GET", "communication-jobs", fields)

    def attempts(self, **fields: Any) -> Any:
        """``GET /api/v1/communication-attempts``."""
        return self._ask("GET", "communication-attempts", fields)

    def validate(self, body: Dict[str, Any]) -> Any:
        """``POST /api/v1/communication-runs/validate``."""
        return self._ask("POST", "communication-runs/validate", body)

    def preview(self, body: Dict[str, Any]) -> Any:
        """``POST /api/v1/communication-runs/preview``."""
        return self._ask("POST", "communication-runs/preview", body)

    def create(self, body: Dict[str, Any], idempotency_key: str) -> Any:
        """``POST /api/v1/communication-runs``."""
        headers = {"Idempotency-Key": idempotency_key}
        return self._client.request("POST", "/api/v1/communication-runs", body=body, headers=headers)

    def pause(self, id: str, business_id: Optional[str] = None) -> Any:
        """``PATCH /api/v1/communication-runs``."""
        return self._ask("PATCH", "communication-runs", {"id": id, "action": "pause", "business_id": business_id})

    def cancel(self, id: str, business_id: Optional[str] = None) -> Any:
        """``PATCH /api/v1/communication-runs``."""
        return self._ask("PATCH", "communication-runs", {"id": id, "action": "cancel", "business_id": business_id})
