//! A migration package, restored by the script that it brings along: without this program, on other servers, by other users.

mod failures;
mod people;
mod restores;
mod steps;

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use testkit::dump::assert_same_dump;
use testkit::tree::differences;
use testkit::user::{is_root, skipped};
use testkit::{Server, ServerOptions};

use crate::support::{Done, Site, run, text};

/// Shells and the tools that they find: Debian's, or busybox alone.
const SHELLS: [&str; 3] = ["dash", "bash", "busybox"];

/// A package of the sample, and the script out of it.
struct Rescue {
    site: Site,
    package: PathBuf,
    script: PathBuf,
}

impl Rescue {
    fn new() -> Self {
        let site = Site::sample();
        let package = site.archive("export");
        let folder = site.path("script");
        fs::create_dir(&folder).unwrap();
        tool(
            "tar",
            &[
                "-xzf",
                &text(&package),
                "-C",
                &text(&folder),
                "restore.sh",
                "README.txt",
            ],
        );
        let script = folder.join("restore.sh");
        assert_eq!(
            fs::metadata(&script).unwrap().permissions().mode() & 0o777,
            0o755
        );
        Self {
            site,
            package,
            script,
        }
    }

    /// The package, unpacked into a folder.
    fn unpacked(&self, name: &str) -> PathBuf {
        let folder = self.site.path(name);
        fs::create_dir(&folder).unwrap();
        tool(
            "tar",
            &["-xpzf", &text(&self.package), "-C", &text(&folder)],
        );
        folder
    }

    /// `restore.sh`, without the program, for a database that is given by URL and file roots below a folder.
    fn command(&self, shell: &str, url: &str, target: &Path) -> Command {
        let mut command = self.shell(shell);
        command.arg(&self.script).env("DATABASE_URL", url);
        for root in ["documents", "media"] {
            command
                .arg("--files")
                .arg(format!("{root}={}", target.join(root).display()));
        }
        command
    }

    /// A shell with an empty environment.
    fn shell(&self, shell: &str) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        // Looked up here: the command itself would be looked up in the path that it is given.
        let mut command = Command::new(program(shell));
        command
            .env_clear()
            .env("EDMS_NO_BINARY", "1")
            .env("PATH", path);
        command
            .env("TMPDIR", self.site.path(""))
            .stdin(Stdio::null());
        match shell {
            "bash" => _ = command.arg("--posix"),
            "busybox" => _ = command.arg("ash").env("PATH", self.busybox()),
            _ => {}
        }
        command
    }

    /// A folder with the tools of busybox and psql, and no others.
    fn busybox(&self) -> PathBuf {
        let folder = self.site.path("busybox-tools");
        if fs::create_dir(&folder).is_ok() {
            let list = Command::new("busybox")
                .arg("--list")
                .output()
                .expect("busybox is needed (make test installs it)");
            for tool in String::from_utf8(list.stdout).unwrap().lines() {
                symlink(program("busybox"), folder.join(tool)).unwrap();
            }
            symlink(program("psql"), folder.join("psql")).unwrap();
        }
        folder
    }

    /// What the program itself makes of the package, on the same server.
    fn by_program(&self) -> (String, PathBuf) {
        let (database, target, _) = self.site.restore(&self.package, "by_program");
        (database, target)
    }

    /// No staging folder, no temporary file.
    #[track_caller]
    fn nothing_left(&self, target: &Path) {
        let mut left: Vec<String> = vec![];
        for folder in [
            self.site.path(""),
            target.to_owned(),
            target.join("documents"),
            target.join("media"),
        ] {
            let names = fs::read_dir(folder).into_iter().flatten().flatten();
            left.extend(
                names
                    .map(|entry| entry.file_name().to_string_lossy().into_owned())
                    .filter(|name| name.starts_with("edms-restore") || name.contains(".edms-")),
            );
        }
        assert_eq!(left, Vec::<String>::new());
    }
}

/// Where a program is.
fn program(name: &str) -> PathBuf {
    std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .map(|folder| folder.join(name))
        .find(|path| path.exists())
        .unwrap_or_else(|| panic!("{name} is needed (make test installs it)"))
}

#[track_caller]
fn tool(name: &str, arguments: &[&str]) {
    let status = Command::new(name).args(arguments).status().expect(name);
    assert!(status.success(), "{name} {arguments:?}");
}

/// Runs a command that gets `input` to read.
fn run_with(command: &mut Command, input: &str) -> Done {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut stdin = child.stdin.take().unwrap();
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    Done {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Panics unless two folders hold the same. A tar cannot tell holes from zeros, and busybox keeps neither fractions of seconds nor attributes.
#[track_caller]
fn assert_same_files(shell: &str, left: &Path, right: &Path) {
    if shell == "busybox" {
        return tool(
            "diff",
            &["-r", "--no-dereference", &text(left), &text(right)],
        );
    }
    let mut found = differences(left, right);
    found.retain(|line| !line.ends_with(": holes true / false"));
    assert_eq!(found, Vec::<String>::new());
}
