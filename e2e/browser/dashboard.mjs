// The dashboard in a real browser: from an empty folder to a call that was watched, heard and managed, with attacks in every field,
// accessibility of every page, and pictures of all of them.
//
// Wants KAICALLS_BINARY, CHROMIUM and PICTURES (a folder) in the environment.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import axe from 'axe-core';
import { chromium } from 'playwright-core';

const { KAICALLS_BINARY, CHROMIUM, PICTURES } = process.env;
const PASSWORD = 'correct horse battery staple';
const ATTACK = '<script>window.hacked = 1</script><img src=x onerror="window.hacked = 2">"\'';
mkdirSync(PICTURES, { recursive: true });

const folder = mkdtempSync(join(tmpdir(), 'kaicalls-browser-'));
const address = await freeAddress();
const base = `http://${address}`;
const environment = {
  PATH: process.env.PATH,
  KAICALLS_LISTEN: address,
  KAICALLS_LOG: 'error',
  KAICALLS_SANDBOX_PACE: '6',
  KAICALLS_RATE_LIMIT_READS: '100000',
  KAICALLS_RATE_LIMIT_WRITES: '100000',
  KAICALLS_RATE_LIMIT_LOGINS: '100000',
  KAICALLS_EGRESS_ALLOW: '127.0.0.1:*',
};
let server;
let browser;

try {
  await main();
} finally {
  await browser?.close();
  server?.child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
}

