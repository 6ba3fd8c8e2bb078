"""What the API answers.

Made by `cargo xtask codegen` from openapi/v1.json; do not edit.
"""

from __future__ import annotations

from typing import Any, Dict, List, Literal, Optional, Union

from ._object import KaiObject, Page

__all__ = [
    "AccountCreated",
    "AgentCreated",
    "AgentDetail",
    "AgentList",
    "AgentRolledBack",
    "AgentRow",
    "AgentToday",
    "AgentUpdated",
    "AgentVersionDetail",
    "AgentVersionRow",
    "AgentVersions",
    "AgentWarning",
    "AnsweringView",
    "AuditActor",
    "AuditChange",
    "AuditEntry",
    "AuditList",
    "AuditTarget",
    "AvailableNumber",
    "AvailableNumbers",
    "Balance",
    "BudgetRefused",
    "BusinessBalance",
    "CallChecked",
    "CallDetail",
    "CallDirection",
    "CallEnding",
    "CallList",
    "CallPlaced",
    "CallRow",
    "CallSound",
    "CallStatus",
    "CallTurn",
    "Capabilities",
    "Compliance",
    "Consent",
    "ConsentList",
    "ConsentWithdrawn",
    "CountedLeads",
    "CountedVoicemails",
    "CurrentBody",
    "DeliveryCount",
    "DeliveryList",
    "DeliveryRow",
    "DisclosuresView",
    "EndpointAccess",
    "ErrorBody",
    "ErrorDetail",
    "EventList",
    "EventRow",
    "EventsBackfilled",
    "EventsReplayed",
    "FieldChange",
    "Health",
    "HealthPart",
    "HealthProviders",
    "HealthQueue",
    "IncomingCallRinging",
    "KeyBody",
    "KeyCapabilities",
    "KeyCreated",
    "KeyLimits",
    "KeyList",
    "KeyNamed",
    "KeyRateLimits",
    "LeadAudit",
    "LeadBody",
    "LeadChangeRow",
    "LeadFieldChange",
    "LeadHistory",
    "LeadList",
    "LeadMerged",
    "NumberAssigned",
    "NumberList",
    "NumberReleased",
    "NumberRow",
    "NumberStatus",
    "PhoneNumber",
    "PhoneNumberList",
    "PipelineTotals",
    "Prompts",
    "Quality",
    "Recording",
    "RecordingStatus",
    "RuleChecked",
    "Schemas",
    "SecretRotated",
    "SentRequest",
    "SessionBody",
    "Success",
    "Today",
    "TranscriptList",
    "TranscriptRow",
    "Usage",
    "UsageList",
    "VoicemailRow",
    "Webhook",
    "WebhookDeleted",
    "WebhookList",
    "WebhookSaved",
    "WebhookTested",
    "WorkspaceBody",
    "WorkspaceChanged",
    "WorkspaceList",
    "WorkspaceNamed",
]

CallStatus = Literal["queued", "ringing", "in-progress", "completed", "failed"]

CallDirection = Literal["inbound", "outbound"]

RecordingStatus = Literal["available", "processing", "unavailable"]

NumberStatus = Literal["assigned", "available"]


class ErrorBody(KaiObject):
    """The body of every refusal."""

    error: ErrorDetail
    """Why the request was refused."""


class ErrorDetail(KaiObject):
    """Why a request was refused, for programs and for people."""

    code: str
    """Code of the refusal for programs, like `not_found`; docs/reference/errors.md explains each."""

    message: str
    """Explanation of the refusal for people."""

    details: Optional[Dict[str, Any]]
    """More for programs, such as the fields that are wrong."""


class AgentDetail(KaiObject):
    """An agent with all its fields."""

    id: str

    name: str

    business_id: str

    vapi_assistant_id: Optional[str]
    """Id of the agent's assistant at Vapi; null if there is none."""

    phone_number: Optional[str]

    created_at: str

    updated_at: str

    status: str

    version_number: int
    """Number of the agent's version; every change adds one, the first is 1."""

    prompts: Prompts

    first_message: str
    """First sentence of the agent: its own, or the greeting of agents that have none."""

    outbound_first_message: Optional[str]

    voice: Dict[str, Any]
    """Voice of the agent as `{provider, voiceId}`; empty if the engine chooses one."""

    model: Dict[str, Any]

    outbound_llm: Any

    sms_llm: Any

    max_duration: Optional[int]
    """Longest duration of a call in seconds; null if the agent has no limit of its own."""

    daily_budget_cents: Optional[int]
    """What all of its calls of a day may cost together, in cents; null if only the budget of its business counts."""

    keep_sensitive_numbers: bool
    """Whether card and social security numbers that callers say are kept."""

    transfer_enabled: bool

    transfer_phone_number: Optional[str]

    vapi_config: Dict[str, Any]

    metadata: Dict[str, Any]

    answering: AnsweringView

    language: Optional[Union[str, List[str]]]
    """Language that the agent speaks, or a list of them; null leaves it to the first message."""

    disclosures: DisclosuresView


class Prompts(KaiObject):
    """Instructions for each channel."""

    inbound: str

    outbound: Optional[str]

    sms: Optional[str]


