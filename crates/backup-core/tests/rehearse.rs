//! Rehearsals: a backup is proven by restoring it, and nothing is left of that.

use std::fs;
use std::path::{Path, PathBuf};

use backup_core::request::{SiteRequest, Surroundings, VerifyRequest};
use backup_core::{
    Archives, BackupKind, ConnectOptions, CreateOptions, Destination, Explain, LastRehearsal,
    RehearseOptions, Repository, RestoreTargets, ScratchFolder, Secret, Silent, VerifyStatus,
    create, default_jobs, recover, rehearse,
};
use testkit::Server;

struct Scene {
    server: &'static Server,
    database: String,
    folder: tempfile::TempDir,
    archive: PathBuf,
}

impl Scene {
    /// A database and a folder, and a backup of both in a repository.
    fn backed_up() -> Self {
        let server = Server::shared();
        let database = server.create_db("proven");
        server.psql(
            &database,
            "CREATE TABLE letter (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL, parent int REFERENCES letter);
             INSERT INTO letter (body, parent) SELECT md5(n::text), NULLIF(n / 2, 0) FROM generate_series(1, 30000) n;
             ALTER TABLE letter ADD CHECK (length(body) > 40) NOT VALID; CREATE INDEX ON letter (lower(body))",
        );
        let mut scene = Self {
            server,
            database,
            folder: tempfile::tempdir().unwrap(),
            archive: PathBuf::new(),
        };
        let documents = scene.path("documents");
        fs::create_dir_all(documents.join("deep")).unwrap();
        for number in 0..20 {
            fs::write(
                documents.join(format!("deep/{number}")),
                format!("{number}"),
            )
            .unwrap();
        }
        let destination = Destination::Repository(scene.path("backups"));
        let mut options = CreateOptions::new(BackupKind::Full, destination);
        options.database = Some(scene.connect());
        options.files.insert("documents".into(), documents);
        scene.archive = create(&options, &Silent).unwrap().path;
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn connect(&self) -> ConnectOptions {
        ConnectOptions::from_url(&self.server.url(&self.database)).unwrap()
    }

    fn options(&self) -> RehearseOptions {
        RehearseOptions {
            database: Some(self.connect()),
            scratch: ScratchFolder::In(self.folder.path().to_owned()),
            archives: Archives::default(),
            references: Vec::new(),
            jobs: default_jobs(),
            any_version: false,
        }
    }

    /// The site as a request describes it.
    fn site(&self) -> backup_core::request::Site {
        let request = SiteRequest {
            repository: Some(self.path("backups")),
            database_url: Some(Secret::new(self.server.url(&self.database))),
            ..SiteRequest::default()
        };
        request.resolve(&Surroundings::none()).unwrap()
    }

    /// What the backup's record says.
    fn last_rehearsal(&self) -> LastRehearsal {
        let repository = Repository::open(self.path("backups")).unwrap();
        repository.find("latest").unwrap().last_rehearsal.unwrap()
    }

    #[track_caller]
    fn assert_nothing_is_left(&self) {
        assert_eq!(databases(self), vec![self.database.clone()]);
        assert_eq!(names(&self.path("backups/running")), Vec::<String>::new());
        assert_eq!(names(self.folder.path()), ["backups", "documents"]);
    }
}

fn databases(scene: &Scene) -> Vec<String> {
    let sql = format!(
        "SELECT datname FROM pg_database WHERE datname LIKE '{}%' ORDER BY 1",
        scene.database
    );
    let found = scene.server.psql("postgres", &sql);
    found.lines().map(str::to_owned).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_good_backup_is_proven_and_its_record_says_when() {
    let scene = Scene::backed_up();
    let request = VerifyRequest {
        source: "latest".into(),
        rehearse: true,
        ..VerifyRequest::default()
    };
    let outcome = request.run(&scene.site(), &Silent).unwrap();
    assert_eq!(outcome.status, VerifyStatus::Ok, "{outcome:?}");
    assert!(outcome.rehearsed);
    let rehearsal = outcome.rehearsal.unwrap();
    assert!(rehearsal.passed);
    assert_eq!(
        (rehearsal.tables, rehearsal.rows, rehearsal.files),
        (1, 30_000, 20)
    );
    scene.assert_nothing_is_left();
    let last = scene.last_rehearsal();
    assert_eq!((last.at, last.passed), (rehearsal.at, true));
    assert_eq!(last.proven_at, Some(rehearsal.at));
}

#[test]
fn a_damaged_backup_is_not_proven_and_the_record_keeps_when_it_was() {
    let scene = Scene::backed_up();
    let request = VerifyRequest {
        source: scene.archive.to_str().unwrap().into(),
        rehearse: true,
        ..VerifyRequest::default()
    };
    let proven = request.run(&scene.site(), &Silent).unwrap();
    let mut bytes = fs::read(&scene.archive).unwrap();
    // The rows are most of the archive.
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&scene.archive, bytes).unwrap();
    let outcome = request.run(&scene.site(), &Silent).unwrap();
    assert_eq!(outcome.status, VerifyStatus::Damaged);
    let rehearsal = outcome.rehearsal.unwrap();
    assert!(!rehearsal.passed);
    assert!(rehearsal.differences[0].contains("letter"), "{rehearsal:?}");
    assert!(outcome.damaged.iter().any(|part| part.path == "rehearsal"));
    scene.assert_nothing_is_left();
    let last = scene.last_rehearsal();
    assert!(!last.passed && last.difference.is_some());
    assert_eq!(last.proven_at, Some(proven.rehearsal.unwrap().at));
}

#[test]
fn on_a_server_without_the_roles_everything_else_is_proven() {
    let scene = Scene::backed_up();
    let role = scene.server.unique_name("gone");
    scene.server.psql(
        &scene.database,
        &format!("CREATE ROLE {role}; ALTER TABLE letter OWNER TO {role}"),
    );
    let mut options = CreateOptions::new(
        BackupKind::Database,
        Destination::Path(scene.path("owned.tar.gz")),
    );
    options.database = Some(scene.connect());
    let archive = create(&options, &Silent).unwrap().path;
    scene.server.psql(
        &scene.database,
        &format!("ALTER TABLE letter OWNER TO postgres; DROP ROLE {role}"),
    );
    let rehearsal = rehearse(&archive, &scene.options(), &Silent).unwrap();
    assert!(rehearsal.passed, "{rehearsal:?}");
    assert!(rehearsal.notes[0].contains("owners"), "{rehearsal:?}");
}

#[test]
fn what_cannot_be_tried_is_an_error_and_no_verdict() {
    let scene = Scene::backed_up();
    let without = RehearseOptions {
        database: None,
        ..scene.options()
    };
    let error = rehearse(&scene.archive, &without, &Silent).unwrap_err();
    assert_eq!(error.code(), "no_database");
    let nowhere = RehearseOptions {
        scratch: ScratchFolder::In(scene.path("missing")),
        ..scene.options()
    };
    let error = rehearse(&scene.archive, &nowhere, &Silent).unwrap_err();
    assert!(error.hint().unwrap().contains("--scratch"), "{error}");
    let role = scene.server.unique_name("poor");
    scene
        .server
        .psql("postgres", &format!("CREATE ROLE {role} LOGIN"));
    let poor = RehearseOptions {
        database: Some(
            ConnectOptions::from_url(&scene.server.url_as(&role, &scene.database)).unwrap(),
        ),
        ..scene.options()
    };
    let error = rehearse(&scene.archive, &poor, &Silent).unwrap_err();
    assert_eq!(error.code(), "preflight");
    scene.assert_nothing_is_left();
}

#[test]
fn what_a_killed_rehearsal_left_is_recovered() {
    let scene = Scene::backed_up();
    let left = format!(
        "{}__edms_new_20260101T000000Z-restore-0123abcd",
        scene.database
    );
    scene
        .server
        .psql("postgres", &format!("CREATE DATABASE \"{left}\""));
    let settled = recover(&RestoreTargets {
        folders: Vec::new(),
        database: Some(scene.connect()),
    })
    .unwrap();
    assert_eq!(settled.len(), 1);
    assert!(settled[0].database && !settled[0].restored);
    scene.assert_nothing_is_left();
}
