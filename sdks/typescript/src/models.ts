// Made by `cargo xtask codegen` from openapi/v1.json; do not edit.

export type CallStatus = 'queued' | 'ringing' | 'in-progress' | 'completed' | 'failed';

export type CallDirection = 'inbound' | 'outbound';

export type RecordingStatus = 'available' | 'processing' | 'unavailable';

export type NumberStatus = 'assigned' | 'available';

/** The body of every refusal. */
export interface ErrorBody {
  /** Why the request was refused. */
  error: ErrorDetail;
}

/** Why a request was refused, for programs and for people. */
export interface ErrorDetail {
  /** Code of the refusal for programs, like `not_found`; docs/reference/errors.md explains each. */
  code: string;
  /** Explanation of the refusal for people. */
  message: string;
  /** More for programs, such as the fields that are wrong. */
  details?: Record<string, unknown> | null;
}

/** An agent with all its fields. */
export interface AgentDetail {
  id: string;
  name: string;
  business_id: string;
  /** Id of the agent's assistant at Vapi; null if there is none. */
  vapi_assistant_id: string | null;
  phone_number: string | null;
  created_at: string;
  updated_at: string;
  status: string;
  /** Number of the agent's version; every change adds one, the first is 1. */
  version_number: number;
  prompts: Prompts;
  /** First sentence of the agent: its own, or the greeting of agents that have none. */
  first_message: string;
  outbound_first_message: string | null;
  /** Voice of the agent as `{provider, voiceId}`; empty if the engine chooses one. */
  voice: Record<string, unknown>;
  model: Record<string, unknown>;
  outbound_llm: unknown;
  sms_llm: unknown;
  /** Longest duration of a call in seconds; null if the agent has no limit of its own. */
  max_duration: number | null;
  /** What all of its calls of a day may cost together, in cents; null if only the budget of its business counts. */
  daily_budget_cents: number | null;
  /** Whether card and social security numbers that callers say are kept. */
  keep_sensitive_numbers: boolean;
  transfer_enabled: boolean;
  transfer_phone_number: string | null;
  vapi_config: Record<string, unknown>;
  metadata: Record<string, unknown>;
  answering: AnsweringView;
  /** Language that the agent speaks, or a list of them; null leaves it to the first message. */
  language: string | string[] | null;
  disclosures: DisclosuresView;
}

/** Instructions for each channel. */
export interface Prompts {
  inbound: string;
  outbound: string | null;
  sms: string | null;
}

/** What an agent does with machines that answer its calls. */
export interface AnsweringView {
  /** With an answering machine: `leave_message` or `hang_up`. */
  voicemail: string;
  /** With an assistant that asks who is calling: `introduce` (name and reason) or `hang_up`. */
  screener: string;
  /** With a menu, a waiting line or music: `wait` (in silence, for a minute at most) or `hang_up`. */
  menu: string;
}

/** What an agent says before anything else; null is as its business says. */
export interface DisclosuresView {
  /** That an AI speaks. */
  ai: boolean | null;
  /** That the call is recorded. */
  recording: boolean | null;
}

/** A page of agents. */
export interface AgentList {
  agents: AgentRow[];
  has_more: boolean;
}

/** An agent in a list. */
export interface AgentRow {
  id: string;
  name: string;
  business_id: string;
  created_at: string;
  /** Phone number of the agent in E.164 format; null if it has none. */
  phone_number: string | null;
  /** Always `active`: an agent can be called as soon as it exists. */
  status: string;
}

/** An agent to create. */
export interface NewAgent {
  /** Id of the business that the agent speaks for. */
  business_id: string;
  /** Name of the agent, shown in lists. */
  name: string;
  /** Instructions for the agent: what it should do, and what it knows. */
  system_prompt: string;
  /** Alias of `system_prompt`, which wins if both are sent. */
  inbound_prompt?: string;
  /** First sentence of the agent in every call; `Hello! How can I help you today?` by default. */
  first_message?: string | null;
  /** Voice of the agent as `{provider, voiceId}`; the engine chooses one by default. */
  voice?: Record<string, unknown> | null;
  /** Language model of the agent. */
  model?: Record<string, unknown> | null;
  /** Data of your own, stored with the agent and never interpreted. */
  metadata?: Record<string, unknown> | null;
  /** What it does with machines that answer its calls: it leaves a message, introduces itself and waits by default. */
  answering?: Record<string, unknown> | null;
  /**
   * Language that the agent speaks, as a tag like `es` or `pt-BR`, or a list of languages of which the caller's is taken. By default
   * that of its first message, with English and Spanish for callers who speak them.
   */
  language?: string | string[] | null;
  /** What the agent says before anything else, where it differs from its business. */
  disclosures?: Record<string, unknown> | null;
}

/** {@link NewAgent} with names like `firstMessage`. */
export interface NewAgentInCamelCase {
  /** Id of the business that the agent speaks for. */
  businessId: string;
  /** Name of the agent, shown in lists. */
  name: string;
  /** Instructions for the agent: what it should do, and what it knows. */
  systemPrompt: string;
  /** Alias of `system_prompt`, which wins if both are sent. */
  inboundPrompt?: string;
  /** First sentence of the agent in every call; `Hello! How can I help you today?` by default. */
  firstMessage?: string | null;
  /** Voice of the agent as `{provider, voiceId}`; the engine chooses one by default. */
  voice?: Record<string, unknown> | null;
  /** Language model of the agent. */
  model?: Record<string, unknown> | null;
  /** Data of your own, stored with the agent and never interpreted. */
  metadata?: Record<string, unknown> | null;
  /** What it does with machines that answer its calls: it leaves a message, introduces itself and waits by default. */
  answering?: Record<string, unknown> | null;
  /**
   * Language that the agent speaks, as a tag like `es` or `pt-BR`, or a list of languages of which the caller's is taken. By default
   * that of its first message, with English and Spanish for callers who speak them.
   */
  language?: string | string[] | null;
  /** What the agent says before anything else, where it differs from its business. */
  disclosures?: Record<string, unknown> | null;
}

/** An agent that has just been created. */
export interface AgentCreated {
  id: string;
  name: string;
  business_id: string;
  vapi_assistant_id: string | null;
  created_at: string;
  /** What the agent asks for that calls have to do without; absent if there is nothing. */
  warnings?: AgentWarning[];
}

/** Something that the agent asks for and this installation lacks. It is kept with the agent. */
export interface AgentWarning {
  /** Field of the agent that asks for it: `voice` or `model`. */
  field: string;
  /** What takes its place in calls. */
  message: string;
}

/** Changes to an agent. */
export interface AgentChanges {
  /** Id of the agent to change. */
  id: string;
  /** Name of the agent, shown in lists. */
  name?: string;
  /** Instructions for inbound calls, and for outbound ones without instructions of their own. */
  inbound_prompt?: string;
  /** Alias of `inbound_prompt`, which wins if both are sent. */
  system_prompt?: string;
  /** Instructions for outbound calls. */
  outbound_prompt?: string | null;
  /** Instructions for text messages. */
  sms_prompt?: string | null;
  /** First sentence of the agent in every call. */
  first_message?: string | null;
  /** First sentence of the agent in outbound calls. */
  outbound_first_message?: string | null;
  /** Language model of outbound calls: a model id, or an object. */
  outbound_llm?: string | Record<string, unknown> | null;
  /** Language model of text messages: a model id, or an object. */
  sms_llm?: string | Record<string, unknown> | null;
  /** Voice of the agent as `{provider, voiceId}`; merged with the stored voice key by key. */
  voice?: Record<string, unknown> | null;
  /** Language model of the agent; merged with the stored settings key by key. */
  model?: Record<string, unknown>;
  /** Data of your own; merged with the stored data key by key. */
  metadata?: Record<string, unknown>;
  /** Longest duration of a call in seconds. */
  max_duration?: number | null;
  /** What all of its calls of a day may cost together, in cents; null for no budget of its own. */
  daily_budget_cents?: number | null;
  /** Settings for the engine; merged with the stored settings key by key and otherwise not interpreted. */
  vapi_config?: Record<string, unknown>;
  /**
   * Whether card and social security numbers that callers say are kept. By default they are taken out of transcripts,
   * summaries, leads and webhooks; recordings keep them in any case.
   */
  keep_sensitive_numbers?: boolean;
  /** Whether the agent may transfer a caller to a person. */
  transfer_enabled?: boolean;
  /** Phone number that callers are transferred to. */
  transfer_phone_number?: string | null;
  /** What it does with machines that answer its calls, merged. */
  answering?: Record<string, unknown> | null;
  /** Language that the agent speaks, or a list of languages; null leaves it to the first message. */
  language?: string | string[] | null;
  /** What the agent says before anything else, merged; null leaves it to the business. */
  disclosures?: Record<string, unknown> | null;
}

/** {@link AgentChanges} with names like `firstMessage`. */
export interface AgentChangesInCamelCase {
  /** Id of the agent to change. */
  id: string;
  /** Name of the agent, shown in lists. */
  name?: string;
  /** Instructions for inbound calls, and for outbound ones without instructions of their own. */
  inboundPrompt?: string;
  /** Alias of `inbound_prompt`, which wins if both are sent. */
  systemPrompt?: string;
  /** Instructions for outbound calls. */
  outboundPrompt?: string | null;
  /** Instructions for text messages. */
  smsPrompt?: string | null;
  /** First sentence of the agent in every call. */
  firstMessage?: string | null;
  /** First sentence of the agent in outbound calls. */
  outboundFirstMessage?: string | null;
  /** Language model of outbound calls: a model id, or an object. */
  outboundLlm?: string | Record<string, unknown> | null;
  /** Language model of text messages: a model id, or an object. */
  smsLlm?: string | Record<string, unknown> | null;
  /** Voice of the agent as `{provider, voiceId}`; merged with the stored voice key by key. */
  voice?: Record<string, unknown> | null;
  /** Language model of the agent; merged with the stored settings key by key. */
  model?: Record<string, unknown>;
  /** Data of your own; merged with the stored data key by key. */
  metadata?: Record<string, unknown>;
  /** Longest duration of a call in seconds. */
  maxDuration?: number | null;
  /** What all of its calls of a day may cost together, in cents; null for no budget of its own. */
  dailyBudgetCents?: number | null;
  /** Settings for the engine; merged with the stored settings key by key and otherwise not interpreted. */
  vapiConfig?: Record<string, unknown>;
  /**
   * Whether card and social security numbers that callers say are kept. By default they are taken out of transcripts,
   * summaries, leads and webhooks; recordings keep them in any case.
   */
  keepSensitiveNumbers?: boolean;
  /** Whether the agent may transfer a caller to a person. */
  transferEnabled?: boolean;
  /** Phone number that callers are transferred to. */
  transferPhoneNumber?: string | null;
  /** What it does with machines that answer its calls, merged. */
  answering?: Record<string, unknown> | null;
  /** Language that the agent speaks, or a list of languages; null leaves it to the first message. */
  language?: string | string[] | null;
  /** What the agent says before anything else, merged; null leaves it to the business. */
  disclosures?: Record<string, unknown> | null;
}

