//! Steps that people read: README.txt and the page on disaster recovery, run as they are written.

use super::*;

/// A shell in a folder, for somebody who administers the server.
fn administrator(rescue: &Rescue, folder: &Path) -> Command {
    let server = rescue.site.server;
    let mut shell = rescue.shell("dash");
    shell
        .env("PGHOST", server.socket_dir())
        .env("PGPORT", server.port().to_string())
        .env("PGUSER", "postgres")
        .current_dir(folder);
    shell
}

#[test]
fn the_steps_of_the_readme_lead_to_the_same() {
    let rescue = Rescue::new();
    let server = rescue.site.server;
    let (by_program, files_by_program) = rescue.by_program();
    let readme = fs::read_to_string(rescue.script.with_file_name("README.txt")).unwrap();
    let (first, second) = readme.split_once("2. Restore by hand").unwrap();
    let second = second.split("What to do then").next().unwrap();
    for (name, steps, before) in [
        ("with_script", first, "set -e; yes() { echo yes; };\n"),
        ("by_hand", second, "set -e\n"),
    ] {
        let database = server.unique_name(name);
        let folder = rescue.site.path(&database);
        fs::create_dir(&folder).unwrap();
        let file = rescue.package.file_name().unwrap().to_str().unwrap();
        for suffix in ["", ".sha256"] {
            fs::copy(
                format!("{}{suffix}", rescue.package.display()),
                folder.join(format!("{file}{suffix}")),
            )
            .unwrap();
        }
        let commands: String = steps
            .lines()
            .filter(|line| line.starts_with("    "))
            .map(|line| format!("{line}\n"))
            .collect();
        let commands = commands
            .replace("PACKAGE.tar.gz", file)
            .replace("/srv/edms", "srv")
            .replace("-d edms", &format!("-d {database}"))
            .replace("UTF8 edms", &format!("UTF8 {database}"))
            .replace("DB_NAME=edms", &format!("DB_NAME={database}"))
            .replace("DB_USER=edms", "DB_USER=postgres")
            .replace("=localhost", &format!("={}", server.socket_dir().display()))
            .replace("DB_PORT=5432", &format!("DB_PORT={}", server.port()));
        let mut shell = administrator(&rescue, &folder);
        run_with(shell.arg("-c").arg(format!("{before}{commands}")), "yes\n").expect(0);
        assert_same_dump(&rescue.site.dump(&by_program), &rescue.site.dump(&database));
        let files = if name == "by_hand" {
            folder.join("package/srv")
        } else {
            folder.join("srv")
        };
        assert_same_files(
            "dash",
            &files_by_program.join("documents"),
            &files.join("documents"),
        );
    }
}

/// The commands of `docs/disaster-recovery.md` that need nothing but the package and a server.
#[test]
fn the_page_on_disaster_recovery_works_as_written() {
    let rescue = Rescue::new();
    let server = rescue.site.server;
    let (by_program, files_by_program) = rescue.by_program();
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/disaster-recovery.md");
    let page = fs::read_to_string(page).unwrap();
    let mut commands = String::from("set -e\n");
    let mut taken = false;
    for line in page.lines() {
        match line {
            "```sh test" => taken = true,
            "```" => taken = false,
            line if taken => commands += &format!("{line}\n"),
            _ => {}
        }
    }
    assert!(commands.lines().count() > 8, "{commands}");
    let database = server.unique_name("disaster");
    let folder = rescue.site.path(&database);
    fs::create_dir(&folder).unwrap();
    fs::copy(&rescue.package, folder.join("edms.tar.gz")).unwrap();
    let sum = fs::read_to_string(format!("{}.sha256", rescue.package.display())).unwrap();
    let sum = sum.split(' ').next().unwrap();
    fs::write(
        folder.join("edms.tar.gz.sha256"),
        format!("{sum}  edms.tar.gz\n"),
    )
    .unwrap();
    let role = server.unique_name("edms_user");
    let commands = commands
        .replace("/srv/edms", "srv")
        .replace("edms_db", &database)
        .replace("edms_user", &role)
        .replace(
            "DB_HOST=localhost",
            &format!("DB_HOST={}", server.socket_dir().display()),
        )
        .replace("DB_PORT=5432", &format!("DB_PORT={}", server.port()));
    let mut shell = administrator(&rescue, &folder);
    let binary = Path::new(env!("CARGO_BIN_EXE_edms-backup"))
        .parent()
        .unwrap();
    shell.env(
        "PATH",
        format!("{}:{}", std::env::var("PATH").unwrap(), binary.display()),
    );
    run_with(shell.arg("-c").arg(commands), "yes\nyes\n").expect(0);
    let dump = |database: &str| server.pg_dump(database, &["-O"]);
    assert_same_dump(&dump(&by_program), &dump(&database));
    assert_same_files(
        "dash",
        &files_by_program.join("media"),
        &folder.join("srv/media"),
    );
}
