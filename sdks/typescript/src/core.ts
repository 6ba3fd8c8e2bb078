// What every request has in common: options, retries, spelling, pages.

import { APIConnectionError, APITimeoutError, InvalidResponseError, fromAnswer, retryAfter } from './errors.js';
import { VERSION } from './version.js';

/** What may be said about a single request. */
export interface RequestOptions {
  /** Milliseconds until an answer must be there. */
  timeout?: number;
  /** How often to try again. */
  maxRetries?: number;
  /** More headers. */
  headers?: Record<string, string>;
  /** Instead of one made for this request. Two requests with the same key have one effect. */
  idempotencyKey?: string;
  /** Ends the request. */
  signal?: AbortSignal;
}

/** A request about to be sent. Hooks may change its headers. */
export interface PreparedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string | undefined;
  /** From 0 on. */
  readonly attempt: number;
}

/** How a client is set up. */
export interface KaiCallsOptions {
  /** `kc_live_…` or `kc_test_…`; from `KAICALLS_API_KEY` if not given. */
  apiKey?: string;
  /** The server, with or without `/api/v1`; from `KAICALLS_BASE_URL` if not given, otherwise `http://127.0.0.1:8080`. */
  baseUrl?: string;
  /** Milliseconds until the whole answer must be there; 60 000 by default. */
  timeout?: number;
  /** `timeout` by the name that the first package gave it. */
  timeoutMs?: number;
  /** How often a request is tried again that may be; 2 by default. */
  maxRetries?: number;
  /** Sent with every request. */
  defaultHeaders?: Record<string, string>;
  /** Instead of the global `fetch`. */
  fetch?: typeof fetch;
  /** Called before every attempt. */
  onRequest?: (request: PreparedRequest) => void;
  /** Called with every answer. */
  onResponse?: (request: PreparedRequest, response: Response) => void;
}

/** What is sent. */
export interface Sent {
  query?: object;
  body?: object;
  idempotent?: boolean;
  session?: boolean;
}

interface Received<Data> {
  data: Data;
  response: Response;
}

const RETRIED = [408, 429, 500, 502, 503, 504];
const LONGEST_PAUSE = 8_000;
const LONGEST_ASKED_PAUSE = 60_000;

/** A promise of an answer that also gives the raw one. */
export interface APIPromise<Data> extends Promise<Data> {
  /** The answer, and status and headers beside it. */
  withResponse(): Promise<{ data: Data; response: Response; requestId: string | undefined }>;
}

function promised<Data>(received: Promise<Received<Data>>): APIPromise<Data> {
  const plain = received.then(({ data }) => data);
  return Object.assign(plain, {
    withResponse: () => {
      // Whoever asks for the raw answer handles its errors there and not here as well.
      plain.catch(() => undefined);
      return received.then(({ data, response }) => ({
        data,
        response,
        requestId: response.headers.get('x-request-id') ?? undefined,
      }));
    },
  });
}

/** A page of rows that knows the ones after it. `for await` walks this page and all that follow. */
export interface Page<Row> extends AsyncIterable<Row> {
  /** The rows of this page. */
  readonly rows: Row[];
  /** Whether there are rows after these. */
  hasNextPage(): boolean;
  /** The page after this one; `undefined` after the last. */
  nextPage(): Promise<(Page<Row> & Record<string, unknown>) | undefined>;
}

/** A promise of the first page, and an iteration over the rows of all. */
export type PagePromise<Raw, Row> = APIPromise<Raw & Page<Row>> & AsyncIterable<Row>;

/** An argument that must be there. An id that is not there reads as undefined, and without it the request would mean something else. */
export function needed(name: string, value: string): string {
  if (value === undefined || value === null) throw new TypeError(`${name} is needed, and got ${value}`);
  return value;
}

/** A part of the API behind a client. */
export class Resource {
  constructor(protected readonly client: Core) {}
}

/** Sends requests. */
export class Core {
  readonly apiKey: string;
  readonly baseUrl: string;
  readonly timeout: number;
  readonly maxRetries: number;
  /** @internal */
  readonly settings: KaiCallsOptions;
  /** The session's cookie after a login. @internal */
  cookie: string | undefined;

  constructor(settings: KaiCallsOptions) {
    const apiKey = settings.apiKey ?? environment('KAICALLS_API_KEY');
    if (!apiKey) {
      throw new TypeError(
        'KaiCalls: an API key is required, as `apiKey` or KAICALLS_API_KEY; `kaicalls keys create --mode test` makes one',
      );
    }
    this.apiKey = apiKey;
    this.baseUrl = address(settings.baseUrl ?? environment('KAICALLS_BASE_URL') ?? 'http://127.0.0.1:8080');
    this.timeout = settings.timeout ?? settings.timeoutMs ?? 60_000;
    if (!(this.timeout > 0)) throw new TypeError(`timeout must be more than 0, not ${this.timeout}`);
    this.maxRetries = settings.maxRetries ?? 2;
    this.settings = settings;
  }

