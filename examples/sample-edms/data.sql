-- Rows of the sample. Deterministic: no random(), no now(). Expects the temporary table stored_file
-- (number, kind, path, size, checksum, uuid), filled from the list that the store generator writes.

INSERT INTO auth_user (password, last_login, is_superuser, username, email, date_joined, preferences)
SELECT 'pbkdf2_sha256$600000$sample' || n || '$' || encode(sha256(('user' || n)::bytea), 'base64'),
       timestamptz '2024-03-01 08:00+00' + n * interval '1 hour 7 minutes 3.141592 seconds',
       n = 1,
       'user' || lpad(n::text, 3, '0'),
       'user' || n || '@example.test',
       timestamptz '2022-01-01 00:00+00' + n * interval '1 day',
       jsonb_build_object('language', (ARRAY['en', 'de', 'ja'])[1 + n % 3], 'page_size', 10 * n, 'big', 12345678901234567890::numeric)
FROM generate_series(1, 60) AS n;
UPDATE auth_user SET manager_id = 1 + id / 10 WHERE id > 1;

INSERT INTO roles (name, permissions) VALUES
    ('author', ARRAY['document.add', 'document.change']),
    ('reviewer', ARRAY['document.review']),
    ('approver', ARRAY['document.approve', 'say "yes"', 'a,b', '{}', NULL, 'NULL']),
    ('reader', '{}');
INSERT INTO user_roles SELECT u, 1 + (u + r) % 4, timestamptz '2023-01-01 00:00+00' + u * interval '1 day'
FROM generate_series(1, 60) AS u, generate_series(0, 1) AS r;

INSERT INTO django_session
SELECT md5('session' || n), repeat(md5(n::text), 6), timestamptz '2030-01-01 00:00+00' + n * interval '1 minute'
FROM generate_series(1, 40) AS n;

INSERT INTO document_types (code, name, retention) VALUES
    ('SOP', 'Standard operating procedure', '10 years'), ('FORM', 'Form', '3 years 2 days 04:05:06.789'),
    ('REC', 'Record', '1 mon'), ('MAN', 'Manual', '-1 days +02:00:00');

INSERT INTO documents (uuid, title, document_type_id, author_id, status, version_major, version_minor, file_path, file_size,
                       file_checksum, keywords, page_offsets, metadata, effective_date, created_at)
SELECT uuid,
       'Document ' || number || (ARRAY[' – Größenänderung', ' 手順書', ' تعليمات', ' "quoted"', ''])[1 + number % 5],
       10 * (1 + number % 4),
       1 + number % 60,
       (enum_range(NULL::document_status))[1 + number % 5],
       1 + number % 7,
       number % 3,
       path, size, checksum,
       ARRAY['keyword' || number % 11, kind],
       CASE WHEN number % 4 > 0 THEN ARRAY[0, number, number * 1000] END,
       jsonb_build_object('kind', kind, 'pages', number % 40, 'tags', jsonb_build_array('x', number, NULL), 'nested', jsonb_build_object('π', 3.14159)),
       CASE WHEN number % 5 >= 3 THEN date '2024-01-01' + number END,
       timestamptz '2023-01-01 06:00+00' + number * interval '83 minutes 0.001 seconds'
FROM stored_file WHERE uuid IS NOT NULL
ORDER BY number;
INSERT INTO documents (uuid, title, document_type_id, author_id, created_at)
SELECT md5('no file yet ' || n)::uuid, 'Draft without a file ' || n, 10, n, timestamptz '2024-05-01 00:00+00' FROM generate_series(1, 20) AS n;
UPDATE documents SET supersedes_id = id - 1 WHERE id % 10 = 0;

INSERT INTO document_versions (document_id, version, change_reason, file_checksum, created_at)
SELECT d.id, v, repeat('Reason ' || v || E' of the change.\n', v), d.file_checksum, d.created_at + v * interval '1 day'
FROM documents AS d, generate_series(1, 3) AS v ORDER BY d.id, v;

INSERT INTO document_dependencies
SELECT id, id - 1, daterange(date '2023-01-01', CASE WHEN id % 3 = 0 THEN NULL ELSE date '2024-01-01' + id::integer END)
FROM documents WHERE id % 4 = 0;

