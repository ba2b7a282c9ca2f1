-- Large objects with owners, comments and privileges.
DO $$ BEGIN CREATE ROLE case_lo_reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
SELECT lo_from_bytea(500001, '\x00010203ff');
SELECT lo_from_bytea(500002, '');
SELECT lo_from_bytea(500003, convert_to(repeat('large ', 200000), 'UTF8'));
ALTER LARGE OBJECT 500001 OWNER TO case_lo_reader;
GRANT SELECT ON LARGE OBJECT 500003 TO case_lo_reader;
COMMENT ON LARGE OBJECT 500002 IS 'empty';
