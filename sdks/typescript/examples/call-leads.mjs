// Calls all new leads, a few at once, and notes how each call went.
//
//   KAICALLS_API_KEY=… KAICALLS_BASE_URL=… node call-leads.mjs AGENT_ID [STATUS]

import { KaiCalls } from 'kaicalls';

const AT_ONCE = 5;
const [agentId, status = 'new'] = process.argv.slice(2);
const kai = new KaiCalls();

async function call(lead) {
  try {
    const placed = await kai.calls.create({ agentId, to: lead.phone, leadId: lead.id });
    const done = await kai.calls.wait(placed.id);
    await kai.leads.update({ id: lead.id, status: 'contacted', notes: done.summary ?? done.error });
    console.log(`${lead.phone}: ${done.status}, ${done.summary ?? done.error}`);
  } catch (error) {
    console.log(`${lead.phone}: ${error.message}`);
  }
}

const leads = [];
for await (const lead of kai.leads.list({ status, limit: 100 })) if (lead.phone) leads.push(lead);
const worker = async () => {
  for (let lead = leads.shift(); lead; lead = leads.shift()) await call(lead);
};
await Promise.all(Array.from({ length: AT_ONCE }, worker));
