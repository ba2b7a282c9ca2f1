//! SECURITY: who could get at the backups, and at what is needed to make them.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::finding::{Check, Finding, HealthStatus, Measure, Unit};

/// What a file or folder is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The repository's folders, archives and records.
    Repository,
    /// An identity that opens sealed backups, or signs them.
    Key,
    /// A file that holds a password or another secret.
    Secret,
    /// A configuration file, which decides what is run.
    Configuration,
}

/// A file or folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardedPath {
    /// Its path.
    pub path: PathBuf,
    /// What it is to us.
    pub role: Role,
    /// Mode bits (07777) and owner; or why they cannot be read.
    pub access: Result<Access, String>,
}

/// Mode and owner of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// Mode bits, 07777.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
}

/// How the database is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatabaseAccess {
    /// Over a Unix socket: nothing goes over a network.
    pub local: bool,
    /// Encrypted.
    pub tls: bool,
    /// As a superuser.
    pub superuser: bool,
}

/// What is known of who could get at what.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecurityFacts {
    /// Who this process is.
    pub own_uid: u32,
    /// What must be guarded.
    pub paths: Vec<GuardedPath>,
    /// Whether backups are sealed; `None` when that is not to be looked at.
    pub sealed: Option<bool>,
    /// How the database is reached, if it is.
    pub database: Option<DatabaseAccess>,
}

/// Looks at mode and owner of `paths`; of the repository, at everything in it.
pub fn probe<'a>(paths: impl IntoIterator<Item = (Role, &'a Path)>) -> SecurityFacts {
    let mut facts = SecurityFacts {
        own_uid: rustix::process::geteuid().as_raw(),
        ..SecurityFacts::default()
    };
    for (role, path) in paths {
        facts.paths.push(guarded(path, role));
        if role == Role::Repository {
            look_below(path, role, &mut facts.paths);
        }
    }
    facts
}

/// Judges who could get at what.
pub fn evaluate(facts: &SecurityFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    for role in [
        Role::Repository,
        Role::Key,
        Role::Secret,
        Role::Configuration,
    ] {
        let paths: Vec<_> = facts.paths.iter().filter(|one| one.role == role).collect();
        if !paths.is_empty() {
            findings.extend(access(role, &paths, facts.own_uid));
        }
    }
    findings.extend(facts.sealed.map(sealed));
    if let Some(database) = facts.database {
        findings.push(tls(database));
        findings.push(superuser(database));
    }
    findings
}

const ACCESS: Measure = Measure {
    check: Check::Security,
    code: "loose_access",
    unit: Unit::Count,
    title: "Files and folders that others can read or change and should not.",
};
const OWNER: Measure = Measure {
    check: Check::Security,
    code: "foreign_owner",
    unit: Unit::Count,
    title: "Files and folders that belong to somebody else.",
};
const SEALED: Measure = Measure {
    check: Check::Security,
    code: "backups_not_sealed",
    unit: Unit::Flag,
    title: "Whether backups are written without encryption.",
};
const TLS: Measure = Measure {
    check: Check::Security,
    code: "database_without_tls",
    unit: Unit::Flag,
    title: "Whether rows go over a network without encryption.",
};
const SUPERUSER: Measure = Measure {
    check: Check::Security,
    code: "database_superuser",
    unit: Unit::Flag,
    title: "Whether backups are made as a superuser of the database.",
};

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Repository => "repository",
            Self::Key => "keys",
            Self::Secret => "secrets",
            Self::Configuration => "configuration",
        }
    }

    /// How bad these mode bits are.
    fn judge(self, mode: u32) -> HealthStatus {
        const OTHERS: u32 = 0o007;
        const ANYBODY_ELSE: u32 = 0o077;
        const WRITE: u32 = 0o022;
        match self {
            Self::Repository if mode & (OTHERS | WRITE) != 0 => HealthStatus::Critical,
            Self::Repository if mode & ANYBODY_ELSE != 0 => HealthStatus::Warning,
            // Secrets of containers are commonly given to a group.
            Self::Secret if mode & (OTHERS | WRITE) != 0 => HealthStatus::Critical,
            Self::Secret if mode & ANYBODY_ELSE != 0 => HealthStatus::Warning,
            Self::Key if mode & ANYBODY_ELSE != 0 => HealthStatus::Critical,
            Self::Configuration if mode & WRITE != 0 => HealthStatus::Critical,
            _ => HealthStatus::Healthy,
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::Repository => "Take the rights away: `chmod -R go= REPOSITORY`.",
            Self::Key => {
                "Take the rights away with `chmod 600`; if others were on this machine, make a new key."
            }
            Self::Secret => {
                "Take the rights away with `chmod 600`; if others were on this machine, change the secret."
            }
            Self::Configuration => {
                "Take the right to write away with `chmod go-w`: who changes it decides what is run."
            }
        }
    }
}

