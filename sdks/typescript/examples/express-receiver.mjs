// Receives webhooks with Express.
//
//   npm install express
//   KAICALLS_WEBHOOK_SECRET=whsec_… node express-receiver.mjs

import express from 'express';
import { webhooks } from 'kaicalls';

const secret = process.env.KAICALLS_WEBHOOK_SECRET ?? '';
const handled = new Set();
const app = express();

app.post('/calls', express.raw({ type: 'application/json' }), async (request, response) => {
  let event;
  try {
    event = await webhooks.verify(request.body, request.headers, secret);
  } catch (error) {
    return response.status(400).send(error.message);
  }
  // An event may come twice. Keep the ids where they survive a restart.
  if (!handled.has(event.eventId)) {
    handled.add(event.eventId);
    console.log(event.event, event.call_id, event.event === 'call.completed' ? event.summary : event.error);
  }
  return response.sendStatus(204);
});

const server = app.listen(Number(process.env.PORT ?? 9000), () => console.log(`listening on ${server.address().port}`));
