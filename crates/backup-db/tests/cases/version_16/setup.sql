-- minimum version: 16
DO $$ BEGIN CREATE ROLE case_16_user; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
CREATE TABLE t (id integer PRIMARY KEY, j jsonb, storage text STORAGE EXTERNAL);
CREATE VIEW json_view AS SELECT JSON_OBJECT('a': id, 'b': j ABSENT ON NULL) AS o, JSON_ARRAY(id, id) AS a, j IS JSON OBJECT AS is_object FROM t;
CREATE VIEW json_aggregates AS SELECT JSON_OBJECTAGG(id: j) AS o, JSON_ARRAYAGG(id ORDER BY id) AS a FROM t;
CREATE SUBSCRIPTION sub CONNECTION 'dbname=nowhere' PUBLICATION one WITH (connect = false, slot_name = NONE, origin = none, password_required = false, run_as_owner = true, streaming = parallel);
CREATE TABLE parent (a integer, b integer GENERATED ALWAYS AS (a * 2) STORED);
CREATE TABLE child (b integer GENERATED ALWAYS AS (a * 3) STORED) INHERITS (parent);
CREATE FUNCTION "any value"(integer) RETURNS integer LANGUAGE sql RETURN (SELECT any_value(x) FROM (VALUES (1)) v(x));
