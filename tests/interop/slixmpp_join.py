#!/usr/bin/env python3
"""slixmpp, a client library written by other people, joins a room and talks.

usage: slixmpp_join.py HOST PORT JID PASSWORD ROOM NICK SAY EXPECT

Logs in without TLS, joins ROOM as NICK, says SAY, waits for its own reflection and for a message whose body is EXPECT from
somebody else (live or from the room's history). Prints what it saw, one line each. Exit code 0 when all of it came within
60 seconds, else 1; 2 for wrong arguments.
"""

import asyncio
import sys

from slixmpp import JID, ClientXMPP

LIMIT = 60


class Talk(ClientXMPP):
    """One person in one room, with what is still to come as futures."""

    def __init__(self, jid, password, room, nick, say, expect):
        super().__init__(jid, password)
        self.enable_plaintext = True
        self.enable_starttls = False
        self.enable_direct_tls = False
        for plugin in ("xep_0030", "xep_0045", "xep_0199", "xep_0203"):
            self.register_plugin(plugin)
        self.plugin["feature_mechanisms"].unencrypted_plain = True
        self.room, self.nick, self.say, self.expect = JID(room), nick, say, expect
        self.started, self.reflected, self.expected = (asyncio.get_running_loop().create_future() for _ in range(3))
        self.add_event_handler("session_start", lambda _: self.settle(self.started, None))
        self.add_event_handler("groupchat_message", self.on_message)
        for event in ("failed_all_auth", "connection_failed", "stream_error"):
            self.add_event_handler(event, lambda data, event=event: self.fail(f"{event}: {data}"))

    @staticmethod
    def settle(future, value):
        if not future.done():
            future.set_result(value)

    def fail(self, reason):
        for future in (self.started, self.reflected, self.expected):
            if not future.done():
                future.set_exception(RuntimeError(reason))
                future.exception()  # seen: nobody may come to wait for it

    def on_message(self, message):
        sender, body = message["mucnick"], message["body"]
        if message["from"].bare != self.room.bare or not body:
            return
        history = message.get_plugin("delay", check=True) is not None
        print(f"{'history' if history else 'message'} <{sender}> {body}", flush=True)
        if sender == self.nick and body == self.say and not history:
            self.settle(self.reflected, message)
        if sender != self.nick and body == self.expect:
            self.settle(self.expected, message)

    async def run(self):
        await self.started
        print(f"bound {self.boundjid.full}", flush=True)
        self.send_presence()
        joined = await self.plugin["xep_0045"].join_muc_wait(self.room, self.nick, maxstanzas=20, timeout=LIMIT)
        _, subject, occupants, _ = joined
        nicks = sorted(presence["muc"]["nick"] for presence in occupants)
        print(f"joined as {self.nick}, subject {subject['subject']!r}, occupants {nicks}", flush=True)
        self.send_message(mto=self.room, mbody=self.say, mtype="groupchat")
        await self.reflected
        print("reflected", flush=True)
        await self.expected
        print("expected message seen", flush=True)
        self.plugin["xep_0045"].leave_muc(self.room, self.nick)
        await self.disconnect()


async def main(host, port, *rest):
    talk = Talk(*rest)
    talk.connect(host, int(port))
    try:
        await asyncio.wait_for(talk.run(), LIMIT)
    except Exception as error:  # whatever it was, the caller wants one line and a code
        waited = [name for name in ("started", "reflected", "expected") if not getattr(talk, name).done()]
        print(f"failed: {type(error).__name__} {error}; still to come: {waited}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 9:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(asyncio.run(main(*sys.argv[1:])))
