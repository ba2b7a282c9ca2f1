//! Ordinary users, and passwords.

use super::*;

#[test]
fn an_ordinary_user_restores_with_an_ordinary_role() {
    let rescue = Rescue::new();
    let server = rescue.site.server;
    let role = server.unique_name("owner");
    let database = server.unique_name("ordinary");
    server.psql("postgres", &format!("CREATE ROLE {role} LOGIN"));
    server.psql(
        "postgres",
        &format!("CREATE DATABASE {database} OWNER {role} TEMPLATE template0"),
    );
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    let (package, script) = (
        folder.path().join("package.tar.gz"),
        folder.path().join("restore.sh"),
    );
    fs::copy(&rescue.package, &package).unwrap();
    fs::copy(&rescue.script, &script).unwrap();
    for path in [&package, &script] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let target = folder.path().join("target");
    fs::create_dir(&target).unwrap();
    let command = |force: bool| {
        let mut command = Command::new("dash");
        command
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap())
            .env("TMPDIR", &target)
            .env("EDMS_NO_BINARY", "1");
        command
            .env("DB_HOST", server.socket_dir())
            .env("DB_PORT", server.port().to_string())
            .env("DB_NAME", &database)
            .env("DB_USER", &role);
        command
            .arg(&script)
            .args(force.then_some("--force"))
            .arg(format!("--files=documents={}/documents", target.display()));
        command
            .arg("--files")
            .arg(format!("media={}/media", target.display()))
            .arg(&package)
            .current_dir("/");
        if is_root() {
            chown(&target, Some(65_534), Some(65_534)).unwrap();
            command.uid(65_534).gid(65_534);
        } else {
            skipped(
                "another account for the script",
                "the tests do not run as root",
            );
        }
        command
    };
    let done = run_with(&mut command(false), "yes\n").expect(0);
    assert!(
        done.stdout.contains("no package.tar.gz.sha256"),
        "{}",
        done.stdout
    );
    let (by_program, _) = rescue.by_program();
    let dump = |database: &str| server.pg_dump(database, &["-O"]);
    assert_same_dump(&dump(&by_program), &dump(&database));
    run(&mut command(true)).expect(0);
    assert_same_dump(&dump(&by_program), &dump(&database));
    tool(
        "diff",
        &[
            "-r",
            "--no-dereference",
            "--exclude=.edms-*",
            &text(&rescue.site.storage().join("media")),
            &text(&target.join("media")),
        ],
    );
}

#[test]
fn a_password_reaches_psql_and_nobody_else() {
    let rescue = Rescue::new();
    let password = "p@ss/w:rd 100% ü";
    let server = Server::with(ServerOptions {
        password: Some(password.to_owned()),
        ..ServerOptions::default()
    });
    // Every tool of the script says which arguments it got, and which processes there were.
    let wrappers = rescue.site.path("wrappers");
    fs::create_dir(&wrappers).unwrap();
    let (arguments, environments) = (
        rescue.site.path("arguments"),
        rescue.site.path("environments"),
    );
    for name in [
        "psql",
        "tar",
        "sed",
        "awk",
        "cat",
        "od",
        "tr",
        "mv",
        "sha256sum",
        "grep",
    ] {
        let wrapper = wrappers.join(name);
        let keep = if name == "psql" {
            ":"
        } else {
            "env >>\"$ENVIRONMENTS\""
        };
        let script = format!(
            "#!/bin/sh\n/bin/cat /proc/[0-9]*/cmdline 2>/dev/null >>\"$ARGUMENTS\"\nprintf '%s\\n' \"$@\" >>\"$ARGUMENTS\"\n{keep}\nexec {} \"$@\"\n",
            program(name).display()
        );
        fs::write(&wrapper, script).unwrap();
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let encoded = "p%40ss%2Fw%3ard%20100%25%20%C3%BC";
    let path = format!("{}:{}", wrappers.display(), std::env::var("PATH").unwrap());
    for (shell, variables) in [
        (
            "dash",
            vec![(
                "DATABASE_URL",
                format!(
                    "postgres://postgres:{encoded}@127.0.0.1:{}/new?connect_timeout=5&sslmode=disable",
                    server.port()
                ),
            )],
        ),
        (
            "bash",
            vec![
                ("DB_HOST", "127.0.0.1".into()),
                ("DB_PORT", server.port().to_string()),
                ("DB_NAME", "newer".into()),
                ("DB_USER", "postgres".into()),
                ("DB_PASSWORD", password.into()),
            ],
        ),
    ] {
        let target = rescue.site.path(shell);
        let mut command = rescue.command(shell, "", &target);
        command
            .env("PATH", &path)
            .env("ARGUMENTS", &arguments)
            .env("ENVIRONMENTS", &environments)
            .envs(variables);
        run(command.arg("--force").arg(&rescue.package)).expect(0);
    }
    let count = |database: &str| {
        let mut psql = server.client("psql");
        psql.args([
            "-X",
            "-A",
            "-t",
            "-c",
            "SELECT count(*) FROM documents",
            "-h",
            "127.0.0.1",
            "-U",
            "postgres",
            "-p",
        ]);
        run(psql
            .arg(server.port().to_string())
            .arg(database)
            .env("PGPASSWORD", password))
        .expect(0)
        .stdout
    };
    assert_eq!(count("newer"), count("new"));
    assert_ne!(count("new"), "0\n");
    for log in [arguments, environments] {
        let log = String::from_utf8_lossy(&fs::read(log).unwrap()).into_owned();
        assert!(log.len() > 1000, "the wrappers were used");
        for secret in [password, encoded, "p@ss/w"] {
            assert!(!log.contains(secret), "{secret}");
        }
    }
}
