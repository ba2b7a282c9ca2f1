-- Functions, procedures, aggregates, casts, operators and their classes.
CREATE SCHEMA f;
CREATE FUNCTION f.plain(a integer, b text DEFAULT 'it''s $$', VARIADIC c integer[] DEFAULT '{}') RETURNS SETOF text LANGUAGE plpgsql STABLE STRICT SECURITY DEFINER
    LEAKPROOF PARALLEL SAFE COST 12 ROWS 34 SET search_path = 'f', "$user" SET work_mem = '5MB' AS $body$
BEGIN
  -- a % b \ c
  RETURN QUERY SELECT $$x$$ || a;
END
$body$;
CREATE FUNCTION f.out_parameters(IN a integer, OUT b integer, INOUT c text) LANGUAGE sql AS 'SELECT $1, $2';
CREATE FUNCTION f.table_function() RETURNS TABLE (x integer, "Y y" text) LANGUAGE sql BEGIN ATOMIC SELECT 1, 'y'::text; END;
CREATE FUNCTION f.new_style(a integer) RETURNS integer LANGUAGE sql IMMUTABLE RETURN a + 1;
CREATE PROCEDURE f.proc(INOUT x integer) LANGUAGE plpgsql AS 'BEGIN x := x + 1; END';
CREATE FUNCTION f.windowed() RETURNS bigint LANGUAGE internal WINDOW AS 'window_row_number';
CREATE FUNCTION f.overloaded(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION f.overloaded(text) RETURNS integer LANGUAGE sql AS 'SELECT 2';
CREATE FUNCTION f.quoted(" a" integer, "B" text) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION f.calls_missing() RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN f.is_not_there(); END';
CREATE FUNCTION f.polymorphic(anyelement, anyarray) RETURNS anyelement LANGUAGE sql AS 'SELECT $1';
COMMENT ON FUNCTION f.overloaded(text) IS 'the second';
COMMENT ON PROCEDURE f.proc IS 'a procedure';
CREATE AGGREGATE f.total(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0', COMBINEFUNC = int4pl, PARALLEL = SAFE,
    MSFUNC = int4pl, MINVFUNC = int4mi, MSTYPE = integer, MINITCOND = '0');
CREATE AGGREGATE f.rows(*) (SFUNC = int8inc, STYPE = bigint, INITCOND = '0');
CREATE AGGREGATE f.smallest(integer) (SFUNC = int4smaller, STYPE = integer, SORTOP = <);
CREATE AGGREGATE f.middle(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
CREATE AGGREGATE f.ranked(VARIADIC "any" ORDER BY VARIADIC "any") (SFUNC = ordered_set_transition_multi, STYPE = internal, FINALFUNC = rank_final, FINALFUNC_EXTRA, HYPOTHETICAL);
CREATE AGGREGATE f.averaged(bigint) (SFUNC = int8_avg_accum, STYPE = internal, SSPACE = 48, FINALFUNC = numeric_poly_avg, SERIALFUNC = int8_avg_serialize, DESERIALFUNC = int8_avg_deserialize, COMBINEFUNC = int8_avg_combine, FINALFUNC_MODIFY = SHAREABLE);
COMMENT ON AGGREGATE f.rows(*) IS 'count again';
CREATE TYPE f.pair AS (x integer, y integer);
CREATE FUNCTION f.pair_lt(f.pair, f.pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.x < $2.x';
CREATE FUNCTION f.pair_gt(f.pair, f.pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.x > $2.x';
CREATE FUNCTION f.pair_eq(f.pair, f.pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.x = $2.x';
CREATE FUNCTION f.pair_cmp(f.pair, f.pair) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1.x - $2.x';
CREATE FUNCTION f.pair_from(integer) RETURNS f.pair LANGUAGE sql IMMUTABLE AS 'SELECT ROW($1, $1)::f.pair';
CREATE OPERATOR f.<<< (FUNCTION = f.pair_lt, LEFTARG = f.pair, RIGHTARG = f.pair, COMMUTATOR = OPERATOR(f.>>>), RESTRICT = scalarltsel, JOIN = scalarltjoinsel);
CREATE OPERATOR f.>>> (FUNCTION = f.pair_gt, LEFTARG = f.pair, RIGHTARG = f.pair, COMMUTATOR = OPERATOR(f.<<<));
CREATE OPERATOR f.=== (FUNCTION = f.pair_eq, LEFTARG = f.pair, RIGHTARG = f.pair, COMMUTATOR = OPERATOR(f.===), NEGATOR = OPERATOR(f.!==), HASHES, MERGES);
CREATE OPERATOR f.!! (FUNCTION = f.new_style, RIGHTARG = integer);
CREATE OPERATOR FAMILY f.pair_ops USING btree;
CREATE OPERATOR CLASS f.pair_ops DEFAULT FOR TYPE f.pair USING btree FAMILY f.pair_ops AS
    OPERATOR 1 f.<<<, OPERATOR 3 f.===, OPERATOR 5 f.>>>, FUNCTION 1 f.pair_cmp(f.pair, f.pair);
CREATE FUNCTION f.cross_cmp(f.pair, integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT $1.x - $2';
CREATE FUNCTION f.cross_lt(f.pair, integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1.x < $2';
CREATE OPERATOR f.<<< (FUNCTION = f.cross_lt, LEFTARG = f.pair, RIGHTARG = integer);
ALTER OPERATOR FAMILY f.pair_ops USING btree ADD OPERATOR 1 f.<<< (f.pair, integer), FUNCTION 1 (f.pair, integer) f.cross_cmp(f.pair, integer);
CREATE OPERATOR CLASS f.stored FOR TYPE f.pair USING gist AS STORAGE integer;
CREATE OPERATOR FAMILY f.empty USING hash;
CREATE CAST (integer AS f.pair) WITH FUNCTION f.pair_from(integer) AS IMPLICIT;
COMMENT ON OPERATOR f.<<< (f.pair, f.pair) IS 'less';
COMMENT ON OPERATOR f.!! (NONE, integer) IS 'prefix';
COMMENT ON OPERATOR CLASS f.pair_ops USING btree IS 'class';
COMMENT ON OPERATOR FAMILY f.empty USING hash IS 'family';
COMMENT ON CAST (integer AS f.pair) IS 'cast';
CREATE TABLE f.pairs (p f.pair);
CREATE INDEX ON f.pairs (p f.pair_ops);
CREATE CONVERSION f.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE DEFAULT CONVERSION f.by_default FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
COMMENT ON CONVERSION f.latin IS 'conversion';
CREATE TRANSFORM FOR integer LANGUAGE sql (FROM SQL WITH FUNCTION prsd_lextype(internal), TO SQL WITH FUNCTION int4recv(internal));
CREATE LANGUAGE my_plpgsql HANDLER plpgsql_call_handler INLINE plpgsql_inline_handler VALIDATOR plpgsql_validator;
CREATE ACCESS METHOD my_btree TYPE INDEX HANDLER bthandler;
CREATE ACCESS METHOD my_heap TYPE TABLE HANDLER heap_tableam_handler;
COMMENT ON ACCESS METHOD my_heap IS 'as heap';
CREATE TABLE f.other_method (a integer) USING my_heap;
INSERT INTO f.other_method VALUES (1);
CREATE MATERIALIZED VIEW f.other_view USING my_heap AS SELECT a FROM f.other_method;
