-- Names that need care, everywhere.
CREATE SCHEMA "Select";
CREATE SCHEMA "a.b";
CREATE SCHEMA "per%cent";
CREATE TABLE "Select"."Order By" ("user" integer PRIMARY KEY, "a b" text DEFAULT '%s', "c""d" integer CHECK ("c""d" > 0), "e.f" date, "$g" integer, "ÜñÏ" text, "1st" integer,
    "new
line" text, "tab	tab" text, "back\slash" text);
INSERT INTO "Select"."Order By" ("user", "c""d", "new
line") VALUES (1, 2, 'x
y\.');
CREATE TABLE "a.b"."c.d" (x integer);
CREATE TABLE "per%cent"."100%" ("50%" integer);
CREATE INDEX "Odd ""index""" ON "Select"."Order By" ("a b");
CREATE TABLE "new
table" (a serial, b integer GENERATED ALWAYS AS IDENTITY);
INSERT INTO "new
table" DEFAULT VALUES;
CREATE FUNCTION "Select"."Weird Function"("Arg" integer) RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE TYPE "Select"."Type" AS ENUM ('A', 'b c', 'd''e', 'f"g', '');
CREATE TABLE "public"."table" (a "Select"."Type" DEFAULT 'd''e');
CREATE VIEW "select" AS SELECT "user" AS "from" FROM "Select"."Order By";
CREATE SEQUENCE "Seq uence";
COMMENT ON TABLE "Select"."Order By" IS E'it''s a "comment"\nwith lines; -- and \\ this $$';
COMMENT ON COLUMN "Select"."Order By"."new
line" IS '';
CREATE DOMAIN "Dom ain" AS text CONSTRAINT "Con straint" CHECK (VALUE <> '%');
CREATE TABLE abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk (abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk integer PRIMARY KEY);
CREATE TABLE keywords ("all" integer, "analyse" integer, "between" integer, "json" integer, "merge_action" integer, "system_user" integer, "values" integer, "overlaps" integer, virtual integer);
