"""A yardstick for `cargo xtask bench`: placing and reading a call the usual way in Python, with FastAPI and asyncpg."""

import json
import os
import random
import time
import uuid
from contextlib import asynccontextmanager

import asyncpg
import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

STATEMENTS = json.loads(os.environ["STATEMENTS"])
BUSINESS = uuid.uuid4()


class Order(BaseModel):
    agent_id: str
    to: str


@asynccontextmanager
async def lifespan(app):
    size = int(os.environ["POOL"])
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=size, max_size=size) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/calls", status_code=201)
async def place(order: Order):
    call = uuid.uuid4()
    at = time.time_ns() // 1000 + random.randrange(1000)
    async with app.state.pool.acquire() as connection, connection.transaction():
        await connection.execute(STATEMENTS["call"], call, BUSINESS, at, f"sbx_{call}")
        for seq in range(1, 6):
            await connection.execute(STATEMENTS["log"], call, seq, at)
        await connection.execute(STATEMENTS["event"], uuid.uuid4(), BUSINESS, call, STATEMENTS["payload"], at)
        await connection.execute(STATEMENTS["usage"], uuid.uuid4(), BUSINESS, call, at)
    return {"id": str(call), "agent_id": order.agent_id, "to": order.to, "status": "failed"}


@app.get("/calls/{call}")
async def read(call: uuid.UUID):
    async with app.state.pool.acquire() as connection:
        row = await connection.fetchrow(STATEMENTS["read"], call)
    if row is None:
        raise HTTPException(404)
    return dict(row)


uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning", access_log=False)
