"""The examples of the product's description, as they stand there."""

from __future__ import annotations

import os
import re
from pathlib import Path

from kaicalls import KaiCalls

from conftest import FRIENDLY


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


def test_every_python_block_of_the_readme_is_valid_python() -> None:
    readme = Path(__file__).resolve().parent.parent / "README.md"
    blocks = re.findall(r"```python\n(.*?)```", readme.read_text(encoding="utf-8"), re.S)
    assert len(blocks) >= 8
    for block in blocks:
        compile(block, str(readme), "exec", flags=0x2000)  # top-level await is fine
