//! Restoring over a living database and its files, and taking that back.

use std::fs;
use std::path::{Path, PathBuf};

use backup_core::{
    BackupKind, ConnectOptions, ConnectSources, CreateOptions, Destination, Explain, IntoDatabase,
    Parts, RestoreOptions, RestoreTargets, Silent, Status, create, forget, plan_restore, recover,
    restore, undo,
};
use testkit::Server;

struct Site {
    server: &'static Server,
    database: String,
    folder: tempfile::TempDir,
    archive: PathBuf,
}

impl Site {
    /// A database with one table and a folder with one file, backed up when both say `old`, and saying `new` now.
    fn changed_since_backup() -> Self {
        let server = Server::shared();
        let database = server.create_db("live");
        server.psql(
            &database,
            "CREATE TABLE letter (id int GENERATED ALWAYS AS IDENTITY, body text);
             INSERT INTO letter (body) VALUES ('old')",
        );
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("documents")).unwrap();
        let mut site = Self {
            server,
            database,
            folder,
            archive: PathBuf::new(),
        };
        fs::write(site.documents().join("letter.txt"), "old").unwrap();
        let destination = Destination::Path(site.folder.path().join("backup.tar.gz"));
        let mut options = CreateOptions::new(BackupKind::Full, destination);
        options.database = Some(site.connect());
        options.files.insert("documents".into(), site.documents());
        site.archive = create(&options, &Silent).unwrap().path;
        site.server
            .psql(&site.database, "UPDATE letter SET body = 'new'");
        fs::write(site.documents().join("letter.txt"), "new").unwrap();
        fs::write(site.documents().join("added.txt"), "new").unwrap();
        site
    }

    fn documents(&self) -> PathBuf {
        self.folder.path().join("documents")
    }

    fn connect(&self) -> ConnectOptions {
        ConnectOptions::resolve(ConnectSources {
            url: Some(&self.server.url(&self.database)),
            ..ConnectSources::default()
        })
        .unwrap()
    }

    fn restore_options(&self, into: IntoDatabase) -> RestoreOptions {
        let mut options = RestoreOptions::new(&self.archive);
        options.database = Some(self.connect());
        options.files.insert("documents".into(), self.documents());
        options.into = Some(into);
        options.force = true;
        options
    }

    fn targets(&self) -> RestoreTargets {
        RestoreTargets {
            folders: vec![self.documents()],
            database: Some(self.connect()),
        }
    }

    /// What database and files say.
    fn state(&self) -> (String, String, bool) {
        let row = self
            .server
            .psql(&self.database, "SELECT body FROM letter")
            .trim()
            .to_owned();
        let file = fs::read_to_string(self.documents().join("letter.txt")).unwrap();
        (row, file, self.documents().join("added.txt").exists())
    }

    fn databases(&self) -> usize {
        let sql = format!(
            "SELECT count(*) FROM pg_database WHERE datname LIKE '{}%'",
            self.database
        );
        self.server.psql("postgres", &sql).trim().parse().unwrap()
    }
}

fn state(row: &str, file: &str, added: bool) -> (String, String, bool) {
    (row.to_owned(), file.to_owned(), added)
}

fn is_empty_but_for_the_letter(folder: &Path) -> bool {
    fs::read_dir(folder).unwrap().count() == 1
}

#[test]
fn a_swap_is_taken_back_and_forgotten() {
    let site = Site::changed_since_backup();
    let outcome = restore(&site.restore_options(IntoDatabase::Swap), &Silent).unwrap();
    assert_eq!(outcome.status, Status::Complete);
    assert_eq!(site.state(), state("old", "old", false));
    assert!(outcome.previous.contains_key("database"));
    assert!(outcome.previous.contains_key("documents"));
    // The sequence goes on where the backup left it.
    site.server
        .psql(&site.database, "INSERT INTO letter (body) VALUES ('next')");
    site.server.psql(
        &site.database,
        "DELETE FROM letter WHERE body = 'next' AND id = 2",
    );

    let taken_back = undo(&outcome.id, &site.targets()).unwrap();
    assert!(taken_back.database);
    assert_eq!(site.state(), state("new", "new", true));
    assert_eq!(recover(&site.targets()).unwrap(), []);

    forget(&outcome.id, &site.targets()).unwrap();
    assert_eq!(site.databases(), 1);
    let error = undo(&outcome.id, &site.targets()).unwrap_err();
    assert_eq!(error.code(), "no_such_restore");
}

#[test]
fn a_swap_that_is_kept_is_forgotten_whole() {
    let site = Site::changed_since_backup();
    let outcome = restore(&site.restore_options(IntoDatabase::Swap), &Silent).unwrap();
    assert_eq!(site.databases(), 2);
    forget(&outcome.id, &site.targets()).unwrap();
    assert_eq!(site.databases(), 1);
    assert!(is_empty_but_for_the_letter(&site.documents()));
    assert_eq!(site.state(), state("old", "old", false));
}

