-- Types of every kind, and types that need one another.
CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('sad', 'ok', 'it''s "fine"');
ALTER TYPE app.mood ADD VALUE 'between' BEFORE 'ok';
CREATE TYPE app.address AS (street text COLLATE "C", number integer, mood app.mood);
CREATE TYPE app.nested AS (addresses app.address[], spare numeric(10,2));
CREATE TYPE app.empty AS ();
CREATE TYPE app.shell;
CREATE TYPE app.float_range AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE TYPE app.text_range AS RANGE (subtype = text, collation = "C", multirange_type_name = app.many_texts);
CREATE DOMAIN app.positive AS integer DEFAULT 1 CONSTRAINT above_zero CHECK (VALUE > 0);
CREATE DOMAIN app.code AS varchar(10) COLLATE "C" NOT NULL CHECK (VALUE ~ '^[A-Z]+$') CHECK (length(VALUE) < 9);
CREATE DOMAIN app.positives AS app.positive[] CHECK (array_length(VALUE, 1) < 5);
CREATE DOMAIN app.addressed AS app.address CHECK ((VALUE).number > 0);
CREATE DOMAIN app.unchecked AS text;
ALTER DOMAIN app.unchecked ADD CONSTRAINT not_valid CHECK (VALUE <> '') NOT VALID;
COMMENT ON TYPE app.mood IS 'how one feels';
COMMENT ON COLUMN app.address.street IS 'with the C collation';
COMMENT ON DOMAIN app.positive IS 'more than nothing';
COMMENT ON CONSTRAINT above_zero ON DOMAIN app.positive IS 'really';
CREATE TABLE app.uses (m app.mood DEFAULT 'ok', a app.address, n app.nested[], r app.float_range, t app.text_range, mt app.many_texts,
    p app.positive, c app.code DEFAULT 'X', ps app.positives, ad app.addressed, u app.unchecked, b bit(3), vb bit varying(7)[],
    iv interval year to month, ts timestamp(3) with time zone, ch char(4), qc "char", xm xml, js json, jp jsonpath,
    tsv tsvector, ip inet, mac macaddr8, pt point, pg pg_lsn, ud uuid, mr int4multirange);
INSERT INTO app.uses (m, a, p, c, ps) VALUES ('between', ROW('x', 1, 'sad'), 5, 'ABC', '{1,2}');
-- A base type with its functions, in C that every server has.
CREATE TYPE app.label;
CREATE FUNCTION app.label_in(cstring) RETURNS app.label LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION app.label_out(app.label) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE app.label (INPUT = app.label_in, OUTPUT = app.label_out, INTERNALLENGTH = VARIABLE, STORAGE = extended,
    CATEGORY = 'S', DEFAULT = 'none', DELIMITER = ';', COLLATABLE = true);
CREATE CAST (app.label AS text) WITHOUT FUNCTION AS ASSIGNMENT;
CREATE CAST (text AS app.label) WITH INOUT;
CREATE TABLE app.labelled (l app.label, ls app.label[]);
INSERT INTO app.labelled VALUES ('a', '{b;c}');
