// What an editor knows: compiled, never run.

import { KaiCalls, WaitTimeoutError, webhooks, type CallDetail, type CallPlaced, type CallRow, type CallStatus, type NewCallInCamelCase, type WebhookEvent } from 'kaicalls';

export async function types(kai: KaiCalls): Promise<void> {
  const placed: CallPlaced = await kai.calls.create({ agentId: 'a', to: '+15125551234', firstMessage: 'Hi.', maxDuration: 60 });
  const snake: CallPlaced = await kai.calls.create({ agent_id: 'a', to: '+15125551234', first_message: 'Hi.' });
  const params: NewCallInCamelCase = { agentId: 'a', to: '+15125551234' };
  const status: CallStatus = (await kai.calls.create(params)).status;
  console.log(status, await kai.sms.send({ to: '+15125551234' }));
  // @ts-expect-error there is no such method
  await kai.sms.sent();
  const done: CallDetail = await kai.calls.wait(placed.id, { onEvent: (event) => console.log(event.text) });
  const summary: string | null = done.summary;
  const page = await kai.calls.list({ agentId: 'a', status: ['completed'] }, { timeout: 5_000 });
  const rows: CallRow[] = page.calls;
  const more: boolean = page.has_more && page.hasNextPage();
  for await (const call of kai.calls.list()) console.log(call.agent_name);
  const { data, response } = await kai.agents.get('a').withResponse();
  const event: WebhookEvent = await webhooks.verify('', new Headers(), 's');
  if (event.event === 'call.failed') console.log(event.error);
  else console.log(event.summary);
  // @ts-expect-error a misspelled field
  await kai.calls.create({ agentId: 'a', to: '+1', frist_message: 'Hi.' });
  // @ts-expect-error what is needed is missing
  await kai.calls.create({ to: '+1' });
  console.log(snake, summary, rows, more, data.name, response.status, WaitTimeoutError);
}
