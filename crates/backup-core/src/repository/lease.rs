//! Leases: who is at work in the repository.
//!
//! A lease names host, boot, process and the time the process started, so that everybody can tell whether its holder still lives: nothing
//! ever has to be unlocked by hand. On the holder's own host the answer is exact; for another host the lease counts as abandoned when its holder
//! has not touched it for [`SILENCE`].

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Repository, RepositoryError, make_folder};
use crate::durable;
use crate::id::BackupId;

/// After this long without a sign of life from another host, a lease is abandoned.
const SILENCE: Duration = Duration::from_secs(15 * 60);
/// How often a holder gives a sign of life.
const HEARTBEAT: Duration = Duration::from_secs(60);

const FILE: &str = "lease.toml";

/// What a lease is for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LeasePurpose {
    /// What is being done, for people: `create full`.
    pub(crate) job: String,
    /// The configuration that runs, of which there may be one job at a time.
    pub(crate) configuration: Option<String>,
    /// The backup that the job builds on: nobody may remove it meanwhile.
    #[serde(default)]
    pub(crate) base: Option<BackupId>,
}

/// A job that is at work.
#[derive(Debug, Clone)]
pub(crate) struct RunningJob {
    /// Name of its lease: the id of the backup that it makes.
    pub(crate) name: String,
    /// What it does.
    pub(crate) purpose: LeasePurpose,
}

#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    host: String,
    boot_id: String,
    pid: u32,
    /// Clock ticks from boot to the start of the process: tells a process from a later one with the same number.
    process_start: u64,
    since: DateTime<Utc>,
    #[serde(flatten)]
    purpose: LeasePurpose,
}

/// The right to work in a folder of one's own below `running/`. Dropping it removes the folder with everything in it.
#[derive(Debug)]
pub(crate) struct Lease {
    folder: PathBuf,
    stop: Arc<AtomicBool>,
    heartbeat: Option<JoinHandle<()>>,
}

impl Lease {
    /// Takes a lease named `name`, after removing what dead holders left behind.
    ///
    /// # Errors
    /// [`RepositoryError::Busy`] when a live one has the same configuration.
    pub(crate) fn acquire(
        repository: &Repository,
        name: &str,
        purpose: LeasePurpose,
    ) -> Result<Self, RepositoryError> {
        make_folder(&repository.running())?;
        make_folder(&repository.backups())?;
        let lock = repository.lock()?;
        for holder in remove_abandoned(repository)? {
            if let Some(configuration) = &purpose.configuration
                && holder.purpose.configuration.as_ref() == Some(configuration)
            {
                return Err(RepositoryError::Busy {
                    configuration: configuration.clone(),
                    holder: format!(
                        "{} in process {} on {} since {}",
                        holder.purpose.job,
                        holder.pid,
                        holder.host,
                        holder.since.format("%Y-%m-%d %H:%M:%S UTC")
                    ),
                });
            }
        }
        let folder = repository.running().join(name);
        make_folder(&folder)?;
        let file = folder.join(FILE);
        let holder = Holder::this_process(purpose);
        let text = toml::to_string(&holder).expect("plain fields");
        if let Err(error) = durable::replace(&file, &folder, text.as_bytes()) {
            let _ = fs::remove_dir_all(&folder);
            return Err(RepositoryError::io("write", &file)(error));
        }
        drop(lock);
        let stop = Arc::new(AtomicBool::new(false));
        let heartbeat = keep_alive(file, Arc::clone(&stop));
        Ok(Self {
            folder,
            stop,
            heartbeat: Some(heartbeat),
        })
    }

    /// The folder to work in.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(heartbeat) = self.heartbeat.take() {
            heartbeat.thread().unpark();
            let _ = heartbeat.join();
        }
        // What cannot be removed now is removed by the next run.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn keep_alive(file: PathBuf, stop: Arc<AtomicBool>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            std::thread::park_timeout(HEARTBEAT);
            // A heartbeat that fails costs nothing on this host, and on others only the benefit of the doubt.
            let _ = fs::File::options()
                .write(true)
                .open(&file)
                .and_then(|file| file.set_modified(SystemTime::now()));
        }
    })
}

/// The jobs that are at work in the repository, whose lock must be held for the answer to stay true.
pub(super) fn running_jobs(repository: &Repository) -> Result<Vec<RunningJob>, RepositoryError> {
    let running = repository.running();
    let mut jobs = Vec::new();
    let entries = match fs::read_dir(&running) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(jobs),
        Err(error) => return Err(RepositoryError::io("list", &running)(error)),
    };
    for entry in entries {
        let entry = entry.map_err(RepositoryError::io("list", &running))?;
        let file = entry.path().join(FILE);
        if let Some(holder) = Holder::read(&file).filter(|holder| holder.is_alive(&file)) {
            jobs.push(RunningJob {
                name: entry.file_name().to_string_lossy().into_owned(),
                purpose: holder.purpose,
            });
        }
    }
    Ok(jobs)
}

/// Removes the folders of dead holders; returns the live ones. The repository's lock must be held.
fn remove_abandoned(repository: &Repository) -> Result<Vec<Holder>, RepositoryError> {
    let running = repository.running();
    let mut alive = Vec::new();
    for entry in fs::read_dir(&running).map_err(RepositoryError::io("list", &running))? {
        let folder = entry.map_err(RepositoryError::io("list", &running))?.path();
        match Holder::read(&folder.join(FILE)) {
            Some(holder) if holder.is_alive(&folder.join(FILE)) => alive.push(holder),
            // Leases are made under the lock, so one that cannot be read was cut short by a crash.
            _ if folder.is_dir() => {
                fs::remove_dir_all(&folder).map_err(RepositoryError::io("remove", &folder))?;
            }
            _ => fs::remove_file(&folder).map_err(RepositoryError::io("remove", &folder))?,
        }
    }
    Ok(alive)
}

