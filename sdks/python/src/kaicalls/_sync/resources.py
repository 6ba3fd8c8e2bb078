"""What a client can do.

Made by `cargo xtask codegen` from openapi/v1.json; do not edit.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Optional, Union

from .._base import Resource, Null, RequestOptions, spelled
from .._object import KaiObject
from .extras import CallsExtras, RecordingsExtras, TranscriptsExtras
from ..types import (
    AccountCreated,
    AgentCreated,
    AgentDetail,
    AgentList,
    AgentRolledBack,
    AgentUpdated,
    AgentVersions,
    AuditList,
    AvailableNumbers,
    Balance,
    CallChecked,
    CallDetail,
    CallEnding,
    CallList,
    CallPlaced,
    Consent,
    ConsentList,
    ConsentWithdrawn,
    CurrentBody,
    DeliveryList,
    EventList,
    EventsBackfilled,
    EventsReplayed,
    Health,
    IncomingCallRinging,
    KeyCapabilities,
    KeyCreated,
    KeyList,
    LeadAudit,
    LeadBody,
    LeadHistory,
    LeadList,
    LeadMerged,
    NumberAssigned,
    NumberList,
    NumberReleased,
    PhoneNumberList,
    Recording,
    Schemas,
    SecretRotated,
    SessionBody,
    Success,
    TranscriptList,
    UsageList,
    WebhookDeleted,
    WebhookList,
    WebhookSaved,
    WebhookTested,
    WorkspaceBody,
    WorkspaceChanged,
    WorkspaceList,
)


class AgentsResource(Resource):
    """`kai.agents`."""

    @spelled
    def get(
        self,
        agent_id: str,
        *,
        options: Optional[RequestOptions] = None,
    ) -> AgentDetail:
        """One agent, by its id.

        Needs the scope `agents:read`.

        Args:
            agent_id: Read this one agent.
        """
        return self._send(
            AgentDetail,
            "GET",
            "/api/v1/agents",
            query={
                "id": agent_id,
            },
            options=options,
        )

    @spelled
    def list(
        self,
        business_id: Optional[str] = None,
        limit: Optional[int] = None,
        after: Optional[str] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> AgentList:
        """A page of agents, newest first. Iterating over it walks all pages that follow.

        Needs the scope `agents:read`.

        Args:
            business_id: Only those of this business.
            limit: Largest number of rows in the answer.
            after: Only rows created before this time; take the `created_at` of the last row of the page before.
        """
        return self._pages(
            AgentList,
            "GET",
            "/api/v1/agents",
            query={
                "business_id": business_id,
                "limit": limit,
                "after": after,
            },
            options=options,
        )

    @spelled
    def create(
        self,
        business_id: str,
        name: str,
        system_prompt: str,
        first_message: Optional[Union[str, Null]] = None,
        voice: Optional[Union[Dict[str, Any], Null]] = None,
        model: Optional[Union[Dict[str, Any], Null]] = None,
        metadata: Optional[Union[Dict[str, Any], Null]] = None,
        answering: Optional[Union[Dict[str, Any], Null]] = None,
        language: Optional[Union[Union[str, List[str]], Null]] = None,
        disclosures: Optional[Union[Dict[str, Any], Null]] = None,
        inbound_prompt: Optional[str] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> AgentCreated:
        """Create an agent.

        Lead collection comes with every agent and needs no configuration.

        Needs the scope `agents:write`.

        Args:
            business_id: Id of the business that the agent speaks for.
            name: Name of the agent, shown in lists.
            system_prompt: Instructions for the agent: what it should do, and what it knows.
            first_message: First sentence of the agent in every call; `Hello! How can I help you today?` by default.
            voice: Voice of the agent as `{provider, voiceId}`; the engine chooses one by default.
            model: Language model of the agent.
            metadata: Data of your own, stored with the agent and never interpreted.
            answering: What it does with machines that answer its calls: it leaves a message, introduces itself and waits by default.
            language: Language that the agent speaks, as a tag like `es` or `pt-BR`, or a list of languages of which the caller's is taken. By default that of its first message, with English and Spanish for callers who speak them.
            disclosures: What the agent says before anything else, where it differs from its business.
            inbound_prompt: Alias of `system_prompt`, which wins if both are sent.
        """
        return self._send(
            AgentCreated,
            "POST",
            "/api/v1/agents",
            body={
                "business_id": business_id,
                "name": name,
                "system_prompt": system_prompt,
                "first_message": first_message,
                "voice": voice,
                "model": model,
                "metadata": metadata,
                "answering": answering,
                "language": language,
                "disclosures": disclosures,
                "inbound_prompt": inbound_prompt,
            },
            options=options,
            idempotent=True,
        )

    @spelled
    def update(
        self,
        id: str,
        name: Optional[str] = None,
        inbound_prompt: Optional[str] = None,
        outbound_prompt: Optional[Union[str, Null]] = None,
        sms_prompt: Optional[Union[str, Null]] = None,
        first_message: Optional[Union[str, Null]] = None,
        outbound_first_message: Optional[Union[str, Null]] = None,
        outbound_llm: Optional[Union[Union[str, Dict[str, Any]], Null]] = None,
        sms_llm: Optional[Union[Union[str, Dict[str, Any]], Null]] = None,
        voice: Optional[Union[Dict[str, Any], Null]] = None,
        model: Optional[Dict[str, Any]] = None,
        metadata: Optional[Dict[str, Any]] = None,
        max_duration: Optional[Union[int, Null]] = None,
        daily_budget_cents: Optional[Union[int, Null]] = None,
        vapi_config: Optional[Dict[str, Any]] = None,
        keep_sensitive_numbers: Optional[bool] = None,
        transfer_enabled: Optional[bool] = None,
        transfer_phone_number: Optional[Union[str, Null]] = None,
        answering: Optional[Union[Dict[str, Any], Null]] = None,
        language: Optional[Union[Union[str, List[str]], Null]] = None,
        disclosures: Optional[Union[Dict[str, Any], Null]] = None,
        system_prompt: Optional[str] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> AgentUpdated:
        """Change an agent.

        Only the fields sent change; `voice`, `model`, `answering`, `disclosures`, `metadata` and `vapi_config` are merged key by key, and a null value deletes its key. If nothing changes, `updated` is false.

        Needs the scope `agents:write`.

        Args:
            id: Id of the agent to change.
            name: Name of the agent, shown in lists.
            inbound_prompt: Instructions for inbound calls, and for outbound ones without instructions of their own.
            outbound_prompt: Instructions for outbound calls.
            sms_prompt: Instructions for text messages.
            first_message: First sentence of the agent in every call.
            outbound_first_message: First sentence of the agent in outbound calls.
            outbound_llm: Language model of outbound calls: a model id, or an object.
            sms_llm: Language model of text messages: a model id, or an object.
            voice: Voice of the agent as `{provider, voiceId}`; merged with the stored voice key by key.
            model: Language model of the agent; merged with the stored settings key by key.
            metadata: Data of your own; merged with the stored data key by key.
            max_duration: Longest duration of a call in seconds.
            daily_budget_cents: What all of its calls of a day may cost together, in cents; null for no budget of its own.
            vapi_config: Settings for the engine; merged with the stored settings key by key and otherwise not interpreted.
            keep_sensitive_numbers: Whether card and social security numbers that callers say are kept. By default they are taken out of transcripts, summaries, leads and webhooks; recordings keep them in any case.
            transfer_enabled: Whether the agent may transfer a caller to a person.
            transfer_phone_number: Phone number that callers are transferred to.
            answering: What it does with machines that answer its calls, merged.
            language: Language that the agent speaks, or a list of languages; null leaves it to the first message.
            disclosures: What the agent says before anything else, merged; null leaves it to the business.
            system_prompt: Alias of `inbound_prompt`, which wins if both are sent.
        """
        return self._send(
            AgentUpdated,
            "PATCH",
            "/api/v1/agents",
            body={
                "id": id,
                "name": name,
                "inbound_prompt": inbound_prompt,
                "outbound_prompt": outbound_prompt,
                "sms_prompt": sms_prompt,
                "first_message": first_message,
                "outbound_first_message": outbound_first_message,
                "outbound_llm": outbound_llm,
                "sms_llm": sms_llm,
                "voice": voice,
                "model": model,
                "metadata": metadata,
                "max_duration": max_duration,
                "daily_budget_cents": daily_budget_cents,
                "vapi_config": vapi_config,
                "keep_sensitive_numbers": keep_sensitive_numbers,
                "transfer_enabled": transfer_enabled,
                "transfer_phone_number": transfer_phone_number,
                "answering": answering,
                "language": language,
                "disclosures": disclosures,
                "system_prompt": system_prompt,
            },
            options=options,
        )

    @spelled
    def versions(
        self,
        agent_id: str,
        version: Optional[int] = None,
        limit: Optional[int] = None,
        before: Optional[int] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> AgentVersions:
        """List the versions of an agent, or read one.

        Newest first. With `version` the answer has `version` in place of `versions`: that one with its configuration, without secrets, and with what it changed.

        Needs the scope `agents:read`.

        Args:
            agent_id: Id of the agent whose versions are read.
            version: Read the version with this number.
            limit: Largest number of versions in the answer.
            before: Only versions with a smaller number; take the last `version_number` of the page before.
        """
        return self._send(
            AgentVersions,
            "GET",
            "/api/v1/agents/versions",
            query={
                "agent_id": agent_id,
                "version": version,
                "limit": limit,
                "before": before,
            },
            options=options,
        )

    @spelled
    def rollback(
        self,
        agent_id: str,
        version: int,
        *,
        options: Optional[RequestOptions] = None,
    ) -> AgentRolledBack:
        """Go back to a version of an agent.

        The agent becomes what it was in that version, as a new version, so that nothing is lost. An agent that is like that already stays as it is, and `updated` is false.

        Needs the scope `agents:write`.

        Args:
            agent_id: Id of the agent to change.
            version: Number of the version that the agent becomes again.
        """
        return self._send(
            AgentRolledBack,
            "PATCH",
            "/api/v1/agents/versions",
            body={
                "agent_id": agent_id,
                "version": version,
            },
            options=options,
        )


class CallsResource(CallsExtras, Resource):
    """`kai.calls`."""

    @spelled
    def get(
        self,
        call_id: str,
        *,
        options: Optional[RequestOptions] = None,
    ) -> CallDetail:
        """One call, by its id.

        Needs the scope `calls:read`.

        Args:
            call_id: Read this one call; takes its id or its `conversation_id`.
        """
        return self._send(
            CallDetail,
            "GET",
            "/api/v1/calls",
            query={
                "id": call_id,
            },
            options=options,
        )

    @spelled
    def list(
        self,
        limit: Optional[int] = None,
        agent_id: Optional[str] = None,
        status: Optional[Union[str, Iterable[str]]] = None,
        after: Optional[str] = None,
        business_id: Optional[str] = None,
        lead_id: Optional[str] = None,
        direction: Optional[str] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> CallList:
        """A page of calls, newest first. Iterating over it walks all pages that follow.

        Needs the scope `calls:read`.

        Args:
            limit: Largest number of rows in the answer.
            agent_id: Only those of this agent.
            status: Only calls with one of these statuses, separated by commas; `ended` stands for `completed` and `failed`.
            after: Only rows created before this time; take the `created_at` of the last row of the page before.
            business_id: Only those of this business.
            lead_id: Only calls linked to this lead.
            direction: Only calls of this direction: `inbound` or `outbound`.
        """
        return self._pages(
            CallList,
            "GET",
            "/api/v1/calls",
            query={
                "limit": limit,
                "agent_id": agent_id,
                "status": status,
                "after": after,
                "business_id": business_id,
                "lead_id": lead_id,
                "direction": direction,
            },
            options=options,
        )

    @spelled
    def create(
        self,
        agent_id: str,
        to: str,
        name: Optional[Union[str, Null]] = None,
        context: Optional[Union[str, Null]] = None,
        first_message: Optional[Union[str, Null]] = None,
        lead_id: Optional[Union[str, Null]] = None,
        webhook_url: Optional[Union[str, Null]] = None,
        max_duration: Optional[Union[int, Null]] = None,
        scheduled_at: Optional[Union[str, Null]] = None,
        purpose: Optional[Union[str, Null]] = None,
        customer_name: Optional[Union[str, Null]] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> CallPlaced:
        """Place a call.

        Answers as soon as the engine has accepted the call, at the latest after 5 seconds; then `conversation_id` may still be null. If the engine refuses, the answer is `call_failed`: the call exists and has failed.

        Needs the scope `calls:write`.

        Args:
            agent_id: Id of the agent that makes the call.
            to: Phone number to call, in E.164 format.
            name: Name of the person who is called; the agent greets them by it.
            context: What the agent should know about this call.
            first_message: Alias of `firstMessage`, which wins if both are sent.
            lead_id: Id of the lead to link the call to; by default the lead with this phone number, if there is one.
            webhook_url: Address that gets one signed POST when the call has ended.
            max_duration: Longest duration of the call in seconds; by default that of the agent, or 600.
            scheduled_at: When to call, at most a year ahead. Such a call is `queued` until then, and waits on for the calling hours instead of being refused outside them; with the present time it rings as soon as the hours allow. Without this field the call is made at once.
            purpose: What the call is for: `marketing`, or `service` for what the person asked for or needs to know. A business that demands consent for marketing demands it of every call that is not said to be a service.
            customer_name: Alias of `name`, which wins if both are sent.
        """
        return self._send(
            CallPlaced,
            "POST",
            "/api/v1/calls",
            body={
                "agent_id": agent_id,
                "to": to,
                "name": name,
                "context": context,
                "first_message": first_message,
                "lead_id": lead_id,
                "webhook_url": webhook_url,
                "max_duration": max_duration,
                "scheduled_at": scheduled_at,
                "purpose": purpose,
                "customer_name": customer_name,
            },
            options=options,
            idempotent=True,
        )

    @spelled
    def check(
        self,
        agent_id: str,
        to: str,
        lead_id: Optional[Union[str, Null]] = None,
        scheduled_at: Optional[Union[str, Null]] = None,
        max_duration: Optional[Union[int, Null]] = None,
        purpose: Optional[Union[str, Null]] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> CallChecked:
        """Ask whether a call may be placed.

        Says what POST /api/v1/calls would do with this agent and number at this moment, or at the given one, rule by rule. Nothing rings, nothing is stored and nothing is reserved. Where `allowed` is false, `error` is the code that placing the call would be refused with, and `rule` the rule that counts.

        Needs the scope `calls:write`.

        Args:
            agent_id: Id of the agent that would make the call.
            to: Phone number to call, in E.164 format.
            lead_id: Id of the lead that the call would be linked to; by default the lead with this phone number, if there is one.
            scheduled_at: When the call would be made, if not at once; it would then wait for the calling hours.
            max_duration: Longest duration of the call in seconds, which decides what it can cost; by default that of the agent, or 600.
            purpose: What the call would be for: `marketing` or `service`.
        """
        return self._send(
            CallChecked,
            "POST",
            "/api/v1/calls/check",
            body={
                "agent_id": agent_id,
                "to": to,
                "lead_id": lead_id,
                "scheduled_at": scheduled_at,
                "max_duration": max_duration,
                "purpose": purpose,
            },
            options=options,
        )

    @spelled
    def end(
        self,
        id: str,
        *,
        options: Optional[RequestOptions] = None,
    ) -> CallEnding:
        """End a call.

        A call that waits in the queue ends without ringing: it has failed with `canceled`. A call that is being made is ended by its engine, and turns `completed` or `failed` as always, moments after this answer; its `ended_reason` is `ended-by-api`. Harmless to repeat: of a call that is over nothing changes, and `was_over` is true.

        Needs the scope `calls:write`.

        Args:
            id: Id of the call to end, or its `conversation_id`.
        """
        return self._send(
            CallEnding,
            "POST",
            "/api/v1/calls/end",
            body={
                "id": id,
            },
            options=options,
            idempotent=True,
        )


class RecordingsResource(RecordingsExtras, Resource):
    """`kai.recordings`."""

    @spelled
    def get(
        self,
        call_id: str,
        *,
        options: Optional[RequestOptions] = None,
    ) -> Recording:
        """Read a call's recording.

        `status` is `processing` until the call is final, then `available` or `unavailable`. The link plays without a key until `expires_at`.

        Needs the scope `calls:read`.

        Args:
            call_id: Id of the call.
        """
        return self._send(
            Recording,
            "GET",
            "/api/v1/recordings",
            query={
                "call_id": call_id,
            },
            options=options,
        )


class TranscriptsResource(TranscriptsExtras, Resource):
    """`kai.transcripts`."""

    @spelled
    def list(
        self,
        limit: Optional[int] = None,
        agent_id: Optional[str] = None,
        after: Optional[str] = None,
        days: Optional[int] = None,
        call_id: Optional[str] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> TranscriptList:
        """List transcripts.

        Calls that have a transcript, newest first; one line per utterance.

        Needs the scope `calls:read`.

        Args:
            limit: Largest number of rows in the answer.
            agent_id: Only those of this agent.
            after: Only rows created before this time; take the `created_at` of the last row of the page before.
            days: Only calls of this many last days.
            call_id: Only the one of this call.
        """
        return self._pages(
            TranscriptList,
            "GET",
            "/api/v1/transcripts",
            query={
                "limit": limit,
                "agent_id": agent_id,
                "after": after,
                "days": days,
                "call_id": call_id,
            },
            options=options,
        )


class LeadsResource(Resource):
    """`kai.leads`."""

    @spelled
    def get(
        self,
        lead_id: str,
        *,
        options: Optional[RequestOptions] = None,
    ) -> LeadBody:
        """One lead, by its id.

        Needs the scope `leads:read`.

        Args:
            lead_id: Read this one lead.
        """
        return self._send(
            LeadBody,
            "GET",
            "/api/v1/leads",
            query={
                "id": lead_id,
            },
            options=options,
        )

    @spelled
    def list(
        self,
        status: Optional[Union[str, Iterable[str]]] = None,
        source: Optional[Union[str, Iterable[str]]] = None,
        agent_id: Optional[str] = None,
        phone: Optional[str] = None,
        email: Optional[str] = None,
        created_after: Optional[str] = None,
        created_before: Optional[str] = None,
        updated_after: Optional[str] = None,
        updated_before: Optional[str] = None,
        score_gte: Optional[int] = None,
        score_lte: Optional[int] = None,
        limit: Optional[int] = None,
        business_id: Optional[str] = None,
        after: Optional[str] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> LeadList:
        """A page of leads, newest first. Iterating over it walks all pages that follow.

        Needs the scope `leads:read`.

        Args:
            status: Only leads with one of these statuses, separated by commas.
            source: Only leads from one of these sources, separated by commas.
            agent_id: Only leads found by this agent.
            phone: Only leads with this phone number, in any notation.
            email: Only leads with this e-mail address; upper and lower case are the same.
            created_after: Only leads created after this time.
            created_before: Only leads created before this time.
            updated_after: Only leads changed after this time.
            updated_before: Only leads changed before this time.
            score_gte: Only leads with this score or a higher one.
            score_lte: Only leads with this score or a lower one.
            limit: Largest number of rows in the answer.
            business_id: Only those of this business.
            after: Only rows created before this time; take the `created_at` of the last row of the page before.
        """
        return self._pages(
            LeadList,
            "GET",
            "/api/v1/leads",
            query={
                "status": status,
                "source": source,
                "agent_id": agent_id,
                "phone": phone,
                "email": email,
                "created_after": created_after,
                "created_before": created_before,
                "updated_after": updated_after,
                "updated_before": updated_before,
                "score_gte": score_gte,
                "score_lte": score_lte,
                "limit": limit,
                "business_id": business_id,
                "after": after,
            },
            options=options,
        )

    @spelled
    def create(
        self,
        business_id: str,
        agent_id: Optional[Union[str, Null]] = None,
        name: Optional[Union[str, Null]] = None,
        first_name: Optional[Union[str, Null]] = None,
        last_name: Optional[Union[str, Null]] = None,
        email: Optional[Union[str, Null]] = None,
        phone: Optional[Union[str, Null]] = None,
        address: Optional[Union[str, Null]] = None,
        city: Optional[Union[str, Null]] = None,
        state: Optional[Union[str, Null]] = None,
        zip: Optional[Union[str, Null]] = None,
        status: Optional[Union[str, Null]] = None,
        source: Optional[Union[str, Null]] = None,
        source_url: Optional[Union[str, Null]] = None,
        source_page: Optional[Union[str, Null]] = None,
        notes: Optional[Union[str, Null]] = None,
        message: Optional[Union[str, Null]] = None,
        event_date: Optional[Union[str, Null]] = None,
        event_type: Optional[Union[str, Null]] = None,
        timezone: Optional[Union[str, Null]] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> LeadBody:
        """Create a lead.

        One of `name`, `first_name`, `last_name`, `phone` and `email` is needed. A phone number that cannot be read as E.164 is kept as it is, with `phone_valid` false.

        Needs the scope `leads:write`.

        Args:
            business_id: Id of the business that the lead belongs to.
            agent_id: Id of the agent that found the lead.
            name: Full name of the person.
            first_name: Given name of the person.
            last_name: Family name of the person.
            email: E-mail address of the person.
            phone: Phone number of the person, in any notation.
            address: Street and house number of the person.
            city: City of the person's address.
            state: State or region of the person's address.
            zip: Postal code of the person's address.
            status: `new`, `contacted`, `qualified`, `booked`, `converted`, `lost`, or a word of your own.
            source: Where the lead came from, like `web_form`; `api` by default.
            source_url: Address of the web page that the lead came from.
            source_page: Title of the web page that the lead came from.
            notes: Notes of your own about the lead.
            message: What the person wrote or wants.
            event_date: Date of the person's event.
            event_type: Kind of the person's event.
            timezone: Time zone of the person by its IANA name, like `America/Chicago`.
        """
        return self._send(
            LeadBody,
            "POST",
            "/api/v1/leads",
            body={
                "business_id": business_id,
                "agent_id": agent_id,
                "name": name,
                "first_name": first_name,
                "last_name": last_name,
                "email": email,
                "phone": phone,
                "address": address,
                "city": city,
                "state": state,
                "zip": zip,
                "status": status,
                "source": source,
                "source_url": source_url,
                "source_page": source_page,
                "notes": notes,
                "message": message,
                "event_date": event_date,
                "event_type": event_type,
                "timezone": timezone,
            },
            options=options,
            idempotent=True,
        )

    @spelled
    def update(
        self,
        id: str,
        agent_id: Optional[Union[str, Null]] = None,
        name: Optional[Union[str, Null]] = None,
        first_name: Optional[Union[str, Null]] = None,
        last_name: Optional[Union[str, Null]] = None,
        email: Optional[Union[str, Null]] = None,
        phone: Optional[Union[str, Null]] = None,
        address: Optional[Union[str, Null]] = None,
        city: Optional[Union[str, Null]] = None,
        state: Optional[Union[str, Null]] = None,
        zip: Optional[Union[str, Null]] = None,
        status: Optional[str] = None,
        source: Optional[str] = None,
        source_url: Optional[Union[str, Null]] = None,
        source_page: Optional[Union[str, Null]] = None,
        notes: Optional[Union[str, Null]] = None,
        message: Optional[Union[str, Null]] = None,
        event_date: Optional[Union[str, Null]] = None,
        event_type: Optional[Union[str, Null]] = None,
        timezone: Optional[Union[str, Null]] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> LeadBody:
        """Change a lead.

        Only the fields sent change; null clears one. Something to know the person by has to stay.

        Needs the scope `leads:write`.

        Args:
            id: Id of the lead to change.
            agent_id: Id of the agent that found the lead.
            name: Full name of the person.
            first_name: Given name of the person.
            last_name: Family name of the person.
            email: E-mail address of the person.
            phone: Phone number of the person, in any notation.
            address: Street and house number of the person.
            city: City of the person's address.
            state: State or region of the person's address.
            zip: Postal code of the person's address.
            status: `new`, `contacted`, `qualified`, `booked`, `converted`, `lost`, or a word of your own.
            source: Where the lead came from, like `web_form`.
            source_url: Address of the web page that the lead came from.
            source_page: Title of the web page that the lead came from.
            notes: Notes of your own about the lead.
            message: What the person wrote or wants.
            event_date: Date of the person's event.
            event_type: Kind of the person's event.
            timezone: Time zone of the person by its IANA name, like `America/Chicago`.
        """
        return self._send(
            LeadBody,
            "PATCH",
            "/api/v1/leads",
            body={
                "id": id,
                "agent_id": agent_id,
                "name": name,
                "first_name": first_name,
                "last_name": last_name,
                "email": email,
                "phone": phone,
                "address": address,
                "city": city,
                "state": state,
                "zip": zip,
                "status": status,
                "source": source,
                "source_url": source_url,
                "source_page": source_page,
                "notes": notes,
                "message": message,
                "event_date": event_date,
                "event_type": event_type,
                "timezone": timezone,
            },
            options=options,
        )

    @spelled
    def audit(
        self,
        window_hours: Optional[int] = None,
        stalled_days: Optional[int] = None,
        hot_score: Optional[int] = None,
        as_of: Optional[str] = None,
        business_id: Optional[str] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> LeadAudit:
        """See how the pipeline stands.

        Hot leads have at least `hot_score`, stalled ones have not been changed or called for `stalled_days`; both are neither `converted` nor `lost`. Sign-ups are new leads that did not come from a call. At most 50 rows in each list.

        Needs the scope `leads:read`.

        Args:
            window_hours: Leads and messages of the last so many hours are new; 24 by default.
            stalled_days: Leads with which nothing has happened for so many days are stalled; 7 by default.
            hot_score: Leads with this score or a higher one are hot; 70 by default.
            as_of: The moment that is looked at; now by default.
            business_id: Only leads of this business.
        """
        return self._send(
            LeadAudit,
            "GET",
            "/api/v1/leads/audit",
            query={
                "window_hours": window_hours,
                "stalled_days": stalled_days,
                "hot_score": hot_score,
                "as_of": as_of,
                "business_id": business_id,
            },
            options=options,
        )

    @spelled
    def history(
        self,
        lead_id: str,
        limit: Optional[int] = None,
        after: Optional[str] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> LeadHistory:
        """List what happened to a lead.

        Newest first. Changes before the server kept histories are not in it.

        Needs the scope `leads:read`.

        Args:
            lead_id: Id of the lead whose history is read.
            limit: Largest number of rows in the answer.
            after: Only rows created before this time; take the `created_at` of the last row of the page before.
        """
        return self._pages(
            LeadHistory,
            "GET",
            "/api/v1/leads/history",
            query={
                "lead_id": lead_id,
                "limit": limit,
                "after": after,
            },
            options=options,
        )

    @spelled
    def merge(
        self,
        id: str,
        merge_lead_id: str,
        *,
        options: Optional[RequestOptions] = None,
    ) -> LeadMerged:
        """Merge two leads that are one person.

        The lead `id` is kept: its gaps are filled from the lead `merge_lead_id`, and notes, calls and history of that lead move over to it. The other id leads to the kept lead from then on. Harmless to repeat.

        Needs the scope `leads:write`.

        Args:
            id: Id of the lead that is kept.
            merge_lead_id: Id of the lead that becomes part of it.
        """
        return self._send(
            LeadMerged,
            "POST",
            "/api/v1/leads/merge",
            body={
                "id": id,
                "merge_lead_id": merge_lead_id,
            },
            options=options,
            idempotent=True,
        )


class ConsentsResource(Resource):
    """`kai.consents`."""

    @spelled
    def list(
        self,
        business_id: Optional[str] = None,
        phone_number: Optional[str] = None,
        limit: Optional[int] = None,
        after: Optional[str] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> ConsentList:
        """List what people said about being called.

        Consents and withdrawals as they were recorded, in the key's mode. The latest word about a number is the one that counts.

        Needs the scope `leads:read`.

        Args:
            business_id: Only those of this business.
            phone_number: Only those about this number, in E.164 format.
            limit: Largest number of rows in the answer.
            after: Only rows created before this time; take the `created_at` of the last row of the page before.
        """
        return self._pages(
            ConsentList,
            "GET",
            "/api/v1/consents",
            query={
                "business_id": business_id,
                "phone_number": phone_number,
                "limit": limit,
                "after": after,
            },
            options=options,
        )

    @spelled
    def create(
        self,
        phone_number: str,
        source: str,
        business_id: Optional[Union[str, Null]] = None,
        lead_id: Optional[Union[str, Null]] = None,
        evidence: Optional[Union[str, Null]] = None,
        given_at: Optional[Union[str, Null]] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> Consent:
        """Record a consent.

        That the person with this number agreed to be called by the business. A workspace with `consent_required` calls nobody without.

        Needs the scope `leads:write`.

        Args:
            phone_number: Phone number that may be called, in E.164 format.
            source: Where the person gave it, like `web form` or `in writing`.
            business_id: Id of the business that may call; the only one of the key by default.
            lead_id: Id of the lead who gave it.
            evidence: What there is to show for it: an address, a text, the name of a file.
            given_at: When the person gave it; now by default. A time to come counts as now.
        """
        return self._send(
            Consent,
            "POST",
            "/api/v1/consents",
            body={
                "phone_number": phone_number,
                "source": source,
                "business_id": business_id,
                "lead_id": lead_id,
                "evidence": evidence,
                "given_at": given_at,
            },
            options=options,
            idempotent=True,
        )

    @spelled
    def withdraw(
        self,
        phone_number: str,
        business_id: Optional[str] = None,
        source: Optional[str] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> ConsentWithdrawn:
        """Withdraw a consent.

        That the person with this number does not agree any more. What was recorded before is kept. Where no consent counts, nothing is recorded and `withdrawn` is false.

        Needs the scope `leads:write`.

        Args:
            phone_number: Phone number that may no longer be called, in E.164 format.
            business_id: Id of the business that may no longer call; the only one of the key by default.
            source: Where the person withdrew it; `api` by default.
        """
        return self._send(
            ConsentWithdrawn,
            "DELETE",
            "/api/v1/consents",
            query={
                "phone_number": phone_number,
                "business_id": business_id,
                "source": source,
            },
            options=options,
        )


class NumbersResource(Resource):
    """`kai.numbers`."""

    @spelled
    def list(
        self,
        business_id: Optional[str] = None,
        limit: Optional[int] = None,
        after: Optional[str] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> NumberList:
        """List phone numbers.

        The numbers assigned to the businesses that the key can reach, newest first.

        Needs the scope `numbers:read`.

        Args:
            business_id: Only those of this business.
            limit: Largest number of rows in the answer.
            after: Only rows created before this time; take the `created_at` of the last row of the page before.
        """
        return self._pages(
            NumberList,
            "GET",
            "/api/v1/numbers",
            query={
                "business_id": business_id,
                "limit": limit,
                "after": after,
            },
            options=options,
        )


class Phone_numbersResource(Resource):
    """`kai.phone_numbers`."""

    @spelled
    def list(
        self,
        business_id: Optional[str] = None,
        phone_number: Optional[str] = None,
        limit: Optional[int] = None,
        after: Optional[str] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> PhoneNumberList:
        """List phone numbers, or look one up.

        The numbers that the businesses of the key hold, newest first. With `phone_number` only that one, also as `number`, which is null if the key does not reach it.

        Needs the scope `numbers:read`.

        Args:
            business_id: Only those of this business.
            phone_number: Only this number, in E.164 format.
            limit: Largest number of rows in the answer.
            after: Only rows created before this time; take the `created_at` of the last row of the page before.
        """
        return self._pages(
            PhoneNumberList,
            "GET",
            "/api/v1/phone-numbers",
            query={
                "business_id": business_id,
                "phone_number": phone_number,
                "limit": limit,
                "after": after,
            },
            options=options,
        )

    @spelled
    def assign(
        self,
        phone_number: str,
        business_id: Optional[Union[str, Null]] = None,
        agent_id: Optional[Union[str, Null]] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> NumberAssigned:
        """Take a phone number, or say who answers it.

        Takes a number that no business holds, and gives it to an agent if one is named. Of a number that the business holds already only the agent changes; without `agent_id` it stays, null leaves the number to nobody. Harmless to repeat.

        Needs the scope `numbers:write`.

        Args:
            phone_number: The number in E.164 format.
            business_id: Id of the business that takes it; the only one of the key by default.
            agent_id: Id of the agent that answers the number and calls from it; null for none.
        """
        return self._send(
            NumberAssigned,
            "POST",
            "/api/v1/phone-numbers",
            body={
                "phone_number": phone_number,
                "business_id": business_id,
                "agent_id": agent_id,
            },
            options=options,
            idempotent=True,
        )

    @spelled
    def release(
        self,
        phone_number: str,
        business_id: Optional[str] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> NumberReleased:
        """Give a phone number back.

        Nobody answers it any more, and every business can take it.

        Needs the scope `numbers:write`.

        Args:
            phone_number: The number in E.164 format.
            business_id: Id of the business that holds it.
        """
        return self._send(
            NumberReleased,
            "DELETE",
            "/api/v1/phone-numbers",
            query={
                "phone_number": phone_number,
                "business_id": business_id,
            },
            options=options,
        )

    @spelled
    def available(
        self,
        country: Optional[str] = None,
        area_code: Optional[str] = None,
        capability: Optional[str] = None,
        limit: Optional[int] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> AvailableNumbers:
        """List phone numbers that can be taken.

        The numbers of this installation that no business holds, in their order. Whoever runs the server registers them.

        Needs the scope `numbers:read`.

        Args:
            country: Country of the numbers as two letters; `US` by default.
            area_code: Area code of the numbers, in North America.
            capability: What the numbers have to be able to do: `voice`, `sms` or `mms`.
            limit: Largest number of rows in the answer.
        """
        return self._send(
            AvailableNumbers,
            "GET",
            "/api/v1/phone-numbers/available",
            query={
                "country": country,
                "area_code": area_code,
                "capability": capability,
                "limit": limit,
            },
            options=options,
        )


class WebhooksResource(Resource):
    """`kai.webhooks`."""

    @spelled
    def list(
        self,
        business_id: Optional[str] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> WebhookList:
        """List webhook subscriptions.

        Subscriptions of the key's mode, newest first. `events` names all events that a subscription can hear of.

        Needs the scope `webhooks:read`.

        Args:
            business_id: Only those of this business.
        """
        return self._send(
            WebhookList,
            "GET",
            "/api/v1/webhooks",
            query={
                "business_id": business_id,
            },
            options=options,
        )

    @spelled
    def create(
        self,
        webhook_url: Optional[Union[str, Null]] = None,
        business_id: Optional[Union[str, Null]] = None,
        events: Optional[Union[List[str], Null]] = None,
        description: Optional[Union[str, Null]] = None,
        id: Optional[Union[str, Null]] = None,
        is_active: Optional[Union[bool, Null]] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> WebhookSaved:
        """Create or change a webhook subscription.

        Without `id` a subscription is created: `webhook_secret` is shown in this answer and never again. With `id` that subscription is changed, and fields that are not sent stay. A subscription that was switched off works again after `is_active: true`. A business may have 50 subscriptions.

        Needs the scope `webhooks:write`.

        Args:
            webhook_url: Address that gets a signed POST for each event; needed for a new subscription.
            business_id: Id of the business that the subscription belongs to; may be left out if the key reaches only one.
            events: Events to hear of; `*` stands for all, those of later versions included. By default all that there are now.
            description: What the subscription is for.
            id: Id of the subscription to change; without it one is created.
            is_active: Whether the subscription hears of events; true by default.
        """
        return self._send(
            WebhookSaved,
            "POST",
            "/api/v1/webhooks",
            body={
                "webhook_url": webhook_url,
                "business_id": business_id,
                "events": events,
                "description": description,
                "id": id,
                "is_active": is_active,
            },
            options=options,
            idempotent=True,
        )

    @spelled
    def delete(
        self,
        id: Optional[str] = None,
        business_id: Optional[str] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> WebhookDeleted:
        """Delete a webhook subscription.

        Without `id`, all subscriptions of the business. What is still to be delivered to a deleted subscription is not delivered.

        Needs the scope `webhooks:write`.

        Args:
            id: Id of the subscription to delete; without it all of the business are deleted.
            business_id: Id of the business; needed without `id`.
        """
        return self._send(
            WebhookDeleted,
            "DELETE",
            "/api/v1/webhooks",
            query={
                "id": id,
                "business_id": business_id,
            },
            options=options,
        )

    @spelled
    def test(
        self,
        id: str,
        business_id: Optional[Union[str, Null]] = None,
        data: Optional[Union[Dict[str, Any], Null]] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> WebhookTested:
        """Send a test event.

        Sends one signed event `webhook.test` and answers when the receiver has answered, at the latest after 5 seconds. Works on subscriptions that are off, and changes nothing about them.

        Needs the scope `webhooks:write`.

        Args:
            id: Id of the subscription to try out.
            business_id: Id of the business that the subscription belongs to.
            data: What the event carries under `data`; an empty object by default.
        """
        return self._send(
            WebhookTested,
            "POST",
            "/api/v1/webhooks/test",
            body={
                "id": id,
                "business_id": business_id,
                "data": data,
            },
            options=options,
            idempotent=True,
        )

    @spelled
    def rotate_secret(
        self,
        id: str,
        business_id: Optional[Union[str, Null]] = None,
        revoke_previous: Optional[Union[bool, Null]] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> SecretRotated:
        """Exchange the secret of a webhook subscription.

        `webhook_secret` is shown in this answer and never again. For 24 hours deliveries carry signatures by both secrets, so that receivers can change over; with `revoke_previous` the old one ends at once.

        Needs the scope `webhooks:write`.

        Args:
            id: Id of the subscription whose secret is exchanged.
            business_id: Id of the business that the subscription belongs to.
            revoke_previous: Whether the old secret ends at once instead of after 24 hours.
        """
        return self._send(
            SecretRotated,
            "POST",
            "/api/v1/webhooks/rotate-secret",
            body={
                "id": id,
                "business_id": business_id,
                "revoke_previous": revoke_previous,
            },
            options=options,
            idempotent=True,
        )


class EventsResource(Resource):
    """`kai.events`."""

    @spelled
    def list(
        self,
        business_id: Optional[str] = None,
        event_id: Optional[str] = None,
        event_type: Optional[Union[str, Iterable[str]]] = None,
        object_type: Optional[str] = None,
        object_id: Optional[str] = None,
        status: Optional[str] = None,
        from_: Optional[str] = None,
        to: Optional[str] = None,
        order: Optional[str] = None,
        limit: Optional[int] = None,
        after: Optional[str] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> EventList:
        """List events.

        What happened in the last 90 days, newest first, whether or not anybody was to hear of it. With `order=oldest` the list goes forwards in time, and `after` then gives newer rows.

        Needs the scope `events:read`.

        Args:
            business_id: Only those of this business.
            event_id: Only the event with this id.
            event_type: Only events with one of these types, separated by commas.
            object_type: Only what happened to things of this kind: `call`, `lead`, `agent` or `webhook`.
            object_id: Only what happened to the thing with this id.
            status: Only events that are `pending`, `delivered`, `failed` or `skipped` (nobody was to hear of them).
            from_: Only events at this time or later.
            to: Only events before this time.
            order: `newest` (the default) or `oldest` first.
            limit: Largest number of rows in the answer.
            after: Only rows beyond this time in the list's order; take the `created_at` of the last row of the page before.
        """
        return self._pages(
            EventList,
            "GET",
            "/api/v1/events",
            query={
                "business_id": business_id,
                "event_id": event_id,
                "event_type": event_type,
                "object_type": object_type,
                "object_id": object_id,
                "status": status,
                "from": from_,
                "to": to,
                "order": order,
                "limit": limit,
                "after": after,
            },
            options=options,
        )

    @spelled
    def deliveries(
        self,
        business_id: Optional[str] = None,
        event_id: Optional[str] = None,
        webhook_id: Optional[str] = None,
        status: Optional[str] = None,
        limit: Optional[int] = None,
        after: Optional[str] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> DeliveryList:
        """List attempts to deliver events.

        Every request to a receiver in the last 30 days with what was sent and answered, newest first. Signatures are left out.

        Needs the scope `events:read` or `webhooks:read`.

        Args:
            business_id: Only those of this business.
            event_id: Only attempts to deliver this event.
            webhook_id: Only attempts at this subscription.
            status: Only attempts that `succeeded` or `failed`.
            limit: Largest number of rows in the answer.
            after: Only rows created before this time; take the `created_at` of the last row of the page before.
        """
        return self._pages(
            DeliveryList,
            "GET",
            "/api/v1/event-deliveries",
            query={
                "business_id": business_id,
                "event_id": event_id,
                "webhook_id": webhook_id,
                "status": status,
                "limit": limit,
                "after": after,
            },
            options=options,
        )

    @spelled
    def replay(
        self,
        event_id: Optional[Union[str, Null]] = None,
        event_ids: Optional[Union[List[str], Null]] = None,
        filter: Optional[Union[Dict[str, Any], Null]] = None,
        business_id: Optional[Union[str, Null]] = None,
        webhook_id: Optional[Union[str, Null]] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> EventsReplayed:
        """Send events again.

        Names the events by `event_id`, `event_ids` or `filter`. They are sent to the subscriptions that would hear of them now, and to the `webhook_url` of the call whose end they tell, with the same event ids. What is still to be delivered is tried at once.

        Needs the scope `events:replay`.

        Args:
            event_id: Id of the event to send again.
            event_ids: Ids of the events to send again, at most 100.
            filter: Which events to send again, at most 1000.
            business_id: Id of the business whose events they are; may be left out if the key reaches only one.
            webhook_id: Id of the only subscription that they are sent to.
        """
        return self._send(
            EventsReplayed,
            "POST",
            "/api/v1/events/replay",
            body={
                "event_id": event_id,
                "event_ids": event_ids,
                "filter": filter,
                "business_id": business_id,
                "webhook_id": webhook_id,
            },
            options=options,
            idempotent=True,
        )

    @spelled
    def backfill(
        self,
        from_: str,
        to: str,
        business_id: Optional[Union[str, Null]] = None,
        event_type: Optional[Union[str, Null]] = None,
        status: Optional[Union[str, Null]] = None,
        webhook_id: Optional[Union[str, Null]] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> EventsBackfilled:
        """Send the events of a time range again.

        Like `replay`, for all events from `from` (inclusive) to `to` (exclusive): at most 31 days and 1000 events.

        Needs the scope `events:replay`.

        Args:
            from_: Time of the first events.
            to: Time before which the events end; at most 31 days after `from`.
            business_id: Id of the business whose events they are; may be left out if the key reaches only one.
            event_type: Only events of this type.
            status: Only events that are `pending`, `delivered`, `failed` or `skipped`.
            webhook_id: Id of the only subscription that they are sent to.
        """
        return self._send(
            EventsBackfilled,
            "POST",
            "/api/v1/events/backfill",
            body={
                "from": from_,
                "to": to,
                "business_id": business_id,
                "event_type": event_type,
                "status": status,
                "webhook_id": webhook_id,
            },
            options=options,
            idempotent=True,
        )


class SandboxResource(Resource):
    """`kai.sandbox`."""

    @spelled
    def incoming(
        self,
        to: str,
        from_: Optional[Union[str, Null]] = None,
        scenario: Optional[Union[str, Null]] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> IncomingCallRinging:
        """Play an incoming call.

        A scripted caller of the sandbox rings the number of one of your agents, which answers as it would answer anybody. For test keys only. Answers as soon as it rings; the call goes on like any other.

        Needs the scope `calls:write`.

        Args:
            to: Phone number that is called; an agent of yours must answer it.
            from_: Phone number that the caller shows; absent for a caller who withholds it.
            scenario: Name of the sandbox scenario that calls; `new_client` by default.
        """
        return self._send(
            IncomingCallRinging,
            "POST",
            "/api/v1/sandbox/incoming",
            body={
                "to": to,
                "from": from_,
                "scenario": scenario,
            },
            options=options,
            idempotent=True,
        )


class BalanceResource(Resource):
    """`kai.balance`."""

    @spelled
    def get(
        self,
        *,
        options: Optional[RequestOptions] = None,
    ) -> Balance:
        """Read minutes and phone numbers in use.

        Minutes talked in the current month (UTC) in the key's mode, phone numbers assigned to each business, and the money of today: what calls have cost, what is set aside for those that run, and what the budget leaves. A day is one in the time zone of the business.

        Needs any valid key.
        """
        return self._send(
            Balance,
            "GET",
            "/api/v1/balance",
            options=options,
        )


class UsageResource(Resource):
    """`kai.usage`."""

    @spelled
    def list(
        self,
        start: Optional[str] = None,
        end: Optional[str] = None,
        limit: Optional[int] = None,
        after: Optional[str] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> UsageList:
        """List requests.

        One row per request with a valid key, newest first: those of all keys of the key's owner, or, if the key is bound to a business, those of keys bound to it. A key that was revoked or has expired leaves one row a minute. `cost_cents` is what the call `call_id` has cost so far; a call stands in one row, that of the request that placed it.

        Needs any valid key.

        Args:
            start: Only requests at this time or later.
            end: Only requests before this time.
            limit: Largest number of rows in the answer.
            after: Only rows created before this time; take the `created_at` of the last row of the page before.
        """
        return self._pages(
            UsageList,
            "GET",
            "/api/v1/usage",
            query={
                "start": start,
                "end": end,
                "limit": limit,
                "after": after,
            },
            options=options,
        )


class AuditResource(Resource):
    """`kai.audit`."""

    @spelled
    def list(
        self,
        business_id: Optional[str] = None,
        actor: Optional[str] = None,
        action: Optional[str] = None,
        target: Optional[str] = None,
        start: Optional[str] = None,
        end: Optional[str] = None,
        limit: Optional[int] = None,
        after: Optional[str] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> AuditList:
        """List administrative changes.

        Who did what to keys, members, agents, numbers, webhooks and settings, from where, and what it was before; newest first. The key reads the log of those of its businesses of which its owner is owner or admin; without any the answer is 403. Rows are never changed. Secrets are in none of them: values that may hold some are `(not shown)`, and long texts are cut after 1000 characters.

        Needs the scope `audit:read`.

        Args:
            business_id: Only what concerns this business.
            actor: Only what this user or key did, by its id; or everybody of a kind: `user`, `key`, `cli` (whoever runs the server), `system` or `stranger`.
            action: Only deeds of this kind.
            target: Only what was done to the thing with this id, or to the phone number.
            start: Only changes at this time or later.
            end: Only changes before this time.
            limit: Largest number of rows in the answer.
            after: Only rows created before this time; take the `created_at` of the last row of the page before.
        """
        return self._pages(
            AuditList,
            "GET",
            "/api/v1/audit-log",
            query={
                "business_id": business_id,
                "actor": actor,
                "action": action,
                "target": target,
                "start": start,
                "end": end,
                "limit": limit,
                "after": after,
            },
            options=options,
        )


class KeysResource(Resource):
    """`kai.keys`."""

    @spelled
    def list(
        self,
        limit: Optional[int] = None,
        after: Optional[str] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> KeyList:
        """List API keys.

        The user's keys, revoked ones included, newest first.

        Needs a session (POST /api/session); an API key does not do.

        Args:
            limit: Largest number of rows in the answer.
            after: Only rows created before this time; take the `created_at` of the last row of the page before.
        """
        return self._pages(
            KeyList,
            "GET",
            "/api/v1/keys",
            query={
                "limit": limit,
                "after": after,
            },
            options=options,
            session=True,
        )

    @spelled
    def create(
        self,
        name: Optional[Union[str, Null]] = None,
        mode: Optional[Union[str, Null]] = None,
        scopes: Optional[Union[List[str], Null]] = None,
        business_id: Optional[Union[str, Null]] = None,
        expires_at: Optional[Union[str, Null]] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> KeyCreated:
        """Create an API key.

        `key` is shown in this answer and never again. The login must not be older than ten minutes; after that the answer is 403.

        Needs a session (POST /api/session); an API key does not do.

        Args:
            name: Name of the key, shown in lists; `Untitled Key` by default.
            mode: `live` for real calls (the default), `test` for sandbox calls.
            scopes: Scopes that the key grants; `agents:read`, `numbers:read`, `calls:read` and `calls:write` by default.
            business_id: Id of the only business that the key can reach; by default all businesses of the user.
            expires_at: Time at which the key stops working; never by default.
        """
        return self._send(
            KeyCreated,
            "POST",
            "/api/v1/keys",
            body={
                "name": name,
                "mode": mode,
                "scopes": scopes,
                "business_id": business_id,
                "expires_at": expires_at,
            },
            options=options,
            session=True,
        )

    @spelled
    def revoke(
        self,
        id: str,
        *,
        options: Optional[RequestOptions] = None,
    ) -> Success:
        """Revoke an API key.

        The key has stopped working when the answer arrives. Revoking it again changes nothing.

        Needs a session (POST /api/session); an API key does not do.

        Args:
            id: Id of the key to revoke.
        """
        return self._send(
            Success,
            "DELETE",
            "/api/v1/keys",
            query={
                "id": id,
            },
            options=options,
            session=True,
        )


class WorkspacesResource(Resource):
    """`kai.workspaces`."""

    @spelled
    def get(
        self,
        workspace_id: str,
        *,
        options: Optional[RequestOptions] = None,
    ) -> WorkspaceBody:
        """One workspace, by its id.

        Needs the scope `workspaces:read`.

        Args:
            workspace_id: Read this one workspace.
        """
        return self._send(
            WorkspaceBody,
            "GET",
            "/api/v1/workspaces",
            query={
                "id": workspace_id,
            },
            options=options,
        )

    @spelled
    def list(
        self,
        *,
        options: Optional[RequestOptions] = None,
    ) -> WorkspaceList:
        """List workspaces, or read one.

        The businesses that the key reaches. With `id` the answer is that one itself.

        Needs the scope `workspaces:read`.
        """
        return self._send(
            WorkspaceList,
            "GET",
            "/api/v1/workspaces",
            options=options,
        )

    @spelled
    def create(
        self,
        name: str,
        metadata: Optional[Union[Dict[str, Any], Null]] = None,
        external_ref: Optional[Union[str, Null]] = None,
        timezone: Optional[Union[str, Null]] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> WorkspaceBody:
        """Make a workspace.

        Makes another business of the key's owner. A key that is bound to one business cannot. With an `external_ref` that the owner has used before the answer is 200 with that workspace, and nothing is made.

        Needs the scope `workspaces:write`.

        Args:
            name: Name of the business, as agents say it.
            metadata: Data of your own, stored with the workspace and never interpreted.
            external_ref: What your own program calls it; the same one again makes no second workspace.
            timezone: Time zone of the business by its IANA name; `UTC` by default.
        """
        return self._send(
            WorkspaceBody,
            "POST",
            "/api/v1/workspaces",
            body={
                "name": name,
                "metadata": metadata,
                "external_ref": external_ref,
                "timezone": timezone,
            },
            options=options,
            idempotent=True,
        )

    @spelled
    def update(
        self,
        id: str,
        name: Optional[str] = None,
        metadata: Optional[Dict[str, Any]] = None,
        external_ref: Optional[Union[str, Null]] = None,
        timezone: Optional[str] = None,
        phone: Optional[Union[str, Null]] = None,
        disclose_ai: Optional[bool] = None,
        disclose_recording: Optional[bool] = None,
        daily_budget_cents: Optional[Union[int, Null]] = None,
        consent_required: Optional[str] = None,
        max_attempts_per_day: Optional[Union[int, Null]] = None,
        max_attempts_per_week: Optional[Union[int, Null]] = None,
        action: Optional[Union[Any, Null]] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> WorkspaceChanged:
        """Change a workspace.

        Only the fields sent change; `metadata` is merged key by key, and a null value deletes its key. A budget counts from the next call on: what the calls of the day have cost so far counts against it.

        Needs the scope `workspaces:write`.

        Args:
            id: Id of the workspace to change.
            name: Name of the business, as agents say it.
            metadata: Data of your own; merged with the stored data key by key.
            external_ref: What your own program calls it.
            timezone: Time zone of the business by its IANA name. Days of budgets begin and end in it.
            phone: Office number, which agents name; null for none.
            disclose_ai: Whether agents say before anything else that they are an AI.
            disclose_recording: Whether agents say before anything else that the call is recorded.
            daily_budget_cents: What all live calls of a day may cost together, in cents; null for no budget.
            consent_required: Which live calls need consent on record: `off` (none), `marketing` (all that are not said to be a `service`) or `always`.
            max_attempts_per_day: How often one number may be called within 24 hours, in live mode; null for no limit.
            max_attempts_per_week: How often one number may be called within seven days, in live mode; null for no limit.
            action: Not supported here: a workspace is always active.
        """
        return self._send(
            WorkspaceChanged,
            "PATCH",
            "/api/v1/workspaces",
            body={
                "id": id,
                "name": name,
                "metadata": metadata,
                "external_ref": external_ref,
                "timezone": timezone,
                "phone": phone,
                "disclose_ai": disclose_ai,
                "disclose_recording": disclose_recording,
                "daily_budget_cents": daily_budget_cents,
                "consent_required": consent_required,
                "max_attempts_per_day": max_attempts_per_day,
                "max_attempts_per_week": max_attempts_per_week,
                "action": action,
            },
            options=options,
        )


class SessionResource(Resource):
    """`kai.session`."""

    @spelled
    def signup(
        self,
        business_name: str,
        email: str,
        business_type: Optional[Union[str, Null]] = None,
        website: Optional[Union[str, Null]] = None,
        phone_forward_to: Optional[Union[str, Null]] = None,
        plan_id: Optional[Union[str, Null]] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> AccountCreated:
        """Sign up.

        Makes a business with an owner, an agent, a live key that may do everything in it, and a phone number if one is free. Only where the server's operator allows it. `api_key` is shown in this answer and never again.

        Needs no key.

        Args:
            business_name: Name of the business, as agents say it.
            email: E-mail address of the owner.
            business_type: Kind of the business, like `legal` or `home services`.
            website: Address of the web page of the business.
            phone_forward_to: Phone number that callers are passed on to.
            plan_id: Not used: a server of your own has no plans.
        """
        return self._send(
            AccountCreated,
            "POST",
            "/api/v1/signup",
            body={
                "business_name": business_name,
                "email": email,
                "business_type": business_type,
                "website": website,
                "phone_forward_to": phone_forward_to,
                "plan_id": plan_id,
            },
            options=options,
        )

    @spelled
    def create(
        self,
        email: str,
        password: str,
        code: Optional[Union[str, Null]] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> SessionBody:
        """Log in.

        Sets the session cookie. It ends 12 hours after the login or 30 minutes after its last use. A user with a second factor sends a `code` along; without one, `details` of the 401 says `{"second_factor": "required"}`.

        Needs no key.

        Args:
            email: The e-mail address of the user.
            password: The password of the user.
            code: The code of an app, or a recovery code; wanted if the user has a second factor.
        """
        return self._send(
            SessionBody,
            "POST",
            "/api/session",
            body={
                "email": email,
                "password": password,
                "code": code,
            },
            options=options,
        )

    @spelled
    def get(
        self,
        *,
        options: Optional[RequestOptions] = None,
    ) -> CurrentBody:
        """Read the current session.

        Needs a session (POST /api/session); an API key does not do.
        """
        return self._send(
            CurrentBody,
            "GET",
            "/api/session",
            options=options,
            session=True,
        )

    @spelled
    def delete(
        self,
        *,
        options: Optional[RequestOptions] = None,
    ) -> Success:
        """Log out.

        Ends the session; doing it again changes nothing.

        Needs no key.
        """
        return self._send(
            Success,
            "DELETE",
            "/api/session",
            options=options,
        )


class HealthResource(Resource):
    """`kai.health`."""

    @spelled
    def get(
        self,
        *,
        options: Optional[RequestOptions] = None,
    ) -> Health:
        """Check the health of the server.

        Answers 200 if the database accepts writes, and 503 otherwise. `status` is `degraded` where no engine makes the calls of this key.

        Needs any valid key.
        """
        return self._send(
            Health,
            "GET",
            "/api/v1/health",
            options=options,
        )


class CapabilitiesResource(Resource):
    """`kai.capabilities`."""

    @spelled
    def get(
        self,
        business_id: Optional[str] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> KeyCapabilities:
        """Read what the key can do.

        The key itself, its scopes, the businesses that it reaches, every route with whether the key opens it, and how many requests a minute it may send.

        Needs any valid key.

        Args:
            business_id: Only this business.
        """
        return self._send(
            KeyCapabilities,
            "GET",
            "/api/v1/capabilities",
            query={
                "business_id": business_id,
            },
            options=options,
        )


class SchemasResource(Resource):
    """`kai.schemas`."""

    @spelled
    def get(
        self,
        name: Optional[str] = None,
        *,
        options: Optional[RequestOptions] = None,
    ) -> Schemas:
        """Read JSON Schemas of requests and answers.

        All of them under `schemas`, or the one with this name as `name` and `schema`. Each is complete by itself (JSON Schema 2020-12). `Agent`, `Call`, `Delivery`, `Error`, `Event`, `Key`, `Lead` and `Transcript` are short names.

        Needs no key.

        Args:
            name: Name of the only schema to read, in upper or lower case.
        """
        return self._send(
            Schemas,
            "GET",
            "/api/v1/schemas",
            query={
                "name": name,
            },
            options=options,
        )


class OpenapiResource(Resource):
    """`kai.openapi`."""

    @spelled
    def get(
        self,
        *,
        options: Optional[RequestOptions] = None,
    ) -> KaiObject:
        """Read this OpenAPI document.

        OpenAPI 3.1. Pages of every origin can read it. `/docs/openapi.yaml` has the same as YAML, and `/docs` is a page for people.

        Needs no key.
        """
        return self._send(
            KaiObject,
            "GET",
            "/api/v1/openapi.json",
            options=options,
        )
