-- Rows up to `upto` may go, by a change that is in the audit itself; all others are kept as before.
CREATE TABLE audit_expired(one INTEGER PRIMARY KEY CHECK (one = 1), upto INTEGER NOT NULL);
DROP TRIGGER audit_keeps_rows;
CREATE TRIGGER audit_keeps_rows BEFORE DELETE ON audit WHEN OLD.sequence > COALESCE((SELECT upto FROM audit_expired), 0)
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