/** An agent after a change. */
export interface AgentUpdated {
  id: string;
  name: string;
  business_id: string;
  vapi_assistant_id: string | null;
  /** False if the request changed nothing. */
  updated: boolean;
  /** What the agent asks for that calls have to do without; absent if there is nothing. */
  warnings?: AgentWarning[];
}

/** Versions of an agent, or one of them. */
export interface AgentVersions {
  agent_id: string;
  /** The versions, newest first; absent when one was asked for. */
  versions?: AgentVersionRow[] | null;
  /** Whether there are older versions. */
  has_more?: boolean | null;
  /** The version that was asked for. */
  version?: AgentVersionDetail | null;
}

/** A version of an agent. */
export interface AgentVersionRow {
  id: string;
  /** Number of the version; the first is 1. */
  version_number: number;
  /** Hash of the whole configuration: versions with the same hash are equal. */
  config_hash: string;
  /** How the version came about: `api`, `dashboard`, `rollback` or `system`. */
  source: string;
  /** Names of the fields that changed; null for the first version. */
  diff_summary: string | null;
  /** Id of the API key or e-mail address of the person that made the version; null if the platform did. */
  created_by: string | null;
  created_at: string;
  /** Number of the earlier version that this one brought back; null if it brought back none. */
  rollback_of: number | null;
  /** Whether the agent is like this now. */
  is_current: boolean;
}

/** A version of an agent with its configuration. */
export interface AgentVersionDetail {
  id: string;
  /** Number of the version; the first is 1. */
  version_number: number;
  /** Hash of the whole configuration: versions with the same hash are equal. */
  config_hash: string;
  /** How the version came about: `api`, `dashboard`, `rollback` or `system`. */
  source: string;
  /** Names of the fields that changed; null for the first version. */
  diff_summary: string | null;
  /** Id of the API key or e-mail address of the person that made the version; null if the platform did. */
  created_by: string | null;
  created_at: string;
  /** Number of the earlier version that this one brought back; null if it brought back none. */
  rollback_of: number | null;
  /** Whether the agent is like this now. */
  is_current: boolean;
  /** What the agent was in this version, with the names of `GET /agents?id=`. Passwords, tokens and other secrets are left out. */
  config_snapshot: Record<string, unknown>;
  /** What this version changed. */
  changes: FieldChange[];
}

/** A field that differs between two versions. */
export interface FieldChange {
  /** Name of the field, with a dot before the name of a field within it, like `model.temperature`. */
  field: string;
  /** Value in the version before; null if there was none. */
  before: unknown;
  /** Value in this version; null if there is none. */
  after: unknown;
}

/** The version to go back to. */
export interface AgentRollback {
  /** Id of the agent to change. */
  agent_id: string;
  /** Number of the version that the agent becomes again. */
  version: number;
}

/** {@link AgentRollback} with names like `firstMessage`. */
export interface AgentRollbackInCamelCase {
  /** Id of the agent to change. */
  agentId: string;
  /** Number of the version that the agent becomes again. */
  version: number;
}

/** An agent that went back to a version. */
export interface AgentRolledBack {
  id: string;
  name: string;
  business_id: string;
  vapi_assistant_id: string | null;
  /** False if the agent was like that already. */
  updated: boolean;
  /** Number of the agent's version now. */
  version_number: number;
}

/** A call with all its fields. */
export interface CallDetail {
  id: string;
  conversation_id: string | null;
  /** `queued`, `ringing`, `in-progress`, `completed` or `failed`. */
  status: CallStatus;
  /** One of `inbound` and `outbound`. */
  direction: CallDirection;
  /** Seconds from answer to end; null until the call has ended. */
  duration: number | null;
  agent_id: string;
  agent_name: string;
  business_id: string;
  lead_id: string | null;
  to: string;
  from: string | null;
  summary: string | null;
  /** When the call was or will be made, as far as that was planned: the wanted time, or the beginning of the calling hours after it. */
  scheduled_at: string | null;
  created_at: string;
  /** Link to the recording; it works without a key and expires. */
  recording_url: string | null;
  /** Quality marks; null until the call has been graded. */
  quality_dimensions: Quality | null;
  /** Name of the person, as it was given when the call was placed. */
  name: string | null;
  /** Time of the answer. */
  started_at: string | null;
  ended_at: string | null;
  /**
   * Why it never connected: `no_answer`, `busy`, `declined`, `invalid_number`, `carrier_error`, `canceled`, `blocked`,
   * `agent_error` or `internal_error`.
   */
  error: string | null;
  /** How the call ended: `ended-by-api` if a request ended it, otherwise the engine's own word. */
  ended_reason: string | null;
  /** What the agent was heard to say first because it has to: `ai` (that it is an AI), `recording` (that the call is recorded). */
  disclosures: string[];
  /** `urgent` if the caller was upset, grieved or asked for a person, `emergency` if somebody was in danger; else null. */
  urgency: string | null;
  /** Whether GET /api/v1/transcripts returns a transcript of the call. */
  transcript_available: boolean;
  /** When the steps of each turn of the agent happened, in calls with sound; empty in others. */
  turns: CallTurn[];
  /** How the sound was, once a call with sound is over; null otherwise. */
  sound: CallSound | null;
}

/** Quality marks of the agent in a call, 0 to 100 each. */
export interface Quality {
  professionalism: number;
  empathy: number;
  information_gathering: number;
  resolution: number;
}

/**
 * When the steps of one turn of the agent happened, in milliseconds since the answer. A step that did not take place is null: nobody
 * speaks before a greeting, and fixed words ask no language model.
 */
export interface CallTurn {
  /** The last sound of the caller's words arrived. */
  last_caller_packet_ms: number | null;
  /** The voice detection knew that the caller was silent. */
  end_of_speech_ms: number | null;
  /** The recogniser gave the first words of the caller's turn. */
  first_transcript_ms: number | null;
  /** The recogniser gave the words by which the turn was taken to be over. */
  last_transcript_ms: number | null;
  /** The caller's turn was taken to be over. */
  end_of_turn_ms: number | null;
  /** The language model gave its first words. Later than the first packet if the caller was asked to wait. */
  first_token_ms: number | null;
  /** The voice was asked for the first sentence. */
  first_sentence_ms: number | null;
  /** The voice gave its first sound; 0 if it was made before the answer. */
  first_audio_ms: number | null;
  /** The first sound of the agent was sent. */
  first_agent_packet_ms: number;
  /** How long the caller waited: from the last sound of their words to the first of the agent. */
  waited_ms: number | null;
}

/** How the sound of a call arrived, and how well people would say that they heard. */
export interface CallSound {
  /** The mean opinion score by the E-model (ITU-T G.107, simplified), from 1 (bad) to 4.4 (as good as a telephone gets). */
  mos: number;
  /** Packets of the other side that arrived. */
  packets_received: number;
  /** The share of packets that never came or came too late to be heard, in per cent. */
  loss_percent: number;
  /** How unevenly packets arrived (RFC 3550). */
  jitter_ms: number;
  /** How long sound was held back so that it came evenly. */
  delay_ms: number;
  /** The way to the other side and back; null if it did not say. */
  round_trip_ms: number | null;
  /** How much sound was missing and was concealed. */
  concealed_ms: number;
}

/** A page of calls. */
export interface CallList {
  calls: CallRow[];
  has_more: boolean;
}

/** A call in a list. */
export interface CallRow {
  id: string;
  conversation_id: string | null;
  /** `queued`, `ringing`, `in-progress`, `completed` or `failed`. */
  status: CallStatus;
  /** One of `inbound` and `outbound`. */
  direction: CallDirection;
  /** Seconds from answer to end; null until the call has ended. */
  duration: number | null;
  agent_id: string;
  agent_name: string;
  business_id: string;
  lead_id: string | null;
  to: string;
  from: string | null;
  summary: string | null;
  /** When the call was or will be made, as far as that was planned: the wanted time, or the beginning of the calling hours after it. */
  scheduled_at: string | null;
  created_at: string;
}

/** A call to place. */
export interface NewCall {
  /** Id of the agent that makes the call. */
  agent_id: string;
  /** Phone number to call, in E.164 format. */
  to: string;
  /** Name of the person who is called; the agent greets them by it. */
  name?: string | null;
  /** Alias of `name`, which wins if both are sent. */
  customer_name?: string | null;
  /** What the agent should know about this call. */
  context?: string | null;
  /** Alias of `firstMessage`, which wins if both are sent. */
  first_message?: string | null;
  /** Id of the lead to link the call to; by default the lead with this phone number, if there is one. */
  lead_id?: string | null;
  /** Address that gets one signed POST when the call has ended. */
  webhook_url?: string | null;
  /** Longest duration of the call in seconds; by default that of the agent, or 600. */
  max_duration?: number | null;
  /**
   * When to call, at most a year ahead. Such a call is `queued` until then, and waits on for the calling hours instead of being refused
   * outside them; with the present time it rings as soon as the hours allow. Without this field the call is made at once.
   */
  scheduled_at?: string | null;
  /**
   * What the call is for: `marketing`, or `service` for what the person asked for or needs to know. A business that demands consent for
   * marketing demands it of every call that is not said to be a service.
   */
  purpose?: string | null;
}

