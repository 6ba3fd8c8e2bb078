"""The tests run against a real server; `cargo xtask test` starts one and says where it is."""

from __future__ import annotations

import os
from typing import AsyncIterator, Iterator

import pytest

from kaicalls import AsyncKaiCalls, KaiCalls

FRIENDLY = "+15005550006"
TELLS_EVERYTHING = "+15005550007"
NO_ANSWER = "+15005550004"
BUSY = "+15005550003"


@pytest.fixture(scope="session")
def base_url() -> str:
    return os.environ["KAICALLS_BASE_URL"]


@pytest.fixture()
def kai() -> Iterator[KaiCalls]:
    with KaiCalls() as client:
        yield client


@pytest.fixture()
async def akai() -> AsyncIterator[AsyncKaiCalls]:
    async with AsyncKaiCalls() as client:
        yield client


@pytest.fixture(scope="session")
def business() -> str:
    with KaiCalls() as client:
        return client.balance.get().businesses[0].business_id


@pytest.fixture(scope="session")
def agent(business: str) -> str:
    with KaiCalls() as client:
        made = client.agents.create(
            business_id=business,
            name="Front desk",
            system_prompt="You call for {{business_name}}. Find out why they called.",
            first_message="Hello {{name}}, this is the front desk. How can I help?",
        )
        return made.id
