-- Keyed by where the object is, so that one id has one owner there.
CREATE TABLE resources(
  provider TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, tenant TEXT NOT NULL, model TEXT NOT NULL, made INTEGER NOT NULL,
  PRIMARY KEY (kind, id, provider)
) WITHOUT ROWID;
