"""What was written for the first package, ``kaicalls`` 0.1.0: its own tests, and a program.

``KAICALLS_FIRST_PACKAGE`` is its source distribution as it was downloaded; nothing of it is kept in this repository.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any, Dict, List

import pytest

import kaicalls
from kaicalls import AsyncKaiCalls, KaiCalls, KaiCallsError, KaiObject, signup

from conftest import FRIENDLY, NO_ANSWER


@pytest.fixture(scope="module")
def first_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("first")
    with tarfile.open(os.environ["KAICALLS_FIRST_PACKAGE"]) as archive:
        for name in ("tests/test_client.py", "kaicalls/client.py"):
            stored = archive.extractfile(f"kaicalls-0.1.0/{name}")
            assert stored is not None
            (folder / Path(name).name).write_bytes(stored.read())
    return folder


def test_its_own_tests_pass(first_package: Path, tmp_path: Path) -> None:
    (tmp_path / "test_client.py").write_bytes((first_package / "test_client.py").read_bytes())
    # They expect the address of the hosted service and reach nobody.
    environment = {**os.environ, "KAICALLS_BASE_URL": "https://www.kaicalls.com"}
    command = [sys.executable, "-m", "unittest", "-v", "test_client"]
    ran = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0 and "Ran 12 tests" in ran.stderr, ran.stderr


def test_every_method_takes_its_arguments_in_the_same_order(first_package: Path) -> None:
    spec = importlib.util.spec_from_file_location("first_kaicalls_client", first_package / "client.py")
    assert spec is not None and spec.loader is not None
    first: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(first)
    theirs = first.KaiCalls("kc_test_x")
    compared, different = 0, []
    for ours in (KaiCalls("kc_test_x"), AsyncKaiCalls("kc_test_x")):
        for name, resource in vars(theirs).items():
            if name.startswith("_"):
                continue
            for method, function in inspect.getmembers(resource, inspect.ismethod):
                if method.startswith("_"):
                    continue
                wanted = [one for one in _parameters(function) if one != "**"]
                given = _parameters(getattr(getattr(ours, name), method))
                compared += 1
                if given[: len(wanted)] != wanted:
                    different.append((type(ours).__name__, name, method, wanted, given))
    assert different == [] and compared == 2 * 64
    for wanted_of, given_of in ((first.KaiCalls, KaiCalls), (first.signup, signup), (theirs.request, KaiCalls("x").request)):
        wanted = _parameters(wanted_of)
        assert _parameters(given_of)[: len(wanted)] == wanted


def _parameters(function: Any) -> List[str]:
    """Their names in order; ``**`` for any others."""
    parameters = inspect.signature(function).parameters.values()
    return ["**" if one.kind is one.VAR_KEYWORD else one.name for one in parameters if one.kind is not one.KEYWORD_ONLY]


def test_a_program_of_the_first_package_runs(agent: str, business: str) -> None:
    import requests
    from kaicalls.client import KaiCalls as ByModule

    assert ByModule is KaiCalls
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
    assert kai.leads.audit(12).window_hours == 12 and kai.agents.versions(agent, 1).version.version_number == 1
    assert kai.phone_numbers.list().numbers is not None
    assert kai.agents.list().agents and kai.agents.update(agent, name="Reception").name == "Reception"
    assert kai.account.balance().businesses and kai.account.usage(limit=1).usage
    assert kai.discovery.health().status and "/api/v1/calls" in kai.discovery.openapi().paths
    with pytest.raises(KaiCallsError) as error:
        kai.calls.get("0190a0b0-0000-7000-8000-000000000000")
    assert (error.value.status, error.value.code, error.value.body["error"]["code"]) == (404, "not_found", "not_found")
    assert str(error.value) == error.value.body["error"]["message"], "the message alone"
    waited = pytest.raises(KaiCallsError)
    with waited as late:
        kai.calls.wait("0190a0b0-0000-7000-8000-000000000000", 0.01, 0.01)
    assert late.value.status == 404


async def test_routes_that_the_server_lacks_answer_as_they_did(kai: Any, akai: Any) -> None:
    asked: List[Dict[str, Any]] = [
        {"of": "sms.send", "with": ["+15005550006", "agent", "Hello"]},
        {"of": "workspaces.get", "with": ["id"]},
        {"of": "evals.run", "with": ["x"]},
        {"of": "analytics.dashboard", "with": [7]},
        {"of": "communication_runs.pause", "with": ["x"]},
        {"of": "agents.versions", "with": ["x", 1]},
    ]
    for one in asked:
        resource, method = one["of"].split(".")
        for action in (lambda: getattr(getattr(kai, resource), method)(*one["with"]), None):
            with pytest.raises(KaiCallsError) as error:
                if action is not None:
                    action()
                else:
                    await getattr(getattr(akai, resource), method)(*one["with"])
            assert error.value.status == 404, one
    with pytest.raises(KaiCallsError) as refused:
        signup("Business", "a@example.com", base_url=os.environ["KAICALLS_BASE_URL"])
    assert refused.value.status == 403
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        kai.sms.nothing_of_the_kind()
