-- Indexes of every kind.
CREATE EXTENSION pg_trgm;
CREATE TABLE t (a integer, b text, c jsonb, d tsvector, e integer[], f timestamptz, g inet);
INSERT INTO t SELECT i, 'row ' || i, jsonb_build_object('k', i), to_tsvector('simple', 'w' || i), ARRAY[i], '2020-01-01'::timestamptz + i * interval '1 day', '10.0.0.1' FROM generate_series(1, 50) i;
CREATE INDEX plain ON t (a);
CREATE UNIQUE INDEX u ON t (a DESC NULLS LAST, lower(b) COLLATE "C" text_pattern_ops) INCLUDE (f) WHERE a > 0 AND b IS NOT NULL;
CREATE INDEX expr ON t ((c ->> 'k'), (a + 1), date_trunc('day', f AT TIME ZONE 'UTC'));
ALTER INDEX expr ALTER COLUMN 2 SET STATISTICS 300;
CREATE INDEX gin_path ON t USING gin (c jsonb_path_ops) WITH (fastupdate = off);
CREATE INDEX trgm ON t USING gin (b gin_trgm_ops);
CREATE INDEX trgm_gist ON t USING gist (b gist_trgm_ops (siglen = 32));
CREATE INDEX brin ON t USING brin (f timestamptz_minmax_multi_ops (values_per_range = 16)) WITH (pages_per_range = 4);
CREATE INDEX hash ON t USING hash (b);
CREATE INDEX spgist ON t USING spgist (g);
CREATE INDEX "Odd ""Name""" ON t (a) WITH (fillfactor = 55, deduplicate_items = off);
COMMENT ON INDEX plain IS 'an index';
