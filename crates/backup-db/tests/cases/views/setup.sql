-- Views in every form.
CREATE TABLE t (id integer PRIMARY KEY, name text, at timestamptz DEFAULT '2020-01-01');
INSERT INTO t (id, name) VALUES (1, 'a'), (2, 'b');
CREATE VIEW v AS SELECT id, name AS "Name", at::date AS day FROM t WHERE name <> '%s';
CREATE VIEW v_of_v AS SELECT * FROM v;
ALTER VIEW v ALTER COLUMN "Name" SET DEFAULT 'new';
CREATE VIEW barrier WITH (security_barrier = true) AS SELECT * FROM t WHERE id > 1 WITH LOCAL CHECK OPTION;
CREATE VIEW cascaded AS SELECT * FROM t WHERE id > 0 WITH CASCADED CHECK OPTION;
CREATE RECURSIVE VIEW numbers (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < 5;
-- The key is what makes this grouping legal: it comes after the rows.
CREATE VIEW grouped AS SELECT t.id, t.name, count(*) AS n FROM t GROUP BY t.id;
CREATE VIEW on_grouped AS SELECT id FROM grouped;
CREATE MATERIALIZED VIEW grouped_m AS SELECT t.id, t.name, count(*) AS n FROM t GROUP BY t.id;
CREATE UNIQUE INDEX grouped_m_id ON grouped_m (id);
CREATE MATERIALIZED VIEW on_m WITH (fillfactor = 70) AS SELECT id FROM grouped_m WHERE n > 0;
CREATE MATERIALIZED VIEW through_view AS SELECT * FROM (SELECT id FROM on_grouped) x;
CREATE MATERIALIZED VIEW empty_m AS SELECT 1 AS one WITH NO DATA;
ALTER MATERIALIZED VIEW on_m ALTER COLUMN id SET STATISTICS 11;
CREATE TABLE row_of_view (r grouped, rs v[]);
CREATE FUNCTION of_view(v) RETURNS integer LANGUAGE sql AS 'SELECT $1.id';
COMMENT ON VIEW v IS 'a view';
COMMENT ON COLUMN v."Name" IS 'a column of a view';
COMMENT ON MATERIALIZED VIEW on_m IS 'kept';
CREATE VIEW no_columns AS SELECT;
