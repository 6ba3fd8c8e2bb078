// The client.

import type { APIPromise, KaiCallsOptions } from './core.js';
import { Core } from './core.js';
import { legacy } from './legacy.js';
import type { AccountCreated } from './models.js';
import * as resources from './resources.js';
import { subscriptions } from './subscriptions.js';

/**
 * A client of the KaiCalls API.
 *
 * ```ts
 * const kai = new KaiCalls(); // KAICALLS_API_KEY, KAICALLS_BASE_URL
 * const call = await kai.calls.create({ agentId: '…', to: '+15005550006' });
 * console.log((await kai.calls.wait(call.id)).summary);
 * ```
 */
export class KaiCalls extends Core {
  readonly calls = new resources.CallsResource(this);
  readonly agents = new resources.AgentsResource(this);
  readonly leads = new resources.LeadsResource(this);
  readonly consents = new resources.ConsentsResource(this);
  readonly recordings = new resources.RecordingsResource(this);
  readonly transcripts = new resources.TranscriptsResource(this);
  readonly numbers = new resources.NumbersResource(this);
  readonly webhooks = subscriptions(this);
  readonly events = new resources.EventsResource(this);
  readonly sandbox = new resources.SandboxResource(this);
  readonly balance = new resources.BalanceResource(this);
  readonly usage = new resources.UsageResource(this);
  readonly keys = new resources.KeysResource(this);
  readonly workspaces = new resources.WorkspacesResource(this);
  readonly audit = new resources.AuditResource(this);
  readonly session = new resources.SessionResource(this);
  readonly health = new resources.HealthResource(this);
  readonly capabilities = new resources.CapabilitiesResource(this);
  readonly schemas = new resources.SchemasResource(this);
  readonly openapi = new resources.OpenapiResource(this);

  /** `kai.balance` and `kai.usage` by the names of the first package. */
  readonly account = { balance: this.balance.get.bind(this.balance), usage: this.usage.list.bind(this.usage) };

  /** What the server is and can do, by the names of the first package. */
  readonly discovery = {
    health: this.health.get.bind(this.health),
    openapi: this.openapi.get.bind(this.openapi),
    ...legacy(this, 'discovery'),
  };

  readonly sms = legacy(this, 'sms');
  readonly phoneNumbers = legacy(this, 'phoneNumbers');
  readonly analytics = legacy(this, 'analytics');
  readonly evals = legacy(this, 'evals');
  readonly communicationRuns = legacy(this, 'communicationRuns');

  constructor(options: KaiCallsOptions = {}) {
    super(options);
  }

  /** A client with a login and without a key, for `kai.keys`. */
  static async login(email: string, password: string, options: KaiCallsOptions = {}): Promise<KaiCalls> {
    const kai = new KaiCalls({ apiKey: 'login', ...options });
    await kai.session.create({ email, password });
    return kai;
  }

  /** {@link signup} by the name that the first package gave it as well. */
  static signup(params: Signup, options: KaiCallsOptions = {}): APIPromise<AccountCreated> {
    return signup(params, options);
  }

  /** The same client with other defaults. */
  withOptions(options: KaiCallsOptions): KaiCalls {
    const { apiKey, baseUrl, timeout, maxRetries } = this;
    const other = new KaiCalls({ ...this.settings, apiKey, baseUrl, timeout, maxRetries, ...options });
    other.cookie = this.cookie;
    return other;
  }
}

/** Whose account to make. */
export interface Signup {
  businessName: string;
  email: string;
  businessType?: string;
  website?: string;
  phoneForwardTo?: string;
  planId?: string;
  /** The server; `baseUrl` of the second argument does as well. */
  baseUrl?: string;
}

/**
 * Makes an account where the server takes new ones; the answer holds its first `api_key`. A server of your own answers 403
 * here unless its setting `signups_per_hour` lets people sign up.
 */
export function signup(params: Signup, options: KaiCallsOptions = {}): APIPromise<AccountCreated> {
  const { baseUrl, ...body } = params;
  // There is no key yet; a request of a session sends none.
  const kai = new Core({ ...options, ...(baseUrl === undefined ? {} : { baseUrl }), apiKey: 'signup', maxRetries: 0 });
  return kai.send('POST', 'signup', { body, session: true });
}
