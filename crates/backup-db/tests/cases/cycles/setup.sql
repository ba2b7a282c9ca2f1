-- Objects that need one another.
CREATE TABLE t (id integer PRIMARY KEY, name text);
-- A view whose function takes the view's rows.
CREATE VIEW v AS SELECT id, name, NULL::text AS extra FROM t;
CREATE FUNCTION extra_of(v) RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'x' || $1.name $$;
CREATE OR REPLACE VIEW v AS SELECT id, name, extra_of(ROW(id, name, NULL)::v) AS extra FROM t;
-- Two views through each other's row types.
CREATE VIEW a AS SELECT 1 AS x, NULL::text AS y;
CREATE FUNCTION f_a(a) RETURNS text LANGUAGE sql AS $$ SELECT $1.y $$;
CREATE VIEW b AS SELECT f_a(ROW(1, 'z')::a) AS z;
CREATE OR REPLACE VIEW a AS SELECT 1 AS x, b.z AS y FROM b;
-- A default by way of a function on the table's own rows.
CREATE TABLE counted (n integer, m integer);
CREATE FUNCTION size_of(counted) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1.n';
ALTER TABLE counted ALTER COLUMN m SET DEFAULT size_of(ROW(7, 7)::counted);
ALTER TABLE counted ADD CONSTRAINT by_function CHECK (size_of(counted) < 100);
INSERT INTO counted VALUES (1, 2);
-- A domain whose check takes the domain.
CREATE DOMAIN d AS integer;
CREATE FUNCTION d_ok(d) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 0';
ALTER DOMAIN d ADD CONSTRAINT ok CHECK (d_ok(VALUE));
CREATE TABLE uses_d (x d);
-- Functions in the new style record what they need: here a primary key.
CREATE FUNCTION grouped() RETURNS TABLE (id integer, name text) LANGUAGE sql STABLE BEGIN ATOMIC SELECT t.id, t.name FROM t GROUP BY t.id; END;
CREATE VIEW on_grouped AS SELECT * FROM grouped();
CREATE TABLE with_key_default (n bigint DEFAULT 1);
CREATE FUNCTION counts() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM (SELECT t.id, t.name FROM t GROUP BY t.id) x; END;
ALTER TABLE with_key_default ALTER COLUMN n SET DEFAULT counts();
INSERT INTO with_key_default VALUES (5);
CREATE TABLE seq_by_hand (id integer);
CREATE SEQUENCE seq_by_hand_seq OWNED BY seq_by_hand.id;
ALTER TABLE seq_by_hand ALTER COLUMN id SET DEFAULT nextval('seq_by_hand_seq');
