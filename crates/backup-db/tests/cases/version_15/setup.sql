-- minimum version: 15
CREATE SCHEMA s;
CREATE TABLE t (id integer PRIMARY KEY, a text, b text);
CREATE TABLE s.u (id integer);
CREATE PUBLICATION filtered FOR TABLE t (id, a) WHERE (id > 10 AND a <> 'it''s');
CREATE PUBLICATION schemas FOR TABLES IN SCHEMA s, public;
CREATE SUBSCRIPTION sub CONNECTION 'dbname=nowhere' PUBLICATION one WITH (connect = false, slot_name = 'slot', two_phase = true, disable_on_error = true);
ALTER SUBSCRIPTION sub SET (slot_name = NONE);
CREATE TABLE distinct_nulls (a integer, b integer, UNIQUE NULLS NOT DISTINCT (a), CONSTRAINT fk FOREIGN KEY (b) REFERENCES distinct_nulls (a) ON DELETE SET NULL (b));
CREATE UNIQUE INDEX ON distinct_nulls (b) NULLS NOT DISTINCT;
CREATE VIEW invoker WITH (security_invoker = true) AS SELECT * FROM t;
CREATE UNLOGGED SEQUENCE unlogged;
CREATE UNLOGGED TABLE unlogged_table (id integer GENERATED ALWAYS AS IDENTITY, s serial);
CREATE TABLE rounded (num numeric(5,-2), small numeric(2,5));
