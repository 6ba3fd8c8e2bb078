// Names of the first KaiCalls package for what this one spells otherwise, and for routes that a server may not have: those answer 404.

import type { APIPromise, Core } from './core.js';

/** An answer that has no type. */
export type Answer = any;

/** Takes fields by name in an object, or the first ones by place. */
export type LegacyMethod = (...fields: (string | number | object | undefined)[]) => APIPromise<Answer>;

/** By resource and method: verb, path, and the fields that may be given by place; `^` is an idempotency key, `=` is always sent. */
const ROUTES = {
  sms: {
    send: 'POST sms/send to from_agent_id message lead_id',
    updatePrompt: 'POST sms/update-prompt agent_id sms_prompt reason',
    conversations: 'GET sms/conversations id limit',
    messages: 'GET sms/messages conversation_id direction after limit',
  },
  phoneNumbers: {
    list: 'GET phone-numbers business_id phone_number',
    available: 'GET phone-numbers/available country area_code capability limit',
    assign: 'POST phone-numbers phone_number business_id agent_id',
    release: 'DELETE phone-numbers phone_number business_id',
  },
  analytics: {
    dashboard: 'GET analytics/dashboard days',
    calls: 'GET analytics/calls days group_by agent_id',
    funnel: 'GET analytics/funnel days source',
    agents: 'GET analytics/agents days agent_id',
    weekly: 'GET analytics/weekly',
    businesses: 'GET analytics/businesses days',
  },
  evals: {
    create: 'POST evals agent_id business_id name',
    list: 'GET evals agent_id',
    get: 'GET evals id',
    update: 'PATCH evals id',
    delete: 'DELETE evals id',
    run: 'POST evals/run eval_id agent_id',
    getRun: 'GET evals/run run_id',
  },
  communicationRuns: {
    validate: 'POST communication-runs/validate',
    preview: 'POST communication-runs/preview',
    create: 'POST communication-runs - ^',
    list: 'GET communication-runs business_id id external_ref limit',
    pause: 'PATCH communication-runs id business_id action=pause',
    cancel: 'PATCH communication-runs id business_id action=cancel',
    jobs: 'GET communication-jobs',
    attempts: 'GET communication-attempts',
  },
  discovery: {
    capabilities: 'GET capabilities business_id',
    schemas: 'GET schemas name',
  },
} as const;

/** The methods of one resource of the first package. */
export type Legacy<Name extends keyof typeof ROUTES> = { [Method in keyof (typeof ROUTES)[Name]]: LegacyMethod };

/** Makes them. @internal */
export function legacy<Name extends keyof typeof ROUTES>(client: Core, name: Name): Legacy<Name> {
  const methods = Object.entries<string>(ROUTES[name]).map(([method, route]) => {
    const [verb = '', path = '', ...names] = route.split(' ');
    const send: LegacyMethod = (...given) => {
      const fields: Record<string, unknown> = {};
      const options: { idempotencyKey?: string } = {};
      names.forEach((field, place) => {
        const [key = '', always] = field.split('=');
        const value = always ?? given[place];
        if (typeof value === 'object' || value === undefined) return;
        if (key === '^') options.idempotencyKey = String(value);
        else fields[key] = value;
      });
      for (const one of given) if (typeof one === 'object') Object.assign(fields, one);
      return client.send(verb, path, verb === 'GET' || verb === 'DELETE' ? { query: fields } : { body: fields }, options);
    };
    return [method, send];
  });
  return Object.fromEntries(methods) as Legacy<Name>;
}
