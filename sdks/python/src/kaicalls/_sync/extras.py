"""What methods that are not made from the contract do: waiting for calls, following them, fetching files."""

# Made by `cargo xtask codegen` from the module of this name in `_async`; do not edit.

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Iterator, Callable, Optional, cast

from .._base import Resource
from .._errors import APIConnectionError, APIError
from .._events import LONGEST_INTERVAL, RUNNING, CallEvent, EventReader, is_over, link, timed_out
from .._transport import sleep

if TYPE_CHECKING:
    from ..types import CallDetail, TranscriptRow


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
            except (APIError, APIConnectionError) as error:
                if isinstance(error, APIError) and error.status in (401, 403, 404):
                    raise
        while True:
            call: Any = get(call_id)
            if str(call.get("status")) not in RUNNING:
                return cast("CallDetail", call)
            left = deadline - time.monotonic()
            if left <= 0:
                raise timed_out(call_id, call, timeout)
            sleep(min(interval, left))
            interval = min(max(interval * 1.2, interval), max(LONGEST_INTERVAL, interval))

    def stream(self, call_id: str, *, timeout: float = 600.0) -> Iterator[CallEvent]:
        """What happens in a call, from its beginning and as it happens, until it is over.

        A connection that is lost is taken up where it broke off.
        """
        deadline = time.monotonic() + timeout
        reader, failures = EventReader(), 0
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
                        if is_over(event):
                            return
            except APIConnectionError:
                failures += 1
                if failures > self._client.max_retries:
                    raise
                sleep(min(0.2 * 2.0**failures, 5.0))


class RecordingsExtras(Resource):
    """Fetching recordings."""

    def download(self, call_id: str) -> bytes:
        """The recording of a call as a file; its type is ``content_type`` of ``kai.recordings.get``."""
        recording: Any = cast(Any, self).get(call_id)
        return self._client._download(link(call_id, recording))


class TranscriptsExtras(Resource):
    """One transcript."""

    def get(self, call_id: str) -> "Optional[TranscriptRow]":
        """The transcript of one call; ``None`` if it has none (yet)."""
        page = cast(Any, self).list(call_id=call_id, limit=1)
        return cast("Optional[TranscriptRow]", page.rows[0] if page.rows else None)
