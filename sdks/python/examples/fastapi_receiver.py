"""Receives webhooks with FastAPI.

    pip install fastapi uvicorn
    KAICALLS_WEBHOOK_SECRET=whsec_… uvicorn fastapi_receiver:app --port 9000
"""

import os
from typing import Set

from fastapi import FastAPI, HTTPException, Request

from kaicalls import WebhookVerificationError, webhooks

app = FastAPI()
secret = os.environ["KAICALLS_WEBHOOK_SECRET"]
handled: Set[str] = set()


@app.post("/calls", status_code=204)
async def calls(request: Request) -> None:
    try:
        event = webhooks.verify(await request.body(), request.headers, secret)
    except WebhookVerificationError as error:
        raise HTTPException(400, str(error)) from error
    # An event may come twice. Keep the ids where they survive a restart.
    if event.event_id in handled:
        return
    handled.add(event.event_id or "")
    print(event.event, event.call_id, event.summary or event.error, flush=True)
