-- From which hour on every row is here. Before it, retention has deleted rows; their sums stay in the rollup.
CREATE TABLE retention(one INTEGER PRIMARY KEY CHECK (one = 1), kept_from INTEGER NOT NULL);
