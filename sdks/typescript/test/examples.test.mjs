// The quickstarts, run as a reader would. `EXAMPLES` is the folder they were copied to.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'node:test';
import { pathToFileURL } from 'node:url';

import { KaiCalls, webhooks } from 'kaicalls';

const FRIENDLY = '+15005550006';
const SECRET = 'whsec_c2VjcmV0IG9mIGEgdGVzdA==';
const BODY = JSON.stringify({ event: 'call.failed', call_id: 'c1', status: 'failed', error: 'busy' });
const folder = process.env.EXAMPLES;

async function run(name, ...rest) {
  const child = spawn(process.execPath, [`${folder}/${name}`, ...rest], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk) => (said += chunk));
  const [code] = await once(child, 'exit');
  assert.equal(code, 0, said);
  return said;
}

test('the first call', async () => {
  const said = await run('first-call.mjs');
  assert.match(said, /caller: /);
  assert.match(said, /completed: /);
});

test('a list of leads is called', async () => {
  const kai = new KaiCalls();
  const businessId = (await kai.balance.get()).businesses[0].business_id;
  const agent = await kai.agents.create({ businessId, name: 'A', systemPrompt: 'x' });
  const lead = await kai.leads.create({ businessId, name: 'Ada Example', phone: FRIENDLY, status: 'to_call' });
  assert.ok((await run('call-leads.mjs', agent.id, 'to_call')).includes(FRIENDLY));
  assert.equal((await kai.leads.get(lead.id)).status, 'contacted');
});

test('the Express receiver takes what is signed and nothing else', async () => {
  const env = { ...process.env, KAICALLS_WEBHOOK_SECRET: SECRET, PORT: '0' };
  const child = spawn(process.execPath, [`${folder}/express-receiver.mjs`], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const [hello] = await once(child.stdout, 'data');
    const url = `http://127.0.0.1:${/listening on (\d+)/.exec(String(hello))[1]}/calls`;
    const headers = await webhooks.sign(BODY, SECRET);
    const heard = once(child.stdout, 'data');
    assert.equal((await fetch(url, { method: 'POST', headers, body: BODY })).status, 204);
    assert.equal((await fetch(url, { method: 'POST', headers, body: BODY })).status, 204);
    assert.equal((await fetch(url, { method: 'POST', headers, body: `${BODY} ` })).status, 400);
    assert.equal(String((await heard)[0]).trim(), 'call.failed c1 busy');
  } finally {
    child.kill();
  }
});

test('the Next.js route takes what is signed and nothing else', async () => {
  process.env.KAICALLS_WEBHOOK_SECRET = SECRET;
  const { POST } = await import(pathToFileURL(`${folder}/nextjs-route.mjs`).href);
  const headers = await webhooks.sign(BODY, SECRET);
  const post = (body) => POST(new Request('http://localhost/api/calls', { method: 'POST', headers, body }));
  assert.equal((await post(BODY)).status, 204);
  assert.equal((await post(`${BODY} `)).status, 400);
});
