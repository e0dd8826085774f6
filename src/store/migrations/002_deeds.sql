-- Recalls, reactions and gaps.

-- What goes to QQ is not always words. The columns are those of a piece; `answers` is the row that the deed is about.
ALTER TABLE outbox ADD COLUMN deed TEXT NOT NULL DEFAULT 'say' CHECK (deed IN ('say', 'recall', 'react', 'unreact'));
ALTER TABLE outbox ADD COLUMN emoji TEXT NOT NULL DEFAULT '';        -- of a reaction
-- The message was taken back: what is on its way is not tried again, and nobody is told.
ALTER TABLE outbox ADD COLUMN cancelled INTEGER NOT NULL DEFAULT 0;

-- Who reacts to a row with what, now. What was there before is told by rows of `messages`.
CREATE TABLE reactions (
    row    INTEGER NOT NULL REFERENCES messages (seq) ON DELETE CASCADE,
    author TEXT NOT NULL,
    emoji  TEXT NOT NULL,
    PRIMARY KEY (row, author, emoji)
) STRICT, WITHOUT ROWID;

-- The newest event of a group. `piece` is -1 where the event is no message (a recall): history does not know it.
CREATE INDEX events_by_group ON events (grp, row, piece);
