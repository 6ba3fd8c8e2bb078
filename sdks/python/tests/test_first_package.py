"""A program written for the first package, ``kaicalls`` 0.1.0, as it stands."""

from __future__ import annotations

import os
from typing import Any

import pytest

import kaicalls
from kaicalls import KaiCalls, KaiCallsError, KaiObject, signup

from conftest import FRIENDLY, NO_ANSWER


def test_a_program_of_the_first_package_runs(agent: str, business: str) -> None:
    import requests

    kai: Any = KaiCalls(os.environ["KAICALLS_API_KEY"], base_url=os.environ["KAICALLS_BASE_URL"] + "/", timeout=30.0, session=requests.Session())
    assert {"KaiCalls", "KaiCallsError", "KaiObject", "signup"} <= set(kaicalls.__all__)
    call = kai.calls.create(agent, FRIENDLY, "John", "Says hello.", "Hi.", None, None, 60)
    assert isinstance(call, KaiObject) and isinstance(call, dict) and call.id == call["id"] and call.unknown is None
    done = kai.calls.wait(call.id, interval=0.05, timeout=60)
    assert done.status == "completed" and kai.calls.get(call_id=call.id).id == call.id
    assert kai.calls.list(10, agent, "completed").calls[0].id
    assert kai.recordings.get(call.id).call_id == call.id
    assert any(row.call_id == call.id for row in kai.transcripts.list(limit=100, agent_id=agent).transcripts)
    lead = kai.leads.create(business, name="Ada Example", phone=NO_ANSWER)
    assert kai.leads.list(status=["new", "contacted"], phone=NO_ANSWER).leads[0].id == lead.id
    assert kai.leads.update(lead.id, status="contacted").status == "contacted"
    assert kai.agents.list().agents and kai.agents.update(agent, name="Reception").name == "Reception"
    assert kai.account.balance().businesses and kai.account.usage(limit=1).usage
    assert kai.discovery.health().status and "/api/v1/calls" in kai.discovery.openapi().paths
    with pytest.raises(KaiCallsError) as error:
        kai.calls.get("0190a0b0-0000-7000-8000-000000000000")
    assert (error.value.status, error.value.code, error.value.body["error"]["code"]) == (404, "not_found", "not_found")
    waited = pytest.raises(KaiCallsError)
    with waited as late:
        kai.calls.wait("0190a0b0-0000-7000-8000-000000000000", 0.01, 0.01)
    assert late.value.status == 404


def test_routes_that_the_server_lacks_answer_as_they_did(kai: Any) -> None:
    for action in (
        lambda: kai.sms.send("+15005550006", "agent", "Hello"),
        lambda: kai.workspaces.get("id"),
        lambda: kai.evals.run(eval_id="x"),
        lambda: kai.analytics.dashboard(days=7),
        lambda: kai.communication_runs.pause("x"),
        lambda: signup("Business", "a@example.com", base_url=os.environ["KAICALLS_BASE_URL"]),
    ):
        with pytest.raises(KaiCallsError) as error:
            action()
        assert error.value.status == 404
    with pytest.raises(AttributeError, match="no method"):
        kai.sms.nothing_of_the_kind()
