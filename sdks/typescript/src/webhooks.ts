// Checking what a server sends to your `webhook_url`, and signing what your tests send there. Web Crypto, so every runtime has it.

import { WebhookVerificationError } from './errors.js';

/** A call was answered, and is over. */
export interface CallCompleted {
  event: 'call.completed';
  call_id: string;
  status: 'completed';
  /** Seconds from answer to end. */
  duration: number | null;
  /** Plays without a key; expires. */
  recording_url: string | null;
  summary: string | null;
  timestamp: string;
}

/** A call never connected. */
export interface CallFailed {
  event: 'call.failed';
  call_id: string;
  status: 'failed';
  /** Why, like `no_answer`. */
  error: string;
  timestamp: string;
}

/** What the server tells. `eventId` is the same on every repetition: remember it to handle each event once. */
export type WebhookEvent = (CallCompleted | CallFailed) & { eventId: string | undefined };

/** How to check. */
export interface VerifyOptions {
  /** Seconds that a message may be old, or from the future; 300 by default. */
  tolerance?: number;
  /** Unix seconds; the clock otherwise. */
  now?: number;
}

type HeaderSource = Headers | Record<string, string | readonly string[] | undefined>;

const encoder = new TextEncoder();

/**
 * The event, if the server sent it.
 *
 * `payload` is the body as it came: one that was parsed and written again has another signature. `secret` is `whsec_…`, or several
 * while one is being exchanged. Throws {@link WebhookVerificationError}, whose message says what is wrong.
 */
export async function verify(
  payload: string | Uint8Array | ArrayBuffer,
  headers: HeaderSource,
  secret: string | readonly string[],
  options: VerifyOptions = {},
): Promise<WebhookEvent> {
  const secrets = (typeof secret === 'string' ? [secret] : secret).filter((one) => one !== '');
  if (secrets.length === 0) throw refused('webhook_no_secret', 'no webhook secret was given');
  const body = bytes(payload);
  const get = reader(headers);
  const isStandard = get('webhook-signature') !== undefined;
  const given = isStandard
    ? (get('webhook-signature') ?? '').split(' ')
    : [get('x-kaicalls-signature'), get('x-kaicalls-signature-previous')];
  if (given[0] === undefined) {
    throw refused('webhook_no_signature', 'the signature headers are missing: does a proxy drop them?');
  }
  const at = fresh(get(isStandard ? 'webhook-timestamp' : 'x-kaicalls-timestamp'), options);
  let good = false;
  for (const one of secrets) {
    const expected = await (isStandard ? standard(one, get('webhook-id') ?? '', at, body) : own(one, at, body));
    // All are compared, so that the time does not tell which one came close.
    for (const part of given) good = equal(part ?? '', expected) || good;
  }
  if (!good) {
    const message = 'the signature does not match: is it the right secret, and the body as it came?';
    throw refused('webhook_wrong_signature', message);
  }
  try {
    const event = JSON.parse(new TextDecoder().decode(body)) as WebhookEvent;
    return Object.assign(event, { eventId: get('webhook-id') ?? get('x-kaicalls-event-id') });
  } catch {
    throw refused('webhook_no_json', 'the body is signed but is no JSON');
  }
}

/** The headers that a server would send with this body, for tests of your receiver. */
export async function sign(
  payload: string | Uint8Array | ArrayBuffer,
  secret: string,
  options: { id?: string; timestamp?: number; event?: string } = {},
): Promise<Record<string, string>> {
  const body = bytes(payload);
  const id = options.id ?? `evt_${Math.random().toString(36).slice(2)}`;
  const at = String(Math.floor(options.timestamp ?? Date.now() / 1000));
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': at,
    'webhook-signature': await standard(secret, id, at, body),
    'x-kaicalls-event': options.event ?? eventOf(body),
    'x-kaicalls-event-id': id,
    'x-kaicalls-timestamp': at,
    'x-kaicalls-signature': await own(secret, at, body),
  };
}

/**
 * A message as a server sends it, for tests of your receiver.
 *
 * `event` is `call.completed` or `call.failed`; another one has the fields that you give and nothing else. Fields replace those of the
 * example: `testMessage('call.failed', secret, { error: 'busy' })`.
 */
