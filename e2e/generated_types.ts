// What openapi-typescript makes of the document, held against the types that programs for the first package were written with. Compiled
// with every strict option, never run.

import type { components, paths } from './v1.js';

type Schemas = components['schemas'];

// The fields that the first package's objects have, and what they may hold.
interface Call {
  id: string;
  conversation_id?: string | null;
  status: string;
  duration?: number | null;
  agent_id?: string | null;
  agent_name?: string | null;
  business_id?: string | null;
  lead_id?: string | null;
  summary?: string | null;
  recording_url?: string | null;
  created_at?: string;
}

interface Agent {
  id: string;
  name: string;
  business_id?: string;
  vapi_assistant_id?: string | null;
  phone_number?: string | null;
  prompts?: object;
  voice?: { provider?: string; voiceId?: string; [field: string]: unknown };
  model?: { provider?: string; model?: string; temperature?: number; [field: string]: unknown };
  first_message?: string | null;
  created_at?: string;
}

interface Lead {
  id: string;
  name?: string | null;
  email?: string | null;
  phone?: string | null;
  status?: string;
  source?: string | null;
  score?: number | null;
  created_at?: string;
  updated_at?: string;
}

export function fits(call: Schemas['CallDetail'], row: Schemas['CallRow'], lead: Schemas['LeadBody']): [Call, Call, Lead] {
  return [call, row, lead];
}

export function agent(shown: Schemas['AgentDetail']): Agent {
  const { voice, model, ...rest } = shown;
  return { ...rest, voice: voice as Agent['voice'] & object, model: model as Agent['model'] & object };
}

export const order: paths['/api/v1/calls']['post']['requestBody']['content']['application/json'] = {
  agent_id: 'a',
  to: '+15125551234',
  firstMessage: 'Hi.',
};

export const made: Schemas['NewAgent'] = {
  business_id: 'b',
  name: 'Intake',
  system_prompt: 'Ask.',
  voice: { provider: 'elevenlabs', voiceId: 'v' },
  metadata: { team: { tags: ['a', 1, null, true] } },
};
