// Errors, one class per code, each with the id of the request and with what to do.

const HINTS: Record<string, string> = {
  unauthorized: 'Check the API key: `apiKey`, or KAICALLS_API_KEY.',
  forbidden: 'Make a key with this scope, or for this business.',
  not_found: 'Check the id; live and test keys see different calls.',
  rate_limited: 'Wait for `retryAfter` seconds, or spread the requests.',
  call_failed: 'The call exists and has failed; its `error` says why.',
  connection_error: 'Is the server there? Check `baseUrl` or KAICALLS_BASE_URL.',
  timeout: 'Raise `timeout`.',
  wait_timeout: 'The call goes on; wait again, or longer.',
};

/** What belongs to an error besides its message. */
export interface ErrorFacts {
  /** HTTP status; 0 if there was no answer. */
  status?: number;
  /** The API's code, like `not_found`. */
  code: string;
  /** The answer as it came. */
  body?: unknown;
  headers?: Headers;
  cause?: unknown;
}

/** Something went wrong. Every error of this package is one of these. */
export class KaiCallsError extends Error {
  /** HTTP status; 0 if there was no answer. */
  readonly status: number;
  /** The API's code, like `not_found`. */
  readonly code: string;
  /** The answer as it came. */
  readonly body: unknown;
  /** Under which the server's log has it. */
  readonly requestId: string | undefined;
  /** What to do about it. */
  readonly hint: string | undefined;
  readonly headers: Headers | undefined;

  constructor(message: string, facts: ErrorFacts) {
    const requestId = facts.headers?.get('x-request-id') ?? undefined;
    const hint = HINTS[facts.code];
    const where = facts.status ? ` (${facts.status} ${facts.code})` : '';
    super(message + where + (requestId ? ` [request ${requestId}]` : '') + (hint ? `\n  ${hint}` : ''));
    this.name = new.target.name;
    this.status = facts.status ?? 0;
    this.code = facts.code;
    this.body = facts.body;
    this.headers = facts.headers;
    this.requestId = requestId;
    this.hint = hint;
    if (facts.cause !== undefined) this.cause = facts.cause;
  }
}

/** The server answered, and not with what was asked for. */
export class APIError extends KaiCallsError {}

/** Something in the request is not as the API wants it; `fields` says what. */
export class InvalidRequestError extends APIError {
  get fields(): { field: string; expected: string }[] {
    const body = this.body as { error?: { details?: { fields?: { field: string; expected: string }[] } } } | undefined;
    return body?.error?.details?.fields ?? [];
  }
}

/** The key is missing, wrong, expired or revoked. */
export class AuthenticationError extends APIError {}

/** The key lacks a scope, or the business is another's. */
export class PermissionDeniedError extends APIError {}

/** There is no such thing, or not for this key. */
export class NotFoundError extends APIError {}

/** Somebody else changed it, or the idempotency key was used for something else. */
export class ConflictError extends APIError {}

/** Too many requests, even after waiting and trying again. */
export class RateLimitedError extends APIError {
  /** Seconds to wait, as the server says. */
  get retryAfter(): number | undefined {
    return this.headers && retryAfter(this.headers);
  }
}

/** The voice platform refused the agent. */
export class VapiError extends APIError {}

/** The call could not be started. */
export class CallFailedError extends APIError {}

/** The server failed. */
export class InternalServerError extends APIError {}

/** Success, and a body that is no JSON: usually a proxy's page. */
export class InvalidResponseError extends APIError {}

/** No answer: the network, the address, or the certificate. */
export class APIConnectionError extends KaiCallsError {}

/** No answer in time. */
export class APITimeoutError extends APIConnectionError {}

/** A call still ran when the time to wait was over; `call` is how it stood. */
export class WaitTimeoutError<Call = unknown> extends KaiCallsError {
  get call(): Call {
    return this.body as Call;
  }
}

/** The message is not from the server, is too old, or was changed on its way. */
export class WebhookVerificationError extends KaiCallsError {}

const CLASSES: Record<string, typeof APIError> = {
  vapi_error: VapiError,
  call_failed: CallFailedError,
  400: InvalidRequestError,
  401: AuthenticationError,
  403: PermissionDeniedError,
  404: NotFoundError,
  409: ConflictError,
  429: RateLimitedError,
};

/** The error that an answer means. */
export function fromAnswer(status: number, body: unknown, headers: Headers): APIError {
  const error = (body as { error?: { code?: string; message?: string } } | undefined)?.error;
  const code = error?.code ?? `http_${status}`;
  const kind = CLASSES[code] ?? CLASSES[status] ?? (status >= 500 ? InternalServerError : APIError);
  return new kind(error?.message ?? `KaiCalls API error (HTTP ${status})`, { status, code, body, headers });
}

/** Seconds that the server asks to wait, in whichever form it says so. @internal */
export function retryAfter(headers: Headers): number | undefined {
  const text = headers.get('retry-after');
  if (!text) return undefined;
  const seconds = Number(text);
  const wait = Number.isNaN(seconds) ? (Date.parse(text) - Date.now()) / 1000 : seconds;
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}
