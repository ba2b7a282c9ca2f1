//! The C examples: compiled, run as they are, under valgrind, and with the sanitizers of the compiler.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use testkit::Server;

/// What a program works on.
struct Site {
    server: &'static Server,
    database: String,
    folder: TempDir,
}

impl Site {
    /// A small database, and files of which backing up takes a moment.
    fn new(file_len: usize) -> Self {
        let server = Server::shared();
        let database = server.create_db("c");
        server.psql(
            &database,
            "CREATE TABLE t AS SELECT generate_series(1, 500) AS n",
        );
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("documents")).unwrap();
        // Content that shrinks, so that compressing it takes time, but not at once.
        let content: Vec<u8> = (0..file_len as u64)
            .map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60) as u8)
            .collect();
        for number in 0..4 {
            let path = folder.path().join(format!("documents/{number}"));
            fs::write(path, &content).unwrap();
        }
        Self {
            server,
            database,
            folder,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the program on this site, by `runner` if there is one, and compares what it restored.
    fn run(&self, program: &Path, runner: &[&str]) {
        let scratch = self.server.unique_name("c_restored");
        let mut words: Vec<_> = runner.iter().map(|word| (*word).to_owned()).collect();
        words.push(program.display().to_string());
        words.push(self.folder.path().display().to_string());
        words.push(self.server.url(&self.database));
        words.push(self.path("documents").display().to_string());
        words.push(self.server.url(&scratch));
        let output = Command::new(&words[0]).args(&words[1..]).output().unwrap();
        succeeded(&output, &words[0]);
        assert!(String::from_utf8_lossy(&output.stdout).ends_with("everything as it should be\n"));
        let rows = "SELECT count(*) FROM t";
        assert_eq!(self.server.psql(&scratch, rows), "500");
        for number in 0..4 {
            assert!(
                fs::read(self.path(&format!("restored/documents/{number}"))).unwrap()
                    == fs::read(self.path(&format!("documents/{number}"))).unwrap()
            );
        }
    }
}

#[track_caller]
fn succeeded(output: &Output, what: &str) {
    assert!(
        output.status.success(),
        "{what}: {}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Compiles an example against the shared library that was built with this test.
fn compiled(folder: &Path, name: &str, options: &[&str]) -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let deps = std::env::current_exe().unwrap();
    let deps = deps.parent().unwrap();
    let library = [deps, deps.parent().unwrap()]
        .map(|folder| folder.join("libedms_backup.so"))
        .into_iter()
        .find(|path| path.is_file())
        .expect("the shared library is built with the tests");
    let program = folder.join(name);
    let output = Command::new("cc")
        .args([
            "-std=c11",
            "-D_DEFAULT_SOURCE",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-g",
        ])
        .args(options)
        .arg("-I")
        .arg(crate_folder.join("include"))
        .arg(crate_folder.join(format!("../../examples/c/{name}.c")))
        .arg(&library)
        .arg(format!(
            "-Wl,-rpath,{}",
            library.parent().unwrap().display()
        ))
        .arg("-o")
        .arg(&program)
        .output()
        .unwrap();
    succeeded(&output, "cc");
    program
}

#[test]
fn the_example_works() {
    let site = Site::new(8 << 20);
    let program = compiled(site.folder.path(), "backup", &[]);
    site.run(&program, &[]);
}

#[test]
fn the_example_works_with_sanitizers() {
    let site = Site::new(8 << 20);
    let options = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
    let program = compiled(site.folder.path(), "backup", &options);
    site.run(&program, &[]);
}

#[test]
fn the_example_works_under_valgrind() {
    let site = Site::new(1 << 20);
    let program = compiled(site.folder.path(), "backup", &[]);
    let valgrind = [
        "valgrind",
        "--quiet",
        "--leak-check=full",
        "--errors-for-leak-kinds=definite",
        "--show-leak-kinds=definite",
        "--error-exitcode=9",
    ];
    site.run(&program, &valgrind);
}

#[test]
fn a_child_of_fork_is_told_that_the_job_is_not_its_own() {
    let site = Site::new(8 << 20);
    let program = compiled(site.folder.path(), "fork", &[]);
    let output = Command::new(program).arg(site.path("documents")).output();
    succeeded(&output.unwrap(), "fork");
}