class AnsweringView(KaiObject):
    """What an agent does with machines that answer its calls."""

    voicemail: str
    """With an answering machine: `leave_message` or `hang_up`."""

    screener: str
    """With an assistant that asks who is calling: `introduce` (name and reason) or `hang_up`."""

    menu: str
    """With a menu, a waiting line or music: `wait` (in silence, for a minute at most) or `hang_up`."""


class DisclosuresView(KaiObject):
    """What an agent says before anything else; null is as its business says."""

    ai: Optional[bool]
    """That an AI speaks."""

    recording: Optional[bool]
    """That the call is recorded."""


class AgentRow(KaiObject):
    """An agent in a list."""

    id: str

    name: str

    business_id: str

    created_at: str

    phone_number: Optional[str]
    """Phone number of the agent in E.164 format; null if it has none."""

    status: str
    """Always `active`: an agent can be called as soon as it exists."""


class AgentCreated(KaiObject):
    """An agent that has just been created."""

    id: str

    name: str

    business_id: str

    vapi_assistant_id: Optional[str]

    created_at: str

    warnings: Optional[List[AgentWarning]]
    """What the agent asks for that calls have to do without; absent if there is nothing."""


class AgentWarning(KaiObject):
    """Something that the agent asks for and this installation lacks. It is kept with the agent."""

    field: str
    """Field of the agent that asks for it: `voice` or `model`."""

    message: str
    """What takes its place in calls."""


class AgentUpdated(KaiObject):
    """An agent after a change."""

    id: str

    name: str

    business_id: str

    vapi_assistant_id: Optional[str]

    updated: bool
    """False if the request changed nothing."""

    warnings: Optional[List[AgentWarning]]
    """What the agent asks for that calls have to do without; absent if there is nothing."""


class AgentVersionRow(KaiObject):
    """A version of an agent."""

    id: str

    version_number: int
    """Number of the version; the first is 1."""

    config_hash: str
    """Hash of the whole configuration: versions with the same hash are equal."""

    source: str
    """How the version came about: `api`, `dashboard`, `rollback` or `system`."""

    diff_summary: Optional[str]
    """Names of the fields that changed; null for the first version."""

    created_by: Optional[str]
    """Id of the API key or e-mail address of the person that made the version; null if the platform did."""

    created_at: str

    rollback_of: Optional[int]
    """Number of the earlier version that this one brought back; null if it brought back none."""

    is_current: bool
    """Whether the agent is like this now."""


class AgentVersionDetail(KaiObject):
    """A version of an agent with its configuration."""

    id: str

    version_number: int
    """Number of the version; the first is 1."""

    config_hash: str
    """Hash of the whole configuration: versions with the same hash are equal."""

    source: str
    """How the version came about: `api`, `dashboard`, `rollback` or `system`."""

    diff_summary: Optional[str]
    """Names of the fields that changed; null for the first version."""

    created_by: Optional[str]
    """Id of the API key or e-mail address of the person that made the version; null if the platform did."""

    created_at: str

    rollback_of: Optional[int]
    """Number of the earlier version that this one brought back; null if it brought back none."""

    is_current: bool
    """Whether the agent is like this now."""

    config_snapshot: Dict[str, Any]
    """What the agent was in this version, with the names of `GET /agents?id=`. Passwords, tokens and other secrets are left out."""

    changes: List[FieldChange]
    """What this version changed."""


class FieldChange(KaiObject):
    """A field that differs between two versions."""

    field: str
    """Name of the field, with a dot before the name of a field within it, like `model.temperature`."""

    before: Any
    """Value in the version before; null if there was none."""

    after: Any
    """Value in this version; null if there is none."""


class AgentRolledBack(KaiObject):
    """An agent that went back to a version."""

    id: str

    name: str

    business_id: str

    vapi_assistant_id: Optional[str]

    updated: bool
    """False if the agent was like that already."""

    version_number: int
    """Number of the agent's version now."""


class CallDetail(KaiObject):
    """A call with all its fields."""

    id: str

    conversation_id: Optional[str]

    status: CallStatus
    """`queued`, `ringing`, `in-progress`, `completed` or `failed`."""

    direction: CallDirection
    """One of `inbound` and `outbound`."""

    duration: Optional[int]
    """Seconds from answer to end; null until the call has ended."""

    agent_id: str

    agent_name: str

    business_id: str

    lead_id: Optional[str]

    to: str

    from_: Optional[str]

    summary: Optional[str]

    scheduled_at: Optional[str]
    """When the call was or will be made, as far as that was planned: the wanted time, or the beginning of the calling hours after it."""

    created_at: str

    recording_url: Optional[str]
    """Link to the recording; it works without a key and expires."""

    quality_dimensions: Optional[Quality]
    """Quality marks; null until the call has been graded."""

    name: Optional[str]
    """Name of the person, as it was given when the call was placed."""

    started_at: Optional[str]
    """Time of the answer."""

    ended_at: Optional[str]

    error: Optional[str]
    """Why it never connected: `no_answer`, `busy`, `declined`, `invalid_number`, `carrier_error`, `canceled`, `blocked`,
    `agent_error` or `internal_error`.
    """

    ended_reason: Optional[str]
    """How the call ended: `ended-by-api` if a request ended it, otherwise the engine's own word."""

    disclosures: List[str]
    """What the agent was heard to say first because it has to: `ai` (that it is an AI), `recording` (that the call is recorded)."""

    urgency: Optional[str]
    """`urgent` if the caller was upset, grieved or asked for a person, `emergency` if somebody was in danger; else null."""

    transcript_available: bool
    """Whether GET /api/v1/transcripts returns a transcript of the call."""

    turns: List[CallTurn]
    """When the steps of each turn of the agent happened, in calls with sound; empty in others."""

    sound: Optional[CallSound]
    """How the sound was, once a call with sound is over; null otherwise."""


