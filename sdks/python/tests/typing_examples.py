"""What an editor knows: checked by mypy and pyright, never run."""

from __future__ import annotations

from typing import Dict, List, Optional

from kaicalls import NULL, AsyncKaiCalls, KaiCalls, Page, webhooks
from kaicalls.types import CallDetail, CallList, CallPlaced, CallRow, CallStatus, LeadBody


def sync(kai: KaiCalls) -> None:
    placed: CallPlaced = kai.calls.create(agent_id="a", to="+15125551234", first_message="Hi.", options={"timeout": 5.0})
    done: CallDetail = kai.calls.wait(placed.id, on_event=lambda event: print(event.text))
    summary: Optional[str] = done.summary
    status: CallStatus = done.status
    if status == "completed":
        print(kai.sms.send("+15125551234", "agent", "Hi."))
    page: CallList = kai.calls.list(status=["completed"], limit=5)
    rows: List[CallRow] = page.calls
    ids: List[str] = [call.id for call in page]
    following: Optional[Page[CallRow]] = page.next_page()
    lead: LeadBody = kai.leads.update("id", notes=NULL)
    headers: Dict[str, str] = webhooks.sign(b"{}", "secret")
    print(summary, rows, ids, following, lead.score, headers, page.last_response)


async def asynchronous(kai: AsyncKaiCalls) -> None:
    page: CallList = await kai.calls.list()
    ids: List[str] = [call.id async for call in kai.calls.list()]
    done: CallDetail = await kai.calls.wait("id")
    print(page.has_more, ids, done.duration, await kai.workspaces.list(), await kai.agents.versions("id", limit=1))
