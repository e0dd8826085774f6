#!/usr/bin/env python3
"""NoneBot, a framework for QQ bots written by other people, talks OneBot 11 with a QQ account.

usage: nonebot_chat.py forward WS_URL TOKEN GROUP EXPECT SAY
       nonebot_chat.py reverse PORT TOKEN GROUP EXPECT SAY

forward: connects to WS_URL. reverse: listens on 127.0.0.1:PORT and waits to be connected to at /onebot/v11/ws. An empty TOKEN
is none. Waits for a message in GROUP whose text is EXPECT, answers it with SAY as a reply, lists the members, asks for the
history and finds EXPECT in it. Prints what it saw, one line each. Exit code 0 when all of it came within 60 seconds, else 1;
2 for wrong arguments.
"""

import asyncio
import os
import sys

import nonebot
from nonebot.adapters.onebot.v11 import ActionFailed, Adapter, Bot, GroupMessageEvent, Message, MessageSegment

LIMIT = 60


def end(code, line):
    print(line, flush=True)
    os._exit(code)  # the drivers end in ways of their own; nothing here needs to be put away


async def members(bot, group):
    """The list of members; NapCat fails until it has it."""
    try:
        return await bot.get_group_member_list(group_id=group)
    except ActionFailed as error:
        print(f"no members yet: {error.info.get('message')}", flush=True)
        return await bot.get_group_member_list(group_id=group)


async def answer(bot: Bot, event: GroupMessageEvent, say, expect):
    print(f"heard {event.get_plaintext()!r} from {event.sender.card or event.sender.nickname}", flush=True)
    people = await members(bot, event.group_id)
    print(f"{len(people)} members: {[member['card'] or member['nickname'] for member in people]}", flush=True)
    if not any(member["user_id"] == event.user_id for member in people):
        end(1, "failed: the author is no member")
    history = await bot.call_api("get_group_msg_history", group_id=event.group_id, count=20)
    # Programs write messages as segments or as CQ codes; `raw_message` is always the latter.
    texts = [Message(message["raw_message"]).extract_plain_text() for message in history["messages"]]
    print(f"{len(texts)} messages of history", flush=True)
    if expect not in texts:
        end(1, f"failed: {expect!r} is not in the history")
    sent = await bot.send(event, MessageSegment.reply(event.message_id) + MessageSegment.text(say))
    again = await bot.get_msg(message_id=sent["message_id"])
    print(f"answered: {again['message']}", flush=True)
    end(0, "done")


def main(mode, where, token, group, expect, say):
    settings = {"log_level": "WARNING", "onebot_access_token": token or None, "nickname": set()}
    if mode == "forward":
        nonebot.init(driver="~websockets", onebot_ws_urls={where}, **settings)
    else:
        nonebot.init(driver="~fastapi", host="127.0.0.1", port=int(where), **settings)
    driver = nonebot.get_driver()
    driver.register_adapter(Adapter)

    @driver.on_startup
    async def started():
        asyncio.get_running_loop().call_later(LIMIT, end, 1, "failed: it took too long")
        print("started", flush=True)

    @driver.on_bot_connect
    async def connected(bot: Bot):
        version = await bot.get_version_info()
        print(f"connected with {bot.self_id} by {version['app_name']} {version['app_version']}", flush=True)

    @nonebot.on_message(priority=1, block=True).handle()
    async def heard(bot: Bot, event: GroupMessageEvent):
        if event.group_id != int(group) or event.get_plaintext() != expect:
            print(f"passed over: {event.get_plaintext()!r}", flush=True)
            return
        try:
            await answer(bot, event, say, expect)
        except Exception as error:  # whatever it was, the caller wants one line and a code
            end(1, f"failed: {type(error).__name__} {error}")

    nonebot.run()


if __name__ == "__main__":
    if len(sys.argv) != 7 or sys.argv[1] not in ("forward", "reverse"):
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    main(*sys.argv[1:])