impl Holder {
    fn this_process(purpose: LeasePurpose) -> Self {
        let pid = std::process::id();
        Self {
            host: host_name(),
            boot_id: boot_id(),
            pid,
            process_start: process_start(pid).unwrap_or_default(),
            since: Utc::now(),
            purpose,
        }
    }

    fn read(file: &Path) -> Option<Self> {
        toml::from_str(&fs::read_to_string(file).ok()?).ok()
    }

    fn is_alive(&self, file: &Path) -> bool {
        if self.host == host_name() {
            return self.boot_id == boot_id()
                && process_start(self.pid) == Some(self.process_start);
        }
        fs::metadata(file)
            .and_then(|metadata| metadata.modified())
            .is_ok_and(|touched| {
                let distance = match touched.elapsed() {
                    Ok(silent) => silent,
                    // Its clock, or the file server's, is ahead of ours.
                    Err(ahead) => ahead.duration(),
                };
                distance < SILENCE
            })
    }
}

/// The name of this host.
pub(crate) fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

fn boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .unwrap_or_default()
        .trim()
        .to_owned()
}

/// Field 22 of `/proc/<pid>/stat` (proc(5)); `None` when there is no such process.
fn process_start(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the command in parentheses and may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purpose(configuration: &str) -> LeasePurpose {
        LeasePurpose {
            job: "create full".into(),
            configuration: Some(configuration.into()),
            base: None,
        }
    }

    #[test]
    fn one_job_of_a_configuration_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::open_or_create(folder.path()).unwrap();
        let first = Lease::acquire(&repository, "a", purpose("daily")).unwrap();
        let other = Lease::acquire(&repository, "b", purpose("hourly")).unwrap();
        let busy = Lease::acquire(&repository, "c", purpose("daily")).unwrap_err();
        assert!(matches!(busy, RepositoryError::Busy { .. }), "{busy}");
        drop(first);
        Lease::acquire(&repository, "c", purpose("daily")).unwrap();
        assert!(other.folder().exists());
    }

    #[test]
    fn what_a_dead_process_left_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::open_or_create(folder.path()).unwrap();
        let dead = repository.running().join("dead");
        fs::create_dir(&dead).unwrap();
        let mut holder = Holder::this_process(purpose("daily"));
        holder.process_start += 1;
        fs::write(dead.join(FILE), toml::to_string(&holder).unwrap()).unwrap();
        let torn = repository.running().join("torn");
        fs::create_dir(&torn).unwrap();

        let lease = Lease::acquire(&repository, "new", purpose("daily")).unwrap();
        assert!(!dead.exists());
        assert!(!torn.exists());
        let own = lease.folder().to_owned();
        drop(lease);
        assert!(!own.exists());
    }

    #[test]
    fn another_host_is_believed_until_it_is_silent() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(FILE);
        let mut holder = Holder::this_process(purpose("daily"));
        holder.host = "elsewhere".into();
        fs::write(&file, "").unwrap();
        assert!(holder.is_alive(&file));
        let long_ago = SystemTime::now() - SILENCE - Duration::from_secs(1);
        fs::File::options()
            .write(true)
            .open(&file)
            .unwrap()
            .set_modified(long_ago)
            .unwrap();
        assert!(!holder.is_alive(&file));
    }

    #[test]
    fn two_machines_share_a_repository() {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::open_or_create(folder.path().join("backups")).unwrap();
        // As another machine on the same network mount would have it: its process ids and boot mean nothing here.
        let foreign = repository.running().join("foreign");
        fs::create_dir(&foreign).unwrap();
        let mut holder = Holder::this_process(purpose("daily"));
        holder.host = "elsewhere".into();
        holder.boot_id = "another boot".into();
        holder.pid = u32::MAX;
        let file = foreign.join(FILE);
        fs::write(&file, toml::to_string(&holder).unwrap()).unwrap();
        let touched = |ago: Duration| {
            let file = fs::File::options().write(true).open(&file).unwrap();
            file.set_modified(SystemTime::now() - ago).unwrap();
        };

        touched(SILENCE - Duration::from_secs(30));
        assert!(repository.is_busy("daily").unwrap());
        assert!(matches!(
            Lease::acquire(&repository, "own", purpose("daily")),
            Err(RepositoryError::Busy { .. })
        ));
        drop(Lease::acquire(&repository, "own", purpose("weekly")).unwrap());
        assert!(foreign.exists(), "the other machine's work is left alone");

        // A clock that is ahead there does not make the lease look dead here, nor immortal.
        let file_handle = fs::File::options().write(true).open(&file).unwrap();
        file_handle
            .set_modified(SystemTime::now() + Duration::from_secs(120))
            .unwrap();
        assert!(repository.is_busy("daily").unwrap());

        touched(SILENCE + Duration::from_secs(1));
        assert!(!repository.is_busy("daily").unwrap());
        drop(Lease::acquire(&repository, "own", purpose("daily")).unwrap());
        assert!(!foreign.exists(), "what it left behind is cleaned up");
    }
}