class Quality(KaiObject):
    """Quality marks of the agent in a call, 0 to 100 each."""

    professionalism: int

    empathy: int

    information_gathering: int

    resolution: int


class CallTurn(KaiObject):
    """When the steps of one turn of the agent happened, in milliseconds since the answer. A step that did not take place is null: nobody
    speaks before a greeting, and fixed words ask no language model.
    """

    last_caller_packet_ms: Optional[int]
    """The last sound of the caller's words arrived."""

    end_of_speech_ms: Optional[int]
    """The voice detection knew that the caller was silent."""

    first_transcript_ms: Optional[int]
    """The recogniser gave the first words of the caller's turn."""

    last_transcript_ms: Optional[int]
    """The recogniser gave the words by which the turn was taken to be over."""

    end_of_turn_ms: Optional[int]
    """The caller's turn was taken to be over."""

    first_token_ms: Optional[int]
    """The language model gave its first words. Later than the first packet if the caller was asked to wait."""

    first_sentence_ms: Optional[int]
    """The voice was asked for the first sentence."""

    first_audio_ms: Optional[int]
    """The voice gave its first sound; 0 if it was made before the answer."""

    first_agent_packet_ms: int
    """The first sound of the agent was sent."""

    waited_ms: Optional[int]
    """How long the caller waited: from the last sound of their words to the first of the agent."""


class CallSound(KaiObject):
    """How the sound of a call arrived, and how well people would say that they heard."""

    mos: float
    """The mean opinion score by the E-model (ITU-T G.107, simplified), from 1 (bad) to 4.4 (as good as a telephone gets)."""

    packets_received: int
    """Packets of the other side that arrived."""

    loss_percent: float
    """The share of packets that never came or came too late to be heard, in per cent."""

    jitter_ms: float
    """How unevenly packets arrived (RFC 3550)."""

    delay_ms: int
    """How long sound was held back so that it came evenly."""

    round_trip_ms: Optional[int]
    """The way to the other side and back; null if it did not say."""

    concealed_ms: int
    """How much sound was missing and was concealed."""


class CallRow(KaiObject):
    """A call in a list."""

    id: str

    conversation_id: Optional[str]

    status: CallStatus
    """`queued`, `ringing`, `in-progress`, `completed` or `failed`."""

    direction: CallDirection
    """One of `inbound` and `outbound`."""

    duration: Optional[int]
    """Seconds from answer to end; null until the call has ended."""

    agent_id: str

    agent_name: str

    business_id: str

    lead_id: Optional[str]

    to: str

    from_: Optional[str]

    summary: Optional[str]

    scheduled_at: Optional[str]
    """When the call was or will be made, as far as that was planned: the wanted time, or the beginning of the calling hours after it."""

    created_at: str


class CallPlaced(KaiObject):
    """A call that has just been placed."""

    id: str

    conversation_id: Optional[str]
    """Id of the call at the engine; null while the engine has not answered."""

    status: CallStatus
    """Always `queued`: the call is dialled after this answer."""

    agent_id: str

    to: str

    name: Optional[str]

    scheduled_at: Optional[str]
    """When the call will be made; null for a call that is made at once."""

    created_at: str


class CallChecked(KaiObject):
    """What would become of a call."""

    allowed: bool

    error: Optional[str]
    """The error code that placing the call would be answered with."""

    rule: Optional[str]
    """Id of the rule that refuses the call: `opt-out`, `consent`, `concurrency`, `destination`, `country`, `calling-hours`, `frequency` or
    `budget`.
    """

    reason: Optional[str]
    """Why that rule refuses it, in one word, as in `details.reason` of the error."""

    message: Optional[str]
    """The same as a sentence."""

    business_id: str

    lead_id: Optional[str]
    """The lead that the call would be linked to."""

    to: str

    country_calling_code: str
    """Country of the number: `1` for the United States and Canada, `1876` for Jamaica."""

    destination: str
    """`ordinary`, `service-number`, `premium-rate`, `shared-cost`, `personal-number`, `universal-access`, `satellite` or `invalid-number`."""

    at: str
    """The moment that the answer is about."""

    opens_at: Optional[str]
    """The first moment from then on within the calling hours; null if they never come in all zones of the number."""

    budget: Optional[BudgetRefused]
    """The budget that has no room for the call, if one is what stands in the way."""

    rules: List[RuleChecked]
    """What each rule says, in the order in which they count."""


