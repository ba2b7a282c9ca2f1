//! Files as they are, and random ones.

use proptest::prelude::*;

use super::{REDACTED, redact};

/// Redacts a text file.
#[track_caller]
fn redacted(name: &str, text: &str) -> String {
    let result = redact(name, text.as_bytes());
    assert!(!result.binary);
    let out = String::from_utf8(result.content).unwrap();
    assert_eq!(out.lines().count(), text.lines().count(), "{out}");
    assert_eq!(
        out.contains(REDACTED),
        !result.changes.is_empty(),
        "{:?}\n{out}",
        result.changes
    );
    out
}

#[track_caller]
fn becomes(name: &str, text: &str, expected: &str) {
    assert_eq!(redacted(name, text), expected);
}

#[test]
fn env_files() {
    becomes(
        ".env",
        "# Django\nSECRET_KEY=django-insecure-#1=x\nexport DB_PASSWORD=\"a b\\\"c\" # the old one\nDB_HOST=db\nDB_PORT=5432\nDEBUG=false\n\
         #API_TOKEN=abc\nDB_PASSWORD_FILE=/run/secrets/db\nEMAIL_PASSWORD=${EMAIL_PASSWORD}\nPASSWORD_MIN_LENGTH=12\nEMPTY_PASSWORD=\n\
         DATABASE_URL=postgresql://edms:p%40ss@db:5432/edms?sslmode=require\nREDIS_URL=redis://:hunter2@redis:6379/0\n\
         SENTRY_DSN=https://abc@sentry.example/1\nA_SECRET='x\ny z'\nLAST=1\r\n",
        "# Django\nSECRET_KEY=REDACTED\nexport DB_PASSWORD=\"REDACTED\" # the old one\nDB_HOST=db\nDB_PORT=5432\nDEBUG=false\n\
         #API_TOKEN=REDACTED\nDB_PASSWORD_FILE=/run/secrets/db\nEMAIL_PASSWORD=${EMAIL_PASSWORD}\nPASSWORD_MIN_LENGTH=12\nEMPTY_PASSWORD=\n\
         DATABASE_URL=postgresql://edms:REDACTED@db:5432/edms?sslmode=require\nREDIS_URL=redis://:REDACTED@redis:6379/0\n\
         SENTRY_DSN=REDACTED\nA_SECRET='REDACTED\nREDACTED'\nLAST=1\r\n",
    );
}

#[test]
fn compose_files() {
    becomes(
        "docker-compose.yml",
        "services:\n  db:\n    image: postgres:18\n    environment:\n      POSTGRES_PASSWORD: hunter2\n      POSTGRES_USER: edms\n      \
         PASSWORD_FILE: /run/secrets/db_password\n    secrets:\n      - db_password\n  web:\n    environment:\n      - SECRET_KEY=abc def\n      \
         - \"DB_PASSWORD=a,b\"\n      - DEBUG=0\n      - TOKEN=${TOKEN:-fallback}\n    command: [\"run\", \"--password=x\", \"--port\", \"80\"]\n    \
         labels: {api_key: k1, user: bob}\nsecrets:\n  db_password:\n    file: ./secrets/db_password.txt\n",
        "services:\n  db:\n    image: postgres:18\n    environment:\n      POSTGRES_PASSWORD: REDACTED\n      POSTGRES_USER: edms\n      \
         PASSWORD_FILE: /run/secrets/db_password\n    secrets:\n      - db_password\n  web:\n    environment:\n      - SECRET_KEY=REDACTED\n      \
         - \"DB_PASSWORD=REDACTED\"\n      - DEBUG=0\n      - TOKEN=${TOKEN:-REDACTED}\n    command: [\"run\", \"--password=REDACTED\", \"--port\", \"80\"]\n    \
         labels: {api_key: REDACTED, user: bob}\nsecrets:\n  db_password:\n    file: ./secrets/db_password.txt\n",
    );
}

#[test]
fn yaml_of_all_kinds() {
    becomes(
        "values.yaml",
        "password: |\n  line one\n\n  line two\nuser: bob\nprivate_key: >-\n    abc\n    def\nhost: db\ntokens:\n- abc\n- name: x\nport: 1\n\
         env:\n  - name: DB_PASSWORD\n    value: \"hunter2\"\n  - name: DB_HOST\n    value: db\ncredentials:\n  user: bob\n  pass: x\n\
         plain_password: one\n  two\nother: three\nanchored_secret: &a !!str 'it''s'\n",
        "password: |\n  REDACTED\n\n  REDACTED\nuser: bob\nprivate_key: >-\n    REDACTED\n    REDACTED\nhost: db\ntokens:\n- REDACTED\n- name: x\nport: 1\n\
         env:\n  - name: DB_PASSWORD\n    value: REDACTED\n  - name: DB_HOST\n    value: db\ncredentials:\n  user: bob\n  pass: REDACTED\n\
         plain_password: REDACTED\n  REDACTED\nother: three\nanchored_secret: &a !!str 'REDACTED'\n",
    );
}

