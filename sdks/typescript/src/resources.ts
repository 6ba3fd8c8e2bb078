// Made by `cargo xtask codegen` from openapi/v1.json; do not edit.

import type { APIPromise, PagePromise, RequestOptions } from './core.js';
import { Resource, needed } from './core.js';
import { AgentsExtras, CallsExtras, RecordingsExtras, TranscriptsExtras } from './extras.js';
import type {
  AccountCreated,
  AgentChanges,
  AgentChangesInCamelCase,
  AgentCreated,
  AgentDetail,
  AgentList,
  AgentRollback,
  AgentRollbackInCamelCase,
  AgentRolledBack,
  AgentRow,
  AgentUpdated,
  AgentsListQuery,
  AgentsListQueryInCamelCase,
  AuditEntry,
  AuditList,
  AuditListQuery,
  AuditListQueryInCamelCase,
  AvailableNumbers,
  Balance,
  CallChecked,
  CallDetail,
  CallEnding,
  CallList,
  CallPlaced,
  CallRow,
  CallToCheck,
  CallToCheckInCamelCase,
  CallToEnd,
  CallsListQuery,
  CallsListQueryInCamelCase,
  CapabilitiesGetQuery,
  CapabilitiesGetQueryInCamelCase,
  Consent,
  ConsentList,
  ConsentToRecord,
  ConsentToRecordInCamelCase,
  ConsentWithdrawn,
  ConsentsListQuery,
  ConsentsListQueryInCamelCase,
  ConsentsWithdrawQuery,
  ConsentsWithdrawQueryInCamelCase,
  Credentials,
  CurrentBody,
  DeliveryList,
  DeliveryRow,
  EventBackfill,
  EventBackfillInCamelCase,
  EventList,
  EventReplay,
  EventReplayInCamelCase,
  EventRow,
  EventsBackfilled,
  EventsDeliveriesQuery,
  EventsDeliveriesQueryInCamelCase,
  EventsListQuery,
  EventsListQueryInCamelCase,
  EventsReplayed,
  Health,
  IncomingCallRinging,
  IncomingTestCall,
  KeyBody,
  KeyCapabilities,
  KeyCreated,
  KeyList,
  KeysListQuery,
  LeadAudit,
  LeadBody,
  LeadChangeRow,
  LeadChanges,
  LeadChangesInCamelCase,
  LeadHistory,
  LeadList,
  LeadMerge,
  LeadMergeInCamelCase,
  LeadMerged,
  LeadsAuditQuery,
  LeadsAuditQueryInCamelCase,
  LeadsHistoryQuery,
  LeadsHistoryQueryInCamelCase,
  LeadsListQuery,
  LeadsListQueryInCamelCase,
  NewAccount,
  NewAccountInCamelCase,
  NewAgent,
  NewAgentInCamelCase,
  NewCall,
  NewCallInCamelCase,
  NewKey,
  NewKeyInCamelCase,
  NewLead,
  NewLeadInCamelCase,
  NewWorkspaceBody,
  NewWorkspaceBodyInCamelCase,
  NumberAssigned,
  NumberAssignment,
  NumberAssignmentInCamelCase,
  NumberList,
  NumberReleased,
  NumberRow,
  NumbersListQuery,
  NumbersListQueryInCamelCase,
  PhoneNumber,
  PhoneNumberList,
  Phone_numbersAvailableQuery,
  Phone_numbersAvailableQueryInCamelCase,
  Phone_numbersListQuery,
  Phone_numbersListQueryInCamelCase,
  Phone_numbersReleaseQuery,
  Phone_numbersReleaseQueryInCamelCase,
  Recording,
  Schemas,
  SchemasGetQuery,
  SecretRotated,
  SecretRotation,
  SecretRotationInCamelCase,
  SessionBody,
  Success,
  TranscriptList,
  TranscriptRow,
  TranscriptsListQuery,
  TranscriptsListQueryInCamelCase,
  Usage,
  UsageList,
  UsageListQuery,
  WebhookDeleted,
  WebhookList,
  WebhookSaved,
  WebhookSubscription,
  WebhookSubscriptionInCamelCase,
  WebhookTest,
  WebhookTestInCamelCase,
  WebhookTested,
  WebhooksDeleteQuery,
  WebhooksDeleteQueryInCamelCase,
  WebhooksListQuery,
  WebhooksListQueryInCamelCase,
  WorkspaceBody,
  WorkspaceChanged,
  WorkspaceChanges,
  WorkspaceChangesInCamelCase,
  WorkspaceList,
} from './models.js';