class BudgetRefused(KaiObject):
    """The budget that has no room for a call."""

    of: str
    """Whose budget it is: `business` or `agent`."""

    limit_cents: int

    spent_cents: int
    """What the calls of the day that are over have cost."""

    reserved_cents: int
    """What is set aside for calls that run; it frees as they end."""

    needed_cents: int
    """The most that the call can cost."""

    frees_at: str
    """When the next day of the business begins."""


class RuleChecked(KaiObject):
    """What one rule says of a call."""

    rule: str
    """Id of the rule."""

    verdict: str
    """`passed`, `refused`, or `skipped` if the rule does not ask such calls."""

    reason: Optional[str]
    """Why it refuses, in one word."""

    detail: str
    """What it found."""


class CallEnding(KaiObject):
    """What became of the wish to end a call."""

    id: str

    conversation_id: Optional[str]

    status: str
    """Status of the call at this moment."""

    was_over: bool
    """Whether the call was over before it was asked to end."""

    ended_reason: Optional[str]
    """Why the call ended; null while its engine is still ending it."""


class Recording(KaiObject):
    """The recording of a call."""

    call_id: str

    conversation_id: Optional[str]

    status: RecordingStatus
    """`available`, `processing` or `unavailable`."""

    recording_available: bool

    recording_url: Optional[str]

    expires_at: Optional[str]
    """When the link stops working."""

    duration: Optional[int]
    """Seconds from answer to end, as the call says them; null until the call has ended."""

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

    status: CallStatus
    """Status of the call."""

    duration: Optional[int]
    """Seconds from answer to end."""

    summary: Optional[str]

    transcript: Optional[str]
    """The conversation, one line for each utterance, beginning with `Agent: ` or `Caller: `."""

    created_at: str
    """When the call was placed."""


class LeadBody(KaiObject):
    """A person in the CRM of a business."""

    id: str

    business_id: str

    agent_id: Optional[str]

    name: Optional[str]

    first_name: Optional[str]

    last_name: Optional[str]

    email: Optional[str]

    phone: Optional[str]
    """Phone number in E.164 format if it is a valid number of its country, otherwise as it was given."""

    phone_valid: Optional[bool]
    """Whether the phone number is a valid number of its country; null if there is none."""

    phone_extension: Optional[str]
    """Extension to dial after the phone number has answered; digits only."""

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
    """How promising the lead is, 0 to 100; null until a call has told."""

    score_explanation: Optional[str]

    interaction_count: int
    """Number of calls with the person that were answered."""

    last_contacted_at: Optional[str]

    created_at: str

    updated_at: str


class LeadAudit(KaiObject):
    """How the pipeline stands."""

    as_of: str
    """The moment that was looked at."""

    window_hours: int

    stalled_days: int

    hot_score: int

    totals: PipelineTotals

    hot_leads: CountedLeads
    """Promising leads that are neither won nor lost, the best first."""

    stalled_leads: CountedLeads
    """Open leads with which nothing has happened for long, the longest wait first."""

    signups: CountedLeads
    """New leads that did not come from a call, the newest first."""

    voicemails: CountedVoicemails
    """Calls of the window that ended at an answering machine, the newest first."""


class PipelineTotals(KaiObject):
    """Numbers of leads."""

    leads: int

    new_in_window: int

    by_status: Dict[str, Any]
    """Number of leads by status."""


class CountedLeads(KaiObject):
    """So many leads there are, and the first of them."""

    count: int

    leads: List[LeadBody]


class CountedVoicemails(KaiObject):
    """So many messages there are, and the first of them."""

    count: int


class VoicemailRow(KaiObject):
    """A call that ended at an answering machine."""

    call_id: str

    lead_id: Optional[str]

    summary: Optional[str]

    created_at: str


class LeadChangeRow(KaiObject):
    """One change of a lead."""

    id: str

    kind: str
    """What happened: `created`, `updated` or `merged`."""

    source: str
    """By which way: `api`, `dashboard`, `call` or `system`."""

    changed_by: Optional[str]
    """Id of the API key or e-mail address of the person; null if nobody did it by hand."""

    call_id: Optional[str]
    """Id of the call that taught it."""

    changes: List[LeadFieldChange]
    """Fields that changed. Those of a lead that was merged into this one begin with `merged_lead.`."""

    created_at: str


class LeadFieldChange(KaiObject):
    """A field of a lead before and after a change."""

    field: str

    before: Any

    after: Any


class LeadMerged(KaiObject):
    """Two leads that have become one."""

    success: bool
    """Always true: what fails is answered with an error."""

    merged: bool
    """False if the two were one already."""

    calls_moved: int
    """Number of calls that moved over to the kept lead."""

    merged_id: str
    """Id of the lead that became part of the kept one."""

    lead: LeadBody
    """The lead that is kept."""


class Consent(KaiObject):
    """One word of a person about being called."""

    id: str

    business_id: str

    phone_number: str

    lead_id: Optional[str]

    status: str
    """`given` or `withdrawn`."""

    source: str
    """Where the person said so."""

    evidence: Optional[str]

    said_at: str
    """When the person said so."""

    created_at: str
    """When it was recorded."""


class ConsentWithdrawn(KaiObject):
    """What became of a consent."""

    success: bool
    """Always true."""

    phone_number: str

    withdrawn: bool
    """False if no consent of this number counted."""


