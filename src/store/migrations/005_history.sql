-- What a client session asked of the room's history when it entered (JSON): after a crash in the middle of its join it gets that.
ALTER TABLE sessions ADD COLUMN history TEXT;
