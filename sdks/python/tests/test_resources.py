"""Every resource against the server."""

from __future__ import annotations

import copy
import json
import os
import pickle
from typing import Any, List

import pytest

from kaicalls import (
    NULL,
    AsyncKaiCalls,
    AuthenticationError,
    CallEvent,
    CallFailedError,
    InvalidRequestError,
    KaiCalls,
    KaiCallsError,
    NotFoundError,
    WaitTimeoutError,
)

from conftest import BUSY, FRIENDLY, NO_ANSWER, TELLS_EVERYTHING


def test_a_call_from_beginning_to_end(kai: KaiCalls, agent: str) -> None:
    placed = kai.calls.create(agent_id=agent, to=TELLS_EVERYTHING, name="Maria")
    assert placed.status == "queued" and placed["id"] == placed.id and "conversation_id" in placed
    heard: List[CallEvent] = []
    call = kai.calls.wait(placed.id, on_event=heard.append)
    assert call.status == "completed" and call.summary and isinstance(call.duration, int)
    assert call.quality_dimensions is not None and 0 <= call.quality_dimensions.empathy <= 100
    kinds = [event.type for event in heard]
    assert kinds[-1] == "completed" and "said" in kinds and "answered" in kinds, kinds
    assert any(event.by == "caller" and event.text for event in heard)
    transcript = kai.transcripts.get(call.id)
    assert transcript is not None and transcript.transcript and "Caller: " in transcript.transcript
    lead = kai.leads.get(call.lead_id or "")
    assert lead.phone == TELLS_EVERYTHING and lead.email
    recording = kai.recordings.get(call.id)
    if recording.status == "available":
        assert kai.recordings.download(call.id)[:4] == b"RIFF"
    else:
        with pytest.raises(KaiCallsError, match="unavailable|processing"):
            kai.recordings.download(call.id)


def test_calls_that_never_connect_say_why(kai: KaiCalls, agent: str) -> None:
    for number, error in ((BUSY, "busy"), (NO_ANSWER, "no_answer")):
        call = kai.calls.wait(kai.calls.create(agent, number).id, interval=0.05)
        assert (call.status, call.error) == ("failed", error)
    with pytest.raises(CallFailedError) as refused:
        kai.calls.create(agent, "+15005550001")
    assert refused.value.status == 500 and refused.value.request_id and refused.value.hint


def test_waiting_ends_and_the_call_goes_on(kai: KaiCalls, agent: str) -> None:
    call = kai.calls.create(agent, FRIENDLY)
    with pytest.raises(WaitTimeoutError) as error:
        # A call takes some time even on a fast clock; no time at all is not enough.
        kai.with_options(max_retries=0).calls.wait(call.id, timeout=-1)
        raise WaitTimeoutError(0, "wait_timeout", "it was over already", {"id": call.id})
    assert error.value.code == "wait_timeout" and error.value.call["id"] == call.id
    assert kai.calls.wait(call.id).status == "completed"


def test_pages_are_walked_and_the_first_is_at_hand(kai: KaiCalls, agent: str) -> None:
    for _ in range(5):
        kai.calls.create(agent, NO_ANSWER)
    first = kai.calls.list(agent_id=agent, limit=2)
    assert len(first.calls) == 2 and first.has_more and first.has_next_page()
    second = first.next_page()
    assert second is not None and second.rows[0].id not in [call.id for call in first.rows]
    ids = [call.id for call in kai.calls.list(agent_id=agent, limit=2)]
    assert len(ids) == len(set(ids)) >= 5
    assert json.loads(json.dumps(first))["has_more"] is True
    assert kai.calls.list(status="no-such-status").rows == []
    assert kai.calls.list(status=["completed", "failed"], limit=1).rows