class NumberRow(KaiObject):
    """A phone number and its assignment."""

    id: str

    phone_number: str
    """The phone number in E.164 format."""

    agent_id: Optional[str]
    """Id of the agent that answers the number and calls from it; null if there is none."""

    business_id: Optional[str]

    created_at: str

    capabilities: Capabilities

    status: NumberStatus
    """`assigned` if a business uses the number, otherwise `available`."""


class Capabilities(KaiObject):
    """What a number can do."""

    voice: bool

    sms: bool

    mms: bool


class PhoneNumber(KaiObject):
    """A phone number, who holds it, and what it may be used for."""

    id: str

    phone_number: str
    """The number in E.164 format."""

    agent_id: Optional[str]
    """Id of the agent that answers the number and calls from it; null if there is none."""

    business_id: Optional[str]

    capabilities: Capabilities

    compliance: Compliance

    country: Optional[str]
    """Country of the number as two letters; null if it belongs to none."""

    area_code: Optional[str]
    """Area code of a number in North America; null elsewhere."""

    status: str
    """`assigned` if a business uses the number, otherwise `available`."""

    created_at: str


class Compliance(KaiObject):
    """What is known of the rules that a number is under."""

    high_risk_category: bool

    disclosure_note: Optional[str]

    e911_address_set: bool
    """Whether an address for emergency calls is on record; a server of your own keeps none."""

    sms_registration: str
    """Whether text messages are registered; always `unregistered`, because none are sent."""


class AvailableNumber(KaiObject):
    """A number that can be taken."""

    phone_number: str
    """The number in E.164 format."""

    country: Optional[str]

    area_code: Optional[str]

    capabilities: Capabilities


class NumberAssigned(KaiObject):
    """A number that was taken."""

    success: bool
    """Always true: what fails is answered with an error."""

    number: PhoneNumber


class NumberReleased(KaiObject):
    """A number that was given back."""

    success: bool
    """Always true: what fails is answered with an error."""

    phone_number: str

    released: bool


class Webhook(KaiObject):
    """A subscription to events, without its secret."""

    id: str

    url: str

    webhook_url: str
    """The same as `url`."""

    business_id: str

    events: List[str]
    """Events that the subscription hears of; `*` stands for all."""

    description: Optional[str]

    is_active: bool
    """False if its owner or we have switched it off."""

    webhook_secret_masked: str
    """The end of the secret, to recognise it by."""

    previous_secret_expires_at: Optional[str]
    """Time until which deliveries are signed with the secret of before as well."""

    failing_since: Optional[str]
    """Time of the first failure after which nothing has arrived; null while deliveries arrive."""

    last_error: Optional[str]
    """What came of the last failure: `status` and the number, or why there was no answer."""

    last_error_at: Optional[str]

    disabled_at: Optional[str]
    """Time at which we switched the subscription off."""

    disabled_reason: Optional[str]
    """`gone` after an answer of 410, `failing` after five days of nothing but failures."""

    created_at: str

    updated_at: str


class WebhookSaved(KaiObject):
    """A subscription that was created or changed."""

    id: str

    url: str

    webhook_url: str
    """The same as `url`."""

    business_id: str

    events: List[str]
    """Events that the subscription hears of; `*` stands for all."""

    description: Optional[str]

    is_active: bool
    """False if its owner or we have switched it off."""

    webhook_secret_masked: str
    """The end of the secret, to recognise it by."""

    previous_secret_expires_at: Optional[str]
    """Time until which deliveries are signed with the secret of before as well."""

    failing_since: Optional[str]
    """Time of the first failure after which nothing has arrived; null while deliveries arrive."""

    last_error: Optional[str]
    """What came of the last failure: `status` and the number, or why there was no answer."""

    last_error_at: Optional[str]

    disabled_at: Optional[str]
    """Time at which we switched the subscription off."""

    disabled_reason: Optional[str]
    """`gone` after an answer of 410, `failing` after five days of nothing but failures."""

    created_at: str

    updated_at: str

    success: bool
    """Always true: what fails is answered with an error."""

    webhook: Webhook

    webhook_secret: Optional[str]
    """Secret that deliveries are signed with; only in the answer to a creation."""


class WebhookDeleted(KaiObject):
    """A subscription that was deleted."""

    success: bool
    """Always true: what fails is answered with an error."""

    id: Optional[str]
    """Id of the subscription; null if all of the business were deleted."""

    deleted: bool
    """Always true: the subscription is gone, and what was on its way to it is given up."""


class WebhookTested(KaiObject):
    """What came of a test."""

    success: bool
    """Whether the receiver answered 2xx."""

    event_id: str

    event_type: str

    delivery: DeliveryRow


class DeliveryRow(KaiObject):
    """An attempt to deliver an event."""

    id: str
    """Id of the attempt, which the receiver saw as `X-KaiCalls-Delivery-Id`."""

    event_id: str

    event_type: str

    webhook_id: Optional[str]
    """Id of the subscription; null for the `webhook_url` of a call."""

    url: str

    attempt: int
    """Number of the attempt, from 1."""

    status: str
    """One of `succeeded` and `failed`."""

    response_status: Optional[int]

    response_body: Optional[str]
    """The beginning of the answer, at most 1024 characters."""

    error: Optional[str]
    """Why there was no answer, as one word; null if there was one."""

    duration_ms: int

    next_retry_at: Optional[str]
    """Time of the next attempt; null if there is none."""

    request: SentRequest

    created_at: str


