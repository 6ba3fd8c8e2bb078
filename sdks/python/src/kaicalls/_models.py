"""What the API answers.

Made by `cargo xtask codegen` from openapi/v1.json; do not edit.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional

from ._object import KaiObject, Page

__all__ = [
    "AgentCreated",
    "AgentDetail",
    "AgentList",
    "AgentRow",
    "AgentUpdated",
    "Balance",
    "BusinessBalance",
    "CallDetail",
    "CallList",
    "CallPlaced",
    "CallRow",
    "Capabilities",
    "CurrentBody",
    "ErrorBody",
    "ErrorDetail",
    "Health",
    "KeyBody",
    "KeyCreated",
    "KeyList",
    "LeadBody",
    "LeadList",
    "NumberList",
    "NumberRow",
    "Prompts",
    "Quality",
    "Recording",
    "SessionBody",
    "Success",
    "TranscriptList",
    "TranscriptRow",
    "Usage",
    "UsageList",
]


class ErrorBody(KaiObject):
    """The body of every refusal."""

    error: ErrorDetail
    """What went wrong."""


class ErrorDetail(KaiObject):
    """What went wrong."""

    code: str
    """A word for programs; see the reference."""

    message: str
    """A sentence for people."""

    details: Optional[Dict[str, Any]]
    """More for programs, such as the fields that are wrong."""


class AgentDetail(KaiObject):
    """An agent with everything that decides how it behaves."""

    id: str

    name: str

    business_id: str

    vapi_assistant_id: Optional[str]
    """The assistant that the Vapi engine made for it, if any."""

    phone_number: Optional[str]

    created_at: str

    updated_at: str

    status: str

    version_number: int
    """Counts the changes, from 1."""

    prompts: Prompts

    first_message: Optional[str]

    outbound_first_message: Optional[str]

    voice: Optional[Dict[str, Any]]

    model: Dict[str, Any]

    outbound_llm: Any

    sms_llm: Any

    max_duration: Optional[int]
    """Longest call in seconds, if the agent has a limit of its own."""

    transfer_enabled: bool

    transfer_phone_number: Optional[str]

    vapi_config: Dict[str, Any]

    metadata: Dict[str, Any]


class Prompts(KaiObject):
    """Instructions by channel."""

    inbound: str

    outbound: Optional[str]

    sms: Optional[str]


class AgentRow(KaiObject):
    """An agent in a list."""

    id: str

    name: str

    business_id: str

    created_at: str

    phone_number: Optional[str]
    """Its number in E.164, if it has one."""

    status: str
    """Always `active`."""


class AgentCreated(KaiObject):
    """An agent just made."""

    id: str

    name: str

    business_id: str

    vapi_assistant_id: Optional[str]

    created_at: str


class AgentUpdated(KaiObject):
    """An agent after a change."""

    id: str

    name: str

    business_id: str

    vapi_assistant_id: Optional[str]

    updated: bool
    """False if nothing changed."""


class CallDetail(KaiObject):
    """A call with everything known of it."""

    id: str

    conversation_id: Optional[str]

    status: str
    """`queued`, `ringing`, `in-progress`, `completed` or `failed`."""

    direction: str
    """`inbound` or `outbound`."""

    duration: Optional[int]
    """Seconds from answer to end; null until then."""

    agent_id: str

    agent_name: str

    business_id: str

    lead_id: Optional[str]

    to: str

    from_: Optional[str]

    summary: Optional[str]

    created_at: str

    recording_url: Optional[str]
    """Plays without a key; expires."""

    quality_dimensions: Optional[Quality]
    """Null until the call was graded."""

    name: Optional[str]
    """The person's name, as it was given."""

    started_at: Optional[str]
    """When it was answered."""

    ended_at: Optional[str]

    error: Optional[str]
    """Why it never connected: `no_answer`, `busy`, `declined`, `invalid_number`, `carrier_error`, `canceled`, `blocked`,
    `agent_error` or `internal_error`.
    """

    ended_reason: Optional[str]
    """The engine's own word for how it ended."""

    transcript_available: bool
    """Whether GET /api/v1/transcripts has it."""


class Quality(KaiObject):
    """How well the agent did, 0 to 100 each."""

    professionalism: int

    empathy: int

    information_gathering: int

    resolution: int


class CallRow(KaiObject):
    """A call in a list."""

    id: str

    conversation_id: Optional[str]

    status: str
    """`queued`, `ringing`, `in-progress`, `completed` or `failed`."""

    direction: str
    """`inbound` or `outbound`."""

    duration: Optional[int]
    """Seconds from answer to end; null until then."""

    agent_id: str

    agent_name: str

    business_id: str

    lead_id: Optional[str]

    to: str

    from_: Optional[str]

    summary: Optional[str]

    created_at: str


class CallPlaced(KaiObject):
    """A call just placed."""

    id: str

    conversation_id: Optional[str]
    """The engine's own id; null if it has not answered yet."""

    status: str
    """`queued`."""

    agent_id: str

    to: str

    name: Optional[str]

    created_at: str


