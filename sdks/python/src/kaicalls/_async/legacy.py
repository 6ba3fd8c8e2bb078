"""Names of the first KaiCalls package that this one spells otherwise, and its methods for routes that a server may not have.

A route that is not there answers 404, as it did for that package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Optional

from .._base import AsyncResource
from .._object import KaiObject

if TYPE_CHECKING:
    from ..types import Balance, Health, UsageList


class AsyncAccount(AsyncResource):
    """``kai.account``: the names of the first package for ``kai.balance`` and ``kai.usage``."""

    async def balance(self) -> "Balance":
        """``kai.balance.get()``."""
        return await self._client.balance.get()

    async def usage(
        self, start: Optional[str] = None, end: Optional[str] = None, limit: Optional[int] = None
    ) -> "UsageList":
        """``kai.usage.list()``."""
        return await self._client.usage.list(start=start, end=end, limit=limit)


class AsyncDiscovery(AsyncResource):
    """``kai.discovery``: what the server is and can do."""

    async def health(self) -> "Health":
        """``kai.health.get()``."""
        return await self._client.health.get()

    async def openapi(self) -> KaiObject:
        """``kai.openapi.get()``."""
        return await self._client.openapi.get()

    async def capabilities(self, business_id: Optional[str] = None) -> Any:
        """``kai.capabilities.get()``."""
        return await self._client.capabilities.get(business_id=business_id)

    async def schemas(self, name: Optional[str] = None) -> Any:
        """``kai.schemas.get()``."""
        return await self._client.schemas.get(name=name)


class AsyncLegacy(AsyncResource):
    """Requests to routes that have no types."""

    async def _ask(self, method: str, path: str, fields: Dict[str, Any]) -> Any:
        # ``from`` cannot be the name of an argument.
        fields = {"from" if name == "from_" else name: value for name, value in fields.items()}
        if method in ("GET", "DELETE"):
            return await self._client.request(method, f"/api/v1/{path}", query=fields)
        return await self._client.request(method, f"/api/v1/{path}", body=fields)


class AsyncSms(AsyncLegacy):
    """``kai.sms``: Text messages."""

    async def send(self, to: str, from_agent_id: str, message: str, lead_id: Optional[str] = None) -> Any:
        """``POST /api/v1/sms/send``."""
        fields: Dict[str, Any] = {"to": to, "from_agent_id": from_agent_id, "message": message, "lead_id": lead_id}
        return await self._ask("POST", "sms/send", fields)

    async def update_prompt(self, agent_id: str, sms_prompt: str, reason: Optional[str] = None) -> Any:
        """``POST /api/v1/sms/update-prompt``."""
        return await self._ask("POST", "sms/update-prompt", {"agent_id": agent_id, "sms_prompt": sms_prompt, "reason": reason})

    async def conversations(self, id: Optional[str] = None, limit: Optional[int] = None) -> Any:
        """``GET /api/v1/sms/conversations``."""
        return await self._ask("GET", "sms/conversations", {"id": id, "limit": limit})

    async def messages(
        self,
        conversation_id: Optional[str] = None,
        direction: Optional[str] = None,
        after: Optional[str] = None,
        limit: Optional[int] = None,
    ) -> Any:
        """``GET /api/v1/sms/messages``."""
        fields: Dict[str, Any] = {"conversation_id": conversation_id, "direction": direction, "after": after, "limit": limit}
        return await self._ask("GET", "sms/messages", fields)


class AsyncPhoneNumbers(AsyncLegacy):
    """``kai.phone_numbers``: Phone numbers to buy and to assign."""

    async def list(self, business_id: Optional[str] = None, phone_number: Optional[str] = None) -> Any:
        """``GET /api/v1/phone-numbers``."""
        return await self._ask("GET", "phone-numbers", {"business_id": business_id, "phone_number": phone_number})

    async def available(
        self,
        country: Optional[str] = None,
        area_code: Optional[str] = None,
        capability: Optional[str] = None,
        limit: Optional[int] = None,
    ) -> Any:
        """``GET /api/v1/phone-numbers/available``."""
        fields: Dict[str, Any] = {"country": country, "area_code": area_code, "capability": capability, "limit": limit}
        return await self._ask("GET", "phone-numbers/available", fields)

    async def assign(self, phone_number: str, business_id: Optional[str] = None, agent_id: Optional[str] = None) -> Any:
        """``POST /api/v1/phone-numbers``."""
        fields: Dict[str, Any] = {"phone_number": phone_number, "agent_id": agent_id, "business_id": business_id}
        return await self._ask("POST", "phone-numbers", fields)

    async def release(self, phone_number: str, business_id: Optional[str] = None) -> Any:
        """``DELETE /api/v1/phone-numbers``."""
        return await self._ask("DELETE", "phone-numbers", {"phone_number": phone_number, "business_id": business_id})


class AsyncAnalytics(AsyncLegacy):
    """``kai.analytics``: Figures."""

    async def dashboard(self, days: Optional[int] = None) -> Any:
        """``GET /api/v1/analytics/dashboard``."""
        return await self._ask("GET", "analytics/dashboard", {"days": days})

    async def calls(self, days: Optional[int] = None, group_by: Optional[str] = None, agent_id: Optional[str] = None) -> Any:
        """``GET /api/v1/analytics/calls``."""
        return await self._ask("GET", "analytics/calls", {"days": days, "group_by": group_by, "agent_id": agent_id})

    async def funnel(self, days: Optional[int] = None, source: Optional[str] = None) -> Any:
        """``GET /api/v1/analytics/funnel``."""
        return await self._ask("GET", "analytics/funnel", {"days": days, "source": source})

    async def agents(self, days: Optional[int] = None, agent_id: Optional[str] = None) -> Any:
        """``GET /api/v1/analytics/agents``."""
        return await self._ask("GET", "analytics/agents", {"days": days, "agent_id": agent_id})

    async def weekly(self) -> Any:
        """``GET /api/v1/analytics/weekly``."""
        return await self._ask("GET", "analytics/weekly", {})

    async def businesses(self, days: Optional[int] = None) -> Any:
        """``GET /api/v1/analytics/businesses``."""
        return await self._ask("GET", "analytics/businesses", {"days": days})


class AsyncEvals(AsyncLegacy):
    """``kai.evals``: Tests of agents."""

    async def create(
        self,
        agent_id: str,
        business_id: str,
        name: str,
        messages: List[Dict[str, Any]],
        description: Optional[str] = None,
    ) -> Any:
        """``POST /api/v1/evals``."""
        fields: Dict[str, Any] = {"agent_id": agent_id, "business_id": business_id, "name": name, "messages": messages, "description": description}
        return await self._ask("POST", "evals", fields)

    async def list(self, agent_id: Optional[str] = None) -> Any:
        """``GET /api/v1/evals``."""
        return await self._ask("GET", "evals", {"agent_id": agent_id})

    async def get(self, eval_id: str) -> Any:
        """``GET /api/v1/evals``."""
        return await self._ask("GET", "evals", {"id": eval_id})

    async def update(self, id: str, **fields: Any) -> Any:
        """``PATCH /api/v1/evals``."""
        return await self._ask("PATCH", "evals", {"id": id, **fields})

    async def delete(self, eval_id: str) -> Any:
        """``DELETE /api/v1/evals``."""
        return await self._ask("DELETE", "evals", {"id": eval_id})

    async def run(
        self,
        eval_id: Optional[str] = None,
        agent_id: Optional[str] = None,
        wait: Optional[bool] = None,
        max_wait_ms: Optional[int] = None,
    ) -> Any:
        """``POST /api/v1/evals/run``."""
        fields: Dict[str, Any] = {"eval_id": eval_id, "agent_id": agent_id, "wait": wait, "max_wait_ms": max_wait_ms}
        return await self._ask("POST", "evals/run", fields)

    async def get_run(
        self,
        run_id: Optional[str] = None,
        vapi_run_id: Optional[str] = None,
        agent_id: Optional[str] = None,
    ) -> Any:
        """``GET /api/v1/evals/run``."""
        return await self._ask("GET", "evals/run", {"run_id": run_id, "vapi_run_id": vapi_run_id, "agent_id": agent_id})


class AsyncCommunicationRuns(AsyncLegacy):
    """``kai.communication_runs``: Campaigns."""

    async def list(
        self,
        business_id: Optional[str] = None,
        id: Optional[str] = None,
        external_ref: Optional[str] = None,
        limit: Optional[int] = None,
    ) -> Any:
        """``GET /api/v1/communication-runs``."""
        fields: Dict[str, Any] = {"business_id": business_id, "id": id, "external_ref": external_ref, "limit": limit}
        return await self._ask("GET", "communication-runs", fields)

    async def jobs(self, **fields: Any) -> Any:
        """``GET /api/v1/communication-jobs``."""
        return await self._ask("GET", "communication-jobs", fields)

    async def attempts(self, **fields: Any) -> Any:
        """``GET /api/v1/communication-attempts``."""
        return await self._ask("GET", "communication-attempts", fields)

    async def validate(self, body: Dict[str, Any]) -> Any:
        """``POST /api/v1/communication-runs/validate``."""
        return await self._ask("POST", "communication-runs/validate", body)

    async def preview(self, body: Dict[str, Any]) -> Any:
        """``POST /api/v1/communication-runs/preview``."""
        return await self._ask("POST", "communication-runs/preview", body)

    async def create(self, body: Dict[str, Any], idempotency_key: str) -> Any:
        """``POST /api/v1/communication-runs``."""
        headers = {"Idempotency-Key": idempotency_key}
        return await self._client.request("POST", "/api/v1/communication-runs", body=body, headers=headers)

    async def pause(self, id: str, business_id: Optional[str] = None) -> Any:
        """``PATCH /api/v1/communication-runs``."""
        return await self._ask("PATCH", "communication-runs", {"id": id, "action": "pause", "business_id": business_id})

    async def cancel(self, id: str, business_id: Optional[str] = None) -> Any:
        """``PATCH /api/v1/communication-runs``."""
        return await self._ask("PATCH", "communication-runs", {"id": id, "action": "cancel", "business_id": business_id})
