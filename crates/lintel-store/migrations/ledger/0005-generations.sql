-- One position for each generation of the journal: processes that follow one another overlap for a while.
CREATE TABLE positions(
  generation INTEGER PRIMARY KEY, segment INTEGER NOT NULL, at INTEGER NOT NULL, sequence INTEGER NOT NULL
);
INSERT INTO positions SELECT 0, segment, at, sequence FROM position;
DROP TABLE position;
ALTER TABLE unreadable RENAME TO former;
CREATE TABLE unreadable(
  generation INTEGER NOT NULL, sequence INTEGER NOT NULL, why TEXT NOT NULL, payload BLOB NOT NULL, PRIMARY KEY (generation, sequence)
);
INSERT INTO unreadable SELECT 0, sequence, why, payload FROM former;
DROP TABLE former;
