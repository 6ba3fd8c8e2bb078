// Made by `cargo xtask codegen` from openapi/v1.json; do not edit.

/** The body of every refusal. */
export interface ErrorBody {
  /** What went wrong. */
  error: ErrorDetail;
}

/** What went wrong. */
export interface ErrorDetail {
  /** A word for programs; see the reference. */
  code: string;
  /** A sentence for people. */
  message: string;
  /** More for programs, such as the fields that are wrong. */
  details?: Record<string, unknown> | null;
}

/** An agent with everything that decides how it behaves. */
export interface AgentDetail {
  id: string;
  name: string;
  business_id: string;
  /** The assistant that the Vapi engine made for it, if any. */
  vapi_assistant_id: string | null;
  phone_number: string | null;
  created_at: string;
  updated_at: string;
  status: string;
  /** Counts the changes, from 1. */
  version_number: number;
  prompts: Prompts;
  first_message: string | null;
  outbound_first_message: string | null;
  voice: Record<string, unknown> | null;
  model: Record<string, unknown>;
  outbound_llm: unknown;
  sms_llm: unknown;
  /** Longest call in seconds, if the agent has a limit of its own. */
  max_duration: number | null;
  transfer_enabled: boolean;
  transfer_phone_number: string | null;
  vapi_config: Record<string, unknown>;
  metadata: Record<string, unknown>;
}

/** Instructions by channel. */
export interface Prompts {
  inbound: string;
  outbound: string | null;
  sms: string | null;
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
  /** Its number in E.164, if it has one. */
  phone_number: string | null;
  /** Always `active`. */
  status: string;
}

/** An agent to make. */
export interface NewAgent {
  /** The business that it speaks for. */
  business_id: string;
  /** Display name. */
  name: string;
  /** What it should do, and what it knows. */
  system_prompt: string;
  /** Alias of `system_prompt`, which wins if both are sent. */
  inbound_prompt?: string;
  /** Its greeting; `Hello! How can I help you today?` by default. */
  first_message?: string | null;
  /** `{provider, voiceId}`; the engine's choice by default. */
  voice?: Record<string, unknown> | null;
  /** Which language model it thinks with. */
  model?: Record<string, unknown> | null;
  /** Your own data. */
  metadata?: Record<string, unknown> | null;
}

/** An agent just made. */
export interface AgentCreated {
  id: string;
  name: string;
  business_id: string;
  vapi_assistant_id: string | null;
  created_at: string;
}

/** Changes to an agent. */
export interface AgentChanges {
  /** The agent. */
  id: string;
  /** Display name. */
  name?: string;
  /** Instructions for inbound calls, and for outbound ones without instructions of their own. */
  inbound_prompt?: string;
  /** Alias of `inbound_prompt`, which wins if both are sent. */
  system_prompt?: string;
  /** Instructions for outbound calls. */
  outbound_prompt?: string | null;
  /** Instructions for text messages. */
  sms_prompt?: string | null;
  /** Greeting. */
  first_message?: string | null;
  /** Greeting of outbound calls. */
  outbound_first_message?: string | null;
  /** Language model of outbound calls: a model id, or an object. */
  outbound_llm?: string | Record<string, unknown> | null;
  /** Language model of text messages: a model id, or an object. */
  sms_llm?: string | Record<string, unknown> | null;
  /** `{provider, voiceId}`, merged. */
  voice?: Record<string, unknown> | null;
  /** Language model, merged. */
  model?: Record<string, unknown>;
  /** Your own data, merged. */
  metadata?: Record<string, unknown>;
  /** Longest call in seconds. */
  max_duration?: number | null;
  /** Settings for the engine, merged and otherwise not interpreted. */
  vapi_config?: Record<string, unknown>;
  /** Whether the agent may pass a caller on. */
  transfer_enabled?: boolean;
  /** Whom it passes callers on to. */
  transfer_phone_number?: string | null;
}

/** An agent after a change. */
export interface AgentUpdated {
  id: string;
  name: string;
  business_id: string;
  vapi_assistant_id: string | null;
  /** False if nothing changed. */
  updated: boolean;
}