async function main() {
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--autoplay-policy=no-user-gesture-required'],
  });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, timezoneId: 'America/Chicago' });
  const page = await context.newPage();
  const complaints = watch(page);

  step('the first start: from an empty folder to a key, an agent and a call');
  server = await start();
  assert.equal(statSync(join(folder, 'kaicalls.toml')).mode & 0o777, 0o600, 'the new key is for its owner only');
  const link = /http\S+\/start\/\S+/.exec(server.printed())?.[0];
  assert.ok(link, server.printed());
  await page.goto(link);
  assert.equal(await page.inputValue('#timezone'), 'America/Chicago', 'the browser knows the zone');
  await page.fill('#business', 'Smith & Partners');
  await page.fill('#email', 'owner@example.com');
  await page.fill('#password', PASSWORD);
  await picture(page, 'start');
  await page.click('text=Create and continue');
  const key = await page.textContent('#key');
  assert.match(key, /^kc_test_[A-Za-z0-9]{38}$/);
  await picture(page, 'ready');

  step('a test call is watched from the click to its summary');
  await page.click('text=Place a test call');
  await page.waitForURL(/\/test\/calls\/[0-9a-f-]+/);
  const call = new URL(page.url()).pathname;
  await page.waitForSelector('.talk li.caller');
  await page.waitForSelector('.pill.busy');
  await picture(page, 'call-running');
  await page.waitForSelector('#summary-title', { timeout: 60_000 });
  await page.waitForSelector('.pill.good', { timeout: 60_000 });
  await page.waitForSelector('text=Empathy', { timeout: 60_000 });

  step('its recording is heard, from the beginning and from a word');
  for (let waited = 0; !(await page.$('#sound')) && waited < 20; waited += 1) {
    await page.waitForTimeout(500);
    await page.reload();
  }
  await page.click('[data-play]');
  await page.waitForFunction(() => document.querySelector('#sound').currentTime > 0.3);
  await page.waitForSelector('.talk .w.on');
  await page.click('.talk li.agent >> nth=1 >> .w >> nth=2');
  await page.waitForFunction(() => {
    const wanted = Number(document.querySelectorAll('.talk li.agent')[1].querySelectorAll('.w')[2].dataset.t) / 1000;
    const now = document.querySelector('#sound').currentTime;
    return now >= wanted && now < wanted + 3;
  });
  await page.click('[data-play]');

  step('a key lives and ends');
  await page.goto(`${base}/test/keys`);
  await page.click('header >> text=New key');
  await page.fill('#key-name', 'For the CRM');
  await page.click('dialog >> text=Create');
  const made = await page.textContent('#made');
  assert.equal((await api(made, '/api/v1/calls')).status, 200);
  await page.click('tr:has-text("For the CRM") >> text=Revoke');
  await page.click('dialog[open] >> button.main');
  await page.waitForSelector('text=The key is revoked.');
  assert.equal((await api(made, '/api/v1/calls')).status, 401);

  step('a webhook is made, tried out, looked into and sent again');
  const statuses = [500];
  const told = [];
  const receiver = createServer((request, response) => {
    told.push(request.headers['webhook-id']);
    response.writeHead(statuses.shift() ?? 200, { 'content-type': 'text/html' }).end(ATTACK);
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  await page.goto(`${base}/test/webhooks`);
  await page.click('header >> text=New webhook');
  await page.fill('#hook-url', `http://127.0.0.1:${receiver.address().port}/hook`);
  await page.fill('#hook-description', ATTACK);
  await page.click('#new-webhook button.main');
  assert.match(await page.textContent('#secret'), /^whsec_/);
  await picture(page, 'webhook-secret');
  await page.click('.actions >> text=Send a test');
  await page.waitForSelector('text=Answered 500');
  assert.equal(await page.$('#secret'), null, 'the secret is shown once');
  const webhook = new URL(page.url()).pathname;
  const event = `/test/events/${told[0]}`;
  await page.click('.delivery >> text=Send again');
  await page.waitForSelector('text=It is on its way again.');
  for (let waited = 0; !(await page.$('text=Answered 200')) && waited < 40; waited += 1) {
    await page.waitForTimeout(250);
    await page.reload();
  }
  assert.deepEqual(told, [told[0], told[0]], 'it was sent again under its id');
  assert.equal(await page.textContent('.delivery .pill >> nth=0'), 'Delivered');

  step('somebody talks with the agent in writing, and a lead comes of it');
  await page.goto(`${base}/test/agents`);
  await page.click('#results a.row, table a.row >> nth=0');
  await page.click('header >> text=Save and talk to it');
  await page.waitForSelector('#talk .talk li.agent');
  for (const [turn, words] of ['My name is Ada Byron, and my email is ada at example dot com.', `I was in a car accident. ${ATTACK}`].entries()) {
    await page.keyboard.type(words);
    await page.keyboard.press('Enter');
    await page.waitForFunction((turns) => document.querySelectorAll('#talk .talk li.caller').length > turns
      && document.querySelector('#talk .talk li:last-child.agent'), turn);
  }
  await page.waitForSelector('#talk .facts dd:has-text("ada@example.com")');
  await picture(page, 'talk');
  await page.click('text=Hang up');
  await page.waitForSelector('#talk .pill.good', { timeout: 30_000 });
  await page.waitForSelector('#talk a:has-text("Ada Byron")');
  assert.equal(await page.$('form.writing'), null, 'nothing can be said any more');
  const talk = new URL(page.url());

  step('a table narrows while somebody types, and is used by keys');
  await page.goto(`${base}/test/calls`);
  await page.keyboard.press('/');
  await page.keyboard.type('no such caller');
  await page.waitForSelector('text=No call matches');
  assert.match(page.url(), /q=no\+such\+caller/);
  await page.fill('input[type=search]', 'maria');
  await page.waitForSelector('#results a.row');
  await page.keyboard.press('Escape');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForURL(`**${call}`);

  step('a call gets a note and a tag, and the search for the tag is kept as a view');
  await page.fill('#note-text', ATTACK);
  await page.fill('#note-tags', 'call back, accident');
  await page.click('text=Save note');
  await page.waitForSelector('text=Saved.');
  await page.click('header >> text=call back');
  await page.waitForSelector('#results a.row');
  await page.click('text=Save view');
  await page.fill('#view-name', 'To call back');
  await picture(page, 'view-dialog');
  await page.click('#keep-view button.main');
  await page.waitForSelector('#views a[aria-current=true]:has-text("To call back")');

  step('nothing that strangers write is ever run');
  const { business_id: business, id: agent } = await attack(key);
  const lead = await api(key, '/api/v1/leads', {
    business_id: business, phone: '+15005550006', name: ATTACK, message: ATTACK, notes: ATTACK, city: ATTACK, source_page: ATTACK,
  });
  const placed = await api(key, '/api/v1/calls', {
    agent_id: agent, to: '+15005550006', name: ATTACK, context: ATTACK, first_message: ATTACK,
  });
  await settled(key, placed.body.id);
  const pages = {
    home: '/test', calls: '/test/calls', call, 'call-attacked': `/test/calls/${placed.body.id}`, leads: '/test/leads',
    lead: `/test/leads/${lead.body.id}`, agents: '/test/agents', agent: `/test/agents/${agent}`,
    talk: talk.pathname + talk.search, version: `/test/agents/${agent}/versions/1`, keys: '/test/keys', requests: '/test/requests',
    webhooks: '/test/webhooks', webhook, events: '/test/events', 'events-none': '/test/events?type=sms.sent', event,
    'webhooks-none': '/live/webhooks', settings: '/test/settings', 'second-factor': '/test/settings/second-factor', 'second-factor-app': '/test/settings/second-factor/app',
    'lead-import': '/test/leads/import', people: `/test/people/${business}`, audit: '/test/audit',
    'calls-live': '/live/calls', nothing: '/test/nothing',
  };
  for (const path of Object.values(pages)) {
    await page.goto(base + path);
    assert.equal(await page.evaluate(() => window.hacked), undefined, path);
  }

  step('pages of other sites can do nothing with the session');
  const foreign = createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(`<form method="post" action="${base}${call}/again"></form><script>document.forms[0].submit()</script>`);
  }).listen(0, '127.0.0.1');
  await once(foreign, 'listening');
  const before = (await api(key, '/api/v1/calls')).body.calls.length;
  await page.goto(`http://localhost:${foreign.address().port}/`);
  await page.waitForURL(`${base}/**`);
  await page.waitForTimeout(300);
  assert.equal((await api(key, '/api/v1/calls')).body.calls.length, before, 'no call was placed');
  foreign.close();
  receiver.close();

  step('the reference of the API leads from its contents to every operation');
  await page.goto(`${base}/docs`);
  await page.click('aside >> text=Place a call');
  assert.equal(new URL(page.url()).hash, '#calls-create');
  assert.ok((await page.locator('#calls-create').boundingBox()).y < 300, 'the operation is in view');
  assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll('a[href^="#"]')]
    .map((link) => link.hash.slice(1)).filter((id) => !document.getElementById(id))), [], 'every link of the contents leads somewhere');

  step('a second factor: a passkey and an app for codes, at the login and before what cannot be taken back');
  await secondFactor(page, context);

  step('a lost connection is said and resumed');
  await page.goto(`${base}/test`);
  const lost = page.locator('#lost');
  server.child.kill('SIGKILL');
  await lost.waitFor({ state: 'visible' });
  server = await start();
  await lost.waitFor({ state: 'hidden', timeout: 30_000 });

  step('every page at two widths in both themes: accessible, no wider than the window, and pictured');
  const faults = [];
  const session = await context.storageState();
  for (const width of [360, 2560]) {
    for (const theme of ['light', 'dark']) {
      const other = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: theme, storageState: session });
      const view = await other.newPage();
      for (const [name, path] of [...Object.entries(pages), ['login', '/login'], ['reference', '/docs']]) {
        if (name === 'login') await other.clearCookies();
        await view.goto(base + path);
        await view.waitForTimeout(150);
        await view.screenshot({ path: join(PICTURES, `${name}-${width}-${theme}.png`), fullPage: true });
        if (await view.evaluate(() => document.documentElement.scrollWidth > innerWidth)) faults.push(`${name} is wider than ${width} px`);
        faults.push(...(await accessibility(other, view)).map((fault) => `${name} ${width} ${theme}: ${fault}`));
      }
      await other.close();
    }
  }
  assert.deepEqual(faults, []);
  assert.deepEqual(complaints, [], 'the browser complained');
  console.log('the dashboard works in a browser');
}

