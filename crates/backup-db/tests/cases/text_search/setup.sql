-- Text search objects and collations.
CREATE SCHEMA ts;
CREATE TEXT SEARCH PARSER ts.parser (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype, HEADLINE = prsd_headline);
CREATE TEXT SEARCH TEMPLATE ts.template (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY ts.dictionary (TEMPLATE = ts.template, STOPWORDS = english, ACCEPT = 'false');
CREATE TEXT SEARCH DICTIONARY ts."Simple Dict" (TEMPLATE = pg_catalog.simple);
CREATE TEXT SEARCH CONFIGURATION ts.config (PARSER = ts.parser);
ALTER TEXT SEARCH CONFIGURATION ts.config ADD MAPPING FOR asciiword, word WITH ts.dictionary, ts."Simple Dict", english_stem;
ALTER TEXT SEARCH CONFIGURATION ts.config ADD MAPPING FOR email WITH simple;
CREATE TEXT SEARCH CONFIGURATION ts.copied (COPY = english);
COMMENT ON TEXT SEARCH PARSER ts.parser IS 'parser';
COMMENT ON TEXT SEARCH TEMPLATE ts.template IS 'template';
COMMENT ON TEXT SEARCH DICTIONARY ts.dictionary IS 'dictionary';
COMMENT ON TEXT SEARCH CONFIGURATION ts.config IS 'configuration';
CREATE TABLE ts.docs (body text, found tsvector GENERATED ALWAYS AS (to_tsvector('ts.copied'::regconfig, body)) STORED);
INSERT INTO ts.docs (body) VALUES ('the quick brown fox');
CREATE INDEX ON ts.docs USING gin (found);
CREATE COLLATION ts.plain (LOCALE = 'C');
CREATE COLLATION ts.copied FROM "C";
CREATE COLLATION ts.split (LC_COLLATE = 'C', LC_CTYPE = 'POSIX');
COMMENT ON COLLATION ts.plain IS 'collation';
CREATE TABLE ts.collated (a text COLLATE ts.plain, b varchar(5) COLLATE "POSIX");
CREATE INDEX ON ts.collated (a COLLATE "C", (b || a) COLLATE ts.split);
-- Not every server is built with ICU.
DO $$ BEGIN
  CREATE COLLATION ts.insensitive (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
  CREATE COLLATION ts.german (provider = icu, locale = 'de-u-co-phonebk');
  CREATE TABLE ts.sorted (a text COLLATE ts.insensitive PRIMARY KEY, b text COLLATE ts.german);
  INSERT INTO ts.sorted VALUES ('a', 'ä');
  CREATE INDEX ON ts.sorted (b);
  CREATE TYPE ts.text_span AS RANGE (subtype = text, collation = ts.german);
EXCEPTION WHEN feature_not_supported OR undefined_object THEN NULL; END $$;
