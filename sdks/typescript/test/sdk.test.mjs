// Every resource against the server. `cargo xtask test` starts one, installs the packed package, and says where they are.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import test from 'node:test';

import {
  AuthenticationError,
  CallFailedError,
  InvalidRequestError,
  KaiCalls,
  NotFoundError,
  WaitTimeoutError,
  WebhookVerificationError,
  webhooks,
} from 'kaicalls';
import * as kaicalls from 'kaicalls';

const FRIENDLY = '+15005550006';
const TELLS_EVERYTHING = '+15005550007';
const NO_ANSWER = '+15005550004';
const BUSY = '+15005550003';

const kai = new KaiCalls();
const businessId = (await kai.balance.get()).businesses[0].business_id;
const agent = await kai.agents.create({
  businessId,
  name: 'Front desk',
  systemPrompt: 'You call for {{business_name}}. Find out why they called.',
  firstMessage: 'Hello {{name}}, this is the front desk. How can I help?',
});

test('the snippet of the description runs', async () => {
  const kai = new KaiCalls({ apiKey: process.env.KAICALLS_API_KEY });
  await kai.calls.create({ agentId: agent.id, to: FRIENDLY, name: 'John Smith' });
  const lead = await kai.leads.create({ businessId, name: 'John Smith', phone: FRIENDLY });
  const call = await kai.calls.create({
    agentId: agent.id,
    to: FRIENDLY,
    name: 'John Smith',
    leadId: lead.id,
    context: 'Following up on car accident case',
    firstMessage: 'Hey John, this is Kai — do you have a minute?',
  });
  await kai.calls.wait(call.id);
  const result = await kai.calls.get(call.id);
  assert.ok(result.summary && result.lead_id === lead.id);
  const made = await kai.agents.create({
    businessId,
    name: 'Kai Receptionist',
    systemPrompt: 'You are a friendly receptionist for Smith Law.',
    firstMessage: 'Hello! How can I help you today?',
  });
  await kai.agents.update({ id: made.id, systemPrompt: 'New instructions.' });
  assert.equal((await kai.agents.get(made.id)).prompts.inbound, 'New instructions.');
});

test('calls are ended and callers are played', async () => {
  const call = await kai.calls.create({ agentId: agent.id, to: NO_ANSWER });
  await kai.calls.wait(call.id);
  const ended = await kai.calls.end({ id: call.id });
  assert.deepEqual([ended.id, ended.status, ended.was_over], [call.id, 'failed', true]);
  const ring = (scenario) => kai.sandbox.incoming({ to: '+15125550199', from: '+15125550147', scenario });
  await assert.rejects(() => ring('new_client'), NotFoundError);
  await assert.rejects(() => ring('nobody'), InvalidRequestError);
});

test('both spellings mean the same', async () => {
  const call = await kai.calls.create({ agent_id: agent.id, to: NO_ANSWER, first_message: 'Hi.', max_duration: 60 });
  assert.equal((await kai.calls.get(call.id)).agent_id, agent.id);
  // What is inside of objects is the owner's own and stays as it is.
  await kai.agents.update({ id: agent.id, metadata: { teamName: 'intake' }, voice: { provider: 'elevenlabs', voiceId: 'sarah' } });
  const read = await kai.agents.get(agent.id);
  assert.deepEqual([read.metadata, read.voice], [{ teamName: 'intake' }, { provider: 'elevenlabs', voiceId: 'sarah' }]);
});

test('a call from beginning to end, live', async () => {
  const heard = [];
  const placed = await kai.calls.create({ agentId: agent.id, to: TELLS_EVERYTHING });
  const call = await kai.calls.wait(placed.id, { onEvent: (event) => heard.push(event) });
  assert.equal(call.status, 'completed');
  assert.ok(call.summary && call.quality_dimensions.empathy <= 100);
  assert.equal(heard.at(-1).type, 'completed');
  assert.ok(heard.some((event) => event.type === 'said' && event.by === 'caller' && event.text));
  assert.match((await kai.transcripts.get(call.id)).transcript, /Caller: /);
  assert.equal((await kai.leads.get(call.lead_id)).phone, TELLS_EVERYTHING);
  const recording = await kai.recordings.get(call.id);
  if (recording.status === 'available') {
    const sound = new Uint8Array(await kai.recordings.download(call.id));
    assert.equal(String.fromCharCode(...sound.slice(0, 4)), 'RIFF');
  } else {
    await assert.rejects(kai.recordings.download(call.id), { code: 'recording_unavailable' });
  }
});

test('calls that never connect say why', async () => {
  for (const [number, error] of [[BUSY, 'busy'], [NO_ANSWER, 'no_answer']]) {
    const placed = await kai.calls.create({ agentId: agent.id, to: number });
    const call = await kai.calls.wait(placed.id, { interval: 20 });
    assert.deepEqual([call.status, call.error], ['failed', error]);
  }
  await assert.rejects(kai.calls.create({ agentId: agent.id, to: '+15005550001' }), (error) => {
    assert.ok(error instanceof CallFailedError && error.requestId && error.hint);
    return true;
  });
});