/** {@link NewCall} with names like `firstMessage`. */
export interface NewCallInCamelCase {
  /** Id of the agent that makes the call. */
  agentId: string;
  /** Phone number to call, in E.164 format. */
  to: string;
  /** Name of the person who is called; the agent greets them by it. */
  name?: string | null;
  /** Alias of `name`, which wins if both are sent. */
  customerName?: string | null;
  /** What the agent should know about this call. */
  context?: string | null;
  /** Alias of `firstMessage`, which wins if both are sent. */
  firstMessage?: string | null;
  /** Id of the lead to link the call to; by default the lead with this phone number, if there is one. */
  leadId?: string | null;
  /** Address that gets one signed POST when the call has ended. */
  webhookUrl?: string | null;
  /** Longest duration of the call in seconds; by default that of the agent, or 600. */
  maxDuration?: number | null;
  /**
   * When to call, at most a year ahead. Such a call is `queued` until then, and waits on for the calling hours instead of being refused
   * outside them; with the present time it rings as soon as the hours allow. Without this field the call is made at once.
   */
  scheduledAt?: string | null;
  /**
   * What the call is for: `marketing`, or `service` for what the person asked for or needs to know. A business that demands consent for
   * marketing demands it of every call that is not said to be a service.
   */
  purpose?: string | null;
}

/** A call that has just been placed. */
export interface CallPlaced {
  id: string;
  /** Id of the call at the engine; null while the engine has not answered. */
  conversation_id: string | null;
  /** Always `queued`: the call is dialled after this answer. */
  status: CallStatus;
  agent_id: string;
  to: string;
  name: string | null;
  /** When the call will be made; null for a call that is made at once. */
  scheduled_at: string | null;
  created_at: string;
}

/** A call to ask about. */
export interface CallToCheck {
  /** Id of the agent that would make the call. */
  agent_id: string;
  /** Phone number to call, in E.164 format. */
  to: string;
  /** Id of the lead that the call would be linked to; by default the lead with this phone number, if there is one. */
  lead_id?: string | null;
  /** When the call would be made, if not at once; it would then wait for the calling hours. */
  scheduled_at?: string | null;
  /** Longest duration of the call in seconds, which decides what it can cost; by default that of the agent, or 600. */
  max_duration?: number | null;
  /** What the call would be for: `marketing` or `service`. */
  purpose?: string | null;
}

/** {@link CallToCheck} with names like `firstMessage`. */
export interface CallToCheckInCamelCase {
  /** Id of the agent that would make the call. */
  agentId: string;
  /** Phone number to call, in E.164 format. */
  to: string;
  /** Id of the lead that the call would be linked to; by default the lead with this phone number, if there is one. */
  leadId?: string | null;
  /** When the call would be made, if not at once; it would then wait for the calling hours. */
  scheduledAt?: string | null;
  /** Longest duration of the call in seconds, which decides what it can cost; by default that of the agent, or 600. */
  maxDuration?: number | null;
  /** What the call would be for: `marketing` or `service`. */
  purpose?: string | null;
}

/** What would become of a call. */
export interface CallChecked {
  allowed: boolean;
  /** The error code that placing the call would be answered with. */
  error: string | null;
  /**
   * Id of the rule that refuses the call: `opt-out`, `consent`, `concurrency`, `destination`, `country`, `calling-hours`, `frequency` or
   * `budget`.
   */
  rule: string | null;
  /** Why that rule refuses it, in one word, as in `details.reason` of the error. */
  reason: string | null;
  /** The same as a sentence. */
  message: string | null;
  business_id: string;
  /** The lead that the call would be linked to. */
  lead_id: string | null;
  to: string;
  /** Country of the number: `1` for the United States and Canada, `1876` for Jamaica. */
  country_calling_code: string;
  /** `ordinary`, `service-number`, `premium-rate`, `shared-cost`, `personal-number`, `universal-access`, `satellite` or `invalid-number`. */
  destination: string;
  /** The moment that the answer is about. */
  at: string;
  /** The first moment from then on within the calling hours; null if they never come in all zones of the number. */
  opens_at: string | null;
  /** The budget that has no room for the call, if one is what stands in the way. */
  budget: BudgetRefused | null;
  /** What each rule says, in the order in which they count. */
  rules: RuleChecked[];
}

/** The budget that has no room for a call. */
export interface BudgetRefused {
  /** Whose budget it is: `business` or `agent`. */
  of: string;
  limit_cents: number;
  /** What the calls of the day that are over have cost. */
  spent_cents: number;
  /** What is set aside for calls that run; it frees as they end. */
  reserved_cents: number;
  /** The most that the call can cost. */
  needed_cents: number;
  /** When the next day of the business begins. */
  frees_at: string;
}

/** What one rule says of a call. */
export interface RuleChecked {
  /** Id of the rule. */
  rule: string;
  /** `passed`, `refused`, or `skipped` if the rule does not ask such calls. */
  verdict: string;
  /** Why it refuses, in one word. */
  reason: string | null;
  /** What it found. */
  detail: string;
}

/** A call to end. */
export interface CallToEnd {
  /** Id of the call to end, or its `conversation_id`. */
  id: string;
}

/** What became of the wish to end a call. */
export interface CallEnding {
  id: string;
  conversation_id: string | null;
  /** Status of the call at this moment. */
  status: string;
  /** Whether the call was over before it was asked to end. */
  was_over: boolean;
  /** Why the call ended; null while its engine is still ending it. */
  ended_reason: string | null;
}

/** The recording of a call. */
export interface Recording {
  call_id: string;
  conversation_id: string | null;
  /** `available`, `processing` or `unavailable`. */
  status: RecordingStatus;
  recording_available: boolean;
  recording_url: string | null;
  /** When the link stops working. */
  expires_at: string | null;
  /** Seconds from answer to end, as the call says them; null until the call has ended. */
  duration: number | null;
  content_type: string | null;
  agent_id: string;
  agent_name: string;
  business_id: string;
  created_at: string;
}

/** A page of transcripts. */
export interface TranscriptList {
  transcripts: TranscriptRow[];
  has_more: boolean;
}

/** The transcript of a call. */
export interface TranscriptRow {
  call_id: string;
  conversation_id: string | null;
  agent_id: string;
  agent_name: string;
  /** Status of the call. */
  status: CallStatus;
  /** Seconds from answer to end. */
  duration: number | null;
  summary: string | null;
  /** The conversation, one line for each utterance, beginning with `Agent: ` or `Caller: `. */
  transcript: string | null;
  /** When the call was placed. */
  created_at: string;
}

/** A person in the CRM of a business. */
export interface LeadBody {
  id: string;
  business_id: string;
  agent_id: string | null;
  name: string | null;
  first_name: string | null;
  last_name: string | null;
  email: string | null;
  /** Phone number in E.164 format if it is a valid number of its country, otherwise as it was given. */
  phone: string | null;
  /** Whether the phone number is a valid number of its country; null if there is none. */
  phone_valid: boolean | null;
  /** Extension to dial after the phone number has answered; digits only. */
  phone_extension: string | null;
  address: string | null;
  city: string | null;
  state: string | null;
  zip: string | null;
  status: string;
  source: string;
  source_url: string | null;
  source_page: string | null;
  notes: string | null;
  message: string | null;
  event_date: string | null;
  event_type: string | null;
  timezone: string | null;
  /** How promising the lead is, 0 to 100; null until a call has told. */
  score: number | null;
  score_explanation: string | null;
  /** Number of calls with the person that were answered. */
  interaction_count: number;
  last_contacted_at: string | null;
  created_at: string;
  updated_at: string;
}

/** A page of leads. */
export interface LeadList {
  leads: LeadBody[];
  has_more: boolean;
}

/** A lead to create. */
export interface NewLead {
  /** Id of the business that the lead belongs to. */
  business_id: string;
  /** Id of the agent that found the lead. */
  agent_id?: string | null;
  /** Full name of the person. */
  name?: string | null;
  /** Given name of the person. */
  first_name?: string | null;
  /** Family name of the person. */
  last_name?: string | null;
  /** E-mail address of the person. */
  email?: string | null;
  /** Phone number of the person, in any notation. */
  phone?: string | null;
  /** Street and house number of the person. */
  address?: string | null;
  /** City of the person's address. */
  city?: string | null;
  /** State or region of the person's address. */
  state?: string | null;
  /** Postal code of the person's address. */
  zip?: string | null;
  /** `new`, `contacted`, `qualified`, `booked`, `converted`, `lost`, or a word of your own. */
  status?: string | null;
  /** Where the lead came from, like `web_form`; `api` by default. */
  source?: string | null;
  /** Address of the web page that the lead came from. */
  source_url?: string | null;
  /** Title of the web page that the lead came from. */
  source_page?: string | null;
  /** Notes of your own about the lead. */
  notes?: string | null;
  /** What the person wrote or wants. */
  message?: string | null;
  /** Date of the person's event. */
  event_date?: string | null;
  /** Kind of the person's event. */
  event_type?: string | null;
  /** Time zone of the person by its IANA name, like `America/Chicago`. */
  timezone?: string | null;
}

/** {@link NewLead} with names like `firstMessage`. */
export interface NewLeadInCamelCase {
  /** Id of the business that the lead belongs to. */
  businessId: string;
  /** Id of the agent that found the lead. */
  agentId?: string | null;
  /** Full name of the person. */
  name?: string | null;
  /** Given name of the person. */
  firstName?: string | null;
  /** Family name of the person. */
  lastName?: string | null;
  /** E-mail address of the person. */
  email?: string | null;
  /** Phone number of the person, in any notation. */
  phone?: string | null;
  /** Street and house number of the person. */
  address?: string | null;
  /** City of the person's address. */
  city?: string | null;
  /** State or region of the person's address. */
  state?: string | null;
  /** Postal code of the person's address. */
  zip?: string | null;
  /** `new`, `contacted`, `qualified`, `booked`, `converted`, `lost`, or a word of your own. */
  status?: string | null;
  /** Where the lead came from, like `web_form`; `api` by default. */
  source?: string | null;
  /** Address of the web page that the lead came from. */
  sourceUrl?: string | null;
  /** Title of the web page that the lead came from. */
  sourcePage?: string | null;
  /** Notes of your own about the lead. */
  notes?: string | null;
  /** What the person wrote or wants. */
  message?: string | null;
  /** Date of the person's event. */
  eventDate?: string | null;
  /** Kind of the person's event. */
  eventType?: string | null;
  /** Time zone of the person by its IANA name, like `America/Chicago`. */
  timezone?: string | null;
}