/** `kai.agents`. */
export class AgentsResource extends AgentsExtras {
  /**
   * One agent, by its id.
   *
   * Needs the scope `agents:read`.
   */
  get(agentId: string, options?: RequestOptions): APIPromise<AgentDetail> {
    return this.client.send('GET', 'agents', { query: { id: needed('agentId', agentId) } }, options);
  }

  /**
   * A page of agents, newest first. Iterating over it walks all pages that follow.
   *
   * Needs the scope `agents:read`.
   */
  list(query: AgentsListQuery | AgentsListQueryInCamelCase = {}, options?: RequestOptions): PagePromise<AgentList, AgentRow> {
    return this.client.pages('GET', 'agents', 'agents', { query }, options);
  }

  /**
   * Create an agent.
   *
   * Lead collection comes with every agent and needs no configuration.
   *
   * Needs the scope `agents:write`.
   */
  create(params: NewAgent | NewAgentInCamelCase, options?: RequestOptions): APIPromise<AgentCreated> {
    return this.client.send('POST', 'agents', { body: params, idempotent: true }, options);
  }

  /**
   * Change an agent.
   *
   * Only the fields sent change; `voice`, `model`, `answering`, `disclosures`, `metadata` and `vapi_config` are merged key by key, and a null value deletes its key. If nothing changes, `updated` is false.
   *
   * Needs the scope `agents:write`.
   */
  update(params: AgentChanges | AgentChangesInCamelCase, options?: RequestOptions): APIPromise<AgentUpdated> {
    return this.client.send('PATCH', 'agents', { body: params }, options);
  }

  /**
   * Go back to a version of an agent.
   *
   * The agent becomes what it was in that version, as a new version, so that nothing is lost. An agent that is like that already stays as it is, and `updated` is false.
   *
   * Needs the scope `agents:write`.
   */
  rollback(params: AgentRollback | AgentRollbackInCamelCase, options?: RequestOptions): APIPromise<AgentRolledBack> {
    return this.client.send('PATCH', 'agents/versions', { body: params }, options);
  }
}

/** `kai.calls`. */
export class CallsResource extends CallsExtras {
  /**
   * One call, by its id.
   *
   * Needs the scope `calls:read`.
   */
  get(callId: string, options?: RequestOptions): APIPromise<CallDetail> {
    return this.client.send('GET', 'calls', { query: { id: needed('callId', callId) } }, options);
  }

  /**
   * A page of calls, newest first. Iterating over it walks all pages that follow.
   *
   * Needs the scope `calls:read`.
   */
  list(query: CallsListQuery | CallsListQueryInCamelCase = {}, options?: RequestOptions): PagePromise<CallList, CallRow> {
    return this.client.pages('GET', 'calls', 'calls', { query }, options);
  }

  /**
   * Place a call.
   *
   * Answers as soon as the engine has accepted the call, at the latest after 5 seconds; then `conversation_id` may still be null. If the engine refuses, the answer is `call_failed`: the call exists and has failed.
   *
   * Needs the scope `calls:write`.
   */
  create(params: NewCall | NewCallInCamelCase, options?: RequestOptions): APIPromise<CallPlaced> {
    return this.client.send('POST', 'calls', { body: params, idempotent: true }, options);
  }

  /**
   * Ask whether a call may be placed.
   *
   * Says what POST /api/v1/calls would do with this agent and number at this moment, or at the given one, rule by rule. Nothing rings, nothing is stored and nothing is reserved. Where `allowed` is false, `error` is the code that placing the call would be refused with, and `rule` the rule that counts.
   *
   * Needs the scope `calls:write`.
   */
  check(params: CallToCheck | CallToCheckInCamelCase, options?: RequestOptions): APIPromise<CallChecked> {
    return this.client.send('POST', 'calls/check', { body: params }, options);
  }

  /**
   * End a call.
   *
   * A call that waits in the queue ends without ringing: it has failed with `canceled`. A call that is being made is ended by its engine, and turns `completed` or `failed` as always, moments after this answer; its `ended_reason` is `ended-by-api`. Harmless to repeat: of a call that is over nothing changes, and `was_over` is true.
   *
   * Needs the scope `calls:write`.
   */
  end(params: CallToEnd, options?: RequestOptions): APIPromise<CallEnding> {
    return this.client.send('POST', 'calls/end', { body: params, idempotent: true }, options);
  }
}

