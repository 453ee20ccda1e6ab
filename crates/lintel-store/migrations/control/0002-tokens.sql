-- Tokens of the control API. A name is given once and rows stay, so that the audit's actor is one token for good.
CREATE TABLE tokens(
  id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL, tenant TEXT,
  made INTEGER NOT NULL, made_by TEXT NOT NULL, expires INTEGER, last_used INTEGER, revoked INTEGER
) WITHOUT ROWID;

-- Answers to calls with an Idempotency-Key. Without status and answer: the call was begun and did not end in order.
CREATE TABLE replays(
  actor TEXT NOT NULL, operation TEXT NOT NULL, key TEXT NOT NULL, digest BLOB NOT NULL, at INTEGER NOT NULL, answer TEXT,
  PRIMARY KEY (actor, operation, key)
) WITHOUT ROWID;
CREATE INDEX replays_by_age ON replays(at);

-- The audit is asked by each of these.
CREATE INDEX audit_by_actor ON audit(actor, sequence);
CREATE INDEX audit_by_object ON audit(object, sequence);
CREATE INDEX audit_by_tenant ON audit(tenant, sequence);
CREATE INDEX audit_by_time ON audit(at, sequence);
