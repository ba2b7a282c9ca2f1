//! A systemd service and its timer that call `schedule run-due`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::runner::{Runner, SetupError, one_line, path_text, run};
use crate::durable;

/// Name of the service unit.
pub const SERVICE: &str = "edms-backup.service";
/// Name of the timer unit.
pub const TIMER: &str = "edms-backup.timer";

/// What the units shall do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitOptions {
    /// The program, by its absolute path.
    pub program: PathBuf,
    /// Its arguments: `--config FILE schedule run-due`.
    pub arguments: Vec<String>,
    /// Folders that it writes to: the repositories. Everything else is read-only to it.
    pub writable: Vec<PathBuf>,
    /// Who runs it. `None`: root, who can read every file of the store.
    pub user: Option<String>,
    /// A file of `NAME=value` lines, such as the connection of the database; it may be missing.
    pub environment_file: Option<PathBuf>,
}

/// The text of both units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Units {
    /// Of [`SERVICE`].
    pub service: String,
    /// Of [`TIMER`].
    pub timer: String,
}

impl Units {
    /// Writes the units down. The service may write to the repositories only, has no capability but those to read files of others, and cannot
    /// gain any.
    ///
    /// # Errors
    /// When a path is not absolute, or something cannot stand in one line.
    pub fn render(options: &UnitOptions) -> Result<Self, SetupError> {
        Ok(Self {
            service: service(options)?,
            timer: TIMER_TEXT.to_owned(),
        })
    }
}

/// Writes the units to `folder` (`/etc/systemd/system`) and turns the timer on.
///
/// # Errors
/// When a file cannot be written, or `systemctl` fails; the units are left for a second try then.
pub fn install(folder: &Path, units: &Units, runner: &mut dyn Runner) -> Result<(), SetupError> {
    for (name, text) in [(SERVICE, &units.service), (TIMER, &units.timer)] {
        let path = folder.join(name);
        durable::replace(&path, folder, text.as_bytes())
            .and_then(|()| {
                // Units hold no secrets, and tools that show them run as anybody.
                fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644))
            })
            .map_err(SetupError::io("write", &path))?;
    }
    run(runner, "systemctl", &["daemon-reload"], "")?;
    run(runner, "systemctl", &["enable", "--now", TIMER], "").map(drop)
}

/// Turns the timer off and removes the units from `folder`; fine when there are none. A run that is under way ends by itself.
///
/// # Errors
/// When a file cannot be removed, or `systemctl` fails.
pub fn remove(folder: &Path, runner: &mut dyn Runner) -> Result<(), SetupError> {
    let there = [TIMER, SERVICE].map(|name| folder.join(name));
    if !there.iter().any(|path| path.exists()) {
        return Ok(());
    }
    if there[0].exists() {
        run(runner, "systemctl", &["disable", "--now", TIMER], "")?;
    }
    for path in there {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(SetupError::io("remove", &path)(error));
            }
            _ => {}
        }
    }
    run(runner, "systemctl", &["daemon-reload"], "").map(drop)
}

/// Every five minutes is enough: what is due is decided by the program, which also catches up.
const TIMER_TEXT: &str = "\
# Written by `edms-backup schedule setup --systemd`.
[Unit]
Description=Looks every five minutes for EDMS backups that are due

[Timer]
OnCalendar=*:0/5
AccuracySec=30s
Persistent=true

[Install]
WantedBy=timers.target
";

/// What every service gets; the comments are part of the unit.
const HARDENING: &str = "\
# A backup takes its time and gives way to the application.
TimeoutStartSec=infinity
Nice=10
IOSchedulingClass=best-effort
IOSchedulingPriority=7
UMask=0077
# It reads everything, writes to the repository, and needs nothing else.
ProtectSystem=strict
ProtectHome=read-only
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
NoNewPrivileges=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
";

fn service(options: &UnitOptions) -> Result<String, SetupError> {
    let mut command = quote_argument(path_text(&options.program)?);
    for argument in &options.arguments {
        command.push(' ');
        command.push_str(&quote_argument(one_line(argument)?));
    }
    let mut text = String::from(
        "# Written by `edms-backup schedule setup --systemd`.\n\
         [Unit]\n\
         Description=EDMS backups that are due\n\
         Wants=network-online.target\n\
         After=network-online.target postgresql.service docker.service\n\n\
         [Service]\n\
         Type=oneshot\n",
    );
    text.push_str(&format!("ExecStart={command}\n"));
    if let Some(file) = &options.environment_file {
        text.push_str(&format!("EnvironmentFile=-{}\n", quote_path(file)?));
    }
    match &options.user {
        // Without a user it is root's: may read what others own, and write where a repository is another's.
        None => text.push_str(
            "CapabilityBoundingSet=CAP_DAC_READ_SEARCH CAP_DAC_OVERRIDE CAP_FOWNER CAP_CHOWN\n",
        ),
        Some(user) => text.push_str(&format!(
            "User={}\nCapabilityBoundingSet=\n",
            one_line(user)?
        )),
    }
    text.push_str(HARDENING);
    let mut private_tmp = true;
    for folder in &options.writable {
        text.push_str(&format!("ReadWritePaths={}\n", quote_path(folder)?));
        private_tmp &= !["/tmp", "/var/tmp"]
            .iter()
            .any(|tmp| folder.starts_with(tmp));
    }
    if private_tmp {
        text.push_str("PrivateTmp=yes\n");
    }
    Ok(text)
}

/// Quotes one word of a command line (systemd.service(5), "Command lines").
fn quote_argument(text: &str) -> String {
    quote(text).replace('$', "$$")
}

fn quote_path(path: &Path) -> Result<String, SetupError> {
    path_text(path).map(quote)
}

/// Quotes one word; `%` begins a specifier (systemd.unit(5)).
fn quote(text: &str) -> String {
    let text = text.replace('%', "%%");
    let plain = |c: char| !c.is_whitespace() && !"\"'\\;$".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}
