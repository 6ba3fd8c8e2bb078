"""A call, its conversation as it happens, and what came of it.

    KAICALLS_API_KEY=kc_test_… KAICALLS_BASE_URL=http://localhost:8080 python first_call.py [NUMBER]
"""

import sys

from kaicalls import CallEvent, KaiCalls


def show(event: CallEvent) -> None:
    if event.type == "said":
        print(f"  {event.by:>6}: {event.text}")


def main() -> None:
    number = sys.argv[1] if len(sys.argv) > 1 else "+15005550007"
    with KaiCalls() as kai:
        business = kai.balance.get().businesses[0].business_id
        agent = kai.agents.create(
            business_id=business,
            name="Kai Receptionist",
            system_prompt="You call for {{business_name}}. Ask for name, e-mail address and what it is about.",
        )
        call = kai.calls.create(agent_id=agent.id, to=number, name="Maria")
        result = kai.calls.wait(call.id, on_event=show)
        print(f"{result.status}: {result.summary or result.error}")


if __name__ == "__main__":
    main()