export async function testMessage(
  event: 'call.completed' | 'call.failed' | (string & {}),
  secret: string,
  fields: Record<string, unknown> = {},
): Promise<{ body: string; headers: Record<string, string> }> {
  const example = EXAMPLES[event];
  const timestamp = new Date().toISOString().replace('Z', '000Z');
  const id = { call_id: '0193f2a4-7c11-7d20-9a55-3f6f0e2b9c01' };
  const body = JSON.stringify({ event, ...(example && { ...id, ...example }), timestamp, ...fields });
  return { body, headers: await sign(body, secret, { event }) };
}

const EXAMPLES: Record<string, object> = {
  'call.completed': { status: 'completed', duration: 127, recording_url: null, summary: 'Confirmed the appointment.' },
  'call.failed': { status: 'failed', error: 'no_answer' },
};

function eventOf(body: Uint8Array): string {
  try {
    return String((JSON.parse(new TextDecoder().decode(body)) as { event?: string }).event ?? 'call.completed');
  } catch {
    return 'call.completed';
  }
}

function refused(code: string, message: string): WebhookVerificationError {
  return new WebhookVerificationError(message, { code });
}

function reader(headers: HeaderSource): (name: string) => string | undefined {
  if (headers instanceof Headers) return (name) => headers.get(name) ?? undefined;
  const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  return (name) => {
    const value = lower.get(name);
    return typeof value === 'string' ? value : value?.[0];
  };
}

function fresh(text: string | undefined, options: VerifyOptions): string {
  if (!/^[0-9]{1,15}$/.test(text ?? '')) {
    throw refused('webhook_no_timestamp', 'the header with the time is missing or no number');
  }
  const tolerance = options.tolerance ?? 300;
  if (Math.abs((options.now ?? Date.now() / 1000) - Number(text)) > tolerance) {
    const message = `the message was not sent within ${tolerance} s of now: it is old, or a clock is wrong`;
    throw refused('webhook_stale', message);
  }
  return text ?? '';
}

function bytes(payload: string | Uint8Array | ArrayBuffer): Uint8Array {
  if (typeof payload === 'string') return encoder.encode(payload);
  return payload instanceof Uint8Array ? payload : new Uint8Array(payload);
}

/** Standard Webhooks: the key is what the Base64 behind `whsec_` stands for; a secret of another kind is taken as it is. */
async function standard(secret: string, id: string, at: string, body: Uint8Array): Promise<string> {
  let key;
  try {
    key = Uint8Array.from(latin(atob(secret.replace(/^whsec_/, '').replace(/-/g, '+').replace(/_/g, '/'))));
  } catch {
    key = encoder.encode(secret);
  }
  return `v1,${btoa(String.fromCharCode(...(await mac(key, `${id}.${at}.`, body))))}`;
}

async function own(secret: string, at: string, body: Uint8Array): Promise<string> {
  const signature = await mac(encoder.encode(secret), `${at}.`, body);
  return `sha256=${Array.from(signature, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

function latin(text: string): number[] {
  return Array.from(text, (letter) => letter.charCodeAt(0));
}

async function mac(key: Uint8Array, prefix: string, body: Uint8Array): Promise<Uint8Array> {
  // Node 18 has Web Crypto in a module only. Bundlers for browsers, which have none of that name, are not to look for it.
  const module = ['node', 'crypto'].join(':');
  const crypto =
    globalThis.crypto ??
    ((await import(/* @vite-ignore */ /* webpackIgnore: true */ module)) as { webcrypto: Crypto }).webcrypto;
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  // No key is shorter than nothing, and Web Crypto refuses that one.
  const bits = (key.length > 0 ? key : new Uint8Array(1)) as BufferSource;
  const imported = await crypto.subtle.importKey('raw', bits, algorithm, false, ['sign']);
  const signed = new Uint8Array([...encoder.encode(prefix), ...body]);
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, signed));
}

/** In constant time, as far as the length goes. */
function equal(first: string, second: string): boolean {
  let difference = first.length ^ second.length;
  for (let place = 0; place < second.length; place += 1) difference |= first.charCodeAt(place) ^ second.charCodeAt(place);
  return difference === 0;
}