#[test]
fn replaces_in_place() {
    let site = Site::changed_since_backup();
    let outcome = restore(&site.restore_options(IntoDatabase::Replace), &Silent).unwrap();
    assert_eq!(outcome.into, Some(IntoDatabase::Replace));
    assert_eq!(site.state(), state("old", "old", false));
    assert_eq!(site.databases(), 1);
}

#[test]
fn a_living_database_is_refused_unless_somebody_says_so() {
    let site = Site::changed_since_backup();
    let mut options = site.restore_options(IntoDatabase::Swap);
    options.into = None;
    options.force = false;
    options.skip_files = true;
    let plan = plan_restore(&options, &Silent).unwrap();
    assert_eq!(
        plan.problems,
        Vec::<String>::new(),
        "the plan shows the way"
    );
    let database = plan.database.as_ref().unwrap();
    assert_eq!(
        (database.into, database.by_rule),
        (IntoDatabase::Swap, true)
    );
    assert_eq!(database.replaces.as_ref(), Some(&site.database));
    assert!(database.blocked_ms < database.estimated_ms, "{plan}");
    assert!(
        plan.to_string()
            .contains(&format!("keeps database {}__edms_old_", site.database)),
        "{plan}"
    );
    assert_eq!(plan.replaced().len(), 1);
    let error = restore(&options, &Silent).unwrap_err();
    assert_eq!(error.code(), "preflight");
    assert!(error.to_string().contains("--into swap"), "{error}");
    assert_eq!(site.state(), state("new", "new", true));
    assert_eq!(site.databases(), 1);
}

#[test]
fn with_force_the_way_follows_from_the_role() {
    for (role_options, way) in [
        ("CREATEDB", IntoDatabase::Swap),
        ("NOCREATEDB", IntoDatabase::Replace),
    ] {
        let site = Site::changed_since_backup();
        let role = site.server.unique_name("restorer");
        site.server.psql(
            &site.database,
            &format!(
                "CREATE ROLE {role} LOGIN {role_options}; ALTER DATABASE {} OWNER TO {role}; ALTER TABLE letter OWNER TO {role}",
                site.database
            ),
        );
        let mut options = site.restore_options(way);
        options.into = None;
        options.owners = false;
        options.database =
            Some(ConnectOptions::from_url(&site.server.url_as(&role, &site.database)).unwrap());
        let outcome = restore(&options, &Silent).unwrap();
        assert_eq!(outcome.into, Some(way));
        assert_eq!(site.state(), state("old", "old", false));
    }
}

#[test]
fn when_the_files_cannot_be_placed_the_database_stays_as_it_was() {
    let site = Site::changed_since_backup();
    let mut options = site.restore_options(IntoDatabase::Swap);
    options.force = false;
    let error = restore(&options, &Silent).unwrap_err();
    assert_eq!(error.code(), "target_not_empty");
    assert_eq!(site.state(), state("new", "new", true));
    assert_eq!(site.databases(), 1);
}

#[test]
fn a_glob_may_select_a_root_as_a_whole_or_one_file() {
    let site = Site::changed_since_backup();
    for (glob, added_stays) in [("documents/letter.txt", true), ("documents", false)] {
        fs::write(site.documents().join("letter.txt"), "new").unwrap();
        let mut options = site.restore_options(IntoDatabase::Fresh);
        options.paths.push(glob.into());
        let outcome = restore(&options, &Silent).unwrap();
        assert_eq!(outcome.into, None, "the database is left alone");
        assert_eq!(site.state(), state("new", "old", added_stays), "{glob}");
    }
}

#[test]
fn one_table_or_rows_alone_leave_everything_else() {
    let site = Site::changed_since_backup();
    site.server.psql(
        &site.database,
        "CREATE TABLE other AS SELECT 'stays' AS body",
    );
    for change in [
        |options: &mut RestoreOptions| options.tables.push("public.letter".into()),
        |options: &mut RestoreOptions| options.parts = Parts::Data,
        |options: &mut RestoreOptions| options.schemas.push("public".into()),
    ] {
        site.server
            .psql(&site.database, "UPDATE letter SET body = 'new'");
        let mut options = site.restore_options(IntoDatabase::Replace);
        options.into = None;
        change(&mut options);
        let plan = plan_restore(&options, &Silent).unwrap();
        assert!(plan.to_string().contains("everything else stays"), "{plan}");
        assert!(plan.replaced()[0].starts_with("a part of"), "{plan}");
        let outcome = restore(&options, &Silent).unwrap();
        assert_eq!(outcome.into, Some(IntoDatabase::Replace));
        assert_eq!(
            site.state(),
            state("old", "new", true),
            "files are left alone"
        );
        assert_eq!(
            site.server.psql(&site.database, "SELECT body FROM other"),
            "stays"
        );
    }
}
