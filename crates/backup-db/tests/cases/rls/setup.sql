-- Row level security.
DO $$ BEGIN CREATE ROLE case_rls_reader; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN CREATE ROLE "case_rls Writer %s"; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
CREATE TABLE t (id integer, owner text, secret boolean);
INSERT INTO t VALUES (1, 'a', true), (2, 'b', false);
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
ALTER TABLE t FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON t USING (owner = current_user) WITH CHECK (owner = current_user AND NOT secret);
CREATE POLICY readers ON t AS RESTRICTIVE FOR SELECT TO case_rls_reader, "case_rls Writer %s" USING (true);
CREATE POLICY inserts ON t FOR INSERT TO CURRENT_USER WITH CHECK (id IN (SELECT id FROM t));
CREATE POLICY updates ON t FOR UPDATE TO PUBLIC USING (id > 0);
COMMENT ON POLICY own ON t IS 'a policy';
CREATE TABLE enabled_only (a integer);
ALTER TABLE enabled_only ENABLE ROW LEVEL SECURITY;
CREATE TABLE forced_only (a integer);
ALTER TABLE forced_only FORCE ROW LEVEL SECURITY;
