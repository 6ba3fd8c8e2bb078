"""The examples of the product's description, as they stand there."""

from __future__ import annotations

import ast
import asyncio
import os
import re
import uuid
from pathlib import Path

from kaicalls import KaiCalls, webhooks

from conftest import FRIENDLY, TELLS_EVERYTHING


def test_the_snippet_of_the_description_runs(agent: str, business: str) -> None:
    kai = KaiCalls(api_key=os.environ["KAICALLS_API_KEY"])

    # Simple call — agent auto-enriches with CRM data
    call = kai.calls.create(agent_id=agent, to=FRIENDLY, name="John Smith")

    # Full call with lead linking and custom opening
    lead = kai.leads.create(business, name="John Smith", phone=FRIENDLY)
    call = kai.calls.create(
        agent_id=agent,
        to=FRIENDLY,
        name="John Smith",
        lead_id=lead.id,
        context="Following up on car accident case",
        first_message="Hey John, this is Kai — do you have a minute?",
    )
    result = kai.calls.wait(call.id)
    print(result.summary)
    assert result.status == "completed" and result.summary

    # Create an agent
    made = kai.agents.create(
        business_id=business,
        name="Kai Receptionist",
        system_prompt="You are a friendly receptionist for Smith Law.",
        first_message="Hello! How can I help you today?",
    )

    # Update an agent
    kai.agents.update(id=made.id, system_prompt="New instructions.")
    assert kai.agents.get(made.id).prompts.inbound == "New instructions."


def test_both_spellings_mean_the_same(agent: str, business: str) -> None:
    with KaiCalls() as kai:
        lead = kai.leads.create(business, name="Ada Example", phone=FRIENDLY)
        call = kai.calls.create(agentId=agent, to=FRIENDLY, firstMessage="Hi there.", leadId=lead.id)  # type: ignore[call-arg]
        assert kai.calls.get(call.id).lead_id == lead.id
        made = kai.agents.create(businessId=business, name="A", systemPrompt="One.", firstMessage="Hi.")  # type: ignore[call-arg]
        kai.agents.update(id=made.id, systemPrompt="Two.")  # type: ignore[call-arg]
        read = kai.agents.get(made.id)
        assert (read.prompts.inbound, read.first_message) == ("Two.", "Hi.")


def test_every_block_of_the_readme_runs(base_url: str, kai: KaiCalls, agent: str, business: str) -> None:
    readme = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", readme, re.S)
    assert len(blocks) >= 8
    secret = "whsec_c2VjcmV0IG9mIGEgdGVzdA=="
    body, headers = webhooks.test_message("call.completed", secret)
    call = kai.calls.create(agent_id=agent, to=FRIENDLY)
    known = {
        "KaiCalls": KaiCalls,
        "kai": kai,
        "agent": kai.agents.get(agent),
        "lead": kai.leads.create(business, name="John Smith", phone=TELLS_EVERYTHING),
        **{"body": body, "headers": headers, "secret": secret},
    }
    # What a reader would put into the places of the dots, and numbers that ring in the sandbox.
    places = {
        '"kc_test_…"': repr(os.environ["KAICALLS_API_KEY"]),
        '"http://localhost:8080"': repr(base_url),
        'agent_id="…"': f"agent_id={agent!r}",
        'calls.get("…")': f"calls.get({call.id!r})",
        '"you@example.com", "…"': f"{os.environ['KAICALLS_TEST_EMAIL']!r}, {os.environ['KAICALLS_TEST_PASSWORD']!r}",
        '"https://example.com/calls"': '"http://127.0.0.1:9/calls"',
        "+15125551234": TELLS_EVERYTHING,
        "order-4711": f"order-{uuid.uuid4()}",
    }
    for block in blocks:
        for place, value in places.items():
            block = block.replace(place, value)
        code = compile(block, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        running = eval(code, dict(known))
        if running is not None:
            asyncio.run(running)