function step(text) {
  console.log(`   ${text}`);
}

/** Browsers make passkeys for names only, so the owner logs in again under the name of this machine. */
async function secondFactor(page, context) {
  const named = base.replace('127.0.0.1', 'localhost');
  const tools = await context.newCDPSession(page);
  await tools.send('WebAuthn.enable');
  const { authenticatorId } = await tools.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'usb', hasResidentKey: false, hasUserVerification: false, automaticPresenceSimulation: true },
  });
  const logIn = async () => {
    await page.goto(`${named}/login`);
    await page.fill('#email', 'owner@example.com');
    await page.fill('#password', PASSWORD);
    await page.click('button:has-text("Log in")');
  };
  await logIn();
  await page.waitForURL(/\/(test|live)$/);
  await page.goto(`${named}/test/settings`);
  await page.click('text=Set up a second factor');
  await picture(page, 'second-factor-none');
  await page.click('header >> text=Add a passkey');
  await page.fill('#passkey-name', ATTACK);
  await page.click('dialog[open] >> [data-passkey]');
  const codes = (await page.textContent('#codes')).trim().split(/\s+/);
  assert.equal(codes.length, 10);
  await picture(page, 'second-factor-codes');
  assert.equal((await tools.send('WebAuthn.getCredentials', { authenticatorId })).credentials.length, 1);

  await page.click('[aria-label="Log out"]');
  await logIn();
  await page.waitForURL(/\/login\/second/);
  await picture(page, 'login-second');
  await page.goto(`${named}/test/calls`);
  assert.match(page.url(), /\/login\?/, 'half a login opens nothing');
  await page.goto(`${named}/login/second`);
  await page.click('text=Use a passkey');
  await page.waitForURL(/\/(test|live)$/);

  // An authenticator that is gone: a recovery code counts, once.
  await tools.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId });
  for (const counts of [true, false]) {
    await page.click('[aria-label="Log out"]');
    await logIn();
    // Not before: whoever looks closes a session of the browser's tools, and the authenticator goes with it.
    assert.deepEqual(await accessibility(context, page), []);
    await page.fill('#code', codes[0]);
    await page.click('text=Log in with the code');
    if (counts) await page.waitForURL(/\/(test|live)$/);
    else await page.waitForSelector('text=That does not count.');
    if (counts) {
      await page.goto(`${named}/test/settings/second-factor`);
      await page.waitForSelector('text=9 left');
    }
  }
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  await tools.detach();
  await context.clearCookies({ name: 'kaicalls_login' });
}

