// A yardstick for `cargo xtask bench`: placing and reading a call the usual way in Node, with Fastify and node-postgres.
import { randomUUID } from "node:crypto";
import Fastify from "fastify";
import pg from "pg";

const statements = JSON.parse(process.env.STATEMENTS);
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: Number(process.env.POOL) });
const app = Fastify();
const business = randomUUID();

const order = {
  type: "object",
  required: ["agent_id", "to"],
  properties: { agent_id: { type: "string" }, to: { type: "string" } },
};

app.post("/calls", { schema: { body: order } }, async (request, reply) => {
  const id = randomUUID();
  const at = Date.now() * 1000 + Math.floor(Math.random() * 1000);
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await client.query({ name: "call", text: statements.call, values: [id, business, at, `sbx_${id}`] });
    for (let seq = 1; seq <= 5; seq++) {
      await client.query({ name: "log", text: statements.log, values: [id, seq, at] });
    }
    await client.query({
      name: "event",
      text: statements.event,
      values: [randomUUID(), business, id, statements.payload, at],
    });
    await client.query({ name: "usage", text: statements.usage, values: [randomUUID(), business, id, at] });
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK");
    throw error;
  } finally {
    client.release();
  }
  reply.code(201);
  return { id, agent_id: request.body.agent_id, to: request.body.to, status: "failed" };
});

app.get("/calls/:id", async (request, reply) => {
  const found = await pool.query({ name: "read", text: statements.read, values: [request.params.id] });
  if (found.rows.length === 0) {
    reply.code(404);
    return { error: { code: "not_found" } };
  }
  return found.rows[0];
});

await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