/** Changes to a lead. */
export interface LeadChanges {
  /** Id of the lead to change. */
  id: string;
  /** Id of the agent that found the lead. */
  agent_id?: string | null;
  /** Full name of the person. */
  name?: string | null;
  /** Given name of the person. */
  first_name?: string | null;
  /** Family name of the person. */
  last_name?: string | null;
  /** E-mail address of the person. */
  email?: string | null;
  /** Phone number of the person, in any notation. */
  phone?: string | null;
  /** Street and house number of the person. */
  address?: string | null;
  /** City of the person's address. */
  city?: string | null;
  /** State or region of the person's address. */
  state?: string | null;
  /** Postal code of the person's address. */
  zip?: string | null;
  /** `new`, `contacted`, `qualified`, `booked`, `converted`, `lost`, or a word of your own. */
  status?: string;
  /** Where the lead came from, like `web_form`. */
  source?: string;
  /** Address of the web page that the lead came from. */
  source_url?: string | null;
  /** Title of the web page that the lead came from. */
  source_page?: string | null;
  /** Notes of your own about the lead. */
  notes?: string | null;
  /** What the person wrote or wants. */
  message?: string | null;
  /** Date of the person's event. */
  event_date?: string | null;
  /** Kind of the person's event. */
  event_type?: string | null;
  /** Time zone of the person by its IANA name, like `America/Chicago`. */
  timezone?: string | null;
}

/** {@link LeadChanges} with names like `firstMessage`. */
export interface LeadChangesInCamelCase {
  /** Id of the lead to change. */
  id: string;
  /** Id of the agent that found the lead. */
  agentId?: string | null;
  /** Full name of the person. */
  name?: string | null;
  /** Given name of the person. */
  firstName?: string | null;
  /** Family name of the person. */
  lastName?: string | null;
  /** E-mail address of the person. */
  email?: string | null;
  /** Phone number of the person, in any notation. */
  phone?: string | null;
  /** Street and house number of the person. */
  address?: string | null;
  /** City of the person's address. */
  city?: string | null;
  /** State or region of the person's address. */
  state?: string | null;
  /** Postal code of the person's address. */
  zip?: string | null;
  /** `new`, `contacted`, `qualified`, `booked`, `converted`, `lost`, or a word of your own. */
  status?: string;
  /** Where the lead came from, like `web_form`. */
  source?: string;
  /** Address of the web page that the lead came from. */
  sourceUrl?: string | null;
  /** Title of the web page that the lead came from. */
  sourcePage?: string | null;
  /** Notes of your own about the lead. */
  notes?: string | null;
  /** What the person wrote or wants. */
  message?: string | null;
  /** Date of the person's event. */
  eventDate?: string | null;
  /** Kind of the person's event. */
  eventType?: string | null;
  /** Time zone of the person by its IANA name, like `America/Chicago`. */
  timezone?: string | null;
}

/** How the pipeline stands. */
export interface LeadAudit {
  /** The moment that was looked at. */
  as_of: string;
  window_hours: number;
  stalled_days: number;
  hot_score: number;
  totals: PipelineTotals;
  /** Promising leads that are neither won nor lost, the best first. */
  hot_leads: CountedLeads;
  /** Open leads with which nothing has happened for long, the longest wait first. */
  stalled_leads: CountedLeads;
  /** New leads that did not come from a call, the newest first. */
  signups: CountedLeads;
  /** Calls of the window that ended at an answering machine, the newest first. */
  voicemails: CountedVoicemails;
}

/** Numbers of leads. */
export interface PipelineTotals {
  leads: number;
  new_in_window: number;
  /** Number of leads by status. */
  by_status: Record<string, unknown>;
}

/** So many leads there are, and the first of them. */
export interface CountedLeads {
  count: number;
  leads: LeadBody[];
}

/** So many messages there are, and the first of them. */
export interface CountedVoicemails {
  count: number;
  items: VoicemailRow[];
}

/** A call that ended at an answering machine. */
export interface VoicemailRow {
  call_id: string;
  lead_id: string | null;
  summary: string | null;
  created_at: string;
}

/** What happened to a lead. */
export interface LeadHistory {
  lead_id: string;
  /** What happened, newest first. */
  changes: LeadChangeRow[];
  has_more: boolean;
}

/** One change of a lead. */
export interface LeadChangeRow {
  id: string;
  /** What happened: `created`, `updated` or `merged`. */
  kind: string;
  /** By which way: `api`, `dashboard`, `call` or `system`. */
  source: string;
  /** Id of the API key or e-mail address of the person; null if nobody did it by hand. */
  changed_by: string | null;
  /** Id of the call that taught it. */
  call_id: string | null;
  /** Fields that changed. Those of a lead that was merged into this one begin with `merged_lead.`. */
  changes: LeadFieldChange[];
  created_at: string;
}

/** A field of a lead before and after a change. */
export interface LeadFieldChange {
  field: string;
  before: unknown;
  after: unknown;
}

/** Two leads that are one person. */
export interface LeadMerge {
  /** Id of the lead that is kept. */
  id: string;
  /** Id of the lead that becomes part of it. */
  merge_lead_id: string;
}

/** {@link LeadMerge} with names like `firstMessage`. */
export interface LeadMergeInCamelCase {
  /** Id of the lead that is kept. */
  id: string;
  /** Id of the lead that becomes part of it. */
  mergeLeadId: string;
}

/** Two leads that have become one. */
export interface LeadMerged {
  /** Always true: what fails is answered with an error. */
  success: boolean;
  /** False if the two were one already. */
  merged: boolean;
  /** Number of calls that moved over to the kept lead. */
  calls_moved: number;
  /** Id of the lead that became part of the kept one. */
  merged_id: string;
  /** The lead that is kept. */
  lead: LeadBody;
}

/** A page of records. */
export interface ConsentList {
  consents: Consent[];
  has_more: boolean;
}

/** One word of a person about being called. */
export interface Consent {
  id: string;
  business_id: string;
  phone_number: string;
  lead_id: string | null;
  /** `given` or `withdrawn`. */
  status: string;
  /** Where the person said so. */
  source: string;
  evidence: string | null;
  /** When the person said so. */
  said_at: string;
  /** When it was recorded. */
  created_at: string;
}

/** A consent to record. */
export interface ConsentToRecord {
  /** Id of the business that may call; the only one of the key by default. */
  business_id?: string | null;
  /** Phone number that may be called, in E.164 format. */
  phone_number: string;
  /** Id of the lead who gave it. */
  lead_id?: string | null;
  /** Where the person gave it, like `web form` or `in writing`. */
  source: string;
  /** What there is to show for it: an address, a text, the name of a file. */
  evidence?: string | null;
  /** When the person gave it; now by default. A time to come counts as now. */
  given_at?: string | null;
}

/** {@link ConsentToRecord} with names like `firstMessage`. */
export interface ConsentToRecordInCamelCase {
  /** Id of the business that may call; the only one of the key by default. */
  businessId?: string | null;
  /** Phone number that may be called, in E.164 format. */
  phoneNumber: string;
  /** Id of the lead who gave it. */
  leadId?: string | null;
  /** Where the person gave it, like `web form` or `in writing`. */
  source: string;
  /** What there is to show for it: an address, a text, the name of a file. */
  evidence?: string | null;
  /** When the person gave it; now by default. A time to come counts as now. */
  givenAt?: string | null;
}

/** What became of a consent. */
export interface ConsentWithdrawn {
  /** Always true. */
  success: boolean;
  phone_number: string;
  /** False if no consent of this number counted. */
  withdrawn: boolean;
}

/** A page of numbers. */
export interface NumberList {
  numbers: NumberRow[];
  has_more: boolean;
}

/** A phone number and its assignment. */
export interface NumberRow {
  id: string;
  /** The phone number in E.164 format. */
  phone_number: string;
  /** Id of the agent that answers the number and calls from it; null if there is none. */
  agent_id: string | null;
  business_id: string | null;
  created_at: string;
  capabilities: Capabilities;
  /** `assigned` if a business uses the number, otherwise `available`. */
  status: NumberStatus;
}

/** What a number can do. */
export interface Capabilities {
  voice: boolean;
  sms: boolean;
  mms: boolean;
}

/** A page of numbers. */
export interface PhoneNumberList {
  numbers: PhoneNumber[];
  has_more: boolean;
  /** The number that was asked for by `phone_number`; absent where none was. */
  number?: PhoneNumber | null;
}

/** A phone number, who holds it, and what it may be used for. */
export interface PhoneNumber {
  id: string;
  /** The number in E.164 format. */
  phone_number: string;
  /** Id of the agent that answers the number and calls from it; null if there is none. */
  agent_id: string | null;
  business_id: string | null;
  capabilities: Capabilities;
  compliance: Compliance;
  /** Country of the number as two letters; null if it belongs to none. */
  country: string | null;
  /** Area code of a number in North America; null elsewhere. */
  area_code: string | null;
  /** `assigned` if a business uses the number, otherwise `available`. */
  status: string;
  created_at: string;
}

/** What is known of the rules that a number is under. */
export interface Compliance {
  high_risk_category: boolean;
  disclosure_note: string | null;
  /** Whether an address for emergency calls is on record; a server of your own keeps none. */
  e911_address_set: boolean;
  /** Whether text messages are registered; always `unregistered`, because none are sent. */
  sms_registration: string;
}

/** Numbers that can be taken. */
export interface AvailableNumbers {
  numbers: AvailableNumber[];
  /** The same numbers without what is known of them. */
  available_numbers: string[];
  has_more: boolean;
}

/** A number that can be taken. */
export interface AvailableNumber {
  /** The number in E.164 format. */
  phone_number: string;
  country: string | null;
  area_code: string | null;
  capabilities: Capabilities;
}

/** A number to take. */
export interface NumberAssignment {
  /** The number in E.164 format. */
  phone_number: string;
  /** Id of the business that takes it; the only one of the key by default. */
  business_id?: string | null;
  /** Id of the agent that answers the number and calls from it; null for none. */
  agent_id?: string | null;
}

/** {@link NumberAssignment} with names like `firstMessage`. */
export interface NumberAssignmentInCamelCase {
  /** The number in E.164 format. */
  phoneNumber: string;
  /** Id of the business that takes it; the only one of the key by default. */
  businessId?: string | null;
  /** Id of the agent that answers the number and calls from it; null for none. */
  agentId?: string | null;
}

/** A number that was taken. */
export interface NumberAssigned {
  /** Always true: what fails is answered with an error. */
  success: boolean;
  number: PhoneNumber;
}

/** A number that was given back. */
export interface NumberReleased {
  /** Always true: what fails is answered with an error. */
  success: boolean;
  phone_number: string;
  released: boolean;
}

