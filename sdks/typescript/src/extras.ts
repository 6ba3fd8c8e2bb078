// What methods that are not made from the contract do: waiting for calls, following them, fetching files.

import type { RequestOptions } from './core.js';
import type { APIPromise } from './core.js';
import { Resource, lost, needed, parsed, sleep } from './core.js';
import { APIError, KaiCallsError, WaitTimeoutError, fromAnswer } from './errors.js';
import type { AgentVersions, CallDetail, Recording, TranscriptList, TranscriptRow } from './models.js';

/** Something that happened in a call. */
export interface CallEvent {
  /** `queued`, `dialing`, `accepted`, `ringing`, `answered`, `said`, `noted`, `turn`, `sound`, `ended`, `completed` or `failed`. */
  type: string;
  /** Where to go on after the connection was lost. */
  id: string | undefined;
  /** When. */
  at?: string;
  /** `said`: `agent` or `caller`. */
  by?: string;
  /** `said`: the words. */
  text?: string;
  [more: string]: unknown;
}

/** How to wait for a call. */
export interface WaitOptions {
  /** Milliseconds until giving up; ten minutes by default. */
  timeout?: number;
  /** Milliseconds between two looks, at first; a second by default. */
  interval?: number;
  /** `timeout` by the name that the first package gave it. */
  timeoutMs?: number;
  /** `interval` by the name that the first package gave it. */
  intervalMs?: number;
  /** Told what happens in the call, live. */
  onEvent?: (event: CallEvent) => void;
  /** Ends the waiting; the call goes on. */
  signal?: AbortSignal;
}

const RUNNING = ['queued', 'ringing', 'in-progress', 'in_progress', 'started'];
const LONGEST_INTERVAL = 5_000;

export class CallsExtras extends Resource {
  /**
   * Waits until a call is over and gives it, with its summary.
   *
   * Looks every `interval` milliseconds, ever less often up to five seconds. With `onEvent` it follows the call live; where that is
   * not possible it looks. Throws {@link WaitTimeoutError} when the time is over; the call goes on.
   */
  async wait(callId: string, options: WaitOptions = {}): Promise<CallDetail> {
    const { timeout = options.timeoutMs ?? 600_000, onEvent, signal } = options;
    const deadline = Date.now() + timeout;
    if (onEvent) {
      try {
        for await (const event of this.stream(callId, { timeout, ...(signal && { signal }) })) onEvent(event);
      } catch (error) {
        if (signal?.aborted || (error instanceof APIError && [401, 403, 404].includes(error.status))) throw error;
      }
    }
    for (let interval = options.interval ?? options.intervalMs ?? 1_000; ; interval = Math.min(interval * 1.2, Math.max(interval, LONGEST_INTERVAL))) {
      const query = { id: needed('callId', callId) };
      const call = await this.client.send<CallDetail>('GET', 'calls', { query }, signal ? { signal } : {});
      if (!RUNNING.includes(call.status)) return call;
      const left = deadline - Date.now();
      if (left <= 0) {
        const message = `Call ${callId} still "${call.status}" after ${timeout} ms`;
        throw new WaitTimeoutError<CallDetail>(message, { code: 'wait_timeout', body: call });
      }
      await sleep(Math.min(interval, left), signal);
    }
  }

  /**
   * What happens in a call, from its beginning and as it happens, until it is over. A connection that is lost is taken up where it
   * broke off.
   */
  async *stream(callId: string, options: { timeout?: number; signal?: AbortSignal } = {}): AsyncGenerator<CallEvent, void> {
    const deadline = Date.now() + (options.timeout ?? 600_000);
    let last: string | undefined;
    for (let failures = 0; Date.now() < deadline; ) {
      const asked: RequestOptions = { timeout: Math.max(1_000, deadline - Date.now()), maxRetries: 0 };
      if (last !== undefined) asked.headers = { 'last-event-id': last };
      if (options.signal) asked.signal = options.signal;
      try {
        const query = { id: needed('callId', callId) };
        const { response, text } = await this.client.fetch('GET', 'calls/stream', { query }, asked, true, 'stream');
        if (!response.ok) throw fromAnswer(response.status, parsed(text), response.headers);
        for await (const event of events(response, deadline)) {
          failures = 0;
          last = event.id ?? last;
          yield event;
          if (event.type === 'completed' || event.type === 'failed') return;
        }
      } catch (error) {
        failures += 1;
        if (options.signal?.aborted || error instanceof APIError) throw error;
        if (failures > this.client.maxRetries) {
          throw error instanceof KaiCallsError ? error : lost(`the events of call ${callId}`, error);
        }
        await sleep(Math.min(200 * 2 ** failures, 5_000), options.signal);
      }
    }
  }
}

/** Server-sent events (WHATWG HTML, section 9.2). */
async function* events(response: Response, deadline: number): AsyncGenerator<CallEvent, void> {
  const reader = response.body?.getReader();
  if (!reader) return;
  const decoder = new TextDecoder();
  let [rest, type, data, id] = ['', '', '', undefined as string | undefined];
  const timer = setTimeout(() => void reader.cancel(), Math.max(0, deadline - Date.now()));
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + decoder.decode(value, { stream: true })).split(/\r\n|\n|\r/);
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line === '') {
          if (data) yield { ...(parsed(data) as object), type: type || 'message', id };
          [type, data] = ['', ''];
          continue;
        }
        const [, name = '', text = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
        if (name === 'event') type = text;
        else if (name === 'data') data += (data && '\n') + text;
        else if (name === 'id') id = text;
      }
    }
  } finally {
    clearTimeout(timer);
    await reader.cancel().catch(() => undefined);
  }
}

export class RecordingsExtras extends Resource {
  /** The recording of a call as a file; its type is `content_type` of `kai.recordings.get`. */
  async download(callId: string, options: RequestOptions = {}): Promise<ArrayBuffer> {
    const query = { call_id: needed('callId', callId) };
    const recording = await this.client.send<Recording>('GET', 'recordings', { query }, options);
    if (!recording.recording_url) {
      const message = `The recording of call ${callId} is "${recording.status}"`;
      throw new KaiCallsError(message, { code: 'recording_unavailable', body: recording });
    }
    const { headers: _, ...rest } = options;
    const { response, text, file } = await this.client.fetch('GET', recording.recording_url, {}, rest, true, 'file');
    if (!file) throw fromAnswer(response.status, parsed(text), response.headers);
    return file;
  }
}

export class TranscriptsExtras extends Resource {
  /** The transcript of one call; `undefined` if it has none (yet). */
  async get(callId: string, options: RequestOptions = {}): Promise<TranscriptRow | undefined> {
    const query = { call_id: callId, limit: 1 };
    const page = await this.client.send<TranscriptList>('GET', 'transcripts', { query }, options);
    return page.transcripts[0];
  }
}

export class AgentsExtras extends Resource {
  /** The versions of an agent, newest first, or one of them; with the id by place, as in the first package. */
  versions(agentId: string, query: { version?: number; limit?: number; before?: number } = {}, options?: RequestOptions): APIPromise<AgentVersions> {
    return this.client.send('GET', 'agents/versions', { query: { agent_id: agentId, ...query } }, options);
  }
}