INSERT INTO workflow_states VALUES
    ('DRAFT', 'Draft', 1, false), ('REVIEW', 'In review', 2, false), ('APPROVED', 'Approved', 3, false), ('EFFECTIVE', 'Effective', 4, true);
INSERT INTO workflow_instances (document_id, state_code, due_date, data)
SELECT id, (ARRAY['DRAFT', 'REVIEW', 'APPROVED', 'EFFECTIVE'])[1 + id % 4], effective_date, jsonb_build_object('step', id % 4)
FROM documents ORDER BY id;
INSERT INTO workflow_transitions (workflow_id, from_state, to_state, actor_id, took, happened_at)
SELECT w.id, s.from_state, s.to_state, 1 + w.id % 60, s.step * interval '1 day 02:03:04.000005', timestamptz '2024-02-01 00:00+00' + w.id * s.step * interval '1 minute'
FROM workflow_instances AS w,
     (VALUES (0, NULL, 'DRAFT'), (1, 'DRAFT', 'REVIEW'), (2, 'REVIEW', 'APPROVED'), (3, 'APPROVED', 'EFFECTIVE')) AS s (step, from_state, to_state)
WHERE s.step <= w.id % 4 ORDER BY w.id, s.step;

-- The trigger wrote rows with now(): take them out, so that every load gives the same rows.
DELETE FROM audit_trail;
ALTER TABLE audit_trail ALTER COLUMN id RESTART WITH 1;
INSERT INTO audit_trail ("timestamp", actor_id, action, object_type, object_id, ip_address, details, cost)
SELECT timestamptz '2023-01-01 00:00+00' + n * interval '2 hours 11.000123 seconds',
       1 + n % 60,
       (ARRAY['CREATE', 'UPDATE', 'VIEW', 'LOGIN', 'FAILED'])[1 + n % 5],
       (ARRAY['documents', 'auth_user', 'workflow_instances'])[1 + n % 3],
       (n % 220)::text,
       CASE WHEN n % 3 = 0 THEN inet '2001:db8::1' + n ELSE inet '10.0.0.0' + n END,
       jsonb_build_object('sequence', n, 'agent', 'Mozilla/5.0 (sample)', 'note', repeat(md5(n::text), 2)),
       CASE WHEN n % 7 > 0 THEN n / 7.0 END
FROM generate_series(1, 12000) AS n;

INSERT INTO awkward_values VALUES
    (1, 'end of COPY data', E'before\n\\.\nafter', '\x5c2e0a', '{"a": "\\."}', 'infinity', 'NaN', 'NaN'),
    (2, 'SQL inside', 'COPY t FROM stdin; DROP TABLE documents; -- \N', '\x00ff', '[1, 2.50, 1e400]', '-infinity', '-Infinity', -0.00000000000000000001),
    (3, 'control characters', E'\t\r\n\b\f\v\x01\x7f', '', '""', '0001-01-01', '-0', 12345678901234567890.12345678901234567890),
    (4, 'far dates', '', NULL, NULL, '9999-12-31', 5e-324, 1e-100),
    (5, 'before Christ', NULL, NULL, ' { "spaces" : [ ] } ', '4713-01-01 BC', 1.7976931348623157e308, 1e100),
    (6, 'unicode', U&'NFC \00e9, NFD e\0301, emoji \+01F5C4, right to left \05d0\05d1, zero width \200b, line separator \2028', NULL, NULL, '2024-02-29', 0.1, 0),
    (7, 'long', repeat('0123456789abcdef', 20000), decode(repeat('00ff7f80', 5000), 'hex'), NULL, NULL, NULL, NULL),
    (8, NULL, '\N', '\x5c4e', 'null', NULL, 'Infinity', NULL);
INSERT INTO "Odd ""name"", with % and ü" VALUES (1, 'one'), (2, E'two\\');

INSERT INTO scanned_originals
SELECT id, lo_from_bytea(0, decode(repeat(md5('page' || id), 4096), 'hex')) FROM documents WHERE id <= 3 ORDER BY id;

REFRESH MATERIALIZED VIEW reporting.documents_per_type;
ALTER SEQUENCE document_number_seq RESTART WITH 5000;
