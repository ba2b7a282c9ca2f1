//! A PostgreSQL server of its own for a test: made by `initdb` in a temporary folder, gone when the test is over.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{client, dump, server_tls};

/// How a server is made; the default is what most tests want.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// Folder of `initdb`, `postgres` and `psql`; default: the newest of Debian's.
    pub bin: Option<PathBuf>,
    /// Password of the superuser `postgres`. When given, connections authenticate by SCRAM; otherwise everybody is trusted.
    pub password: Option<String>,
    /// Whether the server speaks TLS, with a certificate for `localhost` and 127.0.0.1 (see [`Server::ca_file`]).
    pub tls: bool,
    /// Lines put before the default ones in `pg_hba.conf`: the first that matches a connection counts.
    pub hba: Vec<String>,
    /// Lines added to `postgresql.conf`.
    pub settings: Vec<String>,
}

/// How [`Server::stop`] stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Open connections are ended, data is written.
    Fast,
    /// As in a crash: connections break, the next start recovers.
    Immediate,
}

/// A running server. Dropping it stops it and removes its files; should the process die, a watchdog does so.
#[derive(Debug)]
pub struct Server {
    bin: PathBuf,
    base: PathBuf,
    port: u16,
    owner: Owner,
    password: Option<String>,
    watchdog: Option<(Child, ChildStdin)>,
}

/// The account that the server runs as.
#[derive(Debug, Clone, Copy)]
struct Owner {
    uid: u32,
    gid: u32,
    /// We are root and have to change to that account.
    switch: bool,
}

static NAMES: AtomicU32 = AtomicU32::new(0);

/// What waits for the end of its standard input, which comes when the test process ends for whatever reason, and cleans up then.
const WATCHDOG: &str = r#"
read -r _ || true
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid" 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -e "$1/data/postmaster.pid" ] || break; sleep 0.1; done
rm -rf "$1"
"#;

impl Server {
    /// Starts a server with default options.
    pub fn start() -> Self {
        Self::with(ServerOptions::default())
    }

    /// The one server that all tests of this process may share; each makes its own databases by [`Server::create_db`].
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// A server of the given major version, when this machine has it: Debian's, or the one whose `bin` folder `TEST_PG_BIN_<major>` names.
    pub fn of_major(major: u32) -> Option<Self> {
        let bin = std::env::var_os(format!("TEST_PG_BIN_{major}"))
            .map(PathBuf::from)
            .or_else(|| {
                Some(PathBuf::from(format!("/usr/lib/postgresql/{major}/bin")))
                    .filter(|bin| bin.is_dir())
            })?;
        Some(Self::with(ServerOptions {
            bin: Some(bin),
            ..ServerOptions::default()
        }))
    }

    /// Makes and starts a server.
    pub fn with(options: ServerOptions) -> Self {
        let bin = options.bin.clone().unwrap_or_else(newest_debian_bin);
        let owner = Owner::find();
        let base = server_folder(owner);
        let mut server = Self {
            bin,
            base,
            port: free_port(),
            owner,
            password: options.password.clone(),
            watchdog: None,
        };
        server.start_watchdog();
        server.initialise(&options);
        server.start_again();
        server
    }

    /// A hot standby that follows this server.
    pub fn standby(&self) -> Self {
        let mut standby = Self {
            bin: self.bin.clone(),
            base: server_folder(self.owner),
            port: free_port(),
            owner: self.owner,
            password: self.password.clone(),
            watchdog: None,
        };
        standby.start_watchdog();
        let data = standby.base.join("data");
        let output = self
            .run_as(self.bin.join("pg_basebackup"))
            .args(["-R", "-c", "fast", "-X", "stream", "-D"])
            .arg(&data)
            .arg("-d")
            .arg(self.url("postgres"))
            .output()
            .expect("pg_basebackup");
        assert!(
            output.status.success(),
            "pg_basebackup failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let place = format!(
            "port = {}\nunix_socket_directories = '{}'\n",
            standby.port,
            standby.base.display()
        );
        append(&data.join("postgresql.conf"), &place);
        standby.start_again();
        standby
    }

    /// URL of a database over the unix socket, as the superuser `postgres`.
    pub fn url(&self, database: &str) -> String {
        let password = self
            .password
            .as_ref()
            .map(|password| format!(":{password}"))
            .unwrap_or_default();
        format!(
            "postgresql://postgres{password}@/{database}?host={}&port={}",
            self.base.display(),
            self.port
        )
    }

    /// URL of a database over loopback TCP as `user`, without a password.
    pub fn tcp_url(&self, user: &str, database: &str) -> String {
        format!("postgresql://{user}@127.0.0.1:{}/{database}", self.port)
    }

