-- Foreign data wrappers, servers, user mappings, foreign tables.
DO $$ BEGIN CREATE ROLE case_fdw_user; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
CREATE FOREIGN DATA WRAPPER dummy OPTIONS (debug 'it''s', "Odd Name" 'x');
CREATE SERVER s1 TYPE 'a type' VERSION '1.0' FOREIGN DATA WRAPPER dummy OPTIONS (host 'h', port '5');
CREATE SERVER "S 2" FOREIGN DATA WRAPPER dummy;
CREATE USER MAPPING FOR case_fdw_user SERVER s1 OPTIONS ("user" 'remote', password 'se''cret');
CREATE USER MAPPING FOR PUBLIC SERVER s1;
CREATE FOREIGN TABLE ft (id integer OPTIONS (column_name 'ID') NOT NULL, name text COLLATE "C" DEFAULT 'x', CHECK (id > 0)) SERVER s1 OPTIONS (schema_name 'remote', table_name 'it''s');
ALTER FOREIGN TABLE ft ALTER COLUMN name SET STATISTICS 5;
CREATE TABLE parted (a integer, b text) PARTITION BY LIST (a);
CREATE FOREIGN TABLE parted_1 PARTITION OF parted FOR VALUES IN (1) SERVER s1;
CREATE TABLE base (x integer);
CREATE FOREIGN TABLE inheriting () INHERITS (base) SERVER s1;
COMMENT ON FOREIGN DATA WRAPPER dummy IS 'wrapper';
COMMENT ON SERVER s1 IS 'server';
COMMENT ON FOREIGN TABLE ft IS 'foreign';
GRANT USAGE ON FOREIGN DATA WRAPPER dummy TO case_fdw_user;
GRANT USAGE ON FOREIGN SERVER s1 TO case_fdw_user WITH GRANT OPTION;
GRANT SELECT ON ft TO case_fdw_user;
