-- An absent feature, user or route is the empty text. `hour` counts from the epoch, by the exchange id's time,
-- so that a bound in time is a bound on the ledger's key too.
CREATE TABLE rollup(
  hour INTEGER NOT NULL, tenant TEXT NOT NULL, project TEXT NOT NULL, key TEXT NOT NULL, feature TEXT NOT NULL, user TEXT NOT NULL,
  route TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, leg TEXT NOT NULL,
  requests INTEGER NOT NULL, attempts INTEGER NOT NULL, orphans INTEGER NOT NULL, estimated INTEGER NOT NULL, cost INTEGER NOT NULL,
  input INTEGER NOT NULL, cache_read INTEGER NOT NULL, cache_write_5m INTEGER NOT NULL, cache_write_1h INTEGER NOT NULL,
  input_audio INTEGER NOT NULL, input_image INTEGER NOT NULL, output INTEGER NOT NULL, reasoning INTEGER NOT NULL,
  output_audio INTEGER NOT NULL, output_image INTEGER NOT NULL, web_search INTEGER NOT NULL, request INTEGER NOT NULL,
  PRIMARY KEY (hour, tenant, project, key, feature, user, route, provider, model, leg)
) WITHOUT ROWID;