    /// URL of a database over the unix socket as `user`, without a password.
    pub fn url_as(&self, user: &str, database: &str) -> String {
        format!(
            "postgresql://{user}@/{database}?host={}&port={}",
            self.base.display(),
            self.port
        )
    }

    /// TCP port on 127.0.0.1; also part of the socket's name.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Folder of the unix socket.
    pub fn socket_dir(&self) -> &Path {
        &self.base
    }

    /// Certificate of the authority that signed the server's certificate and the client certificates.
    pub fn ca_file(&self) -> PathBuf {
        self.base.join("ca.crt")
    }

    /// Certificate and key of a client certificate for `postgres`.
    pub fn client_certificate(&self) -> (PathBuf, PathBuf) {
        (self.base.join("client.crt"), self.base.join("client.key"))
    }

    /// Creates an empty database whose name begins with `prefix` and is unique in this server.
    pub fn create_db(&self, prefix: &str) -> String {
        let name = self.unique_name(prefix);
        self.psql(
            "postgres",
            &format!("CREATE DATABASE {name} TEMPLATE template0"),
        );
        name
    }

    /// A name that nothing else in this server has, for a database or a role.
    pub fn unique_name(&self, prefix: &str) -> String {
        format!("{prefix}_{}", NAMES.fetch_add(1, Ordering::Relaxed))
    }

    /// Runs SQL in a database and returns what `psql -At` prints; panics when a statement fails.
    pub fn psql(&self, database: &str, sql: &str) -> String {
        self.try_psql(database, sql)
            .unwrap_or_else(|error| panic!("psql failed in {database}: {error}"))
    }