#[test]
fn python_settings() {
    becomes(
        "backend/config/settings.py",
        "import os\nSECRET_KEY = 'django-insecure-x'\nDEBUG = os.environ.get(\"DEBUG\") == \"1\"\nAPI_KEY: str = os.environ.get(\"API_KEY\", \"fallback\")\n\
         DATABASES = {'default': {'NAME': 'edms', 'PASSWORD': 'hunter2', 'HOST': 'db'}}\nAUTH_PASSWORD_VALIDATORS = [\n    {'NAME': 'a.MinimumLengthValidator'},\n]\n\
         EMAIL_HOST_PASSWORD = os.environ['EMAIL_HOST_PASSWORD']\nPRIVATE_KEY = \"\"\"one\ntwo\"\"\"\nTOKENS = [\n    'a',  # first\n    \"b\",\n]\n\
         JWT_SECRET = ('x'\n    'y')\nPIN_PASSWORD = 123456\nLANGUAGE_CODE = 'de'\n# OLD_PASSWORD = 'gone'\nURL = f\"amqp://u:{x}pw@host/\"\n",
        "import os\nSECRET_KEY = 'REDACTED'\nDEBUG = os.environ.get(\"DEBUG\") == \"1\"\nAPI_KEY: str = os.environ.get(\"API_KEY\", \"REDACTED\")\n\
         DATABASES = {'default': {'NAME': 'edms', 'PASSWORD': 'REDACTED', 'HOST': 'db'}}\nAUTH_PASSWORD_VALIDATORS = [\n    {'NAME': 'a.MinimumLengthValidator'},\n]\n\
         EMAIL_HOST_PASSWORD = os.environ['EMAIL_HOST_PASSWORD']\nPRIVATE_KEY = \"\"\"REDACTED\n\"\"\"\nTOKENS = [\n    'REDACTED',  # first\n    \"REDACTED\",\n]\n\
         JWT_SECRET = ('REDACTED'\n    'REDACTED')\nPIN_PASSWORD = \"REDACTED\"\nLANGUAGE_CODE = 'de'\n# OLD_PASSWORD = 'REDACTED'\nURL = f\"amqp://u:REDACTED@host/\"\n",
    );
}

#[test]
fn json_toml_and_ini() {
    becomes(
        "config.json",
        "{\"user\": \"bob\", \"password\": \"a\\\"b\", \"pin_secret\": 1234,\n \"clientSecret\":\n   \"x\", \"list\": [1],\n \"credentials\": {\"id\": \"i\", \"port\": 1},\n \
         \"env\": [{\"name\": \"DB_PASSWORD\", \"value\": \"v\"}, {\"name\": \"A\", \"value\": \"b\"}],\n \"inner\": \"{\\\"password\\\": \\\"deep\\\"}\"}\n",
        "{\"user\": \"bob\", \"password\": \"REDACTED\", \"pin_secret\": \"REDACTED\",\n \"clientSecret\":\n   \"REDACTED\", \"list\": [1],\n \"credentials\": {\"id\": \"REDACTED\", \"port\": 1},\n \
         \"env\": [{\"name\": \"DB_PASSWORD\", \"value\": \"REDACTED\"}, {\"name\": \"A\", \"value\": \"b\"}],\n \"inner\": \"{\\\"password\\\": REDACTED}\"}\n",
    );
    becomes(
        "edms-backup.toml",
        "[database]\nhost = \"db\"\npassword = 'hunter2'\npassword_file = \"/run/secrets/x\"\napi-keys = [\n  \"a\",\n]\n[keys]\nmaster_key = '''\nabc\n'''\n",
        "[database]\nhost = \"db\"\npassword = 'REDACTED'\npassword_file = \"/run/secrets/x\"\napi-keys = [\n  \"REDACTED\",\n]\n[keys]\nmaster_key = '''REDACTED\n\n'''\n",
    );
    becomes(
        "uwsgi.ini",
        "[uwsgi]\nsocket = :8000\npassword = one\n  two\nuser = bob\nenv = DJANGO_SECRET_KEY=abc\n",
        "[uwsgi]\nsocket = :8000\npassword = REDACTED\n  REDACTED\nuser = bob\nenv = DJANGO_SECRET_KEY=REDACTED\n",
    );
}

