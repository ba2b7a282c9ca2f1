//! What the script restores is what the program restores.

use super::*;

#[test]
fn every_shell_restores_what_the_program_restores() {
    let rescue = Rescue::new();
    let server = rescue.site.server;
    let (by_program, files_by_program) = rescue.by_program();
    for shell in SHELLS {
        let database = server.unique_name("by_script");
        let target = rescue.site.path(&database);
        let done = run_with(
            rescue
                .command(shell, &server.url(&database), &target)
                .arg(&rescue.package),
            "yes\n",
        )
        .expect(0);
        assert_eq!(done.stderr, "Type yes to go on: ", "{shell}");
        for part in [
            "sum        right",
            "will be created",
            "changepassword",
            "migrate",
            "17 tables",
        ] {
            assert!(
                done.stdout.contains(part),
                "{shell}: {part}\n{}",
                done.stdout
            );
        }
        assert_same_dump(&rescue.site.dump(&by_program), &rescue.site.dump(&database));
        for root in ["documents", "media"] {
            assert_same_files(shell, &files_by_program.join(root), &target.join(root));
        }
        rescue.nothing_left(&target);
    }
}

#[test]
fn the_program_does_the_work_where_it_is_installed() {
    let rescue = Rescue::new();
    let server = rescue.site.server;
    let (by_program, _) = rescue.by_program();
    let database = server.unique_name("by_both");
    let target = rescue.site.path(&database);
    let binary = Path::new(env!("CARGO_BIN_EXE_edms-backup"))
        .parent()
        .unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let command = || {
        let mut command = rescue.command("dash", &server.url(&database), &target);
        command
            .env("PATH", &path)
            .env_remove("EDMS_NO_BINARY")
            .current_dir(rescue.site.path(""))
            .arg(&rescue.package);
        command
    };
    let dry = run(command().arg("--dry-run")).expect(0);
    assert!(
        dry.stdout.contains("edms-backup does the work"),
        "{}",
        dry.stdout
    );
    let done = run_with(&mut command(), "yes\n").expect(0);
    assert!(done.stdout.contains("changepassword"), "{}", done.stdout);
    assert_same_dump(&rescue.site.dump(&by_program), &rescue.site.dump(&database));
    assert_same_files(
        "dash",
        &rescue.site.storage().join("media"),
        &target.join("media"),
    );
    run_with(&mut command(), "yes\n").expect(1);
    let before = rescue.site.dump(&database);
    server.psql(&database, "CREATE TABLE extra (x int)");
    run(command().arg("--force")).expect(0);
    assert_same_dump(&before, &rescue.site.dump(&database));
}

#[test]
fn what_was_there_is_replaced_only_by_force_and_files_come_back() {
    let rescue = Rescue::new();
    let server = rescue.site.server;
    let (by_program, _) = rescue.by_program();
    for shell in ["dash", "busybox"] {
        let database = server.create_db("occupied");
        server.psql(
            &database,
            "CREATE SCHEMA old; CREATE TABLE old.t (x int); CREATE VIEW old.v AS SELECT x FROM old.t; CREATE TABLE documents (x old.t);
             CREATE TYPE pair AS (a int, b int); CREATE FUNCTION f(pair) RETURNS int LANGUAGE sql AS 'SELECT 1'; SELECT lo_create(4711)",
        );
        let target = rescue.site.path(&database);
        for root in ["documents", "media"] {
            fs::create_dir_all(target.join(root).join("-odd\nname")).unwrap();
            fs::write(target.join(root).join("-odd\nname/.old"), "old").unwrap();
        }
        let url = server.url(&database);
        let refused = run_with(
            rescue.command(shell, &url, &target).arg(&rescue.package),
            "yes\n",
        )
        .expect(1);
        assert!(
            refused.stderr.contains("is not empty: ") && refused.stderr.contains("--force"),
            "{}",
            refused.stderr
        );
        assert!(target.join("media/-odd\nname/.old").exists());
        let done = run(rescue
            .command(shell, &url, &target)
            .arg("--force")
            .arg(&rescue.package))
        .expect(0);
        assert_same_dump(&rescue.site.dump(&by_program), &rescue.site.dump(&database));
        assert!(!target.join("media/-odd\nname").exists());

        // The commands that it prints bring the old files back.
        let commands: Vec<&str> = done
            .stdout
            .lines()
            .filter(|line| line.starts_with("    "))
            .collect();
        assert_eq!(commands.len(), 6, "{}", done.stdout);
        let commands = commands.join("\n");
        run(rescue.shell("dash").arg("-c").arg(commands)).expect(0);
        for root in ["documents", "media"] {
            let names: Vec<String> = fs::read_dir(target.join(root))
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter(|name| !name.starts_with(".edms-"))
                .collect();
            assert_eq!(names, ["-odd\nname"], "{root}");
        }
    }
}

#[test]
fn a_newer_server_takes_it() {
    let Some(newer) = Server::of_major(18) else {
        return skipped("PostgreSQL 18", "it is not installed (TEST_PG_BIN_18)");
    };
    let rescue = Rescue::new();
    let target = rescue.site.path("newer");
    run(rescue
        .command("dash", &newer.url("by_script"), &target)
        .arg("--force")
        .arg(&rescue.package))
    .expect(0);
    run(crate::support::edms().args([
        "restore",
        &text(&rescue.package),
        "--skip-files",
        "--database-url",
        &newer.url("by_program"),
        "--force",
    ]))
    .expect(0);
    assert_same_dump(
        &newer.pg_dump("by_program", &[]),
        &newer.pg_dump("by_script", &[]),
    );
}
