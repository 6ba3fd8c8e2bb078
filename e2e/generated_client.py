"""Makes a Python client from the running server's OpenAPI document and uses it.

The generator is openapi-python-client. It leaves out what it does not understand and says so; apart from recordings, which are sound and no
JSON, it must understand everything. The client then does the main job: it makes an agent, places a call on the sandbox, waits for
its end and reads the lead.

Environment: KAICALLS_BASE_URL and KAICALLS_API_KEY (a test key with the scope `*`). Argument: a folder for the client.
"""

import os
import pathlib
import subprocess
import sys
import time
import urllib.request

BASE_URL = os.environ["KAICALLS_BASE_URL"]
KEY = os.environ["KAICALLS_API_KEY"]
FOLDER = pathlib.Path(sys.argv[1])


def generate():
    """Makes the client."""
    document = FOLDER / "openapi.json"
    with urllib.request.urlopen(f"{BASE_URL}/api/v1/openapi.json", timeout=30) as answer:
        document.write_bytes(answer.read())
    settings = FOLDER / "settings.yaml"
    # Hooks would format the code, with a tool that nobody needs here.
    settings.write_text("post_hooks: []\n")
    command = [
        sys.executable, "-m", "openapi_python_client", "generate", "--path", document, "--config", settings,
        "--output-path", FOLDER / "made_client", "--meta", "none", "--overwrite",
    ]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    said = made.stdout + made.stderr
    assert made.returncode == 0, said
    left_out = [line for line in said.splitlines() if line.startswith(("WARNING", "ERROR", "Unable"))]
    assert all("/api/v1/recordings/media/" in line for line in left_out), said


def use():
    """Does the main job with it."""
    sys.path.insert(0, str(FOLDER))
    from made_client import AuthenticatedClient
    from made_client.api.account import balance_read
    from made_client.api.agents import agents_create, agents_read
    from made_client.api.calls import calls_create, calls_read
    from made_client.api.leads import leads_read
    from made_client.models import NewAgent, NewCall

    client = AuthenticatedClient(base_url=BASE_URL, token=KEY, raise_on_unexpected_status=True)
    business = balance_read.sync(client=client).businesses[0].business_id
    new = NewAgent.from_dict(
        {
            "business_id": str(business),
            "name": "Intake",
            "system_prompt": "Ask for the name.\nThen for the matter.",
            "metadata": {"team": {"tags": ["a", 1, None, True]}},
        }
    )
    agent = agents_create.sync(client=client, body=new)
    read = agents_read.sync(client=client, id=str(agent.id))
    assert read.first_message == "Hello! How can I help you today?", read
    assert read.metadata.to_dict() == {"team": {"tags": ["a", 1, None, True]}}, read
    placed = calls_create.sync(client=client, body=NewCall.from_dict({"agent_id": str(agent.id), "to": "+15005550007"}))
    deadline = time.monotonic() + 60
    call = calls_read.sync(client=client, id=str(placed.id))
    while call.status not in ("completed", "failed"):
        assert time.monotonic() < deadline, call
        time.sleep(0.05)
        call = calls_read.sync(client=client, id=str(placed.id))
    assert call.status == "completed" and call.summary and call.ended_at >= call.started_at, call
    lead = leads_read.sync(client=client, id=str(call.lead_id))
    assert lead.name and lead.email, lead
    print(f"a client made by openapi-python-client placed a call of {call.duration} s and read its lead")


FOLDER.mkdir(parents=True, exist_ok=True)
generate()
use()
