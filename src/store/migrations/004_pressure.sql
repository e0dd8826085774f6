-- Questions that must not take the longer the more waits for QQ.

-- What is with a session, or may be on QQ: seldom more than one for each group, whatever stands behind it.
CREATE INDEX outbox_moving ON outbox (account, grp, id) WHERE state IN ('sending', 'unknown');
-- What answers a row, or is about it.
CREATE INDEX outbox_about ON outbox (answers) WHERE answers IS NOT NULL;
-- Anew with `settled` in it, which is always NULL: without it each row is looked at to find that out.
DROP INDEX outbox_open;
CREATE INDEX outbox_open ON outbox (account, grp, id, settled) WHERE settled IS NULL;
