//! Migration packages: no secret travels, every foreign key holds, what looks secret and is not covered stops the export.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use backup_core::sanitize::{Action, SanitizeRule};
use backup_core::{
    BackupKind, BackupRecord, ConnectOptions, ConnectSources, CreateError, CreateOptions,
    Destination, Explain, IntoDatabase, RestoreOptions, Silent, create, restore,
};
use testkit::Server;

/// A Django project with accounts, sessions, tokens, second factors. Every secret has CANARY in it.
const SCHEMA: &str = r#"
CREATE TABLE auth_user (
    id int PRIMARY KEY, password varchar(128) NOT NULL, last_login timestamptz, username varchar(150) NOT NULL UNIQUE,
    first_name varchar(150) NOT NULL, last_name varchar(150) NOT NULL, email varchar(254) NOT NULL, manager_id int REFERENCES auth_user (id));
INSERT INTO auth_user VALUES
    (1, 'pbkdf2_sha256$600000$CANARYsalt$CANARYhash=', now(), 'author01', 'Ada', 'Example', 'author01@example.test', NULL),
    (2, 'argon2$argon2id$v=19$m=1$CANARY$CANARY', NULL, 'reviewer02', 'Bob', 'Sample', 'reviewer02@example.test', 1);
CREATE TABLE django_session (session_key varchar(40) PRIMARY KEY, session_data text NOT NULL, expire_date timestamptz NOT NULL);
INSERT INTO django_session VALUES ('CANARY-session', 'CANARY-data', now());
CREATE TABLE authtoken_token (key varchar(40) PRIMARY KEY, user_id int NOT NULL UNIQUE REFERENCES auth_user (id));
INSERT INTO authtoken_token VALUES ('CANARY-token', 1);
CREATE TABLE oauth2_provider_application (id int PRIMARY KEY, client_id varchar(100) NOT NULL UNIQUE, client_secret varchar(255) NOT NULL);
INSERT INTO oauth2_provider_application VALUES (1, 'client', 'CANARY-client-secret');
CREATE TABLE oauth2_provider_refreshtoken (id int PRIMARY KEY, token varchar(255) NOT NULL);
INSERT INTO oauth2_provider_refreshtoken VALUES (1, 'CANARY-refresh');
CREATE TABLE oauth2_provider_accesstoken (id int PRIMARY KEY, token varchar(255) NOT NULL UNIQUE, source_refresh_token_id int REFERENCES oauth2_provider_refreshtoken (id));
INSERT INTO oauth2_provider_accesstoken VALUES (1, 'CANARY-access', 1);
CREATE TABLE download (id int PRIMARY KEY, by_token_id int REFERENCES oauth2_provider_accesstoken (id), title text NOT NULL);
INSERT INTO download VALUES (1, 1, 'by author01, for Bob Sample'), (2, NULL, 'plain');
CREATE TABLE otp_totp_totpdevice (id int PRIMARY KEY, key varchar(80) NOT NULL, user_id int NOT NULL REFERENCES auth_user (id));
INSERT INTO otp_totp_totpdevice VALUES (1, 'CANARY-seed', 1);
CREATE TABLE django_celery_results_taskresult (id int PRIMARY KEY, task_id varchar(255) NOT NULL, result text);
INSERT INTO django_celery_results_taskresult VALUES (1, 'x', 'CANARY-result');
CREATE TABLE certificate (id int PRIMARY KEY, private_key_pem text NOT NULL);
INSERT INTO certificate VALUES (1, '-----BEGIN PRIVATE KEY----- CANARY');
CREATE TABLE audit (id int NOT NULL, at date NOT NULL, session_id varchar(40), username text, ip_address inet, detail jsonb) PARTITION BY RANGE (at);
CREATE TABLE audit_2026 PARTITION OF audit FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
INSERT INTO audit VALUES (1, '2026-02-01', 'CANARY-session', 'author01', '192.0.2.7', '{"who": "reviewer02"}');
"#;