class Recording(KaiObject):
    """The recording of a call."""

    call_id: str

    conversation_id: Optional[str]

    status: str
    """`available`, `processing` or `unavailable`."""

    recording_available: bool

    recording_url: Optional[str]

    expires_at: Optional[str]
    """When the link stops working."""

    duration: Optional[int]
    """Seconds of sound."""

    content_type: Optional[str]

    agent_id: str

    agent_name: str

    business_id: str

    created_at: str


class TranscriptRow(KaiObject):
    """The transcript of a call."""

    call_id: str

    conversation_id: Optional[str]

    agent_id: str

    agent_name: str

    status: str
    """The call's status."""

    duration: Optional[int]
    """Seconds from answer to end."""

    summary: Optional[str]

    transcript: Optional[str]
    """Lines of `Agent: …` and `Caller: …`."""

    created_at: str
    """When the call was placed."""


class LeadBody(KaiObject):
    """A lead."""

    id: str

    business_id: str

    agent_id: Optional[str]

    name: Optional[str]

    first_name: Optional[str]

    last_name: Optional[str]

    email: Optional[str]

    phone: Optional[str]
    """In E.164 if its country has such a number, else as it was given."""

    phone_valid: Optional[bool]
    """Whether its country has such a number; null without one."""

    phone_extension: Optional[str]
    """What to dial once the number has answered, digits only."""

    address: Optional[str]

    city: Optional[str]

    state: Optional[str]

    zip: Optional[str]

    status: str

    source: str

    source_url: Optional[str]

    source_page: Optional[str]

    notes: Optional[str]

    message: Optional[str]

    event_date: Optional[str]

    event_type: Optional[str]

    timezone: Optional[str]

    score: Optional[int]
    """How promising it is, 0 to 100; null until a call told."""

    score_explanation: Optional[str]

    interaction_count: int
    """Calls with it that connected."""

    last_contacted_at: Optional[str]

    created_at: str

    updated_at: str


class NumberRow(KaiObject):
    """A phone number."""

    id: str

    phone_number: str
    """In E.164."""

    agent_id: Optional[str]
    """The agent that answers it and calls from it."""

    business_id: Optional[str]

    created_at: str

    capabilities: Capabilities

    status: str
    """`assigned` to a business, or `available`."""


class Capabilities(KaiObject):
    """What a number can do."""

    voice: bool

    sms: bool

    mms: bool


class Balance(KaiObject):
    """What every business of the key has used."""

    businesses: List[BusinessBalance]


class BusinessBalance(KaiObject):
    """What one business has used."""

    business_id: str

    minutes_used: float
    """Minutes talked, to a hundredth."""

    phone_numbers: int
    """Numbers that it holds."""

    subscription_status: str
    """Always `active`: nobody bills a platform of one's own."""


class Usage(KaiObject):
    """A request."""

    id: str

    endpoint: str
    """The path without `/api`."""

    method: str

    status_code: int

    call_id: Optional[str]
    """The call that was placed."""

    cost_cents: int

    created_at: str


class KeyBody(KaiObject):
    """An API key, without its secret."""

    id: str

    prefix: str
    """Its first twelve characters."""

    name: str

    mode: str
    """`live` or `test`."""

    scopes: List[str]

    business_id: Optional[str]

    created_at: str

    last_used_at: Optional[str]

    expires_at: Optional[str]

    is_active: bool
    """False once it is revoked or has expired."""


class KeyCreated(KaiObject):
    """A key just made."""

    key: str
    """The secret, shown this once."""

    id: str

    prefix: str

    name: str

    mode: str

    scopes: List[str]

    business_id: Optional[str]

    created_at: str

    expires_at: Optional[str]


class Success(KaiObject):
    """`{"success": true}`."""

    success: bool
    """Always true."""


class Health(KaiObject):
    """A platform that works."""

    status: str
    """`ok`."""

    version: str
    """The server's version."""

    mode: str
    """The mode of the key: `live` or `test`."""

    engine: Optional[str]
    """The engine that makes the key's calls; null if none is configured."""

    time: str


class SessionBody(KaiObject):
    """A session."""

    user_id: str

    email: str

    expires_at: str
    """When it ends at the latest."""


class CurrentBody(KaiObject):
    """Who is logged in."""

    user_id: str


class AgentList(Page[AgentRow]):
    """A page of agents."""

    _rows_field = "agents"

    agents: List[AgentRow]

    has_more: bool


class CallList(Page[CallRow]):
    """A page of calls."""

    _rows_field = "calls"

    calls: List[CallRow]

    has_more: bool


class TranscriptList(Page[TranscriptRow]):
    """A page of transcripts."""

    _rows_field = "transcripts"

    transcripts: List[TranscriptRow]

    has_more: bool


class LeadList(Page[LeadBody]):
    """A page of leads."""

    _rows_field = "leads"

    leads: List[LeadBody]

    has_more: bool


class NumberList(Page[NumberRow]):
    """A page of numbers."""

    _rows_field = "numbers"

    numbers: List[NumberRow]

    has_more: bool


class UsageList(Page[Usage]):
    """A page of requests."""

    _rows_field = "usage"

    usage: List[Usage]

    has_more: bool


class KeyList(Page[KeyBody]):
    """The user's keys."""

    _rows_field = "keys"

    has_more: bool
