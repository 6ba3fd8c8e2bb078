// What a flaky network does: a proxy in front of the real server loses, delays and refuses as told.

import assert from 'node:assert/strict';
import { createServer, request as forward } from 'node:http';
import test from 'node:test';

import {
  APIConnectionError,
  APIError,
  APITimeoutError,
  InternalServerError,
  InvalidResponseError,
  KaiCalls,
  RateLimitedError,
} from 'kaicalls';

const NO_ANSWER = '+15005550004';
const target = new URL(process.env.KAICALLS_BASE_URL);

/** Forwards requests; each entry of `plan` is what happens to one of them: pass, drop, lose, hang, or an answer. */
async function proxy() {
  const plan = [];
  const seen = [];
  const server = createServer((incoming, outgoing) => {
    const chunks = [];
    incoming.on('data', (chunk) => chunks.push(chunk));
    incoming.on('end', () => {
      seen.push({ method: incoming.method, key: incoming.headers['idempotency-key'] });
      const step = plan.shift() ?? 'pass';
      if (step === 'drop') return incoming.socket.destroy();
      if (step === 'hang') return undefined;
      if (typeof step === 'object') {
        outgoing.writeHead(step.status, step.headers);
        if (step.broken) return outgoing.write(step.body, () => incoming.socket.destroy());
        return outgoing.end(step.body ?? '{}');
      }
      const { hostname, port } = target;
      const options = { hostname, port, path: incoming.url, method: incoming.method, headers: incoming.headers };
      const sent = forward(options, (answer) => {
        if (step === 'lose') {
          answer.resume();
          answer.on('end', () => incoming.socket.destroy());
          return;
        }
        outgoing.writeHead(answer.statusCode, answer.headers);
        answer.pipe(outgoing);
      });
      return sent.end(Buffer.concat(chunks));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { plan, seen, url: `http://127.0.0.1:${server.address().port}`, close };
}

/** Runs with a proxy; pauses are noted instead of waited. */
async function through(run) {
  const between = await proxy();
  const pauses = [];
  const original = globalThis.setTimeout;
  globalThis.setTimeout = (action, ms, ...rest) => {
    // The limits of requests are longer than any pause.
    if (ms >= 9_000 || ms === 150) return original(action, ms, ...rest);
    pauses.push(ms);
    return original(action, 0, ...rest);
  };
  try {
    await run(between, new KaiCalls({ baseUrl: between.url }), pauses);
  } finally {
    globalThis.setTimeout = original;
    between.close();
  }
}

test('reads are repeated until they get through', () =>
  through(async ({ plan, seen }, kai, pauses) => {
    plan.push('drop', { status: 503 }, 'pass');
    assert.ok((await kai.agents.list()).rows);
    assert.equal(seen.length, 3);
    assert.ok(pauses.length >= 2 && pauses.every((pause) => pause <= 8_000));
  }));

test('a lost answer to a call places no second one', () =>
  through(async ({ plan, seen }, kai) => {
    const businessId = (await kai.balance.get()).businesses[0].business_id;
    const agent = await kai.agents.create({ businessId, name: 'A', systemPrompt: 'x' });
    seen.length = 0;
    plan.push('lose', 'lose', 'pass');
    const placed = await kai.calls.create({ agentId: agent.id, to: NO_ANSWER });
    const keys = new Set(seen.map((request) => request.key));
    assert.ok(seen.length === 3 && keys.size === 1 && !keys.has(undefined), 'the same key on every attempt');
    const { calls } = await kai.calls.list({ agentId: agent.id });
    assert.deepEqual(calls.map((call) => call.id), [placed.id], 'one call');
  }));

test('the server says how long to wait', () =>
  through(async ({ plan }, kai, pauses) => {
    plan.push({ status: 429, headers: { 'retry-after': '7' } }, { status: 429, headers: { 'retry-after': '0' } }, 'pass');
    await kai.agents.list();
    assert.deepEqual(pauses.filter((pause) => pause === 7_000 || pause === 0).slice(0, 2), [7_000, 0]);
  }));

test('it gives up with the last answer', () =>
  through(async ({ plan, seen }, kai) => {
    const body = '{"error":{"code":"rate_limited","message":"Slow down."}}';
    for (let count = 0; count < 3; count += 1) plan.push({ status: 429, headers: { 'retry-after': '3' }, body });
    await assert.rejects(kai.agents.list(), (error) => error instanceof RateLimitedError && error.retryAfter === 3);
    assert.equal(seen.length, 3);
    plan.push({ status: 502, body: '<html>' });
    await assert.rejects(kai.agents.list({}, { maxRetries: 0 }), InternalServerError);
  }));

test('what cannot be repeated is not', () =>
  through(async ({ plan, seen }, kai) => {
    for (const [step, kind] of [['lose', APIConnectionError], [{ status: 503 }, InternalServerError]]) {
      plan.push(step);
      seen.length = 0;
      await assert.rejects(kai.request('POST', '/api/v1/calls', { body: {} }), kind);
      assert.equal(seen.length, 1);
    }
    seen.length = 0;
    plan.push({ status: 500, body: '{"error":{"code":"call_failed","message":"No."}}' });
    await assert.rejects(kai.calls.create({ agentId: 'a', to: NO_ANSWER }), /No\./);
    assert.equal(seen.length, 1, 'the call exists and has failed');
  }));

test('time runs out for one request, and a signal ends one', () =>
  through(async ({ plan, seen }, kai) => {
    plan.push('hang', 'hang');
    await assert.rejects(kai.agents.list({}, { timeout: 150, maxRetries: 0 }), APITimeoutError);
    const controller = new AbortController();
    const ended = kai.health.get({ signal: controller.signal });
    while (seen.length < 2) await new Promise((resolve) => setImmediate(resolve));
    controller.abort();
    await assert.rejects(ended, { name: 'AbortError' });
  }));

test('nobody listens', () =>
  through(async (between, _, pauses) => {
    between.close();
    const kai = new KaiCalls({ apiKey: 'kc_test_x', baseUrl: between.url });
    await assert.rejects(kai.agents.list(), (error) => error instanceof APIConnectionError && /KAICALLS_BASE_URL/.test(error.message));
    assert.ok(pauses.length >= 2);
  }));

test('nobody waits longer than anybody would', () =>
  through(async ({ plan, seen }, kai) => {
    for (const told of ['3600', 'Fri, 31 Dec 2100 23:59:59 GMT']) {
      plan.push({ status: 429, headers: { 'retry-after': told } });
      seen.length = 0;
      await assert.rejects(kai.agents.list(), (error) => error instanceof RateLimitedError && error.retryAfter >= 3600);
      assert.equal(seen.length, 1, 'asking earlier is what the server does not want');
    }
  }));

test('success that is no JSON is an error', () =>
  through(async ({ plan }, kai) => {
    for (const body of ['<html>', '{"agents": [', 'OK', '', ' ']) {
      plan.push({ status: 200, body }, { status: 200, body });
      await assert.rejects(kai.agents.list(), InvalidResponseError);
      await assert.rejects(kai.request('GET', '/x'), /no JSON/);
    }
  }));

test('what is needed and not there is noticed before anything is sent', () =>
  through(async ({ seen }, kai) => {
    const nothing = {}.id;
    for (const resource of [kai.agents, kai.calls, kai.recordings]) {
      assert.throws(() => resource.get(nothing), /Id is needed, and got undefined/);
    }
    await assert.rejects(kai.calls.wait(nothing), /callId is needed/);
    await assert.rejects(kai.recordings.download(null), /callId is needed, and got null/);
    for (const timeout of [0, -1, NaN]) assert.throws(() => new KaiCalls({ apiKey: 'kc_test_x', timeout }), /timeout/);
    assert.equal(seen.length, 0);
  }));

test('a time to wait that cannot be read is none', () =>
  through(async ({ plan }, kai, pauses) => {
    plan.push({ status: 503, headers: { 'retry-after': 'soon' } }, 'pass');
    await kai.agents.list();
    assert.ok(pauses.some((pause) => pause > 0), 'the usual pause, and not none');
  }));

test('an answer that breaks off is asked for again', () =>
  through(async ({ plan, seen }, kai) => {
    plan.push({ status: 200, headers: { 'content-length': '140' }, body: '{"agents": []}', broken: true }, 'pass');
    assert.ok((await kai.agents.list({ limit: 1 })).rows);
    assert.equal(seen.length, 2);
  }));

test('streams and files fail with errors of this package', () =>
  through(async ({ plan, url }, kai) => {
    const walk = async () => {
      for await (const event of kai.calls.stream('0190a0b0-0000-7000-8000-000000000000')) assert.fail(event.type);
    };
    plan.push('drop', 'drop', 'drop');
    await assert.rejects(walk(), APIConnectionError);
    const recording = { status: 200, body: JSON.stringify({ recording_url: `${url}/file`, status: 'available' }) };
    plan.push(recording, 'drop', 'drop', 'drop');
    await assert.rejects(kai.recordings.download('x'), APIConnectionError);
    plan.push(recording, { status: 410 });
    await assert.rejects(kai.recordings.download('x'), (error) => error instanceof APIError && error.status === 410);
    plan.push(recording, { status: 200, body: 'RIFF' });
    assert.equal(Buffer.from(await kai.recordings.download('x')).toString(), 'RIFF');
  }));
