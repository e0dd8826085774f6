-- Rooms of other services, which the gateway enters as a client.

-- What the other service calls a row (XEP-0359).
CREATE TABLE stanza_ids (
    room INTEGER NOT NULL REFERENCES rooms (id),
    id   TEXT NOT NULL,
    row  INTEGER NOT NULL REFERENCES messages (seq) ON DELETE CASCADE,
    listener INTEGER NOT NULL,   -- the gateway's listener said it there for its author
    PRIMARY KEY (room, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX stanza_ids_by_row ON stanza_ids (row);

-- The occupants that stand for QQ members in such a room.
CREATE TABLE puppets (
    room     INTEGER NOT NULL REFERENCES rooms (id),
    member   TEXT NOT NULL,      -- as in `members`
    grp      INTEGER NOT NULL,   -- the group they were last seen in
    address  TEXT NOT NULL,      -- the bare JID they enter with
    nick     TEXT NOT NULL,
    occupant TEXT,               -- their occupant-id there (XEP-0421)
    inside   INTEGER NOT NULL,   -- they had entered
    silenced INTEGER,            -- removed by a moderator: nothing of theirs is said until then
    PRIMARY KEY (room, member)
) STRICT, WITHOUT ROWID;
CREATE INDEX puppets_by_address ON puppets (address);

-- The last message of the other service that was taken: its stanza-id, and when it was said.
ALTER TABLE rooms ADD COLUMN heard TEXT;
ALTER TABLE rooms ADD COLUMN heard_time INTEGER;

-- Authors of `messages` and `reactions` are also `g<occupant-id>`, or `g=<nick>` where the room gives none. They all speak
-- through one address, the room's: this finds what one of them said. It holds nothing of hosted rooms.
CREATE INDEX messages_by_guest ON messages (room, author, seq) WHERE substr(author, 1, 1) = 'g';

-- The listener was put out of the room, or the room is no more: it does not enter before then, and why.
ALTER TABLE rooms ADD COLUMN stays_away INTEGER;
ALTER TABLE rooms ADD COLUMN stays_away_why TEXT;
