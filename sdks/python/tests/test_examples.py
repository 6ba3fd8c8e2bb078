"""The quickstarts, run as a reader would."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Dict

from kaicalls import KaiCalls, webhooks

from conftest import FRIENDLY

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def run(name: str, *arguments: str) -> str:
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def test_the_first_call() -> None:
    said = run("first_call.py")
    assert "caller:" in said and "completed:" in said


def test_a_list_of_leads_is_called(kai: KaiCalls, agent: str, business: str) -> None:
    lead = kai.leads.create(business, name="Ada Example", phone=FRIENDLY, status="to_call")
    assert FRIENDLY in run("call_leads.py", agent, "to_call")
    assert kai.leads.get(lead.id).status == "contacted"


def test_the_receiver_takes_what_is_signed_and_nothing_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    secret = "whsec_c2VjcmV0IG9mIGEgdGVzdA=="
    environment = {**os.environ, "KAICALLS_WEBHOOK_SECRET": secret}
    command = [sys.executable, "-m", "uvicorn", "fastapi_receiver:app", "--port", str(port), "--log-level", "warning"]
    with subprocess.Popen(command, cwd=EXAMPLES, env=environment, stdout=subprocess.PIPE, text=True) as receiver:
        try:
            body = json.dumps({"event": "call.failed", "call_id": "c1", "status": "failed", "error": "busy"}).encode()
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    assert receiver.poll() is None, "the receiver ended"
            signed = webhooks.sign(body, secret)
            for _ in range(2):
                assert post(port, body, signed) == 204
            assert post(port, body + b" ", signed) == 400
            assert receiver.stdout is not None and receiver.stdout.readline() == "call.failed c1 busy\n"
        finally:
            receiver.terminate()


def post(port: int, body: bytes, headers: Dict[str, str]) -> int:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/calls", data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
