"""Calls all new leads, a few at once, and notes how each call went.

    KAICALLS_API_KEY=… KAICALLS_BASE_URL=… python call_leads.py AGENT_ID [STATUS]
"""

import asyncio
import sys

from kaicalls import AsyncKaiCalls, KaiCallsError

AT_ONCE = 5


async def main(agent_id: str, status: str) -> None:
    room = asyncio.Semaphore(AT_ONCE)
    async with AsyncKaiCalls() as kai:

        async def call(lead_id: str, phone: str) -> str:
            async with room:
                try:
                    placed = await kai.calls.create(agent_id=agent_id, to=phone, lead_id=lead_id)
                    done = await kai.calls.wait(placed.id)
                except KaiCallsError as error:
                    return f"{phone}: {error}"
                await kai.leads.update(lead_id, status="contacted", notes=done.summary or done.error or "")
                return f"{phone}: {done.status}, {done.summary or done.error}"

        leads = [lead async for lead in kai.leads.list(status=status, limit=100)]
        calls = [call(lead.id, lead.phone) for lead in leads if lead.phone]
        for done in asyncio.as_completed(calls):
            print(await done)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "new"))