/** The subscriptions, and what can be subscribed to. */
export interface WebhookList {
  /** Id of the business if only its subscriptions are listed. */
  business_id: string | null;
  webhooks: Webhook[];
  /** Names of all events that a subscription can hear of. */
  events: string[];
  has_more: boolean;
}

/** A subscription to events, without its secret. */
export interface Webhook {
  id: string;
  url: string;
  /** The same as `url`. */
  webhook_url: string;
  business_id: string;
  /** Events that the subscription hears of; `*` stands for all. */
  events: string[];
  description: string | null;
  /** False if its owner or we have switched it off. */
  is_active: boolean;
  /** The end of the secret, to recognise it by. */
  webhook_secret_masked: string;
  /** Time until which deliveries are signed with the secret of before as well. */
  previous_secret_expires_at: string | null;
  /** Time of the first failure after which nothing has arrived; null while deliveries arrive. */
  failing_since: string | null;
  /** What came of the last failure: `status` and the number, or why there was no answer. */
  last_error: string | null;
  last_error_at: string | null;
  /** Time at which we switched the subscription off. */
  disabled_at: string | null;
  /** `gone` after an answer of 410, `failing` after five days of nothing but failures. */
  disabled_reason: string | null;
  created_at: string;
  updated_at: string;
}

/** A subscription to create, or changes to one. */
export interface WebhookSubscription {
  /** Address that gets a signed POST for each event; needed for a new subscription. */
  webhook_url?: string | null;
  /** Id of the business that the subscription belongs to; may be left out if the key reaches only one. */
  business_id?: string | null;
  /** Events to hear of; `*` stands for all, those of later versions included. By default all that there are now. */
  events?: string[] | null;
  /** What the subscription is for. */
  description?: string | null;
  /** Id of the subscription to change; without it one is created. */
  id?: string | null;
  /** Whether the subscription hears of events; true by default. */
  is_active?: boolean | null;
}

/** {@link WebhookSubscription} with names like `firstMessage`. */
export interface WebhookSubscriptionInCamelCase {
  /** Address that gets a signed POST for each event; needed for a new subscription. */
  webhookUrl?: string | null;
  /** Id of the business that the subscription belongs to; may be left out if the key reaches only one. */
  businessId?: string | null;
  /** Events to hear of; `*` stands for all, those of later versions included. By default all that there are now. */
  events?: string[] | null;
  /** What the subscription is for. */
  description?: string | null;
  /** Id of the subscription to change; without it one is created. */
  id?: string | null;
  /** Whether the subscription hears of events; true by default. */
  isActive?: boolean | null;
}

/** A subscription that was created or changed. */
export interface WebhookSaved {
  id: string;
  url: string;
  /** The same as `url`. */
  webhook_url: string;
  business_id: string;
  /** Events that the subscription hears of; `*` stands for all. */
  events: string[];
  description: string | null;
  /** False if its owner or we have switched it off. */
  is_active: boolean;
  /** The end of the secret, to recognise it by. */
  webhook_secret_masked: string;
  /** Time until which deliveries are signed with the secret of before as well. */
  previous_secret_expires_at: string | null;
  /** Time of the first failure after which nothing has arrived; null while deliveries arrive. */
  failing_since: string | null;
  /** What came of the last failure: `status` and the number, or why there was no answer. */
  last_error: string | null;
  last_error_at: string | null;
  /** Time at which we switched the subscription off. */
  disabled_at: string | null;
  /** `gone` after an answer of 410, `failing` after five days of nothing but failures. */
  disabled_reason: string | null;
  created_at: string;
  updated_at: string;
  /** Always true: what fails is answered with an error. */
  success: boolean;
  webhook: Webhook;
  /** Secret that deliveries are signed with; only in the answer to a creation. */
  webhook_secret?: string | null;
}

/** A subscription that was deleted. */
export interface WebhookDeleted {
  /** Always true: what fails is answered with an error. */
  success: boolean;
  /** Id of the subscription; null if all of the business were deleted. */
  id: string | null;
  /** Always true: the subscription is gone, and what was on its way to it is given up. */
  deleted: boolean;
}

/** A test to send. */
export interface WebhookTest {
  /** Id of the subscription to try out. */
  id: string;
  /** Id of the business that the subscription belongs to. */
  business_id?: string | null;
  /** What the event carries under `data`; an empty object by default. */
  data?: Record<string, unknown> | null;
}

/** {@link WebhookTest} with names like `firstMessage`. */
export interface WebhookTestInCamelCase {
  /** Id of the subscription to try out. */
  id: string;
  /** Id of the business that the subscription belongs to. */
  businessId?: string | null;
  /** What the event carries under `data`; an empty object by default. */
  data?: Record<string, unknown> | null;
}

/** What came of a test. */
export interface WebhookTested {
  /** Whether the receiver answered 2xx. */
  success: boolean;
  event_id: string;
  event_type: string;
  delivery: DeliveryRow;
}

/** An attempt to deliver an event. */
export interface DeliveryRow {
  /** Id of the attempt, which the receiver saw as `X-KaiCalls-Delivery-Id`. */
  id: string;
  event_id: string;
  event_type: string;
  /** Id of the subscription; null for the `webhook_url` of a call. */
  webhook_id: string | null;
  url: string;
  /** Number of the attempt, from 1. */
  attempt: number;
  /** One of `succeeded` and `failed`. */
  status: string;
  response_status: number | null;
  /** The beginning of the answer, at most 1024 characters. */
  response_body: string | null;
  /** Why there was no answer, as one word; null if there was one. */
  error: string | null;
  duration_ms: number;
  /** Time of the next attempt; null if there is none. */
  next_retry_at: string | null;
  request: SentRequest;
  created_at: string;
}

/** The request of an attempt, without its signatures. */
export interface SentRequest {
  /** The method of the request: always `POST`. */
  method: string;
  url: string;
  /** The headers without the signatures. */
  headers: Record<string, unknown>;
  body: string;
}

/** A secret to exchange. */
export interface SecretRotation {
  /** Id of the subscription whose secret is exchanged. */
  id: string;
  /** Id of the business that the subscription belongs to. */
  business_id?: string | null;
  /** Whether the old secret ends at once instead of after 24 hours. */
  revoke_previous?: boolean | null;
}

/** {@link SecretRotation} with names like `firstMessage`. */
export interface SecretRotationInCamelCase {
  /** Id of the subscription whose secret is exchanged. */
  id: string;
  /** Id of the business that the subscription belongs to. */
  businessId?: string | null;
  /** Whether the old secret ends at once instead of after 24 hours. */
  revokePrevious?: boolean | null;
}

/** A secret that was exchanged. */
export interface SecretRotated {
  /** Always true: what fails is answered with an error. */
  success: boolean;
  id: string;
  /** The new secret, shown only here. */
  webhook_secret: string;
  /** The end of the new secret, to recognise it by. */
  webhook_secret_masked: string;
  rotated_at: string;
  /** Time until which deliveries are signed with the old secret as well; null if it has ended. */
  previous_secret_expires_at: string | null;
}

/** A page of events. */
export interface EventList {
  events: EventRow[];
  has_more: boolean;
}

/** An event of a business, and how far it has come to those who hear of it. */
export interface EventRow {
  id: string;
  /** The same as `id`. */
  event_id: string;
  event_type: string;
  business_id: string;
  /** `call`, `lead`, `agent` or `webhook`. */
  object_type: string;
  /** Id of the call, lead, agent or subscription that it happened to. */
  object_id: string;
  /** `pending`, `delivered`, `failed` or `skipped` (nobody was to hear of it). */
  status: string;
  /** The body that subscriptions get. */
  payload: Record<string, unknown>;
  deliveries: DeliveryCount;
  created_at: string;
}

/** How many receivers an event has reached. */
export interface DeliveryCount {
  /** Number of receivers that were to hear of the event. */
  total: number;
  succeeded: number;
  failed: number;
  last_attempt_at: string | null;
}

/** A page of attempts. */
export interface DeliveryList {
  deliveries: DeliveryRow[];
  has_more: boolean;
}

/** Events to send again. */
export interface EventReplay {
  /** Id of the event to send again. */
  event_id?: string | null;
  /** Ids of the events to send again, at most 100. */
  event_ids?: string[] | null;
  /** Which events to send again, at most 1000. */
  filter?: Record<string, unknown> | null;
  /** Id of the business whose events they are; may be left out if the key reaches only one. */
  business_id?: string | null;
  /** Id of the only subscription that they are sent to. */
  webhook_id?: string | null;
}

/** {@link EventReplay} with names like `firstMessage`. */
export interface EventReplayInCamelCase {
  /** Id of the event to send again. */
  eventId?: string | null;
  /** Ids of the events to send again, at most 100. */
  eventIds?: string[] | null;
  /** Which events to send again, at most 1000. */
  filter?: Record<string, unknown> | null;
  /** Id of the business whose events they are; may be left out if the key reaches only one. */
  businessId?: string | null;
  /** Id of the only subscription that they are sent to. */
  webhookId?: string | null;
}

/** Events that are on their way again. */
export interface EventsReplayed {
  /** Always true: what fails is answered with an error. */
  success: boolean;
  /** Number of events that are on their way again. */
  queued: number;
  /** Ids of the events that are on their way again, oldest first. */
  event_ids: string[];
  /** Ids of no events. */
  not_found: string[];
  /** Ids of events that no subscription would hear of now. */
  unheard: string[];
}

/** A time range whose events are sent again. */
export interface EventBackfill {
  /** Time of the first events. */
  from: string;
  /** Time before which the events end; at most 31 days after `from`. */
  to: string;
  /** Id of the business whose events they are; may be left out if the key reaches only one. */
  business_id?: string | null;
  /** Only events of this type. */
  event_type?: string | null;
  /** Only events that are `pending`, `delivered`, `failed` or `skipped`. */
  status?: string | null;
  /** Id of the only subscription that they are sent to. */
  webhook_id?: string | null;
}

/** {@link EventBackfill} with names like `firstMessage`. */
export interface EventBackfillInCamelCase {
  /** Time of the first events. */
  from: string;
  /** Time before which the events end; at most 31 days after `from`. */
  to: string;
  /** Id of the business whose events they are; may be left out if the key reaches only one. */
  businessId?: string | null;
  /** Only events of this type. */
  eventType?: string | null;
  /** Only events that are `pending`, `delivered`, `failed` or `skipped`. */
  status?: string | null;
  /** Id of the only subscription that they are sent to. */
  webhookId?: string | null;
}