fn access(role: Role, paths: &[&GuardedPath], own_uid: u32) -> Vec<Finding> {
    let known: Vec<_> = paths
        .iter()
        .filter_map(|one| Some((&one.path, *one.access.as_ref().ok()?)))
        .collect();
    let loose: Vec<_> = known
        .iter()
        .filter(|(_, access)| role.judge(access.mode) != HealthStatus::Healthy)
        .collect();
    let worst = loose
        .iter()
        .max_by_key(|(_, access)| role.judge(access.mode));
    let mode = match worst {
        Some((path, access)) => ACCESS.judged(
            role.judge(access.mode),
            format!(
                "{} has mode {:04o}{}",
                path.display(),
                access.mode,
                and_others(loose.len())
            ),
            role.advice(),
        ),
        None => ACCESS.healthy("nobody else can get at them".to_owned()),
    }
    .value(loose.len() as f64);
    let foreign: Vec<_> = known
        .iter()
        .filter(|(_, access)| access.uid != own_uid && access.uid != 0)
        .collect();
    let owner = foreign.first().map(|(path, access)| {
        OWNER
            .flagged(
                HealthStatus::Warning,
                format!(
                    "{} belongs to user {}{}",
                    path.display(),
                    access.uid,
                    and_others(foreign.len())
                ),
                "Its owner can always change it: give it to the user who makes backups (chown), or run as that user.",
            )
            .value(foreign.len() as f64)
    });
    let unknown = paths.iter().find_map(|one| {
        let reason = one.access.as_ref().err()?;
        Some(ACCESS.judged(
            HealthStatus::Unknown,
            format!("{} cannot be looked at: {reason}", one.path.display()),
            "Correct its path in the configuration, or run as a user who may look at it.",
        ))
    });
    [Some(mode), owner, unknown]
        .into_iter()
        .flatten()
        .map(|finding| finding.of(role.name()))
        .collect()
}

fn and_others(count: usize) -> String {
    match count {
        0 | 1 => String::new(),
        _ => format!(", and {} more like it", count - 1),
    }
}

fn sealed(sealed: bool) -> Finding {
    if sealed {
        return SEALED.healthy("backups are sealed".to_owned()).value(0.0);
    }
    SEALED.flagged(
        HealthStatus::Warning,
        "backups are not sealed: who gets the disk gets everything".to_owned(),
        "Make a key with `edms-backup key generate`, keep it elsewhere, and name its recipient under [encryption].",
    )
}

fn tls(database: DatabaseAccess) -> Finding {
    if database.local || database.tls {
        return TLS
            .healthy("the way to the database is private".to_owned())
            .value(0.0);
    }
    TLS.flagged(
        HealthStatus::Warning,
        "rows and password go to the database without encryption".to_owned(),
        "Turn on TLS in the server (ssl = on) and set PGSSLMODE=verify-full; inside one machine's container network it may be acceptable.",
    )
}

fn superuser(database: DatabaseAccess) -> Finding {
    if !database.superuser {
        return SUPERUSER
            .healthy("the role is no superuser".to_owned())
            .value(0.0);
    }
    SUPERUSER.flagged(
        HealthStatus::Warning,
        "backups are made as a superuser of the database".to_owned(),
        "Make a role of its own for backups: the owner of the tables, or a member of pg_read_all_data, is enough.",
    )
}

fn guarded(path: &Path, role: Role) -> GuardedPath {
    let access = fs::metadata(path).map(|metadata| Access {
        mode: metadata.mode() & 0o7777,
        uid: metadata.uid(),
    });
    GuardedPath {
        path: path.to_owned(),
        role,
        access: access.map_err(|error| error.to_string()),
    }
}

/// Everything below `folder`, not following links.
fn look_below(folder: &Path, role: Role, paths: &mut Vec<GuardedPath>) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // That it is not there was noted when it was looked at itself; a folder that was cleaned up meanwhile is of no interest.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => {
            paths.push(GuardedPath {
                path: folder.to_owned(),
                role,
                access: Err(error.to_string()),
            });
            return;
        }
    };
    for entry in entries.flatten() {
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        if metadata.is_symlink() {
            continue;
        }
        paths.push(GuardedPath {
            path: entry.path(),
            role,
            access: Ok(Access {
                mode: metadata.mode() & 0o7777,
                uid: metadata.uid(),
            }),
        });
        if metadata.is_dir() {
            look_below(&entry.path(), role, paths);
        }
    }
}
