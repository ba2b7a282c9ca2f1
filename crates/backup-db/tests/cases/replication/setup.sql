-- Publications and a subscription that connects to nothing.
CREATE TABLE t (id integer PRIMARY KEY, a text, b text);
CREATE TABLE u (id integer PRIMARY KEY);
CREATE SCHEMA s;
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE PUBLICATION several FOR TABLE ONLY t, u WITH (publish = 'insert, delete', publish_via_partition_root = true);
CREATE PUBLICATION nothing;
COMMENT ON PUBLICATION several IS 'publication';
CREATE SUBSCRIPTION sub CONNECTION 'dbname=nowhere password=x''y' PUBLICATION one, "Two" WITH (connect = false, slot_name = NONE, binary = true, synchronous_commit = 'local', streaming = on);
COMMENT ON SUBSCRIPTION sub IS 'subscription';