/** The events of a time range that are on their way again. */
export interface EventsBackfilled {
  /** Always true: what fails is answered with an error. */
  success: boolean;
  from: string;
  to: string;
  /** Number of events in the range. */
  matched: number;
  /** Number of events that are on their way again. */
  queued: number;
}

/** An incoming call to play. */
export interface IncomingTestCall {
  /** Phone number that is called; an agent of yours must answer it. */
  to: string;
  /** Phone number that the caller shows; absent for a caller who withholds it. */
  from?: string | null;
  /** Name of the sandbox scenario that calls; `new_client` by default. */
  scenario?: string | null;
}

/** An incoming call that has begun to ring. */
export interface IncomingCallRinging {
  id: string;
  conversation_id: string | null;
  /** Always `ringing`: the agent answers after this answer. */
  status: string;
  /** Id of the agent that answers. */
  agent_id: string;
  to: string;
  from: string | null;
  created_at: string;
}

/** Usage of every business that the key can reach. */
export interface Balance {
  businesses: BusinessBalance[];
}

/** Usage of one business. */
export interface BusinessBalance {
  business_id: string;
  /** Minutes talked in the current month, rounded to hundredths. */
  minutes_used: number;
  /** Number of phone numbers assigned to the business. */
  phone_numbers: number;
  /** Always `active`, because a server of your own has no subscription. */
  subscription_status: string;
  today: Today;
}

/** What calls cost a business today. */
export interface Today {
  /** The day in the time zone of the business. */
  day: string;
  /** What all live calls of the day may cost together; null if there is no budget. */
  daily_budget_cents: number | null;
  /** What the calls that are over have cost. */
  spent_cents: number;
  /** What is set aside for calls that run: the most that they can cost. */
  reserved_cents: number;
  /** What calls that are yet to be placed may cost; null if there is no budget. */
  left_cents: number | null;
  /** When the day is over. */
  ends_at: string;
  /** The same by agent, for those that made or took a call today. */
  agents: AgentToday[];
}

/** What the calls of an agent cost today. */
export interface AgentToday {
  agent_id: string;
  /** What its calls of the day may cost together; null if it has no budget of its own. */
  daily_budget_cents: number | null;
  spent_cents: number;
  reserved_cents: number;
}

/** A page of requests. */
export interface UsageList {
  usage: Usage[];
  has_more: boolean;
}

/** A request that was made with a valid key. */
export interface Usage {
  id: string;
  /** Path of the request, without `/api`. */
  endpoint: string;
  method: string;
  status_code: number;
  /** Id of the call that the request placed; null for other requests. */
  call_id: string | null;
  cost_cents: number;
  created_at: string;
}

/** A page of administrative changes. */
export interface AuditList {
  entries: AuditEntry[];
  has_more: boolean;
}

/** An administrative change. */
export interface AuditEntry {
  id: string;
  business_id: string | null;
  actor: AuditActor;
  /** What was done, like `key.revoked`. */
  action: string;
  target: AuditTarget;
  /** The fields that changed; of what was made or removed those that had a value. */
  changes: AuditChange[];
  created_at: string;
}

/** Who did something. */
export interface AuditActor {
  /** `user`, `key`, `cli`, `system` or `stranger`. */
  kind: string;
  /** Id of the user or the key. */
  id: string | null;
  /** E-mail address of the user, prefix of the key, or name of the account on the server's machine. */
  name: string | null;
  /** Network address that the request came from. */
  address: string | null;
}

/** What something was done to. */
export interface AuditTarget {
  /** The kind of thing, like `key` or `webhook`. */
  kind: string;
  id: string | null;
  /** What people know it by: a name, an address, a phone number. */
  name: string | null;
}

/** A field before and after. */
export interface AuditChange {
  field: string;
  /** The value before; null if there was none. */
  before: unknown;
  /** The value afterwards; null if there is none. */
  after: unknown;
}

/** A page of keys. */
export interface KeyList {
  keys: KeyBody[];
  has_more: boolean;
}

/** An API key, without its secret. */
export interface KeyBody {
  id: string;
  /** First twelve characters of the secret, to recognise the key by. */
  prefix: string;
  name: string;
  /** `live` for real calls, `test` for sandbox calls. */
  mode: string;
  scopes: string[];
  business_id: string | null;
  created_at: string;
  last_used_at: string | null;
  expires_at: string | null;
  /** False if the key has been revoked or has expired. */
  is_active: boolean;
}

/** A key to create. */
export interface NewKey {
  /** Name of the key, shown in lists; `Untitled Key` by default. */
  name?: string | null;
  /** `live` for real calls (the default), `test` for sandbox calls. */
  mode?: string | null;
  /** Scopes that the key grants; `agents:read`, `numbers:read`, `calls:read` and `calls:write` by default. */
  scopes?: string[] | null;
  /** Id of the only business that the key can reach; by default all businesses of the user. */
  business_id?: string | null;
  /** Time at which the key stops working; never by default. */
  expires_at?: string | null;
}

/** {@link NewKey} with names like `firstMessage`. */
export interface NewKeyInCamelCase {
  /** Name of the key, shown in lists; `Untitled Key` by default. */
  name?: string | null;
  /** `live` for real calls (the default), `test` for sandbox calls. */
  mode?: string | null;
  /** Scopes that the key grants; `agents:read`, `numbers:read`, `calls:read` and `calls:write` by default. */
  scopes?: string[] | null;
  /** Id of the only business that the key can reach; by default all businesses of the user. */
  businessId?: string | null;
  /** Time at which the key stops working; never by default. */
  expiresAt?: string | null;
}

/** A key that has just been created. */
export interface KeyCreated {
  /** The secret itself. It is shown in this answer and never again. */
  key: string;
  id: string;
  prefix: string;
  name: string;
  mode: string;
  scopes: string[];
  business_id: string | null;
  created_at: string;
  expires_at: string | null;
}

/** Confirms that a request was carried out. */
export interface Success {
  /** Always true: what fails is answered with an error. */
  success: boolean;
}

/** A business. */
export interface WorkspaceBody {
  id: string;
  /** The same as `id`: a workspace is a business. */
  business_id: string;
  name: string;
  /** Always `active`. */
  lifecycle_state: string;
  external_ref: string | null;
  metadata: Record<string, unknown>;
  timezone: string;
  /** Office number, which agents name. */
  phone: string | null;
  /** Whether agents say before anything else that they are an AI. */
  disclose_ai: boolean;
  /** Whether agents say before anything else that the call is recorded. */
  disclose_recording: boolean;
  /** What all live calls of a day may cost together, in cents; null if there is no budget. */
  daily_budget_cents: number | null;
  /** Which live calls need consent on record: `off`, `marketing` or `always`. */
  consent_required: string;
  /** How often one number may be called within 24 hours, in live mode; null if there is no limit. */
  max_attempts_per_day: number | null;
  /** How often one number may be called within seven days, in live mode; null if there is no limit. */
  max_attempts_per_week: number | null;
  created_at: string;
  updated_at: string;
}

/** All businesses that the key reaches. */
export interface WorkspaceList {
  workspaces: WorkspaceBody[];
  /** Always false: the list is whole. */
  has_more: boolean;
}

/** A workspace to make. */
export interface NewWorkspaceBody {
  /** Name of the business, as agents say it. */
  name: string;
  /** Data of your own, stored with the workspace and never interpreted. */
  metadata?: Record<string, unknown> | null;
  /** What your own program calls it; the same one again makes no second workspace. */
  external_ref?: string | null;
  /** Time zone of the business by its IANA name; `UTC` by default. */
  timezone?: string | null;
}

/** {@link NewWorkspaceBody} with names like `firstMessage`. */
export interface NewWorkspaceBodyInCamelCase {
  /** Name of the business, as agents say it. */
  name: string;
  /** Data of your own, stored with the workspace and never interpreted. */
  metadata?: Record<string, unknown> | null;
  /** What your own program calls it; the same one again makes no second workspace. */
  externalRef?: string | null;
  /** Time zone of the business by its IANA name; `UTC` by default. */
  timezone?: string | null;
}

/** Changes to a workspace. */
export interface WorkspaceChanges {
  /** Id of the workspace to change. */
  id: string;
  /** Name of the business, as agents say it. */
  name?: string;
  /** Data of your own; merged with the stored data key by key. */
  metadata?: Record<string, unknown>;
  /** What your own program calls it. */
  external_ref?: string | null;
  /** Time zone of the business by its IANA name. Days of budgets begin and end in it. */
  timezone?: string;
  /** Office number, which agents name; null for none. */
  phone?: string | null;
  /** Whether agents say before anything else that they are an AI. */
  disclose_ai?: boolean;
  /** Whether agents say before anything else that the call is recorded. */
  disclose_recording?: boolean;
  /** What all live calls of a day may cost together, in cents; null for no budget. */
  daily_budget_cents?: number | null;
  /** Which live calls need consent on record: `off` (none), `marketing` (all that are not said to be a `service`) or `always`. */
  consent_required?: string;
  /** How often one number may be called within 24 hours, in live mode; null for no limit. */
  max_attempts_per_day?: number | null;
  /** How often one number may be called within seven days, in live mode; null for no limit. */
  max_attempts_per_week?: number | null;
  /** Not supported here: a workspace is always active. */
  action?: unknown;
}

/** {@link WorkspaceChanges} with names like `firstMessage`. */
export interface WorkspaceChangesInCamelCase {
  /** Id of the workspace to change. */
  id: string;
  /** Name of the business, as agents say it. */
  name?: string;
  /** Data of your own; merged with the stored data key by key. */
  metadata?: Record<string, unknown>;
  /** What your own program calls it. */
  externalRef?: string | null;
  /** Time zone of the business by its IANA name. Days of budgets begin and end in it. */
  timezone?: string;
  /** Office number, which agents name; null for none. */
  phone?: string | null;
  /** Whether agents say before anything else that they are an AI. */
  discloseAi?: boolean;
  /** Whether agents say before anything else that the call is recorded. */
  discloseRecording?: boolean;
  /** What all live calls of a day may cost together, in cents; null for no budget. */
  dailyBudgetCents?: number | null;
  /** Which live calls need consent on record: `off` (none), `marketing` (all that are not said to be a `service`) or `always`. */
  consentRequired?: string;
  /** How often one number may be called within 24 hours, in live mode; null for no limit. */
  maxAttemptsPerDay?: number | null;
  /** How often one number may be called within seven days, in live mode; null for no limit. */
  maxAttemptsPerWeek?: number | null;
  /** Not supported here: a workspace is always active. */
  action?: unknown;
}

