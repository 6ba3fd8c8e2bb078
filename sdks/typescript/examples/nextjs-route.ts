// Receives webhooks in a Next.js application: app/api/calls/route.ts. Runs on Node and on the edge.

import { webhooks } from 'kaicalls';

export async function POST(request: Request): Promise<Response> {
  try {
    const body = await request.text();
    const event = await webhooks.verify(body, request.headers, process.env.KAICALLS_WEBHOOK_SECRET ?? '');
    console.log(event.event, event.call_id);
    return new Response(null, { status: 204 });
  } catch (error) {
    return new Response(error instanceof Error ? error.message : 'not verified', { status: 400 });
  }
}