test('pages are walked and the first is at hand', async () => {
  for (let count = 0; count < 5; count += 1) await kai.calls.create({ agentId: agent.id, to: NO_ANSWER });
  const first = await kai.calls.list({ agentId: agent.id, limit: 2 });
  assert.equal(first.calls.length, 2);
  assert.ok(first.has_more && first.hasNextPage());
  const second = await first.nextPage();
  assert.notEqual(second.rows[0].id, first.rows[0].id);
  const ids = [];
  for await (const call of kai.calls.list({ agentId: agent.id, limit: 2 })) ids.push(call.id);
  assert.ok(ids.length >= 5 && new Set(ids).size === ids.length);
  const again = [];
  for await (const call of first) again.push(call.id);
  assert.deepEqual(again, ids);
  assert.deepEqual(Object.keys(first).sort(), ['calls', 'has_more']);
  assert.equal((await kai.calls.list({ status: ['completed', 'failed'], limit: 1 })).rows.length, 1);
});

test('leads, numbers, usage and health', async () => {
  const lead = await kai.leads.create({ businessId, name: 'Ada Example', email: 'Ada@Example.com', source: 'web_form' });
  assert.deepEqual([lead.first_name, lead.last_name, lead.status], ['Ada', 'Example', 'new']);
  assert.equal((await kai.leads.update({ id: lead.id, status: 'contacted', notes: 'x' })).status, 'contacted');
  assert.equal((await kai.leads.update({ id: lead.id, notes: null })).notes, null);
  const found = await kai.leads.list({ email: 'ada@example.com', status: ['contacted'], createdAfter: new Date(0) });
  assert.ok(found.leads.some((one) => one.id === lead.id));
  assert.ok(Array.isArray((await kai.numbers.list()).rows));
  assert.ok((await kai.usage.list({ limit: 5 })).usage.length > 0);
  assert.match((await kai.health.get()).status, /ok|degraded/);
  assert.match((await kai.openapi.get()).openapi, /^3\.1/);
  const can = await kai.capabilities.get();
  assert.ok(can.key.mode === 'test' && can.endpoints.some((route) => route.available));
  assert.deepEqual((await kai.schemas.get({ name: 'newcall' })).schema.required, ['agent_id', 'to']);
  assert.ok((await kai.account.balance()).businesses.length && (await kai.discovery.health()).status);
});

test('errors say what went wrong and what to do', async () => {
  await assert.rejects(kai.calls.create({ agentId: agent.id, to: '12345' }), (error) => {
    assert.ok(error instanceof InvalidRequestError && error.fields[0].field === 'to', error.message);
    return true;
  });
  await assert.rejects(kai.calls.get('0190a0b0-0000-7000-8000-000000000000'), (error) => {
    assert.ok(error instanceof NotFoundError && error.name === 'NotFoundError' && error.status === 404 && error.requestId);
    assert.match(error.message, /live and test keys/);
    return true;
  });
  await assert.rejects(new KaiCalls({ apiKey: 'kc_test_nobody' }).agents.list(), AuthenticationError);
  await assert.rejects(kai.calls.wait((await kai.calls.create({ agentId: agent.id, to: FRIENDLY })).id, { timeout: -1 }).then((call) => {
    throw new WaitTimeoutError('it was over already', { code: 'wait_timeout', body: call });
  }), (error) => error instanceof WaitTimeoutError && Boolean(error.call.id));
});

test('the raw answer is at hand', async () => {
  const { data, response, requestId } = await kai.agents.get(agent.id).withResponse();
  assert.ok(data.id === agent.id && response.status === 200 && requestId);
  assert.match(response.headers.get('content-type'), /json/);
  assert.match((await kai.request('GET', '/api/v1/health')).status, /ok|degraded/);
  await assert.rejects(kai.request('GET', '/api/sdr/pipeline', { query: { businessId: 'x' } }), NotFoundError);
});

test('a login manages keys', async () => {
  const admin = await KaiCalls.login(process.env.KAICALLS_TEST_EMAIL, process.env.KAICALLS_TEST_PASSWORD);
  const made = await admin.keys.create({ name: 'From a test', scopes: ['calls:read'] });
  assert.match(made.key, /^kc_live_/);
  assert.ok((await admin.keys.list()).keys.some((key) => key.id === made.id));
  assert.equal((await admin.keys.revoke(made.id)).success, true);
});

test('hooks see requests and answers', async () => {
  const seen = [];
  const hooked = new KaiCalls({
    baseUrl: `${kai.baseUrl}/api/v1/`,
    onRequest: (request) => seen.push(`${request.method} ${new URL(request.url).pathname}`),
    onResponse: (_, response) => seen.push(response.status),
  });
  await hooked.agents.list({ limit: 1 });
  assert.deepEqual(seen, ['GET /api/v1/agents', 200]);
});