class SentRequest(KaiObject):
    """The request of an attempt, without its signatures."""

    method: str
    """The method of the request: always `POST`."""

    url: str

    headers: Dict[str, Any]
    """The headers without the signatures."""

    body: str


class SecretRotated(KaiObject):
    """A secret that was exchanged."""

    success: bool
    """Always true: what fails is answered with an error."""

    id: str

    webhook_secret: str
    """The new secret, shown only here."""

    webhook_secret_masked: str
    """The end of the new secret, to recognise it by."""

    rotated_at: str

    previous_secret_expires_at: Optional[str]
    """Time until which deliveries are signed with the old secret as well; null if it has ended."""


class EventRow(KaiObject):
    """An event of a business, and how far it has come to those who hear of it."""

    id: str

    event_id: str
    """The same as `id`."""

    event_type: str

    business_id: str

    object_type: str
    """`call`, `lead`, `agent` or `webhook`."""

    object_id: str
    """Id of the call, lead, agent or subscription that it happened to."""

    status: str
    """`pending`, `delivered`, `failed` or `skipped` (nobody was to hear of it)."""

    payload: Dict[str, Any]
    """The body that subscriptions get."""

    deliveries: DeliveryCount

    created_at: str


class DeliveryCount(KaiObject):
    """How many receivers an event has reached."""

    total: int
    """Number of receivers that were to hear of the event."""

    succeeded: int

    failed: int

    last_attempt_at: Optional[str]


class EventsReplayed(KaiObject):
    """Events that are on their way again."""

    success: bool
    """Always true: what fails is answered with an error."""

    queued: int
    """Number of events that are on their way again."""

    event_ids: List[str]
    """Ids of the events that are on their way again, oldest first."""

    not_found: List[str]
    """Ids of no events."""

    unheard: List[str]
    """Ids of events that no subscription would hear of now."""


class EventsBackfilled(KaiObject):
    """The events of a time range that are on their way again."""

    success: bool
    """Always true: what fails is answered with an error."""

    from_: str

    to: str

    matched: int
    """Number of events in the range."""

    queued: int
    """Number of events that are on their way again."""


class IncomingCallRinging(KaiObject):
    """An incoming call that has begun to ring."""

    id: str

    conversation_id: Optional[str]

    status: str
    """Always `ringing`: the agent answers after this answer."""

    agent_id: str
    """Id of the agent that answers."""

    to: str

    from_: Optional[str]

    created_at: str


class Balance(KaiObject):
    """Usage of every business that the key can reach."""

    businesses: List[BusinessBalance]


class BusinessBalance(KaiObject):
    """Usage of one business."""

    business_id: str

    minutes_used: float
    """Minutes talked in the current month, rounded to hundredths."""

    phone_numbers: int
    """Number of phone numbers assigned to the business."""

    subscription_status: str
    """Always `active`, because a server of your own has no subscription."""

    today: Today


class Today(KaiObject):
    """What calls cost a business today."""

    day: str
    """The day in the time zone of the business."""

    daily_budget_cents: Optional[int]
    """What all live calls of the day may cost together; null if there is no budget."""

    spent_cents: int
    """What the calls that are over have cost."""

    reserved_cents: int
    """What is set aside for calls that run: the most that they can cost."""

    left_cents: Optional[int]
    """What calls that are yet to be placed may cost; null if there is no budget."""

    ends_at: str
    """When the day is over."""

    agents: List[AgentToday]
    """The same by agent, for those that made or took a call today."""


class AgentToday(KaiObject):
    """What the calls of an agent cost today."""

    agent_id: str

    daily_budget_cents: Optional[int]
    """What its calls of the day may cost together; null if it has no budget of its own."""

    spent_cents: int

    reserved_cents: int


class Usage(KaiObject):
    """A request that was made with a valid key."""

    id: str

    endpoint: str
    """Path of the request, without `/api`."""

    method: str

    status_code: int

    call_id: Optional[str]
    """Id of the call that the request placed; null for other requests."""

    cost_cents: int

    created_at: str


class AuditEntry(KaiObject):
    """An administrative change."""

    id: str

    business_id: Optional[str]

    actor: AuditActor

    action: str
    """What was done, like `key.revoked`."""

    target: AuditTarget

    changes: List[AuditChange]
    """The fields that changed; of what was made or removed those that had a value."""

    created_at: str


class AuditActor(KaiObject):
    """Who did something."""

    kind: str
    """`user`, `key`, `cli`, `system` or `stranger`."""

    id: Optional[str]
    """Id of the user or the key."""

    name: Optional[str]
    """E-mail address of the user, prefix of the key, or name of the account on the server's machine."""

    address: Optional[str]
    """Network address that the request came from."""