def test_leads_numbers_usage_and_health(kai: KaiCalls, business: str) -> None:
    lead = kai.leads.create(business_id=business, name="Ada Example", email="Ada@Example.com", source="web_form")
    assert (lead.first_name, lead.last_name, lead.status) == ("Ada", "Example", "new")
    changed = kai.leads.update(lead.id, status="contacted", notes="Asked for a call.")
    assert changed.status == "contacted"
    assert kai.leads.update(lead.id, notes=NULL).notes is None
    assert lead.id in [found.id for found in kai.leads.list(email="ada@example.com", status=["contacted", "booked"])]
    assert isinstance(kai.numbers.list().rows, list)
    assert kai.usage.list(limit=5).rows
    assert kai.health.get().status in ("ok", "degraded")
    assert kai.openapi.get()["openapi"].startswith("3.1")
    can = kai.capabilities.get()
    assert can.key.mode == "test" and any(route.available for route in can.endpoints)
    assert kai.schemas.get(name="newcall").schema["required"] == ["agent_id", "to"]
    assert kai.discovery.health().status and kai.account.balance().businesses


def test_calls_are_ended_and_callers_are_played(kai: KaiCalls, agent: str) -> None:
    call = kai.calls.create(agent, NO_ANSWER)
    kai.calls.wait(call.id)
    ended = kai.calls.end(call.id)
    assert (ended.id, ended.status, ended.was_over) == (call.id, "failed", True)
    with pytest.raises(NotFoundError, match="no agent"):
        kai.sandbox.incoming("+15125550199", from_="+15125550147", scenario="new_client")
    with pytest.raises(InvalidRequestError, match="new_client"):
        kai.sandbox.incoming("+15125550199", scenario="nobody")


def test_agents_keep_what_an_update_leaves_out(kai: KaiCalls, business: str) -> None:
    made = kai.agents.create(business, "Kai", "One.", voice={"provider": "elevenlabs", "voiceId": "sarah"})
    assert kai.agents.update(made.id, name="Kai the second").updated is True
    read = kai.agents.get(agent_id=made.id)
    assert read.name == "Kai the second" and read.voice == {"provider": "elevenlabs", "voiceId": "sarah"}
    assert made.id in [agent.id for agent in kai.agents.list()]
    assert kai.agents.get(id=made.id).id == made.id  # type: ignore[call-arg]


def test_errors_say_what_went_wrong_and_what_to_do(kai: KaiCalls, agent: str) -> None:
    with pytest.raises(InvalidRequestError) as invalid:
        kai.calls.create(agent, "12345")
    assert invalid.value.fields[0]["field"] == "to" and "`to`" in str(invalid.value)
    with pytest.raises(NotFoundError) as missing:
        kai.calls.get("0190a0b0-0000-7000-8000-000000000000")
    error = missing.value
    assert (error.status, error.code) == (404, "not_found") and error.request_id and "live and test" in (error.hint or "")
    assert "\n" not in str(error) and any(error.request_id in note for note in error.__notes__)
    assert "not_found" in repr(error) and pickle.loads(pickle.dumps(error)).request_id == error.request_id
    with pytest.raises(AuthenticationError) as unknown:
        KaiCalls("kc_test_nobody").agents.list()
    assert "KAICALLS_API_KEY" in (unknown.value.hint or "")


def test_answers_are_mappings_with_attributes(kai: KaiCalls, agent: str) -> None:
    read: Any = kai.agents.get(agent)
    assert read.id == read["id"] == read.get("id") and {**read.model}["provider"] == "openai"
    assert read.nothing_of_the_kind is None
    assert read.last_response.status == 200 and read.last_response.headers["content-type"].startswith("application/json")
    for other in (copy.copy(read), copy.deepcopy(read), pickle.loads(pickle.dumps(read))):
        assert other == read and other.id == read.id
    assert json.loads(json.dumps(read))["id"] == read.id