/** Collects what a browser complains of; what the tests break themselves does not count. */
function watch(page) {
  const found = [];
  page.on('pageerror', (error) => found.push(error.message));
  page.on('dialog', (dialog) => { found.push(`a dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on('console', (message) => {
    const text = message.text();
    const expected = /ERR_|Failed to load resource|status of 4/.test(text);
    if (message.type() === 'error' && !expected) found.push(text);
  });
  return found;
}

/** Violations of WCAG 2.2 AA. The rules run beside the page's own policy, as an extension's would. */
async function accessibility(context, page) {
  const tools = await context.newCDPSession(page);
  await tools.send('Runtime.evaluate', { expression: axe.source });
  const found = await page.evaluate(async () => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
    const { violations } = await window.axe.run(document, { runOnly: tags });
    return violations.flatMap(({ id, nodes }) => nodes.slice(0, 2).map(({ html }) => `${id}: ${html.slice(0, 160)}`));
  });
  await tools.detach();
  return found;
}

async function picture(page, name) {
  await page.screenshot({ path: join(PICTURES, `${name}-1440-light.png`), fullPage: true });
}

async function api(key, path, body) {
  const answer = await fetch(base + path, {
    method: body ? 'POST' : 'GET',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  return { status: answer.status, body: await answer.json() };
}

/** An agent whose every text is an attack. */
async function attack(key) {
  const known = (await api(key, '/api/v1/agents')).body.agents[0];
  const made = await api(key, '/api/v1/agents', {
    business_id: known.business_id, name: ATTACK, system_prompt: ATTACK, first_message: ATTACK, metadata: { [ATTACK]: ATTACK },
  });
  assert.equal(made.status, 201);
  return { business_id: known.business_id, id: made.body.id };
}

async function settled(key, call) {
  for (;;) {
    const { status } = (await api(key, `/api/v1/calls?id=${call}`)).body;
    if (status === 'completed' || status === 'failed') return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Starts the server in its folder and waits until it answers. */
async function start() {
  const child = spawn(KAICALLS_BINARY, ['serve'], { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.on('data', (data) => { printed += data; });
  for (;;) {
    assert.equal(child.exitCode, null, `the server ended: ${printed}`);
    try {
      if ((await fetch(`${base}/login`)).ok) return { child, printed: () => printed };
    } catch {
      // It is not there yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function freeAddress() {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address();
  taken.close();
  return `127.0.0.1:${port}`;
}
