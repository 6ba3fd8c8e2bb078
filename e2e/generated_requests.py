"""Sends generated requests to a running server and holds every answer against its OpenAPI document.

No answer may be a 5xx other than a documented `call_failed`, and none may have a status, a content type or a body that the document
does not know. The generator is schemathesis; what it finds it shows with a request to repeat it.

Environment: KAICALLS_BASE_URL and KAICALLS_API_KEY.
"""

import os
import subprocess
import sys

BASE_URL = os.environ["KAICALLS_BASE_URL"]

command = [
    os.path.join(os.path.dirname(sys.executable), "schemathesis"),
    "run",
    f"{BASE_URL}/api/v1/openapi.json",
    "--header",
    f"Authorization: Bearer {os.environ['KAICALLS_API_KEY']}",
    "--checks",
    "status_code_conformance,content_type_conformance,response_schema_conformance",
    "--phases",
    "examples,coverage,fuzzing",
    # A live view of a call that exists stays open as long as the call lasts.
    "--exclude-path",
    "/api/v1/calls/stream",
    "--max-examples",
    "30",
    # Two at once fall over each other inside the generator now and then.
    "--workers",
    "1",
    "--seed",
    "1",
    "--no-color",
    "--generation-database",
    "none",
]
sys.exit(subprocess.run(command, check=False).returncode)