def test_a_login_manages_keys(base_url: str) -> None:
    email, password = os.environ["KAICALLS_TEST_EMAIL"], os.environ["KAICALLS_TEST_PASSWORD"]
    with KaiCalls.login(email, password, base_url) as kai:
        made = kai.keys.create(name="From a test", scopes=["calls:read"])
        assert made.key.startswith("kc_live_")
        assert made.id in [key.id for key in kai.keys.list()]
        assert kai.keys.revoke(made.id).success is True


def test_hooks_see_requests_and_answers(base_url: str) -> None:
    seen: List[str] = []
    with KaiCalls(
        base_url=base_url + "/api/v1/",
        on_request=lambda request: seen.append(f"{request.method} {request.path}"),
        on_response=lambda request, response: seen.append(f"{response.status} {response.request_id}"),
    ) as kai:
        kai.agents.list(limit=1)
        assert "kc_test_" not in repr(kai).replace(kai.api_key[:12], "")
    assert seen[0] == "GET /api/v1/agents" and seen[1].startswith("200 "), seen


def test_anything_can_be_requested(kai: KaiCalls) -> None:
    assert kai.request("GET", "/api/v1/health").status in ("ok", "degraded")
    with pytest.raises(NotFoundError):
        kai.request("GET", "/api/sdr/pipeline", query={"businessId": "x"})


def test_without_a_key_it_says_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAICALLS_API_KEY")
    with pytest.raises(ValueError, match="kaicalls keys create"):
        KaiCalls()
    with pytest.raises(ValueError, match="http://"):
        KaiCalls("kc_test_x", base_url="localhost:8080")
    monkeypatch.setenv("KAICALLS_API_KEY", "kc_test_x")
    with pytest.raises(ValueError, match="required"):
        KaiCalls("")


def test_a_key_goes_where_it_is_told_and_else_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for address, variable, expected in (
        ("https://a.example/", "https://b.example", "https://a.example"),
        (None, "https://b.example/api/v1", "https://b.example"),
        (None, None, "http://127.0.0.1:8080"),
    ):
        monkeypatch.delenv("KAICALLS_BASE_URL", raising=False)
        if variable is not None:
            monkeypatch.setenv("KAICALLS_BASE_URL", variable)
        assert KaiCalls("kc_live_x", address).base_url == AsyncKaiCalls("kc_live_x", address).base_url == expected


def test_misspelt_arguments_are_refused_before_anything_is_sent(kai: Any, agent: str, business: str) -> None:
    for action in (
        lambda: kai.calls.create(agent, FRIENDLY, frist_message="Hi."),
        lambda: kai.calls.list(agnet_id=agent),
        lambda: kai.agents.update(agent, promt="x"),
        lambda: kai.leads.create(business, nmae="Ada"),
        lambda: kai.sms.send("+1", "a", "b", massage="c"),
    ):
        with pytest.raises(TypeError, match="unexpected keyword argument"):
            action()
    lead = kai.leads.create(business, name="Ada Example", options={"extra": {"notes": "Sent without a name for it."}})
    assert lead.notes == "Sent without a name for it."
    assert kai.calls.list(options={"extra": {"limit": 1}}).rows is not None


async def test_everything_works_asynchronously(akai: AsyncKaiCalls, agent: str) -> None:
    heard: List[str] = []
    placed = await akai.calls.create(agent, FRIENDLY)
    call = await akai.calls.wait(placed.id, on_event=lambda event: heard.append(event.type))
    assert call.status == "completed" and heard[-1] == "completed"
    page = await akai.calls.list(agent_id=agent, limit=1)
    assert len(page.rows) == 1
    ids = [row.id async for row in akai.calls.list(agent_id=agent, limit=2)]
    assert placed.id in ids and len(ids) == len(set(ids))
    transcript = await akai.transcripts.get(call.id)
    assert transcript is not None
    with pytest.raises(NotFoundError):
        await akai.leads.get("0190a0b0-0000-7000-8000-000000000000")
    assert (await akai.account.balance()).businesses
