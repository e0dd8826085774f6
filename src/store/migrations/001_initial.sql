-- The store as it was first published. Times are milliseconds since 1970, UTC. QQ numbers are kept as signed 64 bits.

-- What is made once, with the file: `salt` (a secret key), `epoch` (part of every stanza-id).
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE rooms (
    id           INTEGER PRIMARY KEY,
    jid          TEXT NOT NULL UNIQUE,
    confirmed    INTEGER NOT NULL DEFAULT 0,   -- the last row that every greeted session certainly got
    subject      TEXT,
    subject_nick TEXT,
    subject_time INTEGER
) STRICT;

-- The archive: a row per stanza, over all rooms in commit order. AUTOINCREMENT, since a stanza-id is made of `seq` and must
-- never come again, not even after the newest rows were pruned. The table is keyed by `seq` alone and not by (room, seq): so
-- each commit appends to one place of the file, whichever rooms speak; only the slim index below is spread by room.
CREATE TABLE messages (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    room     INTEGER NOT NULL REFERENCES rooms (id),
    message  INTEGER NOT NULL,   -- the first row of the same message
    time     INTEGER NOT NULL,   -- when it was said
    author   TEXT NOT NULL,      -- `m<group>/<member>`, `o<bare JID>`, `r`
    nick     TEXT NOT NULL,
    speaker  TEXT,               -- from XMPP, on the first row: bare JID and resource of the client session that said it,
    resource TEXT,
    origin   TEXT,               --   and its id, taken away when another message of more than ten minutes later has the same
    content  TEXT NOT NULL       -- JSON
) STRICT;

-- Pages and counts by room and time, without touching the rows.
CREATE INDEX messages_by_room ON messages (room, seq, time);
-- A client that says the same twice within ten minutes.
CREATE UNIQUE INDEX messages_by_origin ON messages (room, speaker, origin) WHERE origin IS NOT NULL;

-- What was seen in a QQ group: each event once, be it a message or the echo of one of our pieces.
CREATE TABLE events (
    grp   INTEGER NOT NULL,
    event TEXT NOT NULL,
    row   INTEGER NOT NULL REFERENCES messages (seq) ON DELETE CASCADE,
    piece INTEGER NOT NULL,      -- as in `handles`
    PRIMARY KEY (grp, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_by_row ON events (row);

-- What an account calls a row: one handle for each piece that the row became on QQ (0 when it came from there).
CREATE TABLE handles (
    row     INTEGER NOT NULL REFERENCES messages (seq) ON DELETE CASCADE,
    account TEXT NOT NULL,
    grp     INTEGER NOT NULL,
    piece   INTEGER NOT NULL,
    handle  TEXT NOT NULL,
    PRIMARY KEY (row, account, grp, piece)
) STRICT, WITHOUT ROWID;
-- Not unique: handles are 31-bit hashes. The key's `row` follows in the index, so the newest row is its last entry.
CREATE INDEX handles_by_handle ON handles (account, grp, handle);

-- What goes to QQ: one line per group and piece.
CREATE TABLE outbox (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,   -- never again: a late answer must not meet another piece
    message INTEGER NOT NULL REFERENCES messages (seq) ON DELETE CASCADE,
    row     INTEGER NOT NULL,                    -- the row of that message it belongs to
    account TEXT NOT NULL,
    grp     INTEGER NOT NULL,
    piece   INTEGER NOT NULL,                    -- its place among the pieces of the message for this group
    parts   TEXT NOT NULL,                       -- JSON
    answers INTEGER,                             -- the row that is answered
    normal  TEXT NOT NULL,                       -- the text by which its echo is recognised
    state   TEXT NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'sending', 'unknown', 'sent', 'failed')),
    tries   INTEGER NOT NULL DEFAULT 0,
    since   INTEGER NOT NULL,                    -- of the first try, before it of the commit
    not_before INTEGER NOT NULL DEFAULT 0,       -- of the next try
    settled INTEGER,                             -- when it was sent or failed
    why     TEXT NOT NULL DEFAULT '',
    doubt   INTEGER NOT NULL DEFAULT 0,          -- failed, but QQ may have it
    echoed  INTEGER NOT NULL DEFAULT 0,          -- its echo came
    told    INTEGER NOT NULL DEFAULT 0,          -- its author knows that it failed
    UNIQUE (message, grp, piece)
) STRICT;
-- The three questions to the outbox; each index holds only what its question is about, so sent pieces cost nothing.
CREATE INDEX outbox_open ON outbox (account, grp, id) WHERE settled IS NULL;
CREATE INDEX outbox_unechoed ON outbox (account, grp, settled) WHERE settled IS NOT NULL AND echoed = 0;
CREATE INDEX outbox_untold ON outbox (message, grp, piece) WHERE state = 'failed' AND told = 0;

-- Client sessions that are in a room.
CREATE TABLE sessions (
    room     INTEGER NOT NULL REFERENCES rooms (id),
    jid      TEXT NOT NULL,
    who      TEXT NOT NULL,      -- the bare JID
    nick     TEXT NOT NULL,
    cut      INTEGER NOT NULL,
    greeted  INTEGER NOT NULL,
    presence TEXT NOT NULL,
    PRIMARY KEY (room, jid)
) STRICT, WITHOUT ROWID;

-- The last nick of each person who is or was in a room. One each, so that nobody can fill the table by renaming.
CREATE TABLE nicks (
    room INTEGER NOT NULL REFERENCES rooms (id),
    who  TEXT NOT NULL,
    nick TEXT NOT NULL,
    seen INTEGER NOT NULL,
    PRIMARY KEY (room, who)
) STRICT, WITHOUT ROWID;

-- What a room has shown of each occupant.
CREATE TABLE shown (
    room        INTEGER NOT NULL REFERENCES rooms (id),
    occupant    TEXT NOT NULL,
    nick        TEXT NOT NULL,
    role        TEXT NOT NULL,
    affiliation TEXT NOT NULL,
    digest      TEXT NOT NULL,
    PRIMARY KEY (room, occupant)
) STRICT, WITHOUT ROWID;

CREATE TABLE groups (
    number INTEGER PRIMARY KEY,
    name   TEXT NOT NULL
) STRICT;

CREATE TABLE members (
    grp      INTEGER NOT NULL,
    member   TEXT NOT NULL,      -- digits of the QQ number, or `=` and the name
    nickname TEXT NOT NULL,
    card     TEXT NOT NULL,
    role     TEXT NOT NULL CHECK (role IN ('member', 'admin', 'owner')),
    PRIMARY KEY (grp, member)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_member ON members (member);

-- What a session wants to find again: cookies and the like. The reason for the file's mode 0600.
CREATE TABLE accounts (
    name  TEXT PRIMARY KEY,
    state BLOB NOT NULL
) STRICT, WITHOUT ROWID;
