// What programs for the first package do, and what happens around the package: installing, bundling, errors nobody waits for.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'node:test';

import { KaiCalls, KaiCallsError, signup, webhooks } from 'kaicalls';

const { KAICALLS_BASE_URL: baseUrl, KAICALLS_API_KEY: apiKey } = process.env;
const MISSING = '0190a0b0-0000-7000-8000-000000000000';

test('its methods are there, and what the server lacks answers 404', async () => {
  const kai = new KaiCalls({ apiKey, baseUrl, timeoutMs: 20_000 });
  assert.equal(kai.timeout, 20_000);
  for (const ask of [
    () => kai.sms.send({ to: '+15005550006', fromAgentId: 'a', message: 'Hello' }),
    () => kai.workspaces.get('id'),
    () => kai.webhooks.rotateSecret('id'),
    () => kai.analytics.dashboard({ days: 7 }),
    () => kai.evals.getRun({ runId: 'x' }),
    () => kai.communicationRuns.create({ businessId: 'x' }, 'key'),
    () => kai.agents.versions('x', { limit: 1 }),
  ]) {
    await assert.rejects(ask(), (error) => error instanceof KaiCallsError && error.status === 404, String(ask));
  }
  for (const ask of [
    () => signup({ businessName: 'B', email: 'a@example.com', baseUrl }),
    () => KaiCalls.signup({ businessName: 'B', email: 'a@example.com' }),
  ]) {
    await assert.rejects(ask(), (error) => error instanceof KaiCallsError && error.status === 403, String(ask));
  }
  assert.ok((await kai.phoneNumbers.list()).numbers);
  assert.ok((await kai.workspaces.list()).workspaces.length > 0);
  assert.equal((await kai.leads.audit({ windowHours: 12 })).window_hours, 12);
  assert.ok((await kai.account.balance()).businesses);
  const call = await kai.calls.list({ limit: 1 });
  if (call.calls[0]) assert.ok(await kai.calls.wait(call.calls[0].id, { timeoutMs: 20_000, intervalMs: 50 }));
});

test('what is sent, and where to', async () => {
  const seen = [];
  const fake = async (url, { method, headers, body }) => {
    seen.push([method, String(url), body && JSON.parse(body), headers['idempotency-key'], headers.authorization]);
    return new Response('{}', { headers: { 'content-type': 'application/json' } });
  };
  const kai = new KaiCalls({ apiKey: 'kc_live_x', baseUrl: 'https://a.example/', fetch: fake });
  await kai.evals.get('e1');
  await kai.communicationRuns.create({ business_id: 'b' }, 'key-1');
  await kai.communicationRuns.pause('r1');
  await kai.sms.send('+1', 'a', 'Hi');
  assert.deepEqual(
    seen.map((one) => one.slice(0, 4)),
    [
      ['GET', 'https://a.example/api/v1/evals?id=e1', undefined, undefined],
      ['POST', 'https://a.example/api/v1/communication-runs', { business_id: 'b' }, 'key-1'],
      ['PATCH', 'https://a.example/api/v1/communication-runs', { id: 'r1', action: 'pause' }, undefined],
      ['POST', 'https://a.example/api/v1/sms/send', { to: '+1', from_agent_id: 'a', message: 'Hi' }, undefined],
    ],
  );
  await signup({ businessName: 'B', email: 'a@example.com', baseUrl: 'https://a.example' }, { fetch: fake });
  assert.deepEqual(seen.at(-1), ['POST', 'https://a.example/api/v1/signup', { business_name: 'B', email: 'a@example.com' }, undefined, undefined]);
  const script = "import { KaiCalls } from 'kaicalls'; console.log(new KaiCalls({ apiKey: 'x' }).baseUrl)";
  const env = { ...process.env };
  delete env.KAICALLS_BASE_URL;
  const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], { env, encoding: 'utf8' });
  assert.equal(said.trim(), 'http://127.0.0.1:8080');
});

test('an error of withResponse ends nothing but the request', () => {
  const script = `import { KaiCalls } from 'kaicalls';
    const error = await new KaiCalls().calls.get('${MISSING}').withResponse().catch((error) => error);
    await new Promise((resolve) => setTimeout(resolve, 50));
    console.log(error.status);`;
  const ran = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.deepEqual([ran.status, ran.stdout.trim()], [0, '404'], ran.stderr);
});

test('a bundle for browsers does not look for modules of Node', () => {
  for (const kind of ['index.cjs', 'webhooks.js']) {
    const file = fileURLToPath(import.meta.resolve('kaicalls')).replace('index.js', kind);
    assert.doesNotMatch(readFileSync(file, 'utf8'), /['"]node:/, file);
  }
});

test('messages of every kind are made for tests', async () => {
  const secret = 'whsec_c2VjcmV0IG9mIGEgdGVzdA==';
  for (const [event, fields] of [['call.completed', { duration: 5 }], ['call.failed', { error: 'busy' }], ['lead.created', { id: 'l1' }]]) {
    const { body, headers } = await webhooks.testMessage(event, secret, fields);
    const read = await webhooks.verify(body, headers, secret);
    assert.equal(read.event, event);
    assert.equal(headers['x-kaicalls-event'], event);
    for (const [name, value] of Object.entries(fields)) assert.equal(read[name], value);
  }
});