/** `kai.recordings`. */
export class RecordingsResource extends RecordingsExtras {
  /**
   * Read a call's recording.
   *
   * `status` is `processing` until the call is final, then `available` or `unavailable`. The link plays without a key until `expires_at`.
   *
   * Needs the scope `calls:read`.
   */
  get(callId: string, options?: RequestOptions): APIPromise<Recording> {
    return this.client.send('GET', 'recordings', { query: { call_id: needed('callId', callId) } }, options);
  }
}

/** `kai.transcripts`. */
export class TranscriptsResource extends TranscriptsExtras {
  /**
   * List transcripts.
   *
   * Calls that have a transcript, newest first; one line per utterance.
   *
   * Needs the scope `calls:read`.
   */
  list(query: TranscriptsListQuery | TranscriptsListQueryInCamelCase = {}, options?: RequestOptions): PagePromise<TranscriptList, TranscriptRow> {
    return this.client.pages('GET', 'transcripts', 'transcripts', { query }, options);
  }
}

/** `kai.leads`. */
export class LeadsResource extends Resource {
  /**
   * One lead, by its id.
   *
   * Needs the scope `leads:read`.
   */
  get(leadId: string, options?: RequestOptions): APIPromise<LeadBody> {
    return this.client.send('GET', 'leads', { query: { id: needed('leadId', leadId) } }, options);
  }

  /**
   * A page of leads, newest first. Iterating over it walks all pages that follow.
   *
   * Needs the scope `leads:read`.
   */
  list(query: LeadsListQuery | LeadsListQueryInCamelCase = {}, options?: RequestOptions): PagePromise<LeadList, LeadBody> {
    return this.client.pages('GET', 'leads', 'leads', { query }, options);
  }

  /**
   * Create a lead.
   *
   * One of `name`, `first_name`, `last_name`, `phone` and `email` is needed. A phone number that cannot be read as E.164 is kept as it is, with `phone_valid` false.
   *
   * Needs the scope `leads:write`.
   */
  create(params: NewLead | NewLeadInCamelCase, options?: RequestOptions): APIPromise<LeadBody> {
    return this.client.send('POST', 'leads', { body: params, idempotent: true }, options);
  }

  /**
   * Change a lead.
   *
   * Only the fields sent change; null clears one. Something to know the person by has to stay.
   *
   * Needs the scope `leads:write`.
   */
  update(params: LeadChanges | LeadChangesInCamelCase, options?: RequestOptions): APIPromise<LeadBody> {
    return this.client.send('PATCH', 'leads', { body: params }, options);
  }

  /**
   * See how the pipeline stands.
   *
   * Hot leads have at least `hot_score`, stalled ones have not been changed or called for `stalled_days`; both are neither `converted` nor `lost`. Sign-ups are new leads that did not come from a call. At most 50 rows in each list.
   *
   * Needs the scope `leads:read`.
   */
  audit(query: LeadsAuditQuery | LeadsAuditQueryInCamelCase = {}, options?: RequestOptions): APIPromise<LeadAudit> {
    return this.client.send('GET', 'leads/audit', { query }, options);
  }

  /**
   * List what happened to a lead.
   *
   * Newest first. Changes before the server kept histories are not in it.
   *
   * Needs the scope `leads:read`.
   */
  history(query: LeadsHistoryQuery | LeadsHistoryQueryInCamelCase, options?: RequestOptions): PagePromise<LeadHistory, LeadChangeRow> {
    return this.client.pages('GET', 'leads/history', 'changes', { query }, options);
  }

  /**
   * Merge two leads that are one person.
   *
   * The lead `id` is kept: its gaps are filled from the lead `merge_lead_id`, and notes, calls and history of that lead move over to it. The other id leads to the kept lead from then on. Harmless to repeat.
   *
   * Needs the scope `leads:write`.
   */
  merge(params: LeadMerge | LeadMergeInCamelCase, options?: RequestOptions): APIPromise<LeadMerged> {
    return this.client.send('POST', 'leads/merge', { body: params, idempotent: true }, options);
  }
}

