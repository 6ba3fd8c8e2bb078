// A call, its conversation as it happens, and what came of it.
//
//   KAICALLS_API_KEY=kc_test_… KAICALLS_BASE_URL=http://localhost:8080 node first-call.mjs [NUMBER]

import { KaiCalls } from 'kaicalls';

const kai = new KaiCalls();
const { businesses } = await kai.balance.get();
const agent = await kai.agents.create({
  businessId: businesses[0].business_id,
  name: 'Kai Receptionist',
  systemPrompt: 'You call for {{business_name}}. Ask for name, e-mail address and what it is about.',
});
const call = await kai.calls.create({ agentId: agent.id, to: process.argv[2] ?? '+15005550007', name: 'Maria' });
const result = await kai.calls.wait(call.id, {
  onEvent: (event) => event.type === 'said' && console.log(`  ${event.by.padStart(6)}: ${event.text}`),
});
console.log(`${result.status}: ${result.summary ?? result.error}`);
