ALTER TABLE keys RENAME TO former_keys;
CREATE TABLE keys(
  id TEXT PRIMARY KEY, tenant TEXT NOT NULL, project TEXT NOT NULL, name TEXT NOT NULL, owner TEXT NOT NULL, description TEXT NOT NULL,
  routes TEXT, direct INTEGER NOT NULL, expose_targets INTEGER NOT NULL, caps TEXT NOT NULL,
  expires INTEGER, made INTEGER NOT NULL, state TEXT NOT NULL, managed INTEGER NOT NULL, used INTEGER,
  FOREIGN KEY (tenant, project) REFERENCES projects(tenant, name)
) WITHOUT ROWID;
INSERT INTO keys SELECT id, tenant, project, name, '', '', routes, direct, expose_targets, '{}', expires, made, state, 0, NULL FROM former_keys;
CREATE TABLE secrets(
  hash BLOB PRIMARY KEY, key TEXT NOT NULL REFERENCES keys(id) ON DELETE CASCADE, prefix TEXT, made INTEGER NOT NULL, expires INTEGER, used INTEGER
) WITHOUT ROWID;
CREATE INDEX secrets_by_key ON secrets(key, made);
INSERT INTO secrets SELECT hash, id, NULL, made, NULL, NULL FROM former_keys;
DROP TABLE former_keys;
ALTER TABLE projects ADD COLUMN managed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tenants ADD COLUMN managed INTEGER NOT NULL DEFAULT 0;