/** A call with everything known of it. */
export interface CallDetail {
  id: string;
  conversation_id: string | null;
  /** `queued`, `ringing`, `in-progress`, `completed` or `failed`. */
  status: string;
  /** `inbound` or `outbound`. */
  direction: string;
  /** Seconds from answer to end; null until then. */
  duration: number | null;
  agent_id: string;
  agent_name: string;
  business_id: string;
  lead_id: string | null;
  to: string;
  from: string | null;
  summary: string | null;
  created_at: string;
  /** Plays without a key; expires. */
  recording_url: string | null;
  /** Null until the call was graded. */
  quality_dimensions: Quality | null;
  /** The person's name, as it was given. */
  name: string | null;
  /** When it was answered. */
  started_at: string | null;
  ended_at: string | null;
  /**
   * Why it never connected: `no_answer`, `busy`, `declined`, `invalid_number`, `carrier_error`, `canceled`, `blocked`,
   * `agent_error` or `internal_error`.
   */
  error: string | null;
  /** The engine's own word for how it ended. */
  ended_reason: string | null;
  /** Whether GET /api/v1/transcripts has it. */
  transcript_available: boolean;
}

/** How well the agent did, 0 to 100 each. */
export interface Quality {
  professionalism: number;
  empathy: number;
  information_gathering: number;
  resolution: number;
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
  status: string;
  /** `inbound` or `outbound`. */
  direction: string;
  /** Seconds from answer to end; null until then. */
  duration: number | null;
  agent_id: string;
  agent_name: string;
  business_id: string;
  lead_id: string | null;
  to: string;
  from: string | null;
  summary: string | null;
  created_at: string;
}

/** A call to place. */
export interface NewCall {
  /** The agent that talks. */
  agent_id: string;
  /** Whom to call. */
  to: string;
  /** The person's name; the agent greets by it. */
  name?: string | null;
  /** Alias of `name`, which wins if both are sent. */
  customer_name?: string | null;
  /** What the agent should know about this call. */
  context?: string | null;
  /** Alias of `firstMessage`, which wins if both are sent. */
  first_message?: string | null;
  /** The lead to link the call to; otherwise the one with this number, if there is one. */
  lead_id?: string | null;
  /** Where to send one signed POST when the call ends. */
  webhook_url?: string | null;
  /** Longest call in seconds; 600 unless the agent says otherwise. */
  max_duration?: number | null;
}

/** A call just placed. */
export interface CallPlaced {
  id: string;
  /** The engine's own id; null if it has not answered yet. */
  conversation_id: string | null;
  /** `queued`. */
  status: string;
  agent_id: string;
  to: string;
  name: string | null;
  created_at: string;
}

/** The recording of a call. */
export interface Recording {
  call_id: string;
  conversation_id: string | null;
  /** `available`, `processing` or `unavailable`. */
  status: string;
  recording_available: boolean;
  recording_url: string | null;
  /** When the link stops working. */
  expires_at: string | null;
  /** Seconds of sound. */
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
  /** The call's status. */
  status: string;
  /** Seconds from answer to end. */
  duration: number | null;
  summary: string | null;
  /** Lines of `Agent: …` and `Caller: …`. */
  transcript: string | null;
  /** When the call was placed. */
  created_at: string;
}