class AuditTarget(KaiObject):
    """What something was done to."""

    kind: str
    """The kind of thing, like `key` or `webhook`."""

    id: Optional[str]

    name: Optional[str]
    """What people know it by: a name, an address, a phone number."""


class AuditChange(KaiObject):
    """A field before and after."""

    field: str

    before: Any
    """The value before; null if there was none."""

    after: Any
    """The value afterwards; null if there is none."""


class KeyBody(KaiObject):
    """An API key, without its secret."""

    id: str

    prefix: str
    """First twelve characters of the secret, to recognise the key by."""

    name: str

    mode: str
    """`live` for real calls, `test` for sandbox calls."""

    scopes: List[str]

    business_id: Optional[str]

    created_at: str

    last_used_at: Optional[str]

    expires_at: Optional[str]

    is_active: bool
    """False if the key has been revoked or has expired."""


class KeyCreated(KaiObject):
    """A key that has just been created."""

    key: str
    """The secret itself. It is shown in this answer and never again."""

    id: str

    prefix: str

    name: str

    mode: str

    scopes: List[str]

    business_id: Optional[str]

    created_at: str

    expires_at: Optional[str]


class Success(KaiObject):
    """Confirms that a request was carried out."""

    success: bool
    """Always true: what fails is answered with an error."""


class WorkspaceBody(KaiObject):
    """A business."""

    id: str

    business_id: str
    """The same as `id`: a workspace is a business."""

    name: str

    lifecycle_state: str
    """Always `active`."""

    external_ref: Optional[str]

    metadata: Dict[str, Any]

    timezone: str

    phone: Optional[str]
    """Office number, which agents name."""

    disclose_ai: bool
    """Whether agents say before anything else that they are an AI."""

    disclose_recording: bool
    """Whether agents say before anything else that the call is recorded."""

    daily_budget_cents: Optional[int]
    """What all live calls of a day may cost together, in cents; null if there is no budget."""

    consent_required: str
    """Which live calls need consent on record: `off`, `marketing` or `always`."""

    max_attempts_per_day: Optional[int]
    """How often one number may be called within 24 hours, in live mode; null if there is no limit."""

    max_attempts_per_week: Optional[int]
    """How often one number may be called within seven days, in live mode; null if there is no limit."""

    created_at: str

    updated_at: str


class WorkspaceChanged(KaiObject):
    """A workspace after a change."""

    success: bool
    """Always true."""

    id: str

    business_id: str
    """The same as `id`: a workspace is a business."""

    name: str

    lifecycle_state: str
    """Always `active`."""

    external_ref: Optional[str]

    metadata: Dict[str, Any]

    timezone: str

    phone: Optional[str]
    """Office number, which agents name."""

    disclose_ai: bool
    """Whether agents say before anything else that they are an AI."""

    disclose_recording: bool
    """Whether agents say before anything else that the call is recorded."""

    daily_budget_cents: Optional[int]
    """What all live calls of a day may cost together, in cents; null if there is no budget."""

    consent_required: str
    """Which live calls need consent on record: `off`, `marketing` or `always`."""

    max_attempts_per_day: Optional[int]
    """How often one number may be called within 24 hours, in live mode; null if there is no limit."""

    max_attempts_per_week: Optional[int]
    """How often one number may be called within seven days, in live mode; null if there is no limit."""

    created_at: str

    updated_at: str


class AccountCreated(KaiObject):
    """A new account."""

    api_key: str
    """A live key that may do everything in the new business. It is shown in this answer and never again."""

    business_id: str

    agent_id: Optional[str]

    phone_number: Optional[str]
    """Phone number that the agent answers; null while none is free."""

    dashboard_url: str
    """Address of the dashboard."""

    trial_ends_at: Optional[str]
    """Always null, because a server of your own has no trial."""

    provisioning_deferred: bool
    """Whether no phone number was free."""

    payment_capture: str
    """Always `none`, because a server of your own takes no payment."""


class Health(KaiObject):
    """A platform that works."""

    status: str
    """`ok`, or `degraded` if no engine makes the calls of the key: a server that does not work answers 503."""

    api: HealthPart

    queue: HealthQueue

    providers: HealthProviders

    version: str
    """Version of the server."""

    mode: str
    """The mode of the key: `live` or `test`."""

    engine: Optional[str]
    """The engine that makes the key's calls; null if none is configured."""

    timestamp: str

    time: str
    """The same as `timestamp`."""


class HealthPart(KaiObject):
    """The state of one part."""

    status: str
    """One of `ok` and `down`."""


class HealthQueue(KaiObject):
    """Calls that wait to be dialled."""

    status: str
    """`ok`: a server that cannot write down calls answers 503."""

    pending: int
    """Number of calls of the key's businesses that wait."""


class HealthProviders(KaiObject):
    """What makes calls. The engine brings all of it."""

    telephony: HealthPart
    """Whoever carries the call."""

    llm: HealthPart
    """Whoever thinks for the agent."""

    stt: HealthPart
    """Whoever hears the caller."""

    tts: HealthPart
    """Whoever speaks for the agent."""


class KeyCapabilities(KaiObject):
    """What a key can do and reach."""

    key: KeyNamed

    scopes: List[str]
    """Scopes of the key; `*` grants all."""

    workspaces: List[WorkspaceNamed]
    """The businesses that the key reaches."""

    endpoints: List[EndpointAccess]
    """Every route of this server."""

    limits: KeyLimits