#[test]
fn other_files() {
    becomes(
        "redis.conf",
        "port 6379\nrequirepass hunter2\n",
        "port 6379\nrequirepass REDACTED\n",
    );
    becomes(
        "Dockerfile",
        "FROM x\nENV SECRET_KEY abc\nARG API_TOKEN=y\n",
        "FROM x\nENV SECRET_KEY REDACTED\nARG API_TOKEN=REDACTED\n",
    );
    becomes(
        ".pgpass",
        "db:5432:*:edms:hun\\:ter2\n",
        "db:5432:*:edms:REDACTED\n",
    );
    becomes("nginx.htpasswd", "bob:$apr1$x$y\n", "bob:REDACTED\n");
    becomes(
        "netrc",
        "machine x login bob password hunter2\n",
        "machine x login bob password REDACTED\n",
    );
    becomes(
        "web.xml",
        "<a><password>hunter2</password><user>bob</user></a>\n",
        "<a><password>REDACTED</password><user>bob</user></a>\n",
    );
    becomes("secrets/db_password.txt", "hunter2\n", "REDACTED\n");
    becomes(
        "run.sh",
        "PGPASSWORD='a'\"b\" psql \\\n  -h db\nexport TOKEN=a \\\n  b\necho done\n",
        "PGPASSWORD='REDACTED' psql \\\n  -h db\nexport TOKEN=REDACTED \\\nREDACTED\necho done\n",
    );
}

#[test]
fn what_gives_itself_away() {
    let jwt = format!("eyJhbGciOiJIUzI1NiJ9.{}.c2lnbmF0dXJl", "eyJzdWIiOiIxIn0");
    let aws = format!("AKIA{}", "IOSFODNN7EXAMPLE");
    let text = format!(
        "a={jwt}\nb = {aws}\nhash=pbkdf2_sha256$600000$abcdefghijkl$0123456789abcdef0123456789abcdef=\ngit=https://oauth2:tok@git.example/x.git\n\
         image=registry:5000/app@sha256:0123\nurl=https://host:80/a@b\nmail=bob@example.org\n"
    );
    becomes(
        "notes.txt",
        &text,
        "a=REDACTED\nb = REDACTED\nhash=REDACTED\ngit=https://oauth2:REDACTED@git.example/x.git\n\
         image=registry:5000/app@sha256:0123\nurl=https://host:80/a@b\nmail=bob@example.org\n",
    );
    let key =
        "  -----BEGIN RSA PRIVATE KEY-----\n  MIIabc\n  def==\n  -----END RSA PRIVATE KEY-----\n";
    becomes(
        "tls.yaml",
        &format!("data:\n{key}public: -----BEGIN CERTIFICATE-----\n"),
        "data:\n  -----BEGIN RSA PRIVATE KEY-----\n  REDACTED\n  REDACTED\n  -----END RSA PRIVATE KEY-----\npublic: -----BEGIN CERTIFICATE-----\n",
    );
}

#[test]
fn files_that_are_no_text() {
    let result = redact("keystore.p12", b"\x30\x82\x00password");
    assert!(result.binary && result.content.is_empty());
    let latin1 = redact("a.ini", b"# gr\xfc\xdfe\npassword = hunter2\n");
    assert_eq!(latin1.content, b"# gr\xfc\xdfe\npassword = REDACTED\n");
    assert_eq!(
        (latin1.changes[0].line, latin1.changes[0].key.as_str()),
        (2, "password")
    );
}

const SECRET_KEYS: &[&str] = &[
    "SECRET_KEY",
    "DB_PASSWORD",
    "api_token",
    "STRIPE_API_KEY",
    "client_secret",
    "smtp_passwd",
    "EDMS_MASTER_KEY",
];
const OTHER_KEYS: &[&str] = &[
    "DB_HOST",
    "DEBUG",
    "PASSWORD_MIN_LENGTH",
    "language",
    "TIME_ZONE",
    "PORT",
];