struct Site {
    server: &'static Server,
    database: String,
    folder: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        let server = Server::shared();
        let database = server.create_db("export");
        server.psql(&database, SCHEMA);
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("documents")).unwrap();
        fs::write(folder.path().join("documents/letter.txt"), "a letter").unwrap();
        Self {
            server,
            database,
            folder,
        }
    }

    fn connect(&self, database: &str) -> ConnectOptions {
        ConnectOptions::resolve(ConnectSources {
            url: Some(&self.server.url(database)),
            ..ConnectSources::default()
        })
        .unwrap()
    }

    fn export(&self, change: impl FnOnce(&mut CreateOptions)) -> Result<BackupRecord, CreateError> {
        let name = self.server.unique_name("package");
        let destination = Destination::Path(self.folder.path().join(format!("{name}.tar.gz")));
        let mut options = CreateOptions::new(BackupKind::Export, destination);
        options.database = Some(self.connect(&self.database));
        options
            .files
            .insert("documents".into(), self.folder.path().join("documents"));
        change(&mut options);
        create(&options, &Silent)
    }

    /// Everything in the package, as one text.
    fn unpacked(&self, record: &BackupRecord) -> String {
        let folder = tempfile::tempdir_in(self.folder.path()).unwrap();
        let mut tar = Command::new("tar");
        tar.arg("-xzf")
            .arg(&record.path)
            .arg("-C")
            .arg(folder.path());
        assert!(tar.status().unwrap().success());
        let output = Command::new("find")
            .arg(folder.path())
            .args(["-type", "f", "-exec", "cat", "{}", "+"])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn restored(&self, record: &BackupRecord) -> String {
        let database = self.server.unique_name("imported");
        let mut options = RestoreOptions::new(&record.path);
        options.database = Some(self.connect(&database));
        options
            .files
            .insert("documents".into(), self.folder.path().join(&database));
        options.into = Some(IntoDatabase::Fresh);
        options.force = true;
        options.verify = true;
        assert!(restore(&options, &Silent).unwrap().verified);
        database
    }
}

fn blank(table: &str, column: &str, action: Action) -> SanitizeRule {
    SanitizeRule {
        table: table.into(),
        column: Some(column.into()),
        action,
    }
}

#[test]
fn no_secret_travels_and_every_key_holds() {
    let site = Site::new();
    let record = site.export(|_| ()).unwrap();
    let text = site.unpacked(&record);
    for planted in ["CANARY", "pbkdf2_sha256", "argon2id"] {
        assert!(!text.contains(planted), "{planted}");
    }
    assert!(text.contains("author01@example.test"));
    let database = site.restored(&record);
    let passwords = site.server.psql(
        &database,
        "SELECT count(DISTINCT password), bool_and(password ~ '^![0-9a-f]{40}$') FROM auth_user",
    );
    assert_eq!(passwords, "2|t");
    // A reference to a row that is left out is empty; others are as they were.
    let references = "SELECT count(by_token_id), count(*), (SELECT manager_id FROM auth_user WHERE id = 2) FROM download";
    assert_eq!(site.server.psql(&database, references), "0|2|1");
    let keys = "SELECT count(*), bool_and(convalidated) FROM pg_constraint WHERE contype = 'f'";
    assert_eq!(
        site.server.psql(&database, keys),
        site.server.psql(&site.database, keys)
    );
}

#[test]
fn people_become_pseudonyms_everywhere() {
    let site = Site::new();
    let record = site
        .export(|options| options.sanitize.exclude_users = true)
        .unwrap();
    let text = site.unpacked(&record);
    for name in [
        "author01",
        "reviewer02",
        "Ada",
        "Sample",
        "example.test",
        "192.0.2.7",
    ] {
        assert!(!text.contains(name), "{name}");
    }
    let database = site.restored(&record);
    assert_eq!(
        site.server.psql(
            &database,
            "SELECT username, email FROM auth_user ORDER BY id"
        ),
        "user-1|user-1@example.invalid\nuser-2|user-2@example.invalid"
    );
    assert_eq!(
        site.server
            .psql(&database, "SELECT title FROM download ORDER BY id"),
        "by somebody, for somebody\nplain"
    );
}

