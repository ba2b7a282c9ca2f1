-- minimum version: 17
DO $$ BEGIN CREATE ROLE case_17_user; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
CREATE TABLE parted (id bigint GENERATED ALWAYS AS IDENTITY, a integer) PARTITION BY LIST (a);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES IN (1);
INSERT INTO parted (a) VALUES (1), (1);
CREATE TABLE t (id integer PRIMARY KEY, j jsonb);
GRANT MAINTAIN ON t TO case_17_user;
GRANT ALL ON parted TO case_17_user;
ALTER DEFAULT PRIVILEGES GRANT MAINTAIN ON TABLES TO case_17_user;
CREATE COLLATION builtin (provider = builtin, locale = 'C.UTF-8');
CREATE VIEW json_table_view AS SELECT * FROM JSON_TABLE('[{"a":1}]'::jsonb, '$[*]' COLUMNS (a integer PATH '$.a', NESTED PATH '$.b[*]' COLUMNS (c text PATH '$')));
CREATE VIEW json_functions AS SELECT JSON_VALUE(j, '$.a' RETURNING integer DEFAULT 5 ON EMPTY) AS v, JSON_QUERY(j, '$.b' WITH WRAPPER) AS q, JSON_EXISTS(j, '$.c') AS e FROM t;
CREATE SUBSCRIPTION sub CONNECTION 'dbname=nowhere' PUBLICATION one WITH (connect = false, slot_name = NONE, failover = true);
CREATE EXTENSION btree_gist;
CREATE TABLE excluded (a integer, b integer, EXCLUDE USING gist (a WITH =, b WITH <>)) PARTITION BY LIST (a);
CREATE TABLE excluded_1 PARTITION OF excluded FOR VALUES IN (1);
CREATE TABLE excluded_2 (a integer, b integer, CONSTRAINT "made alone %" EXCLUDE USING gist (a WITH =, b WITH <>));
ALTER TABLE excluded_1 RENAME CONSTRAINT excluded_1_a_b_excl TO "Renamed %s";
INSERT INTO excluded VALUES (1, 5), (1, 5);