/** A lead. */
export interface LeadBody {
  id: string;
  business_id: string;
  agent_id: string | null;
  name: string | null;
  first_name: string | null;
  last_name: string | null;
  email: string | null;
  /** In E.164 if its country has such a number, else as it was given. */
  phone: string | null;
  /** Whether its country has such a number; null without one. */
  phone_valid: boolean | null;
  /** What to dial once the number has answered, digits only. */
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
  /** How promising it is, 0 to 100; null until a call told. */
  score: number | null;
  score_explanation: string | null;
  /** Calls with it that connected. */
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

/** A lead to make. */
export interface NewLead {
  /** The business that it belongs to. */
  business_id: string;
  /** The agent that found it. */
  agent_id?: string | null;
  /** Full name. */
  name?: string | null;
  /** Given name. */
  first_name?: string | null;
  /** Family name. */
  last_name?: string | null;
  /** E-mail address. */
  email?: string | null;
  /** Phone number. */
  phone?: string | null;
  /** Street address. */
  address?: string | null;
  /** City. */
  city?: string | null;
  /** State or region. */
  state?: string | null;
  /** Postal code. */
  zip?: string | null;
  /** `new`, `contacted`, `qualified`, `booked`, `converted`, `lost`, or a word of your own. */
  status?: string | null;
  /** Where it came from; `api` by default. */
  source?: string | null;
  /** Page of origin. */
  source_url?: string | null;
  /** Title of that page. */
  source_page?: string | null;
  /** Free notes. */
  notes?: string | null;
  /** What the person wrote or wants. */
  message?: string | null;
  /** Date of the person's event. */
  event_date?: string | null;
  /** Kind of the person's event. */
  event_type?: string | null;
  /** IANA time zone. */
  timezone?: string | null;
}

/** Changes to a lead. */
export interface LeadChanges {
  /** The lead. */
  id: string;
  /** The agent that found it. */
  agent_id?: string | null;
  /** Full name. */
  name?: string | null;
  /** Given name. */
  first_name?: string | null;
  /** Family name. */
  last_name?: string | null;
  /** E-mail address. */
  email?: string | null;
  /** Phone number. */
  phone?: string | null;
  /** Street address. */
  address?: string | null;
  /** City. */
  city?: string | null;
  /** State or region. */
  state?: string | null;
  /** Postal code. */
  zip?: string | null;
  /** `new`, `contacted`, `qualified`, `booked`, `converted`, `lost`, or a word of your own. */
  status?: string;
  /** Where it came from. */
  source?: string;
  /** Page of origin. */
  source_url?: string | null;
  /** Title of that page. */
  source_page?: string | null;
  /** Free notes. */
  notes?: string | null;
  /** What the person wrote or wants. */
  message?: string | null;
  /** Date of the person's event. */
  event_date?: string | null;
  /** Kind of the person's event. */
  event_type?: string | null;
  /** IANA time zone. */
  timezone?: string | null;
}

/** A page of numbers. */
export interface NumberList {
  numbers: NumberRow[];
  has_more: boolean;
}

/** A phone number. */
export interface NumberRow {
  id: string;
  /** In E.164. */
  phone_number: string;
  /** The agent that answers it and calls from it. */
  agent_id: string | null;
  business_id: string | null;
  created_at: string;
  capabilities: Capabilities;
  /** `assigned` to a business, or `available`. */
  status: string;
}

/** What a number can do. */
export interface Capabilities {
  voice: boolean;
  sms: boolean;
  mms: boolean;
}

/** What every business of the key has used. */
export interface Balance {
  businesses: BusinessBalance[];
}

/** What one business has used. */
export interface BusinessBalance {
  business_id: string;
  /** Minutes talked, to a hundredth. */
  minutes_used: number;
  /** Numbers that it holds. */
  phone_numbers: number;
  /** Always `active`: nobody bills a platform of one's own. */
  subscription_status: string;
}

/** A page of requests. */
export interface UsageList {
  usage: Usage[];
  has_more: boolean;
}

/** A request. */
export interface Usage {
  id: string;
  /** The path without `/api`. */
  endpoint: string;
  method: string;
  status_code: number;
  /** The call that was placed. */
  call_id: string | null;
  cost_cents: number;
  created_at: string;
}

/** The user's keys. */
export interface KeyList {
  keys: KeyBody[];
  has_more: boolean;
}

/** An API key, without its secret. */
export interface KeyBody {
  id: string;
  /** Its first twelve characters. */
  prefix: string;
  name: string;
  /** `live` or `test`. */
  mode: string;
  scopes: string[];
  business_id: string | null;
  created_at: string;
  last_used_at: string | null;
  expires_at: string | null;
  /** False once it is revoked or has expired. */
  is_active: boolean;
}

/** A key to make. */
export interface NewKey {
  /** What to call it; `Untitled Key` by default. */
  name?: string | null;
  /** `live` (the default) or `test`. */
  mode?: string | null;
  /** What it may do; `agents:read`, `numbers:read`, `calls:read` and `calls:write` by default. */
  scopes?: string[] | null;
  /** The only business it sees; all of the user's by default. */
  business_id?: string | null;
  /** When it stops working; never by default. */
  expires_at?: string | null;
}

/** A key just made. */
export interface KeyCreated {
  /** The secret, shown this once. */
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

/** `{"success": true}`. */
export interface Success {
  /** Always true. */
  success: boolean;
}

/** A platform that works. */
export interface Health {
  /** `ok`. */
  status: string;
  /** The server's version. */
  version: string;
  /** The mode of the key: `live` or `test`. */
  mode: string;
  /** The engine that makes the key's calls; null if none is configured. */
  engine: string | null;
  time: string;
}

/** Who logs in. */
export interface Credentials {
  /** E-mail address. */
  email: string;
  /** Password. */
  password: string;
}

/** A session. */
export interface SessionBody {
  user_id: string;
  email: string;
  /** When it ends at the latest. */
  expires_at: string;
}

/** Who is logged in. */
export interface CurrentBody {
  user_id: string;
}

/** What `kai.agents.list` may be asked for. */
export interface AgentsListQuery {
  /** List only this business's. */
  business_id?: string;
  /** How many at most. */
  limit?: number;
  /** Only rows older than this `created_at`. */
  after?: string | Date;
}

/** What `kai.calls.list` may be asked for. */
export interface CallsListQuery {
  /** List only this business's. */
  business_id?: string;
  /** Only this agent's. */
  agent_id?: string;
  /** Only those linked to this lead. */
  lead_id?: string;
  /** Only `inbound` or `outbound` ones. */
  direction?: string;
  /** Only in these states, separated by commas; `ended` means `completed` or `failed`. */
  status?: string | readonly string[];
  /** How many at most. */
  limit?: number;
  /** Only rows older than this `created_at`. */
  after?: string | Date;
}

/** What `kai.transcripts.list` may be asked for. */
export interface TranscriptsListQuery {
  /** Only this agent's. */
  agent_id?: string;
  /** Only this call's. */
  call_id?: string;
  /** Only calls of the last so many days. */
  days?: number;
  /** How many at most. */
  limit?: number;
  /** Only rows older than this `created_at`. */
  after?: string | Date;
}

/** What `kai.leads.list` may be asked for. */
export interface LeadsListQuery {
  /** List only this business's. */
  business_id?: string;
  /** Only with one of these statuses. */
  status?: string | readonly string[];
  /** Only from one of these sources. */
  source?: string | readonly string[];
  /** Only those that this agent found. */
  agent_id?: string;
  /** Only with this phone number, in any spelling. */
  phone?: string;
  /** Only with this e-mail address, in upper or lower case. */
  email?: string;
  /** Only made after this time. */
  created_after?: string | Date;
  /** Only made before this time. */
  created_before?: string | Date;
  /** Only changed after this time. */
  updated_after?: string | Date;
  /** Only changed before this time. */
  updated_before?: string | Date;
  /** Only with at least this score. */
  score_gte?: number;
  /** Only with at most this score. */
  score_lte?: number;
  /** How many at most. */
  limit?: number;
  /** Only rows older than this `created_at`. */
  after?: string | Date;
}

/** What `kai.numbers.list` may be asked for. */
export interface NumbersListQuery {
  /** Only this business's. */
  business_id?: string;
  /** How many at most. */
  limit?: number;
  /** Only rows older than this `created_at`. */
  after?: string | Date;
}

/** What `kai.usage.list` may be asked for. */
export interface UsageListQuery {
  /** Only from this time on. */
  start?: string | Date;
  /** Only before this time. */
  end?: string | Date;
  /** How many at most. */
  limit?: number;
  /** Only rows older than this `created_at`. */
  after?: string | Date;
}

/** What `kai.keys.list` may be asked for. */
export interface KeysListQuery {
  /** How many at most. */
  limit?: number;
  /** Only rows older than this `created_at`. */
  after?: string | Date;
}