/** `kai.consents`. */
export class ConsentsResource extends Resource {
  /**
   * List what people said about being called.
   *
   * Consents and withdrawals as they were recorded, in the key's mode. The latest word about a number is the one that counts.
   *
   * Needs the scope `leads:read`.
   */
  list(query: ConsentsListQuery | ConsentsListQueryInCamelCase = {}, options?: RequestOptions): PagePromise<ConsentList, Consent> {
    return this.client.pages('GET', 'consents', 'consents', { query }, options);
  }

  /**
   * Record a consent.
   *
   * That the person with this number agreed to be called by the business. A workspace with `consent_required` calls nobody without.
   *
   * Needs the scope `leads:write`.
   */
  create(params: ConsentToRecord | ConsentToRecordInCamelCase, options?: RequestOptions): APIPromise<Consent> {
    return this.client.send('POST', 'consents', { body: params, idempotent: true }, options);
  }

  /**
   * Withdraw a consent.
   *
   * That the person with this number does not agree any more. What was recorded before is kept. Where no consent counts, nothing is recorded and `withdrawn` is false.
   *
   * Needs the scope `leads:write`.
   */
  withdraw(query: ConsentsWithdrawQuery | ConsentsWithdrawQueryInCamelCase, options?: RequestOptions): APIPromise<ConsentWithdrawn> {
    return this.client.send('DELETE', 'consents', { query }, options);
  }
}

/** `kai.numbers`. */
export class NumbersResource extends Resource {
  /**
   * List phone numbers.
   *
   * The numbers assigned to the businesses that the key can reach, newest first.
   *
   * Needs the scope `numbers:read`.
   */
  list(query: NumbersListQuery | NumbersListQueryInCamelCase = {}, options?: RequestOptions): PagePromise<NumberList, NumberRow> {
    return this.client.pages('GET', 'numbers', 'numbers', { query }, options);
  }
}

/** `kai.phoneNumbers`. */
export class Phone_numbersResource extends Resource {
  /**
   * List phone numbers, or look one up.
   *
   * The numbers that the businesses of the key hold, newest first. With `phone_number` only that one, also as `number`, which is null if the key does not reach it.
   *
   * Needs the scope `numbers:read`.
   */
  list(query: Phone_numbersListQuery | Phone_numbersListQueryInCamelCase = {}, options?: RequestOptions): PagePromise<PhoneNumberList, PhoneNumber> {
    return this.client.pages('GET', 'phone-numbers', 'numbers', { query }, options);
  }

  /**
   * Take a phone number, or say who answers it.
   *
   * Takes a number that no business holds, and gives it to an agent if one is named. Of a number that the business holds already only the agent changes; without `agent_id` it stays, null leaves the number to nobody. Harmless to repeat.
   *
   * Needs the scope `numbers:write`.
   */
  assign(params: NumberAssignment | NumberAssignmentInCamelCase, options?: RequestOptions): APIPromise<NumberAssigned> {
    return this.client.send('POST', 'phone-numbers', { body: params, idempotent: true }, options);
  }

  /**
   * Give a phone number back.
   *
   * Nobody answers it any more, and every business can take it.
   *
   * Needs the scope `numbers:write`.
   */
  release(query: Phone_numbersReleaseQuery | Phone_numbersReleaseQueryInCamelCase, options?: RequestOptions): APIPromise<NumberReleased> {
    return this.client.send('DELETE', 'phone-numbers', { query }, options);
  }

  /**
   * List phone numbers that can be taken.
   *
   * The numbers of this installation that no business holds, in their order. Whoever runs the server registers them.
   *
   * Needs the scope `numbers:read`.
   */
  available(query: Phone_numbersAvailableQuery | Phone_numbersAvailableQueryInCamelCase = {}, options?: RequestOptions): APIPromise<AvailableNumbers> {
    return this.client.send('GET', 'phone-numbers/available', { query }, options);
  }
}

/** `kai.webhooks`. */
export class WebhooksResource extends Resource {
  /**
   * List webhook subscriptions.
   *
   * Subscriptions of the key's mode, newest first. `events` names all events that a subscription can hear of.
   *
   * Needs the scope `webhooks:read`.
   */
  list(query: WebhooksListQuery | WebhooksListQueryInCamelCase = {}, options?: RequestOptions): APIPromise<WebhookList> {
    return this.client.send('GET', 'webhooks', { query }, options);
  }