class KeyNamed(KaiObject):
    """The key that the request was made with, without its secret."""

    id: str

    prefix: str
    """First twelve characters of the secret."""

    name: str

    mode: str
    """`live` for real calls, `test` for sandbox calls."""

    business_id: Optional[str]
    """Id of the only business that the key reaches; null if it reaches all of its owner's."""

    expires_at: Optional[str]


class WorkspaceNamed(KaiObject):
    """A business that the key reaches."""

    id: str
    """Id of the business."""

    name: str

    lifecycle_state: str
    """Always `active`."""


class EndpointAccess(KaiObject):
    """A route, and whether the key opens it."""

    method: str

    path: str

    scope: Optional[str]
    """The scope that the route needs; null if it needs none."""

    any_of: List[str]
    """All scopes that open the route; the key needs one of them."""

    limit: str
    """The name in `limits.rate_limits` that requests count towards."""

    available: bool
    """Whether the key opens the route. Routes for people who are logged in are opened by no key."""


class KeyLimits(KaiObject):
    """Limits of the key."""

    rate_limits: KeyRateLimits


class KeyRateLimits(KaiObject):
    """Requests a minute, if nothing else is said."""

    place_call: int
    """Calls to place."""

    create_agent: int
    """Agents to create."""

    change_agent: int
    """Agents to change."""

    read: int
    """All GET requests together."""

    write: int
    """All other requests together."""

    signup: int
    """Accounts that one client address may make an hour; nobody can sign up where it is 0."""


class Schemas(KaiObject):
    """JSON Schemas by their names, or one of them."""

    schemas: Optional[Dict[str, Any]]
    """All schemas by their names; absent if one was asked for."""

    name: Optional[str]
    """Name of the schema that was asked for."""

    schema: Optional[Dict[str, Any]]
    """The schema that was asked for."""


class SessionBody(KaiObject):
    """A session that has just begun."""

    user_id: str

    email: str

    expires_at: str
    """Time at which the session ends at the latest; 30 minutes without use end it earlier."""


class CurrentBody(KaiObject):
    """The user to whom the session belongs."""

    user_id: str


class AgentList(Page[AgentRow]):
    """A page of agents."""

    _rows_field = "agents"

    agents: List[AgentRow]

    has_more: bool


class AgentVersions(Page[AgentVersionRow]):
    """Versions of an agent, or one of them."""

    _rows_field = "versions"

    agent_id: str

    versions: Optional[List[AgentVersionRow]]
    """The versions, newest first; absent when one was asked for."""

    has_more: Optional[bool]
    """Whether there are older versions."""

    version: Optional[AgentVersionDetail]
    """The version that was asked for."""


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


class LeadHistory(Page[LeadChangeRow]):
    """What happened to a lead."""

    _rows_field = "changes"

    lead_id: str

    changes: List[LeadChangeRow]
    """What happened, newest first."""

    has_more: bool


class ConsentList(Page[Consent]):
    """A page of records."""

    _rows_field = "consents"

    consents: List[Consent]

    has_more: bool


class NumberList(Page[NumberRow]):
    """A page of numbers."""

    _rows_field = "numbers"

    numbers: List[NumberRow]

    has_more: bool


class PhoneNumberList(Page[PhoneNumber]):
    """A page of numbers."""

    _rows_field = "numbers"

    numbers: List[PhoneNumber]

    has_more: bool

    number: Optional[PhoneNumber]
    """The number that was asked for by `phone_number`; absent where none was."""


class AvailableNumbers(Page[AvailableNumber]):
    """Numbers that can be taken."""

    _rows_field = "numbers"

    numbers: List[AvailableNumber]

    available_numbers: List[str]
    """The same numbers without what is known of them."""

    has_more: bool


class WebhookList(Page[Webhook]):
    """The subscriptions, and what can be subscribed to."""

    _rows_field = "webhooks"

    business_id: Optional[str]
    """Id of the business if only its subscriptions are listed."""

    webhooks: List[Webhook]

    events: List[str]
    """Names of all events that a subscription can hear of."""

    has_more: bool


class EventList(Page[EventRow]):
    """A page of events."""

    _rows_field = "events"

    events: List[EventRow]

    has_more: bool


class DeliveryList(Page[DeliveryRow]):
    """A page of attempts."""

    _rows_field = "deliveries"

    deliveries: List[DeliveryRow]

    has_more: bool


class UsageList(Page[Usage]):
    """A page of requests."""

    _rows_field = "usage"

    usage: List[Usage]

    has_more: bool


class AuditList(Page[AuditEntry]):
    """A page of administrative changes."""

    _rows_field = "entries"

    entries: List[AuditEntry]

    has_more: bool


class KeyList(Page[KeyBody]):
    """A page of keys."""

    _rows_field = "keys"

    has_more: bool


class WorkspaceList(Page[WorkspaceBody]):
    """All businesses that the key reaches."""

    _rows_field = "workspaces"

    workspaces: List[WorkspaceBody]

    has_more: bool
    """Always false: the list is whole."""
