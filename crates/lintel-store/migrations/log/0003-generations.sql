-- One position for each generation of the journal: processes that follow one another overlap for a while.
CREATE TABLE positions(
  generation INTEGER PRIMARY KEY, segment INTEGER NOT NULL, at INTEGER NOT NULL, sequence INTEGER NOT NULL
);
INSERT INTO positions SELECT 0, segment, at, sequence FROM position;
DROP TABLE position;