  /** @internal */
  send<Data>(method: string, path: string, sent: Sent, options: RequestOptions = {}): APIPromise<Data> {
    return promised(this.#answer<Data>(method, path, sent, options));
  }

  /** @internal */
  pages<Raw, Row>(
    method: string,
    path: string,
    field: string,
    sent: Sent,
    options: RequestOptions = {},
  ): PagePromise<Raw, Row> {
    const page = async (query: Record<string, unknown>): Promise<Received<Raw & Page<Row>>> => {
      const { data, response } = await this.#answer<Raw>(method, path, { ...sent, query }, options);
      return { data: paged<Raw, Row>(data, field, (after) => page({ ...query, after })), response };
    };
    const first = promised(page({ ...sent.query })) as PagePromise<Raw, Row>;
    first[Symbol.asyncIterator] = async function* () {
      yield* await first;
    };
    return first;
  }

  /** Any request, for what has no method yet. */
  request<Data = unknown>(
    method: string,
    path: string,
    params: { query?: Record<string, unknown>; body?: Record<string, unknown> } = {},
    options: RequestOptions = {},
  ): APIPromise<Data> {
    return promised(this.#answer<Data>(method, path, params, options, false));
  }

  async #answer<Data>(
    method: string,
    path: string,
    sent: Sent,
    options: RequestOptions,
    spelled = true,
  ): Promise<Received<Data>> {
    const { response, text } = await this.fetch(method, path, sent, options, spelled);
    const body = parsed(text);
    const { status, headers } = response;
    if (!response.ok) throw fromAnswer(status, body, headers);
    // Only these two are answered without a body.
    if (typeof body === 'string' || (!text && status !== 204 && status !== 205)) {
      const message = `The answer is no JSON, or cut short: ${JSON.stringify(text.slice(0, 60))}`;
      throw new InvalidResponseError(message, { status, code: 'invalid_response', body, headers });
    }
    return { data: body as Data, response };
  }

  /** Sends a request, as often as it takes; the body of a stream is left unread. @internal */
  async fetch(
    method: string,
    path: string,
    sent: Sent,
    options: RequestOptions,
    spelled = true,
    kind: 'text' | 'stream' | 'file' = 'text',
  ): Promise<{ response: Response; text: string; file: ArrayBuffer | undefined }> {
    const streaming = kind === 'stream';
    const respell = spelled ? snakeKeys : (fields: object) => fields;
    const query = sent.query ? encode(respell(sent.query)) : '';
    const isLink = path.includes('://');
    const url = isLink ? path : this.baseUrl + (path[0] === '/' ? path : `/api/v1/${path}`) + (query && `?${query}`);
    const body = sent.body ? JSON.stringify(respell(sent.body)) : undefined;
    const headers: Record<string, string> = {
      accept: streaming ? 'text/event-stream' : kind === 'file' ? '*/*' : 'application/json',
      'user-agent': `kaicalls-typescript/${VERSION}`,
      ...(isLink ? {} : this.settings.defaultHeaders),
    };
    // A link needs no key and may lead to somebody else's server.
    if (isLink) delete headers['user-agent'];
    else if (!sent.session) headers.authorization = `Bearer ${this.apiKey}`;
    else if (this.cookie) headers.cookie = this.cookie;
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (sent.idempotent || options.idempotencyKey) {
      headers['idempotency-key'] = options.idempotencyKey ?? newKey();
    }
    Object.assign(headers, options.headers);
    const repeatable = method !== 'POST' || 'idempotency-key' in headers;
    const retries = options.maxRetries ?? this.maxRetries;
    const timeout = options.timeout ?? this.timeout;
    const send = this.settings.fetch ?? fetch;

    for (let attempt = 0; ; attempt += 1) {
      const request: PreparedRequest = { method, url, headers, body, attempt };
      this.settings.onRequest?.(request);
      const { signal, done, timedOut } = limited(timeout, options.signal, streaming);
      let response: Response;
      let text = '';
      let file: ArrayBuffer | undefined;
      try {
        response = await send(url, { method, headers, signal, ...(body === undefined ? {} : { body }) });
        // Read here, so that a connection that breaks in between is noticed where it can be tried again.
        if (kind === 'file' && response.ok) file = await response.arrayBuffer();
        else if (!streaming || !response.ok) text = await response.text();
      } catch (cause) {
        done();
        // Ended on purpose: that is what the platform's own AbortError says.
        if (options.signal?.aborted) throw cause;
        if (attempt < retries && (repeatable || neverSent(cause))) {
          await sleep(pause(attempt), options.signal);
          continue;
        }
        if (timedOut()) {
          throw new APITimeoutError(`${method} ${url}: no answer within ${timeout} ms`, { code: 'timeout', cause });
        }
        throw lost(`${method} ${url}`, cause);
      }
      done();
      this.settings.onResponse?.(request, response);
      this.#keepCookie(response);
      const again = attempt < retries && RETRIED.includes(response.status) && (repeatable || response.status === 429);
      const told = retryAfter(response.headers);
      const asked = (told ?? 0) * 1000;
      // After this code the call exists and has failed; asking again would not change that. Nor does anybody wait for hours, and asking
      // earlier is what the server does not want.
      if (!again || asked > LONGEST_ASKED_PAUSE || text.includes('"call_failed"')) return { response, text, file };
      await sleep(told === undefined ? pause(attempt) : asked, options.signal);
    }
  }

  #keepCookie(response: Response): void {
    const cookies = response.headers.getSetCookie?.() ?? [response.headers.get('set-cookie') ?? ''];
    const pairs = cookies.map((cookie) => cookie.split(';')[0] ?? '').filter(Boolean);
    if (pairs.length > 0) this.cookie = pairs.join('; ');
  }
}

