"""What methods that are not made from the contract do: waiting for calls, following them, fetching files."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any, AsyncIterator, Callable, Dict, Iterator, List, Optional, cast

import httpx

from ._base import AsyncResource, Resource
from ._errors import APIError, KaiCallsError, WaitTimeoutError
from ._object import KaiObject

if TYPE_CHECKING:
    from ._models import CallDetail, TranscriptRow

RUNNING = frozenset({"queued", "ringing", "in-progress", "in_progress", "started"})

LONGEST_INTERVAL = 5.0


class CallEvent(KaiObject):
    """Something that happened in a call."""

    type: str
    """``queued``, ``dialing``, ``accepted``, ``ringing``, ``answered``, ``said``, ``noted``, ``ended``, ``completed`` or ``failed``."""
    id: Optional[str]
    """Where to go on after the connection was lost."""
    at: str
    """When."""
    by: Optional[str]
    """``said``: ``agent`` or ``caller``."""
    text: Optional[str]
    """``said``: the words."""


class _EventReader:
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


def _is_over(event: CallEvent) -> bool:
    return event["type"] in ("completed", "failed")


def _timed_out(call_id: str, call: Any, timeout: float) -> WaitTimeoutError:
    return WaitTimeoutError(
        0, "wait_timeout", f'Call {call_id} still "{call.get("status")}" after {timeout:g}s', call
    )


class CallsExtras(Resource):
    """Waiting for calls."""

    def wait(
        self,
        call_id: str,
        interval: float = 1.0,
        timeout: float = 600.0,
        *,
        on_event: Optional[Callable[[CallEvent], None]] = None,
    ) -> "CallDetail":
        """Waits until a call is over and gives it, with its summary.

        Looks every ``interval`` seconds, ever less often up to five seconds. With ``on_event`` it follows the call live and tells
        what happens in it; where that is not possible it looks.

        Raises:
            WaitTimeoutError: the call still runs after ``timeout`` seconds; ``error.call`` is how it stands.
        """
        deadline = time.monotonic() + timeout
        get = cast(Any, self).get
        if on_event is not None:
            try:
                for event in self.stream(call_id, timeout=timeout):
                    on_event(event)
            except (APIError, httpx.TransportError) as error:
                if isinstance(error, APIError) and error.status in (401, 403, 404):
                    raise
        while True:
            call: Any = get(call_id)
            if str(call.get("status")) not in RUNNING:
                return cast("CallDetail", call)
            left = deadline - time.monotonic()
            if left <= 0:
                raise _timed_out(call_id, call, timeout)
            time.sleep(min(interval, left))
            interval = min(max(interval * 1.2, interval), max(LONGEST_INTERVAL, interval))

    def stream(self, call_id: str, *, timeout: float = 600.0) -> Iterator[CallEvent]:
        """What happens in a call, from its beginning and as it happens, until it is over.

        A connection that is lost is taken up where it broke off.
        """
        deadline = time.monotonic() + timeout
        reader, failures = _EventReader(), 0
        while time.monotonic() < deadline:
            headers = {"Accept": "text/event-stream"}
            if reader.last_id is not None:
                headers["Last-Event-ID"] = reader.last_id
            left = max(1.0, deadline - time.monotonic())
            try:
                for line in self._client._lines("/api/v1/calls/stream", {"id": call_id}, headers, left):
                    event = reader.feed(line)
                    if event is not None:
                        failures = 0
                        yield event
                        if _is_over(event):
                            return
            except httpx.TransportError:
                failures += 1
                if failures > self._client.max_retries:
                    raise
                time.sleep(min(0.2 * 2.0**failures, 5.0))


class AsyncCallsExtras(AsyncResource):
    """Waiting for calls."""

    async def wait(
        self,
        call_id: str,
        interval: float = 1.0,
        timeout: float = 600.0,
        *,
        on_event: Optional[Callable[[CallEvent], None]] = None,
    ) -> "CallDetail":
        """Waits until a call is over and gives it, with its summary. See :meth:`kaicalls.KaiCalls.calls.wait`."""
        deadline = time.monotonic() + timeout
        get = cast(Any, self).get
        if on_event is not None:
            try:
                async for event in self.stream(call_id, timeout=timeout):
                    on_event(event)
            except (APIError, httpx.TransportError) as error:
                if isinstance(error, APIError) and error.status in (401, 403, 404):
                    raise
        while True:
            call: Any = await get(call_id)
            if str(call.get("status")) not in RUNNING:
                return cast("CallDetail", call)
            left = deadline - time.monotonic()
            if left <= 0:
                raise _timed_out(call_id, call, timeout)
            await asyncio.sleep(min(interval, left))
            interval = min(max(interval * 1.2, interval), max(LONGEST_INTERVAL, interval))

    async def stream(self, call_id: str, *, timeout: float = 600.0) -> AsyncIterator[CallEvent]:
        """What happens in a call, from its beginning and as it happens, until it is over."""
        deadline = time.monotonic() + timeout
        reader, failures = _EventReader(), 0
        while time.monotonic() < deadline:
            headers = {"Accept": "text/event-stream"}
            if reader.last_id is not None:
                headers["Last-Event-ID"] = reader.last_id
            left = max(1.0, deadline - time.monotonic())
            try:
                async for line in self._client._lines("/api/v1/calls/stream", {"id": call_id}, headers, left):
                    event = reader.feed(line)
                    if event is not None:
                        failures = 0
                        yield event
                        if _is_over(event):
                            return
            except httpx.TransportError:
                failures += 1
                if failures > self._client.max_retries:
                    raise
                await asyncio.sleep(min(0.2 * 2.0**failures, 5.0))


class RecordingsExtras(Resource):
    """Fetching recordings."""

    def download(self, call_id: str) -> bytes:
        """The recording of a call as a file; its type is ``content_type`` of ``kai.recordings.get``."""
        recording: Any = cast(Any, self).get(call_id)
        return self._client._download(_link(call_id, recording))[1]


class AsyncRecordingsExtras(AsyncResource):
    """Fetching recordings."""

    async def download(self, call_id: str) -> bytes:
        """The recording of a call as a file."""
        recording: Any = await cast(Any, self).get(call_id)
        return (await self._client._download(_link(call_id, recording)))[1]


def _link(call_id: str, recording: Any) -> str:
    url = recording.get("recording_url")
    if not url:
        status = recording.get("status")
        raise KaiCallsError(0, "recording_unavailable", f'The recording of call {call_id} is "{status}"', recording)
    return str(url)


class TranscriptsExtras(Resource):
    """One transcript."""

    def get(self, call_id: str) -> "Optional[TranscriptRow]":
        """The transcript of one call; ``None`` if it has none (yet)."""
        rows = cast(Any, self).list(call_id=call_id, limit=1).rows
        return cast("Optional[TranscriptRow]", rows[0] if rows else None)


class AsyncTranscriptsExtras(AsyncResource):
    """One transcript."""

    async def get(self, call_id: str) -> "Optional[TranscriptRow]":
        """The transcript of one call; ``None`` if it has none (yet)."""
        page = await cast(Any, self).list(call_id=call_id, limit=1)
        return cast("Optional[TranscriptRow]", page.rows[0] if page.rows else None)
