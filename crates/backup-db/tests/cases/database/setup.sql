-- Settings and comment of the database itself.
DO $$ BEGIN CREATE ROLE "case_db Role"; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
DO $$ BEGIN
  EXECUTE format('ALTER DATABASE %I SET search_path TO "$user", public, "Odd, Path"', current_database());
  EXECUTE format('ALTER DATABASE %I SET work_mem TO ''7MB''', current_database());
  EXECUTE format('ALTER DATABASE %I SET my.setting TO ''it''''s 100%%''', current_database());
  EXECUTE format('ALTER ROLE "case_db Role" IN DATABASE %I SET statement_timeout TO 5000', current_database());
  EXECUTE format('COMMENT ON DATABASE %I IS ''a comment with 100%% of it''''s $do$ $sql$''', current_database());
  EXECUTE format('ALTER DATABASE %I CONNECTION LIMIT 50', current_database());
END $$;
COMMENT ON SCHEMA public IS 'not the usual comment';