/** Gives the page its successors. The methods are hidden from loops over its fields. */
function paged<Raw, Row>(
  data: Raw,
  field: string,
  after: (cursor: string) => Promise<Received<Raw & Page<Row>>>,
): Raw & Page<Row> {
  const fields = data as Record<string, unknown>;
  const rows = (fields[field] ?? []) as Row[];
  const cursor = (): string | undefined => {
    const last = rows[rows.length - 1] as { created_at?: string } | undefined;
    return fields.has_more ? last?.created_at : undefined;
  };
  const page: Page<Row> = {
    rows,
    hasNextPage: () => cursor() !== undefined,
    nextPage: async () => {
      const next = cursor();
      return next === undefined ? undefined : ((await after(next)).data as Page<Row> & Record<string, unknown>);
    },
    async *[Symbol.asyncIterator]() {
      for (let page: Page<Row> | undefined = this; page; page = await page.nextPage()) yield* page.rows;
    },
  };
  for (const name of Reflect.ownKeys(page)) {
    const value = page[name as keyof Page<Row>];
    Object.defineProperty(fields, name, { value, enumerable: false, configurable: true });
  }
  return data as Raw & Page<Row>;
}

function environment(name: string): string | undefined {
  try {
    return globalThis.process?.env?.[name] || undefined;
  } catch {
    // Deno without the permission to read it.
    return undefined;
  }
}

function address(baseUrl: string): string {
  const url = baseUrl.trim().replace(/\/+$/, '').replace(/\/api(\/v1)?$/, '');
  if (!/^https?:\/\//.test(url)) {
    throw new TypeError(`KaiCalls: baseUrl must begin with http:// or https://, not '${baseUrl}'`);
  }
  return url;
}

/** Names like `firstMessage` as `first_message`; what is inside of objects stays as it is. */
function snakeKeys(fields: object): object {
  const entries = Object.entries(fields).map(([name, value]) => {
    const snake = name.replace(/(?<=[a-z0-9])[A-Z]/g, (hump) => `_${hump.toLowerCase()}`);
    return [snake, value as unknown] as const;
  });
  return Object.fromEntries(entries);
}

function encode(query: object): string {
  const encoded = new URLSearchParams();
  for (const [name, value] of Object.entries(query) as [string, unknown][]) {
    if (value === undefined || value === null) continue;
    const text = value instanceof Date ? value.toISOString() : Array.isArray(value) ? value.join(',') : String(value);
    encoded.set(name, text);
  }
  return encoded.toString();
}

/** A signal that ends with the time or with the caller's signal, whichever comes first. */
function limited(timeout: number, outer: AbortSignal | undefined, streaming: boolean) {
  const controller = new AbortController();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    controller.abort();
  }, timeout);
  const abort = () => controller.abort();
  if (outer?.aborted) abort();
  outer?.addEventListener('abort', abort, { once: true });
  const done = () => {
    clearTimeout(timer);
    // A stream goes on after its beginning and can still be ended from outside.
    if (!streaming) outer?.removeEventListener('abort', abort);
  };
  return { signal: controller.signal, done, timedOut: () => late };
}

/** JSON as what it means, other text as it is. @internal */
export function parsed(text: string): unknown {
  try {
    return text ? (JSON.parse(text) as unknown) : undefined;
  } catch {
    return text;
  }
}

/** The error of an exchange that broke. @internal */
export function lost(where: string, cause: unknown): APIConnectionError {
  return new APIConnectionError(`${where}: ${reason(cause)}`, { code: 'connection_error', cause });
}

function neverSent(cause: unknown): boolean {
  const code = (cause as { cause?: { code?: string } } | undefined)?.cause?.code;
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'UND_ERR_CONNECT_TIMEOUT';
}

function reason(cause: unknown): string {
  const inner = (cause as { cause?: { message?: string; code?: string } } | undefined)?.cause;
  return inner?.message || inner?.code || (cause instanceof Error ? cause.message : String(cause));
}

/** A random part of a growing time, in milliseconds. */
function pause(attempt: number): number {
  return (0.5 + Math.random() / 2) * Math.min(LONGEST_PAUSE, 500 * 2 ** attempt);
}

/** Waits, unless a signal ends it. @internal */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', end);
      resolve();
    }, ms);
    if (signal?.aborted) end();
    signal?.addEventListener('abort', end, { once: true });
  });
}

function newKey(): string {
  // Node 18 has no global one.
  const random = () => Math.random().toString(36).slice(2);
  return globalThis.crypto?.randomUUID?.() ?? `${Date.now()}-${random()}-${random()}`;
}