test('without a key it says how to get one', () => {
  const key = process.env.KAICALLS_API_KEY;
  delete process.env.KAICALLS_API_KEY;
  assert.throws(() => new KaiCalls(), /kaicalls keys create/);
  process.env.KAICALLS_API_KEY = key;
  assert.throws(() => new KaiCalls({ baseUrl: 'localhost:8080' }), /http:\/\//);
});

test('CommonJS gets the same', () => {
  const required = createRequire(import.meta.url)('kaicalls');
  assert.equal(typeof required.KaiCalls, 'function');
  assert.equal(typeof required.webhooks.verify, 'function');
});

test('every block of the README runs', async () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]);
  assert.ok(blocks.length >= 8);
  const { body, headers } = await webhooks.testMessage('call.completed', SECRET);
  const lead = await kai.leads.create({ businessId, name: 'John Smith', phone: TELLS_EVERYTHING });
  const call = await kai.calls.create({ agentId: agent.id, to: FRIENDLY });
  const known = { KaiCalls, kai, agent, lead, body, headers, secret: SECRET, myFetch: fetch };
  // What a reader would put into the places of the dots, and numbers that ring in the sandbox.
  const places = {
    "'kc_test_…'": `'${process.env.KAICALLS_API_KEY}'`,
    "'http://localhost:8080'": `'${process.env.KAICALLS_BASE_URL}'`,
    "agentId: '…'": `agentId: '${agent.id}'`,
    "calls.get('…')": `calls.get('${call.id}')`,
    "login('you@example.com', '…')": `login(${JSON.stringify(process.env.KAICALLS_TEST_EMAIL)}, ${JSON.stringify(process.env.KAICALLS_TEST_PASSWORD)})`,
    "'https://example.com/calls'": "'http://127.0.0.1:9/calls'",
    '+15125551234': TELLS_EVERYTHING,
    'order-4711': `order-${crypto.randomUUID()}`,
  };
  const AsyncFunction = (async () => {}).constructor;
  for (let block of blocks) {
    for (const [place, value] of Object.entries(places)) block = block.replaceAll(place, () => value);
    block = block.replaceAll(/import (\{[^}]*\}) from 'kaicalls';/g, 'const $1 = kaicalls;');
    // A block may give a name that is known outside of it to something of its own.
    await new AsyncFunction('kaicalls', ...Object.keys(known), `{${block}}`)(kaicalls, ...Object.values(known));
  }
});

const SECRET = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`;
const BODY = JSON.stringify({ event: 'call.completed', call_id: 'c1', status: 'completed', duration: 7 });

test('what the server sends is accepted', async () => {
  const received = Promise.withResolvers ? Promise.withResolvers() : deferred();
  const server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      response.writeHead(204).end();
      received.resolve({ headers: request.headers, body: Buffer.concat(chunks) });
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const webhookUrl = `http://127.0.0.1:${server.address().port}/calls`;
  const call = await kai.calls.create({ agentId: agent.id, to: FRIENDLY, webhookUrl });
  const { headers, body } = await received.promise;
  server.close();
  const secret = process.env.KAICALLS_WEBHOOK_SECRET;
  const event = await webhooks.verify(body, headers, secret);
  assert.deepEqual([event.event, event.call_id, event.status], ['call.completed', call.id, 'completed']);
  assert.ok(event.eventId);
  const entries = Object.entries(headers);
  for (const own of [true, false]) {
    const some = Object.fromEntries(entries.filter(([name]) => name.startsWith('x-kaicalls') === own));
    assert.equal((await webhooks.verify(body, some, ['whsec_b2xk', secret])).call_id, call.id);
    await assert.rejects(webhooks.verify(`${body} `, new Headers(some), secret), WebhookVerificationError);
  }
});

test('what tests sign is accepted, and nothing else is', async () => {
  const now = 1_800_000_000;
  const headers = await webhooks.sign(BODY, SECRET, { id: 'evt_1', timestamp: now });
  for (const prefix of ['webhook-', 'x-kaicalls-']) {
    const some = Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith(prefix)));
    const event = await webhooks.verify(BODY, some, SECRET, { now: now + 299 });
    assert.ok(event.eventId === 'evt_1' && event.event === 'call.completed');
  }
  for (const [change, code] of [
    [{ 'webhook-signature': 'v1,AAAA' }, 'webhook_wrong_signature'],
    [{ 'webhook-signature': '' }, 'webhook_wrong_signature'],
    [{ 'webhook-id': 'another' }, 'webhook_wrong_signature'],
    [{ 'webhook-timestamp': 'soon' }, 'webhook_no_timestamp'],
    [{ 'webhook-timestamp': '1700000000' }, 'webhook_stale'],
    [{ 'webhook-signature': undefined, 'x-kaicalls-signature': undefined }, 'webhook_no_signature'],
    [{ 'webhook-signature': undefined, 'x-kaicalls-signature': 'sha256=00' }, 'webhook_wrong_signature'],
  ]) {
    await assert.rejects(webhooks.verify(BODY, { ...headers, ...change }, SECRET, { now }), { code }, JSON.stringify(change));
  }
  for (const secret of ['', [], ['']]) {
    await assert.rejects(webhooks.verify(BODY, headers, secret, { now }), { code: 'webhook_no_secret' });
  }
  for (const later of [301, -301]) {
    await assert.rejects(webhooks.verify(BODY, headers, SECRET, { now: now + later }), { code: 'webhook_stale' });
  }
});

function deferred() {
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return made;
}
