CREATE TABLE tenants(name TEXT PRIMARY KEY, made INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE projects(tenant TEXT NOT NULL REFERENCES tenants(name), name TEXT NOT NULL, made INTEGER NOT NULL, PRIMARY KEY (tenant, name)) WITHOUT ROWID;
CREATE TABLE keys(
  id TEXT PRIMARY KEY, hash BLOB NOT NULL UNIQUE, tenant TEXT NOT NULL, project TEXT NOT NULL, name TEXT NOT NULL,
  routes TEXT, direct INTEGER NOT NULL, expose_targets INTEGER NOT NULL, expires INTEGER, made INTEGER NOT NULL, state TEXT NOT NULL,
  FOREIGN KEY (tenant, project) REFERENCES projects(tenant, name)
) WITHOUT ROWID;
CREATE TABLE audit(
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL,
  tenant TEXT, before TEXT, after TEXT
);
CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_keeps_rows BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