  /**
   * Create or change a webhook subscription.
   *
   * Without `id` a subscription is created: `webhook_secret` is shown in this answer and never again. With `id` that subscription is changed, and fields that are not sent stay. A subscription that was switched off works again after `is_active: true`. A business may have 50 subscriptions.
   *
   * Needs the scope `webhooks:write`.
   */
  create(params: WebhookSubscription | WebhookSubscriptionInCamelCase = {}, options?: RequestOptions): APIPromise<WebhookSaved> {
    return this.client.send('POST', 'webhooks', { body: params, idempotent: true }, options);
  }

  /**
   * Delete a webhook subscription.
   *
   * Without `id`, all subscriptions of the business. What is still to be delivered to a deleted subscription is not delivered.
   *
   * Needs the scope `webhooks:write`.
   */
  delete(query: WebhooksDeleteQuery | WebhooksDeleteQueryInCamelCase = {}, options?: RequestOptions): APIPromise<WebhookDeleted> {
    return this.client.send('DELETE', 'webhooks', { query }, options);
  }

  /**
   * Send a test event.
   *
   * Sends one signed event `webhook.test` and answers when the receiver has answered, at the latest after 5 seconds. Works on subscriptions that are off, and changes nothing about them.
   *
   * Needs the scope `webhooks:write`.
   */
  test(params: WebhookTest | WebhookTestInCamelCase, options?: RequestOptions): APIPromise<WebhookTested> {
    return this.client.send('POST', 'webhooks/test', { body: params, idempotent: true }, options);
  }

  /**
   * Exchange the secret of a webhook subscription.
   *
   * `webhook_secret` is shown in this answer and never again. For 24 hours deliveries carry signatures by both secrets, so that receivers can change over; with `revoke_previous` the old one ends at once.
   *
   * Needs the scope `webhooks:write`.
   */
  rotateSecret(params: SecretRotation | SecretRotationInCamelCase, options?: RequestOptions): APIPromise<SecretRotated> {
    return this.client.send('POST', 'webhooks/rotate-secret', { body: params, idempotent: true }, options);
  }
}

/** `kai.events`. */
export class EventsResource extends Resource {
  /**
   * List events.
   *
   * What happened in the last 90 days, newest first, whether or not anybody was to hear of it. With `order=oldest` the list goes forwards in time, and `after` then gives newer rows.
   *
   * Needs the scope `events:read`.
   */
  list(query: EventsListQuery | EventsListQueryInCamelCase = {}, options?: RequestOptions): PagePromise<EventList, EventRow> {
    return this.client.pages('GET', 'events', 'events', { query }, options);
  }

  /**
   * List attempts to deliver events.
   *
   * Every request to a receiver in the last 30 days with what was sent and answered, newest first. Signatures are left out.
   *
   * Needs the scope `events:read` or `webhooks:read`.
   */
  deliveries(query: EventsDeliveriesQuery | EventsDeliveriesQueryInCamelCase = {}, options?: RequestOptions): PagePromise<DeliveryList, DeliveryRow> {
    return this.client.pages('GET', 'event-deliveries', 'deliveries', { query }, options);
  }

  /**
   * Send events again.
   *
   * Names the events by `event_id`, `event_ids` or `filter`. They are sent to the subscriptions that would hear of them now, and to the `webhook_url` of the call whose end they tell, with the same event ids. What is still to be delivered is tried at once.
   *
   * Needs the scope `events:replay`.
   */
  replay(params: EventReplay | EventReplayInCamelCase = {}, options?: RequestOptions): APIPromise<EventsReplayed> {
    return this.client.send('POST', 'events/replay', { body: params, idempotent: true }, options);
  }

  /**
   * Send the events of a time range again.
   *
   * Like `replay`, for all events from `from` (inclusive) to `to` (exclusive): at most 31 days and 1000 events.
   *
   * Needs the scope `events:replay`.
   */
  backfill(params: EventBackfill | EventBackfillInCamelCase, options?: RequestOptions): APIPromise<EventsBackfilled> {
    return this.client.send('POST', 'events/backfill', { body: params, idempotent: true }, options);
  }
}

