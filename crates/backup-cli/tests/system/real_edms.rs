//! The main job on the database and the storage tree of a real EDMS, where they are at hand: `../shared/data/edms` beside the
//! repository, or the folder that `EDMS_ACCEPTANCE_DATA` names.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use testkit::Server;
use testkit::dump::assert_same_dump;
use testkit::tree::assert_same_tree;
use testkit::user::{is_root, skipped};

use crate::support::{edms, path_of, run, text};

const OWNER: &str = "edms_prod_user";

fn data() -> Option<PathBuf> {
    let folder = match std::env::var_os("EDMS_ACCEPTANCE_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/edms"),
    };
    folder.join("edms-pg15.sql.zst").is_file().then_some(folder)
}

fn unpack(archive: &Path, target: &Path) {
    let zstd = archive.extension().is_some_and(|ending| ending == "zst");
    let mut command = Command::new("tar");
    command
        .args(zstd.then_some("--zstd"))
        .arg("-xf")
        .arg(archive)
        .arg("-C")
        .arg(target);
    assert!(command.status().expect("tar runs").success());
}

fn load(server: &Server, database: &str, dump: &Path) {
    let mut zstd = Command::new("zstd")
        .arg("-dcq")
        .stdin(File::open(dump).expect("the dump"))
        .stdout(Stdio::piped())
        .spawn()
        .expect("zstd runs");
    let psql = server
        .client("psql")
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d"])
        .arg(server.url_as(OWNER, database))
        .stdin(zstd.stdout.take().expect("a pipe"))
        .stdout(Stdio::null())
        .status()
        .expect("psql runs");
    assert!(psql.success() && zstd.wait().expect("zstd").success());
}

#[test]
fn a_real_edms_comes_back_equal() {
    let Some(data) = data() else {
        return skipped(
            "a_real_edms_comes_back_equal",
            "no data of a real EDMS here",
        );
    };
    let server = Server::shared();
    if server
        .try_psql("postgres", &format!("CREATE ROLE {OWNER} LOGIN CREATEDB"))
        .is_err()
    {
        assert!(
            !server
                .psql(
                    "postgres",
                    &format!("SELECT 1 FROM pg_roles WHERE rolname = '{OWNER}'")
                )
                .is_empty()
        );
    }
    let database = server.create_db("edms");
    server.psql(
        "postgres",
        &format!("ALTER DATABASE {database} OWNER TO {OWNER}"),
    );
    load(server, &database, &data.join("edms-pg15.sql.zst"));
    let folder = tempfile::tempdir().expect("a folder");

    for (number, tree) in ["storage.tar", "storage-full.tar.zst"]
        .into_iter()
        .enumerate()
    {
        let site = folder.path().join(tree);
        std::fs::create_dir(&site).expect("the site's folder");
        unpack(&data.join(tree), &site);
        let storage = site.join("storage");
        // Not as a superuser: a deployment has the application's role and no other.
        let record = run(edms()
            .args(["create", "full", "--json", "--repository"])
            .arg(site.join("backups"))
            .arg("--files")
            .arg(format!("storage={}", text(&storage)))
            .env("DATABASE_URL", server.url_as(OWNER, &database)))
        .expect(0)
        .json();
        assert_eq!(record["tables"], 74, "{record}");
        assert_eq!(record["rows"], 130_619, "{record}");
        let archive = path_of(&record);
        run(edms().arg("verify").arg(&archive)).expect(0);

        let restored = format!("edms_restored_{number}");
        let target = site.join("restored");
        run(edms()
            .args(["restore", "--json", "--force", "--verify", "--target"])
            .arg(&target)
            .arg(&archive)
            .env("DATABASE_URL", server.url_as(OWNER, &restored)))
        .expect(0);
        assert_same_dump(
            &server.pg_dump(&database, &[]),
            &server.pg_dump(&restored, &[]),
        );
        if is_root() {
            assert_same_tree(&storage, &target.join("storage"));
        } else {
            let same = Command::new("diff")
                .args(["-r", "--no-dereference"])
                .args([&storage, &target.join("storage")])
                .status();
            assert!(same.expect("diff runs").success());
        }
        let next = "INSERT INTO auth_group (name) VALUES ('after the restore') RETURNING id";
        let (before, after) = (
            server.psql(&restored, next),
            server.psql(&restored, "SELECT max(id) FROM auth_group"),
        );
        assert_eq!(before, after);
    }
}
