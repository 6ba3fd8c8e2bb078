// KaiCalls: give your AI agent a phone.

export { KaiCalls, KaiCalls as default, signup } from './client.js';
export type { Signup } from './client.js';
export type { APIPromise, KaiCallsOptions, Page, PagePromise, PreparedRequest, RequestOptions } from './core.js';
export * from './errors.js';
export type { CallEvent, WaitOptions } from './extras.js';
export type * from './models.js';
export { VERSION } from './version.js';
export * as webhooks from './webhooks.js';
export type { CallCompleted, CallFailed, VerifyOptions, WebhookEvent } from './webhooks.js';
