//! What fails changes nothing; what cannot be is refused with a way out.

use super::*;

#[test]
fn a_failure_leaves_everything_as_it_was() {
    let rescue = Rescue::new();
    let server = rescue.site.server;
    let package = rescue.unpacked("broken");
    // A number that is none, in the last table that is loaded; and of as many bytes as before.
    let list = fs::read_to_string(package.join("database/load.list")).unwrap();
    let folder = package.join("database/data/public.workflow_transitions");
    assert!(list.contains("public.workflow_transitions\t"), "{list}");
    let file = fs::read_dir(&folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut rows = fs::read(&file).unwrap();
    rows[0] = b'x';
    fs::write(&file, rows).unwrap();
    let (database, target) = rescue.by_program();
    server.psql(
        &database,
        "CREATE TABLE only_here (x int); INSERT INTO only_here VALUES (1); SELECT lo_create(4712)",
    );
    fs::write(target.join("media/only-here"), "x").unwrap();
    let (dump, files) = (
        rescue.site.dump(&database),
        testkit::tree::snapshot(&target),
    );
    for shell in SHELLS {
        let mut command = rescue.command(shell, &server.url(&database), &target);
        let failed = run(command.arg("--force").arg(&package)).expect(1);
        assert!(
            failed.stderr.contains("invalid input syntax")
                && failed.stderr.contains("as it was before"),
            "{}",
            failed.stderr
        );
        assert_same_dump(&dump, &rescue.site.dump(&database));
        let changes = files.differences(&testkit::tree::snapshot(&target));
        // Only the times of the folders that the staging folder was in.
        assert!(
            changes.iter().all(|line| line.contains("mtime")),
            "{changes:?}"
        );
        rescue.nothing_left(&target);

        // A database that was made for it goes again; a new folder too.
        let (new, folder) = (
            server.unique_name("fails"),
            rescue.site.path(&server.unique_name("fails")),
        );
        run(rescue
            .command(shell, &server.url(&new), &folder)
            .arg("--force")
            .arg(&package))
        .expect(1);
        assert_eq!(
            server.psql(
                "postgres",
                &format!("SELECT count(*) FROM pg_database WHERE datname = '{new}'")
            ),
            "0"
        );
        assert!(!folder.join("media").exists());
    }
    // A part that is missing is noticed before anything is touched.
    fs::remove_file(&file).unwrap();
    let failed = run(rescue
        .command("dash", &server.url(&database), &target)
        .arg("--force")
        .arg(&package))
    .expect(1);
    assert!(failed.stderr.contains("not whole"), "{}", failed.stderr);
}

#[test]
fn what_cannot_be_is_refused_with_a_way_out() {
    let rescue = Rescue::new();
    let url = rescue
        .site
        .server
        .url(&rescue.site.server.create_db("refusals"));
    let target = rescue.site.path("refusals");
    let package = &rescue.package;
    let check = |done: Done, code: i32, part: &str| {
        let done = done.expect(code);
        assert!(done.stderr.contains(part), "{part}\n{}", done.stderr);
        rescue.nothing_left(&target);
        assert!(!target.exists());
    };
    let command = || rescue.command("dash", &url, &target);
    check(
        run(command().arg(package)),
        2,
        "--force goes on without asking",
    );
    check(
        run_with(command().arg(package), "no\n"),
        1,
        "nothing was changed",
    );
    check(
        run(command()
            .arg("--database-url")
            .arg("mysql://x/y")
            .arg(package)),
        2,
        "not that of a PostgreSQL database",
    );
    check(
        run(command().arg("--files").arg("other=/x").arg(package)),
        2,
        "no file root other",
    );
    check(
        run(command().arg("--unheard-of").arg(package)),
        2,
        "--unheard-of",
    );
    check(
        run(command().arg("/nonexistent.tar.gz")),
        2,
        "there is no /nonexistent.tar.gz",
    );
    check(
        run(command()
            .env("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/x")
            .arg(package)),
        1,
        "cannot connect to the database x on 127.0.0.1",
    );
    check(
        run(rescue
            .shell("dash")
            .arg(&rescue.script)
            .env("DATABASE_URL", &url)
            .arg(package)),
        2,
        "--files documents=DIR --files media=DIR",
    );
    check(
        run(rescue
            .shell("dash")
            .arg(&rescue.script)
            .arg("--skip-files")
            .arg(package)),
        2,
        "no database is named",
    );
    run(command().arg("--dry-run").arg(package)).expect(0);
    assert!(!target.exists());

    let sum = PathBuf::from(format!("{}.sha256", package.display()));
    let right = fs::read_to_string(&sum).unwrap();
    fs::write(&sum, right.replace(['0', '1', '2'], "3")).unwrap();
    check(
        run(command().arg("--force").arg(package)),
        1,
        "the package is damaged",
    );
    fs::remove_file(&sum).unwrap();
    let unchecked = run(command().arg("--dry-run").arg(package)).expect(0);
    assert!(
        unchecked.stdout.contains("only the sums inside gzip"),
        "{}",
        unchecked.stdout
    );
    fs::write(sum, right).unwrap();

    for (name, content, part) in [
        ("sealed", b"age-encryption.org/v1\n".as_slice(), "age -d"),
        ("other", b"hello, this is text", "tar cannot read"),
    ] {
        let file = rescue.site.path(name);
        fs::write(&file, content).unwrap();
        check(run(command().arg(file)), 1, part);
    }
    let no_psql = rescue.site.path("no-psql");
    tool("cp", &["-a", &text(&rescue.busybox()), &text(&no_psql)]);
    fs::remove_file(no_psql.join("psql")).unwrap();
    check(
        run(rescue
            .command("busybox", &url, &target)
            .env("PATH", no_psql)
            .arg(package)),
        1,
        "psql is not installed",
    );
}