    /// Runs SQL in a database: what `psql -At` prints, or its error text.
    pub fn try_psql(&self, database: &str, sql: &str) -> Result<String, String> {
        let mut child = self
            .client("psql")
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"])
            .arg(self.url(database))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("psql");
        let mut stdin = child.stdin.take().expect("psql's standard input");
        let sql = sql.to_owned();
        // On a thread: psql may print more than a pipe holds before it has read everything.
        let feeder = std::thread::spawn(move || stdin.write_all(sql.as_bytes()));
        let output = child.wait_with_output().expect("psql");
        let fed = feeder.join().expect("the thread that feeds psql");
        if output.status.success() && fed.is_ok() {
            Ok(String::from_utf8_lossy(&output.stdout)
                .trim_end_matches('\n')
                .to_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// Runs a file of SQL in a database; panics when a statement fails.
    pub fn psql_file(&self, database: &str, file: &Path) -> String {
        let sql = fs::read_to_string(file)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", file.display()));
        self.psql(database, &sql)
    }

    /// What `pg_dump` of this server's version prints for a database, given further options; panics when it fails.
    pub fn pg_dump(&self, database: &str, options: &[&str]) -> String {
        self.pg_dump_of(&self.url(database), options)
    }

    /// What this server's `pg_dump` prints for a database of another server, of the same or an older version; panics when it fails.
    pub fn pg_dump_of(&self, url: &str, options: &[&str]) -> String {
        dump::print(&mut self.client("pg_dump"), url, options)
    }

    /// A command for one of the client programs beside the server (`psql`, `pg_dump`, `pg_restore`), run by whoever runs the test.
    /// A server that came without them gets those of the folder that `TEST_PG_CLIENTS` names.
    pub fn client(&self, program: &str) -> Command {
        let beside = Some(self.bin.join(program)).filter(|path| path.exists());
        beside.map_or_else(|| client::given(program), |path| client::clean(&path))
    }

    /// A command that runs as the account of the server.
    pub fn run_as(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/");
        if self.owner.switch {
            command
                .gid(self.owner.gid)
                .uid(self.owner.uid)
                .env("HOME", &self.base);
        }
        command
    }

    /// Stops the server; [`Server::start_again`] brings it back with its data.
    pub fn stop(&self, stop: Stop) {
        let mode = match stop {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
        };
        self.pg_ctl(&["stop", "-w", "-m", mode]);
    }

    /// Starts the server again after [`Server::stop`].
    pub fn start_again(&self) {
        let log = self.base.join("log");
        self.pg_ctl(&[
            "start",
            "-w",
            "-t",
            "60",
            "-l",
            log.to_str().expect("the folder's name is ASCII"),
        ]);
    }

    /// What the server wrote to its log so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.base.join("log")).unwrap_or_default()
    }

    fn pg_ctl(&self, arguments: &[&str]) {
        // Not `output()`: the server would inherit the pipe and keep it open.
        let status = self
            .run_as(self.bin.join("pg_ctl"))
            .arg("-D")
            .arg(self.base.join("data"))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .expect("pg_ctl");
        assert!(
            status.success(),
            "pg_ctl {arguments:?} failed; the server's log: {}",
            self.log()
        );
    }

    fn initialise(&self, options: &ServerOptions) {
        let data = self.base.join("data");
        let mut initdb = self.run_as(self.bin.join("initdb"));
        initdb.arg("-D").arg(&data).args([
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "-N",
            "-A",
            "trust",
        ]);
        if let Some(password) = &options.password {
            let file = self.base.join("password");
            fs::write(&file, password).expect("the password file");
            chown(&file, Some(self.owner.uid), Some(self.owner.gid))
                .expect("owner of the password file");
            initdb.arg(format!("--pwfile={}", file.display()));
        }
        let output = initdb.output().expect("initdb");
        assert!(
            output.status.success(),
            "initdb failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );

        let mut settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = '{}'\nfsync = off\n\
             full_page_writes = off\nmax_connections = 60\nmax_wal_senders = 4\nlog_min_messages = warning\n",
            self.port,
            self.base.display()
        );
        if options.tls {
            server_tls::make_certificates(&self.base);
            for name in ["server.key", "server.crt", "ca.crt"] {
                chown(
                    self.base.join(name),
                    Some(self.owner.uid),
                    Some(self.owner.gid),
                )
                .expect("owner of a key");
            }
            for (setting, file) in [
                ("cert", "server.crt"),
                ("key", "server.key"),
                ("ca", "ca.crt"),
            ] {
                settings.push_str(&format!(
                    "ssl_{setting}_file = '{}'\n",
                    self.base.join(file).display()
                ));
            }
            settings.push_str("ssl = on\n");
        }
        for line in &options.settings {
            settings.push_str(line);
            settings.push('\n');
        }
        append(&data.join("postgresql.conf"), &settings);
        let method = if options.password.is_some() {
            "scram-sha-256"
        } else {
            "trust"
        };
        let hba = format!(
            "{}\nlocal all all {method}\nhost all all 127.0.0.1/32 {method}\n\
             local replication all {method}\nhost replication all 127.0.0.1/32 {method}\n",
            options.hba.join("\n")
        );
        fs::write(data.join("pg_hba.conf"), hba).expect("pg_hba.conf");
    }

    fn start_watchdog(&mut self) {
        let mut child = self
            .run_as("/bin/sh")
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(&self.base)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("the watchdog");
        let stdin = child.stdin.take().expect("the watchdog's standard input");
        self.watchdog = Some((child, stdin));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some((mut child, stdin)) = self.watchdog.take() {
            drop(stdin);
            let _ = child.wait();
        }
    }
}

impl Owner {
    fn find() -> Self {
        if !rustix::process::geteuid().is_root() {
            let (uid, gid) = (
                rustix::process::geteuid().as_raw(),
                rustix::process::getegid().as_raw(),
            );
            return Self {
                uid,
                gid,
                switch: false,
            };
        }
        let (uid, gid) = account("postgres").unwrap_or_else(|| {
            let status = Command::new("useradd")
                .args(["-r", "-M", "-s", "/usr/sbin/nologin", "postgres"])
                .status();
            assert!(
                status.is_ok_and(|status| status.success()),
                "cannot create the account postgres"
            );
            account("postgres").expect("the account that was just created")
        });
        Self {
            uid,
            gid,
            switch: true,
        }
    }
}

/// User and group id of an account.
fn account(name: &str) -> Option<(u32, u32)> {
    let passwd = fs::read_to_string("/etc/passwd").ok()?;
    let line = passwd
        .lines()
        .find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

fn newest_debian_bin() -> PathBuf {
    let majors = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let newest = majors
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|major| Path::new(&format!("/usr/lib/postgresql/{major}/bin/initdb")).exists())
        .max()
        .expect(
            "a PostgreSQL server below /usr/lib/postgresql (Debian: apt-get install postgresql)",
        );
    PathBuf::from(format!("/usr/lib/postgresql/{newest}/bin"))
}

/// A new folder that the server's account owns; its name is short enough for a socket in it.
fn server_folder(owner: Owner) -> PathBuf {
    let folder = tempfile::Builder::new()
        .prefix("edms-pg-")
        .tempdir_in("/tmp")
        .expect("a temporary folder")
        .keep();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))
        .expect("permissions of the server's folder");
    chown(&folder, Some(owner.uid), Some(owner.gid)).expect("owner of the server's folder");
    folder
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}

fn append(file: &Path, text: &str) {
    let mut file = fs::OpenOptions::new()
        .append(true)
        .open(file)
        .expect("postgresql.conf");
    file.write_all(text.as_bytes()).expect("postgresql.conf");
}