/** A workspace after a change. */
export interface WorkspaceChanged {
  /** Always true. */
  success: boolean;
  id: string;
  /** The same as `id`: a workspace is a business. */
  business_id: string;
  name: string;
  /** Always `active`. */
  lifecycle_state: string;
  external_ref: string | null;
  metadata: Record<string, unknown>;
  timezone: string;
  /** Office number, which agents name. */
  phone: string | null;
  /** Whether agents say before anything else that they are an AI. */
  disclose_ai: boolean;
  /** Whether agents say before anything else that the call is recorded. */
  disclose_recording: boolean;
  /** What all live calls of a day may cost together, in cents; null if there is no budget. */
  daily_budget_cents: number | null;
  /** Which live calls need consent on record: `off`, `marketing` or `always`. */
  consent_required: string;
  /** How often one number may be called within 24 hours, in live mode; null if there is no limit. */
  max_attempts_per_day: number | null;
  /** How often one number may be called within seven days, in live mode; null if there is no limit. */
  max_attempts_per_week: number | null;
  created_at: string;
  updated_at: string;
}

/** Who signs up. */
export interface NewAccount {
  /** Name of the business, as agents say it. */
  business_name: string;
  /** E-mail address of the owner. */
  email: string;
  /** Kind of the business, like `legal` or `home services`. */
  business_type?: string | null;
  /** Address of the web page of the business. */
  website?: string | null;
  /** Phone number that callers are passed on to. */
  phone_forward_to?: string | null;
  /** Not used: a server of your own has no plans. */
  plan_id?: string | null;
}

/** {@link NewAccount} with names like `firstMessage`. */
export interface NewAccountInCamelCase {
  /** Name of the business, as agents say it. */
  businessName: string;
  /** E-mail address of the owner. */
  email: string;
  /** Kind of the business, like `legal` or `home services`. */
  businessType?: string | null;
  /** Address of the web page of the business. */
  website?: string | null;
  /** Phone number that callers are passed on to. */
  phoneForwardTo?: string | null;
  /** Not used: a server of your own has no plans. */
  planId?: string | null;
}

/** A new account. */
export interface AccountCreated {
  /** A live key that may do everything in the new business. It is shown in this answer and never again. */
  api_key: string;
  business_id: string;
  agent_id: string | null;
  /** Phone number that the agent answers; null while none is free. */
  phone_number: string | null;
  /** Address of the dashboard. */
  dashboard_url: string;
  /** Always null, because a server of your own has no trial. */
  trial_ends_at: string | null;
  /** Whether no phone number was free. */
  provisioning_deferred: boolean;
  /** Always `none`, because a server of your own takes no payment. */
  payment_capture: string;
}

/** A platform that works. */
export interface Health {
  /** `ok`, or `degraded` if no engine makes the calls of the key: a server that does not work answers 503. */
  status: string;
  api: HealthPart;
  queue: HealthQueue;
  providers: HealthProviders;
  /** Version of the server. */
  version: string;
  /** The mode of the key: `live` or `test`. */
  mode: string;
  /** The engine that makes the key's calls; null if none is configured. */
  engine: string | null;
  timestamp: string;
  /** The same as `timestamp`. */
  time: string;
}

/** The state of one part. */
export interface HealthPart {
  /** One of `ok` and `down`. */
  status: string;
}

/** Calls that wait to be dialled. */
export interface HealthQueue {
  /** `ok`: a server that cannot write down calls answers 503. */
  status: string;
  /** Number of calls of the key's businesses that wait. */
  pending: number;
}

/** What makes calls. The engine brings all of it. */
export interface HealthProviders {
  /** Whoever carries the call. */
  telephony: HealthPart;
  /** Whoever thinks for the agent. */
  llm: HealthPart;
  /** Whoever hears the caller. */
  stt: HealthPart;
  /** Whoever speaks for the agent. */
  tts: HealthPart;
}

/** What a key can do and reach. */
export interface KeyCapabilities {
  key: KeyNamed;
  /** Scopes of the key; `*` grants all. */
  scopes: string[];
  /** The businesses that the key reaches. */
  workspaces: WorkspaceNamed[];
  /** Every route of this server. */
  endpoints: EndpointAccess[];
  limits: KeyLimits;
}

/** The key that the request was made with, without its secret. */
export interface KeyNamed {
  id: string;
  /** First twelve characters of the secret. */
  prefix: string;
  name: string;
  /** `live` for real calls, `test` for sandbox calls. */
  mode: string;
  /** Id of the only business that the key reaches; null if it reaches all of its owner's. */
  business_id: string | null;
  expires_at: string | null;
}

/** A business that the key reaches. */
export interface WorkspaceNamed {
  /** Id of the business. */
  id: string;
  name: string;
  /** Always `active`. */
  lifecycle_state: string;
}

/** A route, and whether the key opens it. */
export interface EndpointAccess {
  method: string;
  path: string;
  /** The scope that the route needs; null if it needs none. */
  scope: string | null;
  /** All scopes that open the route; the key needs one of them. */
  any_of: string[];
  /** The name in `limits.rate_limits` that requests count towards. */
  limit: string;
  /** Whether the key opens the route. Routes for people who are logged in are opened by no key. */
  available: boolean;
}

/** Limits of the key. */
export interface KeyLimits {
  rate_limits: KeyRateLimits;
}

/** Requests a minute, if nothing else is said. */
export interface KeyRateLimits {
  /** Calls to place. */
  place_call: number;
  /** Agents to create. */
  create_agent: number;
  /** Agents to change. */
  change_agent: number;
  /** All GET requests together. */
  read: number;
  /** All other requests together. */
  write: number;
  /** Accounts that one client address may make an hour; nobody can sign up where it is 0. */
  signup: number;
}

/** JSON Schemas by their names, or one of them. */
export interface Schemas {
  /** All schemas by their names; absent if one was asked for. */
  schemas?: Record<string, unknown> | null;
  /** Name of the schema that was asked for. */
  name?: string | null;
  /** The schema that was asked for. */
  schema?: Record<string, unknown> | null;
}

/** E-mail address and password of a user. */
export interface Credentials {
  /** The e-mail address of the user. */
  email: string;
  /** The password of the user. */
  password: string;
  /** The code of an app, or a recovery code; wanted if the user has a second factor. */
  code?: string | null;
}

/** A session that has just begun. */
export interface SessionBody {
  user_id: string;
  email: string;
  /** Time at which the session ends at the latest; 30 minutes without use end it earlier. */
  expires_at: string;
}

/** The user to whom the session belongs. */
export interface CurrentBody {
  user_id: string;
}