/** `kai.sandbox`. */
export class SandboxResource extends Resource {
  /**
   * Play an incoming call.
   *
   * A scripted caller of the sandbox rings the number of one of your agents, which answers as it would answer anybody. For test keys only. Answers as soon as it rings; the call goes on like any other.
   *
   * Needs the scope `calls:write`.
   */
  incoming(params: IncomingTestCall, options?: RequestOptions): APIPromise<IncomingCallRinging> {
    return this.client.send('POST', 'sandbox/incoming', { body: params, idempotent: true }, options);
  }
}

/** `kai.balance`. */
export class BalanceResource extends Resource {
  /**
   * Read minutes and phone numbers in use.
   *
   * Minutes talked in the current month (UTC) in the key's mode, phone numbers assigned to each business, and the money of today: what calls have cost, what is set aside for those that run, and what the budget leaves. A day is one in the time zone of the business.
   *
   * Needs any valid key.
   */
  get(options?: RequestOptions): APIPromise<Balance> {
    return this.client.send('GET', 'balance', {}, options);
  }
}

/** `kai.usage`. */
export class UsageResource extends Resource {
  /**
   * List requests.
   *
   * One row per request with a valid key, newest first: those of all keys of the key's owner, or, if the key is bound to a business, those of keys bound to it. A key that was revoked or has expired leaves one row a minute. `cost_cents` is what the call `call_id` has cost so far; a call stands in one row, that of the request that placed it.
   *
   * Needs any valid key.
   */
  list(query: UsageListQuery = {}, options?: RequestOptions): PagePromise<UsageList, Usage> {
    return this.client.pages('GET', 'usage', 'usage', { query }, options);
  }
}

/** `kai.audit`. */
export class AuditResource extends Resource {
  /**
   * List administrative changes.
   *
   * Who did what to keys, members, agents, numbers, webhooks and settings, from where, and what it was before; newest first. The key reads the log of those of its businesses of which its owner is owner or admin; without any the answer is 403. Rows are never changed. Secrets are in none of them: values that may hold some are `(not shown)`, and long texts are cut after 1000 characters.
   *
   * Needs the scope `audit:read`.
   */
  list(query: AuditListQuery | AuditListQueryInCamelCase = {}, options?: RequestOptions): PagePromise<AuditList, AuditEntry> {
    return this.client.pages('GET', 'audit-log', 'entries', { query }, options);
  }
}

/** `kai.keys`. */
export class KeysResource extends Resource {
  /**
   * List API keys.
   *
   * The user's keys, revoked ones included, newest first.
   *
   * Needs a session (POST /api/session); an API key does not do.
   */
  list(query: KeysListQuery = {}, options?: RequestOptions): PagePromise<KeyList, KeyBody> {
    return this.client.pages('GET', 'keys', 'keys', { query, session: true }, options);
  }

  /**
   * Create an API key.
   *
   * `key` is shown in this answer and never again. The login must not be older than ten minutes; after that the answer is 403.
   *
   * Needs a session (POST /api/session); an API key does not do.
   */
  create(params: NewKey | NewKeyInCamelCase = {}, options?: RequestOptions): APIPromise<KeyCreated> {
    return this.client.send('POST', 'keys', { body: params, session: true }, options);
  }

  /**
   * Revoke an API key.
   *
   * The key has stopped working when the answer arrives. Revoking it again changes nothing.
   *
   * Needs a session (POST /api/session); an API key does not do.
   */
  revoke(keyId: string, options?: RequestOptions): APIPromise<Success> {
    return this.client.send('DELETE', 'keys', { query: { id: needed('keyId', keyId) }, session: true }, options);
  }
}

/** `kai.workspaces`. */
export class WorkspacesResource extends Resource {
  /**
   * One workspace, by its id.
   *
   * Needs the scope `workspaces:read`.
   */
  get(workspaceId: string, options?: RequestOptions): APIPromise<WorkspaceBody> {
    return this.client.send('GET', 'workspaces', { query: { id: needed('workspaceId', workspaceId) } }, options);
  }

  /**
   * List workspaces, or read one.
   *
   * The businesses that the key reaches. With `id` the answer is that one itself.
   *
   * Needs the scope `workspaces:read`.
   */
  list(options?: RequestOptions): APIPromise<WorkspaceList> {
    return this.client.send('GET', 'workspaces', {}, options);
  }