#[test]
fn what_looks_secret_stops_the_export_until_a_rule_covers_it() {
    let site = Site::new();
    site.server.psql(
        &site.database,
        "CREATE TABLE mailbox (id int PRIMARY KEY, smtp_password text NOT NULL, api_key text, note text NOT NULL, token_type text);
         INSERT INTO mailbox VALUES (1, 'hunter-CANARY', NULL, 'see postgres://edms:CANARY@db/edms', 'bearer')",
    );
    let error = site.export(|_| ()).unwrap_err();
    assert_eq!(error.code(), "secrets_unresolved");
    let CreateError::Sanitize(error) = error else {
        panic!("{error}")
    };
    let message = error.to_string();
    assert!(
        message.contains("public.mailbox.smtp_password (its name)"),
        "{message}"
    );
    assert!(
        message.contains("public.mailbox.note (URLs with passwords)"),
        "{message}"
    );
    assert!(
        !message.contains("api_key") && !message.contains("token_type"),
        "{message}"
    );
    assert!(error.hint().unwrap().contains("[[sanitize.rules]]"));
    let record = site
        .export(|options| {
            options.sanitize.rules = vec![
                blank("public.mailbox", "smtp_password", Action::Hash),
                blank("mailbox", "note", Action::Blank),
            ];
        })
        .unwrap();
    let text = site.unpacked(&record);
    assert!(!text.contains("CANARY"));
    assert!(text.contains("hashed") && text.contains("blanked"));
    // What a rule keeps is kept.
    let kept = site.export(|options| {
        options.sanitize.rules = vec![SanitizeRule {
            table: "mailbox".into(),
            column: None,
            action: Action::Keep,
        }];
    });
    assert!(site.unpacked(&kept.unwrap()).contains("hunter-CANARY"));
}

#[test]
fn rules_that_fit_nothing_are_refused() {
    let site = Site::new();
    for (rule, code) in [
        (blank("public.nowhere", "x", Action::Blank), "sanitize_rule"),
        (blank("auth_user", "nothing", Action::Keep), "sanitize_rule"),
        (
            blank("auth_user", "email", Action::Drop),
            "sanitize_impossible",
        ),
        (
            blank("auth_user", "manager_id", Action::Hash),
            "sanitize_impossible",
        ),
        (
            SanitizeRule {
                table: "auth_user".into(),
                column: None,
                action: Action::Hash,
            },
            "sanitize_rule",
        ),
        (
            SanitizeRule {
                table: "auth_user".into(),
                column: None,
                action: Action::Drop,
            },
            "ok",
        ),
    ] {
        let name = format!("{rule:?}");
        match site.export(|options| options.sanitize.rules = vec![rule]) {
            Ok(_) => assert_eq!(code, "ok", "{name}"),
            Err(error) => assert_eq!(error.code(), code, "{name}: {error}"),
        }
        let left: Vec<PathBuf> = fs::read_dir(site.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "gz"))
            .collect();
        assert!(left.len() <= usize::from(code == "ok"), "{left:?}");
    }
}

#[test]
fn a_package_names_no_role() {
    let site = Site::new();
    let role = site.server.unique_name("clerk");
    site.server.psql(
        &site.database,
        &format!(
            "CREATE ROLE {role};
             ALTER TABLE download OWNER TO {role};
             GRANT SELECT ON audit TO {role};
             ALTER TABLE download ENABLE ROW LEVEL SECURITY;
             CREATE POLICY of_the_clerk ON download TO {role} USING (true);
             CREATE POLICY for_all ON download USING (true);
             CREATE FOREIGN DATA WRAPPER elsewhere;
             CREATE SERVER far FOREIGN DATA WRAPPER elsewhere;
             CREATE USER MAPPING FOR {role} SERVER far OPTIONS (password 'CANARY')"
        ),
    );
    let record = site.export(|_| ()).unwrap();
    let text = site.unpacked(&record);
    assert!(!text.contains(&role) && !text.contains("CANARY"));
    assert!(
        text.contains("policy of_the_clerk"),
        "the manifest names what is left out"
    );
    let database = site.restored(&record);
    assert_eq!(
        site.server.psql(&database, "SELECT polname FROM pg_policy"),
        "for_all"
    );
}