/** What `kai.agents.list` may be asked for. */
export interface AgentsListQuery {
  /** Only those of this business. */
  business_id?: string;
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows created before this time; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** {@link AgentsListQuery} with names like `agentId`. */
export interface AgentsListQueryInCamelCase {
  /** Only those of this business. */
  businessId?: string;
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows created before this time; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** What `kai.calls.list` may be asked for. */
export interface CallsListQuery {
  /** Only those of this business. */
  business_id?: string;
  /** Only those of this agent. */
  agent_id?: string;
  /** Only calls linked to this lead. */
  lead_id?: string;
  /** Only calls of this direction: `inbound` or `outbound`. */
  direction?: string;
  /** Only calls with one of these statuses, separated by commas; `ended` stands for `completed` and `failed`. */
  status?: string | readonly string[];
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows created before this time; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** {@link CallsListQuery} with names like `agentId`. */
export interface CallsListQueryInCamelCase {
  /** Only those of this business. */
  businessId?: string;
  /** Only those of this agent. */
  agentId?: string;
  /** Only calls linked to this lead. */
  leadId?: string;
  /** Only calls of this direction: `inbound` or `outbound`. */
  direction?: string;
  /** Only calls with one of these statuses, separated by commas; `ended` stands for `completed` and `failed`. */
  status?: string | readonly string[];
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows created before this time; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** What `kai.transcripts.list` may be asked for. */
export interface TranscriptsListQuery {
  /** Only those of this agent. */
  agent_id?: string;
  /** Only the one of this call. */
  call_id?: string;
  /** Only calls of this many last days. */
  days?: number;
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows created before this time; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** {@link TranscriptsListQuery} with names like `agentId`. */
export interface TranscriptsListQueryInCamelCase {
  /** Only those of this agent. */
  agentId?: string;
  /** Only the one of this call. */
  callId?: string;
  /** Only calls of this many last days. */
  days?: number;
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows created before this time; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** What `kai.leads.list` may be asked for. */
export interface LeadsListQuery {
  /** Only those of this business. */
  business_id?: string;
  /** Only leads with one of these statuses, separated by commas. */
  status?: string | readonly string[];
  /** Only leads from one of these sources, separated by commas. */
  source?: string | readonly string[];
  /** Only leads found by this agent. */
  agent_id?: string;
  /** Only leads with this phone number, in any notation. */
  phone?: string;
  /** Only leads with this e-mail address; upper and lower case are the same. */
  email?: string;
  /** Only leads created after this time. */
  created_after?: string | Date;
  /** Only leads created before this time. */
  created_before?: string | Date;
  /** Only leads changed after this time. */
  updated_after?: string | Date;
  /** Only leads changed before this time. */
  updated_before?: string | Date;
  /** Only leads with this score or a higher one. */
  score_gte?: number;
  /** Only leads with this score or a lower one. */
  score_lte?: number;
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows created before this time; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** {@link LeadsListQuery} with names like `agentId`. */
export interface LeadsListQueryInCamelCase {
  /** Only those of this business. */
  businessId?: string;
  /** Only leads with one of these statuses, separated by commas. */
  status?: string | readonly string[];
  /** Only leads from one of these sources, separated by commas. */
  source?: string | readonly string[];
  /** Only leads found by this agent. */
  agentId?: string;
  /** Only leads with this phone number, in any notation. */
  phone?: string;
  /** Only leads with this e-mail address; upper and lower case are the same. */
  email?: string;
  /** Only leads created after this time. */
  createdAfter?: string | Date;
  /** Only leads created before this time. */
  createdBefore?: string | Date;
  /** Only leads changed after this time. */
  updatedAfter?: string | Date;
  /** Only leads changed before this time. */
  updatedBefore?: string | Date;
  /** Only leads with this score or a higher one. */
  scoreGte?: number;
  /** Only leads with this score or a lower one. */
  scoreLte?: number;
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows created before this time; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** What `kai.leads.audit` may be asked for. */
export interface LeadsAuditQuery {
  /** Leads and messages of the last so many hours are new; 24 by default. */
  window_hours?: number;
  /** Leads with which nothing has happened for so many days are stalled; 7 by default. */
  stalled_days?: number;
  /** Leads with this score or a higher one are hot; 70 by default. */
  hot_score?: number;
  /** The moment that is looked at; now by default. */
  as_of?: string | Date;
  /** Only leads of this business. */
  business_id?: string;
}

/** {@link LeadsAuditQuery} with names like `agentId`. */
export interface LeadsAuditQueryInCamelCase {
  /** Leads and messages of the last so many hours are new; 24 by default. */
  windowHours?: number;
  /** Leads with which nothing has happened for so many days are stalled; 7 by default. */
  stalledDays?: number;
  /** Leads with this score or a higher one are hot; 70 by default. */
  hotScore?: number;
  /** The moment that is looked at; now by default. */
  asOf?: string | Date;
  /** Only leads of this business. */
  businessId?: string;
}

/** What `kai.leads.history` may be asked for. */
export interface LeadsHistoryQuery {
  /** Id of the lead whose history is read. */
  lead_id: string;
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows created before this time; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** {@link LeadsHistoryQuery} with names like `agentId`. */
export interface LeadsHistoryQueryInCamelCase {
  /** Id of the lead whose history is read. */
  leadId: string;
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows created before this time; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** What `kai.consents.list` may be asked for. */
export interface ConsentsListQuery {
  /** Only those of this business. */
  business_id?: string;
  /** Only those about this number, in E.164 format. */
  phone_number?: string;
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows created before this time; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** {@link ConsentsListQuery} with names like `agentId`. */
export interface ConsentsListQueryInCamelCase {
  /** Only those of this business. */
  businessId?: string;
  /** Only those about this number, in E.164 format. */
  phoneNumber?: string;
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows created before this time; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** What `kai.consents.withdraw` may be asked for. */
export interface ConsentsWithdrawQuery {
  /** Id of the business that may no longer call; the only one of the key by default. */
  business_id?: string;
  /** Phone number that may no longer be called, in E.164 format. */
  phone_number: string;
  /** Where the person withdrew it; `api` by default. */
  source?: string;
}

/** {@link ConsentsWithdrawQuery} with names like `agentId`. */
export interface ConsentsWithdrawQueryInCamelCase {
  /** Id of the business that may no longer call; the only one of the key by default. */
  businessId?: string;
  /** Phone number that may no longer be called, in E.164 format. */
  phoneNumber: string;
  /** Where the person withdrew it; `api` by default. */
  source?: string;
}

/** What `kai.numbers.list` may be asked for. */
export interface NumbersListQuery {
  /** Only those of this business. */
  business_id?: string;
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows created before this time; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** {@link NumbersListQuery} with names like `agentId`. */
export interface NumbersListQueryInCamelCase {
  /** Only those of this business. */
  businessId?: string;
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows created before this time; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** What `kai.phoneNumbers.list` may be asked for. */
export interface Phone_numbersListQuery {
  /** Only those of this business. */
  business_id?: string;
  /** Only this number, in E.164 format. */
  phone_number?: string;
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows created before this time; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** {@link Phone_numbersListQuery} with names like `agentId`. */
export interface Phone_numbersListQueryInCamelCase {
  /** Only those of this business. */
  businessId?: string;
  /** Only this number, in E.164 format. */
  phoneNumber?: string;
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows created before this time; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** What `kai.phoneNumbers.release` may be asked for. */
export interface Phone_numbersReleaseQuery {
  /** The number in E.164 format. */
  phone_number: string;
  /** Id of the business that holds it. */
  business_id?: string;
}

/** {@link Phone_numbersReleaseQuery} with names like `agentId`. */
export interface Phone_numbersReleaseQueryInCamelCase {
  /** The number in E.164 format. */
  phoneNumber: string;
  /** Id of the business that holds it. */
  businessId?: string;
}

/** What `kai.phoneNumbers.available` may be asked for. */
export interface Phone_numbersAvailableQuery {
  /** Country of the numbers as two letters; `US` by default. */
  country?: string;
  /** Area code of the numbers, in North America. */
  area_code?: string;
  /** What the numbers have to be able to do: `voice`, `sms` or `mms`. */
  capability?: string;
  /** Largest number of rows in the answer. */
  limit?: number;
}

/** {@link Phone_numbersAvailableQuery} with names like `agentId`. */
export interface Phone_numbersAvailableQueryInCamelCase {
  /** Country of the numbers as two letters; `US` by default. */
  country?: string;
  /** Area code of the numbers, in North America. */
  areaCode?: string;
  /** What the numbers have to be able to do: `voice`, `sms` or `mms`. */
  capability?: string;
  /** Largest number of rows in the answer. */
  limit?: number;
}

/** What `kai.webhooks.list` may be asked for. */
export interface WebhooksListQuery {
  /** Only those of this business. */
  business_id?: string;
}

/** {@link WebhooksListQuery} with names like `agentId`. */
export interface WebhooksListQueryInCamelCase {
  /** Only those of this business. */
  businessId?: string;
}

/** What `kai.webhooks.delete` may be asked for. */
export interface WebhooksDeleteQuery {
  /** Id of the subscription to delete; without it all of the business are deleted. */
  id?: string;
  /** Id of the business; needed without `id`. */
  business_id?: string;
}

/** {@link WebhooksDeleteQuery} with names like `agentId`. */
export interface WebhooksDeleteQueryInCamelCase {
  /** Id of the subscription to delete; without it all of the business are deleted. */
  id?: string;
  /** Id of the business; needed without `id`. */
  businessId?: string;
}

/** What `kai.events.list` may be asked for. */
export interface EventsListQuery {
  /** Only those of this business. */
  business_id?: string;
  /** Only the event with this id. */
  event_id?: string;
  /** Only events with one of these types, separated by commas. */
  event_type?: string | readonly string[];
  /** Only what happened to things of this kind: `call`, `lead`, `agent` or `webhook`. */
  object_type?: string;
  /** Only what happened to the thing with this id. */
  object_id?: string;
  /** Only events that are `pending`, `delivered`, `failed` or `skipped` (nobody was to hear of them). */
  status?: string;
  /** Only events at this time or later. */
  from?: string | Date;
  /** Only events before this time. */
  to?: string | Date;
  /** `newest` (the default) or `oldest` first. */
  order?: string;
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows beyond this time in the list's order; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** {@link EventsListQuery} with names like `agentId`. */
export interface EventsListQueryInCamelCase {
  /** Only those of this business. */
  businessId?: string;
  /** Only the event with this id. */
  eventId?: string;
  /** Only events with one of these types, separated by commas. */
  eventType?: string | readonly string[];
  /** Only what happened to things of this kind: `call`, `lead`, `agent` or `webhook`. */
  objectType?: string;
  /** Only what happened to the thing with this id. */
  objectId?: string;
  /** Only events that are `pending`, `delivered`, `failed` or `skipped` (nobody was to hear of them). */
  status?: string;
  /** Only events at this time or later. */
  from?: string | Date;
  /** Only events before this time. */
  to?: string | Date;
  /** `newest` (the default) or `oldest` first. */
  order?: string;
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows beyond this time in the list's order; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** What `kai.events.deliveries` may be asked for. */
export interface EventsDeliveriesQuery {
  /** Only those of this business. */
  business_id?: string;
  /** Only attempts to deliver this event. */
  event_id?: string;
  /** Only attempts at this subscription. */
  webhook_id?: string;
  /** Only attempts that `succeeded` or `failed`. */
  status?: string;
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows created before this time; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** {@link EventsDeliveriesQuery} with names like `agentId`. */
export interface EventsDeliveriesQueryInCamelCase {
  /** Only those of this business. */
  businessId?: string;
  /** Only attempts to deliver this event. */
  eventId?: string;
  /** Only attempts at this subscription. */
  webhookId?: string;
  /** Only attempts that `succeeded` or `failed`. */
  status?: string;
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows created before this time; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** What `kai.usage.list` may be asked for. */
export interface UsageListQuery {
  /** Only requests at this time or later. */
  start?: string | Date;
  /** Only requests before this time. */
  end?: string | Date;
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows created before this time; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** What `kai.audit.list` may be asked for. */
export interface AuditListQuery {
  /** Only what concerns this business. */
  business_id?: string;
  /** Only what this user or key did, by its id; or everybody of a kind: `user`, `key`, `cli` (whoever runs the server), `system` or `stranger`. */
  actor?: string;
  /** Only deeds of this kind. */
  action?: string;
  /** Only what was done to the thing with this id, or to the phone number. */
  target?: string;
  /** Only changes at this time or later. */
  start?: string | Date;
  /** Only changes before this time. */
  end?: string | Date;
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows created before this time; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** {@link AuditListQuery} with names like `agentId`. */
export interface AuditListQueryInCamelCase {
  /** Only what concerns this business. */
  businessId?: string;
  /** Only what this user or key did, by its id; or everybody of a kind: `user`, `key`, `cli` (whoever runs the server), `system` or `stranger`. */
  actor?: string;
  /** Only deeds of this kind. */
  action?: string;
  /** Only what was done to the thing with this id, or to the phone number. */
  target?: string;
  /** Only changes at this time or later. */
  start?: string | Date;
  /** Only changes before this time. */
  end?: string | Date;
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows created before this time; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** What `kai.keys.list` may be asked for. */
export interface KeysListQuery {
  /** Largest number of rows in the answer. */
  limit?: number;
  /** Only rows created before this time; take the `created_at` of the last row of the page before. */
  after?: string | Date;
}

/** What `kai.capabilities.get` may be asked for. */
export interface CapabilitiesGetQuery {
  /** Only this business. */
  business_id?: string;
}

/** {@link CapabilitiesGetQuery} with names like `agentId`. */
export interface CapabilitiesGetQueryInCamelCase {
  /** Only this business. */
  businessId?: string;
}

/** What `kai.schemas.get` may be asked for. */
export interface SchemasGetQuery {
  /** Name of the only schema to read, in upper or lower case. */
  name?: string;
}