/// One entry of a file: its key, its value, and whether that is a secret.
fn entry() -> impl Strategy<Value = (String, String, bool)> {
    let secret = (
        0..SECRET_KEYS.len(),
        "[a-zA-Z0-9!@%^&*()+=;:,.?/~<>|\\[\\]{} #$'\"-]{0,12}",
        "[a-z0-9]{10}",
        "[a-zA-Z0-9!,;:}\\]) #]{0,6}",
    )
        .prop_map(|(key, before, middle, after)| {
            (
                SECRET_KEYS[key].to_owned(),
                format!("{before}zq{middle}{after}x"),
                true,
            )
        });
    let other = (0..OTHER_KEYS.len(), "[a-z]{1,8}")
        .prop_map(|(key, value)| (OTHER_KEYS[key].to_owned(), value, false));
    prop_oneof![secret, other]
}

/// The entries in one of the formats: name of the file and its text.
fn written(entries: &[(String, String, bool)], format: usize) -> (&'static str, String) {
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"");
    let single = |value: &str| value.replace('\'', "''");
    let lines = |line: &dyn Fn(&str, &str) -> String| -> String {
        entries
            .iter()
            .map(|(key, value, _)| line(key, value) + "\n")
            .collect()
    };
    // Where a value stands without quotes, one that begins with a quote would mean something else.
    let bare = |value: &str| value.trim_start_matches(['"', '\'', ' ']).to_owned();
    match format {
        0 => (
            ".env",
            lines(&|key, value| format!("{key}={}", bare(value))),
        ),
        1 => (
            ".env",
            lines(&|key, value| format!("export {key}=\"{}\"", escaped(value))),
        ),
        2 => (
            "a.yaml",
            format!(
                "top:\n{}",
                lines(&|key, value| format!("  {key}: '{}'", single(value)))
            ),
        ),
        3 => (
            "a.yml",
            format!(
                "environment:\n{}",
                lines(&|key, value| format!("  - \"{key}={}\"", escaped(value)))
            ),
        ),
        4 => (
            "a.yml",
            lines(&|key, value| format!("{key}: |-\n  {}", value.trim())),
        ),
        5 => (
            "a.json",
            format!(
                "{{\n{}\"end\": 1}}\n",
                lines(&|key, value| format!("  \"{key}\": \"{}\",", escaped(value)))
            ),
        ),
        6 => (
            "a.json",
            format!(
                "{{{} \"end\": 1}}\n",
                lines(&|key, value| format!("\"{key}\":\"{}\",", escaped(value))).replace('\n', "")
            ),
        ),
        7 => (
            "settings.py",
            lines(&|key, value| format!("{key} = \"{}\"", escaped(value))),
        ),
        8 => (
            "settings.py",
            format!(
                "X = {{\n{}}}\n",
                lines(&|key, value| format!("    '{key}': r'''{}''',", value.replace('\'', "")))
            ),
        ),
        9 => (
            "settings.py",
            lines(&|key, value| {
                format!("{key} = os.environ.get(\"{key}\", \"{}\")", escaped(value))
            }),
        ),
        10 => (
            "a.toml",
            lines(&|key, value| format!("{key} = \"\"\"\n{}\"\"\"", escaped(value))),
        ),
        11 => (
            "a.ini",
            lines(&|key, value| format!("{key} = {}", bare(value))),
        ),
        _ => (
            "run.sh",
            lines(&|key, value| format!("# {key}: {}", bare(value))),
        ),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn planted_secrets_never_survive(entries in prop::collection::vec(entry(), 1..6), format in 0..13_usize) {
        let (name, text) = written(&entries, format);
        let result = redact(name, text.as_bytes());
        let out = String::from_utf8(result.content).unwrap();
        for (key, value, secret) in &entries {
            prop_assert!(out.contains(key.as_str()), "{key} is gone from {name}:\n{text}\n{out}");
            if *secret {
                let start = value.find("zq").unwrap();
                prop_assert!(!out.contains(&value[start..start + 12]), "{key} survived in {name}:\n{text}\n{out}");
            } else {
                prop_assert!(out.contains(value.as_str()), "{value} is gone from {name}:\n{text}\n{out}");
            }
        }
        prop_assert_eq!(out.matches('\n').count(), text.matches('\n').count());
        // What is redacted already has nothing more to take out.
        let again = redact(name, out.as_bytes());
        prop_assert_eq!(String::from_utf8(again.content).unwrap(), out);
    }

    #[test]
    fn anything_goes_through(name in "[a-z.]{0,12}", content in prop::collection::vec(any::<u8>(), 0..200), text in "(?s).{0,200}") {
        for content in [content.as_slice(), text.as_bytes()] {
            let result = redact(&name, content);
            if !result.binary {
                let newlines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
                prop_assert_eq!(newlines(&result.content), newlines(content));
            }
        }
    }
}