  /**
   * Make a workspace.
   *
   * Makes another business of the key's owner. A key that is bound to one business cannot. With an `external_ref` that the owner has used before the answer is 200 with that workspace, and nothing is made.
   *
   * Needs the scope `workspaces:write`.
   */
  create(params: NewWorkspaceBody | NewWorkspaceBodyInCamelCase, options?: RequestOptions): APIPromise<WorkspaceBody> {
    return this.client.send('POST', 'workspaces', { body: params, idempotent: true }, options);
  }

  /**
   * Change a workspace.
   *
   * Only the fields sent change; `metadata` is merged key by key, and a null value deletes its key. A budget counts from the next call on: what the calls of the day have cost so far counts against it.
   *
   * Needs the scope `workspaces:write`.
   */
  update(params: WorkspaceChanges | WorkspaceChangesInCamelCase, options?: RequestOptions): APIPromise<WorkspaceChanged> {
    return this.client.send('PATCH', 'workspaces', { body: params }, options);
  }
}

/** `kai.session`. */
export class SessionResource extends Resource {
  /**
   * Sign up.
   *
   * Makes a business with an owner, an agent, a live key that may do everything in it, and a phone number if one is free. Only where the server's operator allows it. `api_key` is shown in this answer and never again.
   *
   * Needs no key.
   */
  signup(params: NewAccount | NewAccountInCamelCase, options?: RequestOptions): APIPromise<AccountCreated> {
    return this.client.send('POST', 'signup', { body: params }, options);
  }

  /**
   * Log in.
   *
   * Sets the session cookie. It ends 12 hours after the login or 30 minutes after its last use. A user with a second factor sends a `code` along; without one, `details` of the 401 says `{"second_factor": "required"}`.
   *
   * Needs no key.
   */
  create(params: Credentials, options?: RequestOptions): APIPromise<SessionBody> {
    return this.client.send('POST', '/api/session', { body: params }, options);
  }

  /**
   * Read the current session.
   *
   * Needs a session (POST /api/session); an API key does not do.
   */
  get(options?: RequestOptions): APIPromise<CurrentBody> {
    return this.client.send('GET', '/api/session', { session: true }, options);
  }

  /**
   * Log out.
   *
   * Ends the session; doing it again changes nothing.
   *
   * Needs no key.
   */
  delete(options?: RequestOptions): APIPromise<Success> {
    return this.client.send('DELETE', '/api/session', {}, options);
  }
}

/** `kai.health`. */
export class HealthResource extends Resource {
  /**
   * Check the health of the server.
   *
   * Answers 200 if the database accepts writes, and 503 otherwise. `status` is `degraded` where no engine makes the calls of this key.
   *
   * Needs any valid key.
   */
  get(options?: RequestOptions): APIPromise<Health> {
    return this.client.send('GET', 'health', {}, options);
  }
}

/** `kai.capabilities`. */
export class CapabilitiesResource extends Resource {
  /**
   * Read what the key can do.
   *
   * The key itself, its scopes, the businesses that it reaches, every route with whether the key opens it, and how many requests a minute it may send.
   *
   * Needs any valid key.
   */
  get(query: CapabilitiesGetQuery | CapabilitiesGetQueryInCamelCase = {}, options?: RequestOptions): APIPromise<KeyCapabilities> {
    return this.client.send('GET', 'capabilities', { query }, options);
  }
}

/** `kai.schemas`. */
export class SchemasResource extends Resource {
  /**
   * Read JSON Schemas of requests and answers.
   *
   * All of them under `schemas`, or the one with this name as `name` and `schema`. Each is complete by itself (JSON Schema 2020-12). `Agent`, `Call`, `Delivery`, `Error`, `Event`, `Key`, `Lead` and `Transcript` are short names.
   *
   * Needs no key.
   */
  get(query: SchemasGetQuery = {}, options?: RequestOptions): APIPromise<Schemas> {
    return this.client.send('GET', 'schemas', { query }, options);
  }
}

/** `kai.openapi`. */
export class OpenapiResource extends Resource {
  /**
   * Read this OpenAPI document.
   *
   * OpenAPI 3.1. Pages of every origin can read it. `/docs/openapi.yaml` has the same as YAML, and `/docs` is a page for people.
   *
   * Needs no key.
   */
  get(options?: RequestOptions): APIPromise<Record<string, unknown>> {
    return this.client.send('GET', 'openapi.json', {}, options);
  }
}
