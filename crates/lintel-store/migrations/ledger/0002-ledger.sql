-- Money in nano-dollars, times in microseconds since the epoch. No secondary index: they decide what a row costs.
CREATE TABLE ledger(
  exchange BLOB NOT NULL, attempt INTEGER NOT NULL, kind TEXT NOT NULL, sequence INTEGER NOT NULL,
  at INTEGER NOT NULL, node INTEGER NOT NULL, leg TEXT NOT NULL, surface TEXT NOT NULL, route TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL,
  tenant TEXT NOT NULL, project TEXT NOT NULL, key TEXT NOT NULL, feature TEXT NOT NULL, user TEXT NOT NULL, session TEXT NOT NULL,
  release TEXT, prompt_version TEXT, experiment TEXT, policy_hash TEXT,
  config TEXT NOT NULL, outcome TEXT NOT NULL, cost INTEGER NOT NULL, lines TEXT NOT NULL,
  last INTEGER NOT NULL, estimated INTEGER NOT NULL, inconsistent INTEGER NOT NULL, unpriced INTEGER NOT NULL,
  PRIMARY KEY (exchange, attempt, kind, sequence)
) WITHOUT ROWID;
CREATE TABLE unreadable(sequence INTEGER PRIMARY KEY, why TEXT NOT NULL, payload BLOB NOT NULL);
