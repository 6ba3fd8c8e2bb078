"""Events of a call, and when a call is over."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Optional, cast

from ._errors import KaiCallsError, WaitTimeoutError
from ._object import KaiObject

RUNNING = frozenset({"queued", "ringing", "in-progress", "in_progress", "started"})

LONGEST_INTERVAL = 5.0


class CallEvent(KaiObject):
    """Something that happened in a call."""

    type: str
    """``queued``, ``dialing``, ``accepted``, ``ringing``, ``answered``, ``said``, ``noted``, ``turn``, ``sound``, ``ended``,
    ``completed`` or ``failed``."""
    id: Optional[str]
    """Where to go on after the connection was lost."""
    at: str
    """When."""
    by: Optional[str]
    """``said``: ``agent`` or ``caller``."""
    text: Optional[str]
    """``said``: the words."""


class EventReader:
    """Server-sent events, line by line (WHATWG HTML, section 9.2)."""

    def __init__(self) -> None:
        self.last_id: Optional[str] = None
        self._type = ""
        self._data: List[str] = []

    def feed(self, line: str) -> Optional[CallEvent]:
        """Takes a line; gives an event if it is complete."""
        if line:
            name, _, value = line.partition(":")
            value = value[1:] if value.startswith(" ") else value
            if name == "event":
                self._type = value
            elif name == "data":
                self._data.append(value)
            elif name == "id":
                self.last_id = value
            return None
        if not self._data:
            self._type = ""
            return None
        try:
            data: Any = json.loads("\n".join(self._data))
        except ValueError:
            data = {"data": "\n".join(self._data)}
        event = CallEvent(cast(Dict[str, Any], data) if isinstance(data, dict) else {"data": data})
        event["type"], event["id"] = self._type or "message", self.last_id
        self._type, self._data = "", []
        return event


def is_over(event: CallEvent) -> bool:
    return event["type"] in ("completed", "failed")


def timed_out(call_id: str, call: Any, timeout: float) -> WaitTimeoutError:
    return WaitTimeoutError(
        0, "wait_timeout", f'Call {call_id} still "{call.get("status")}" after {timeout}s', call
    )


def link(call_id: str, recording: Any) -> str:
    url = recording.get("recording_url")
    if not url:
        status = recording.get("status")
        raise KaiCallsError(0, "recording_unavailable", f'The recording of call {call_id} is "{status}"', recording)
    return str(url)
