-- Roles of the sample. Roles belong to the server, not to a database: create them once.
DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['sample_edms_app', 'sample_edms_reader'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role);
        EXCEPTION
            -- The second when another session is just doing the same.
            WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END LOOP;
END
$$;
