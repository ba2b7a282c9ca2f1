//! Migration packages: free of secrets, of roles, and of what only their own machine knows.

use std::collections::BTreeSet;
use std::path::PathBuf;

use backup_archive::{ArchivePath, Metadata};
use backup_db::Snapshot;

use super::CreateError;
use super::job::{Job, own_metadata};
use super::system::free_name;
use crate::export::{README, RESTORE_SCRIPT, ReadmeDatabase, ReadmeFacts, readme, restore_script};
use crate::manifest::{ConfigManifest, Issue};
use crate::redact::{Redacted, redact};
use crate::sanitize::{SanitizeError, sanitize};

/// A settings file without its secrets.
pub(super) struct RedactedFile {
    stored_as: ArchivePath,
    source: PathBuf,
    redacted: Redacted,
}

impl RedactedFile {
    /// Names of the keys whose values were taken out, each once.
    fn keys(&self) -> Vec<&str> {
        let keys: BTreeSet<&str> = self
            .redacted
            .changes
            .iter()
            .map(|change| change.key.as_str())
            .collect();
        keys.into_iter().collect()
    }
}

impl Job<'_> {
    /// Has the snapshot leave out what must not travel, and takes down what that is.
    pub(super) fn sanitize(&mut self, snapshot: &mut Snapshot) -> Result<(), SanitizeError> {
        let sanitized = sanitize(snapshot, &self.options.sanitize)?;
        self.manifest.sanitized = sanitized.changes;
        self.manifest
            .notes
            .extend(sanitized.notes.into_iter().map(|reason| Issue {
                path: "database".to_owned(),
                reason,
            }));
        Ok(())
    }

    /// Reads the system configuration files and takes their secrets out.
    pub(super) fn redacted_settings(&self) -> Result<Vec<RedactedFile>, CreateError> {
        let mut taken = BTreeSet::new();
        let files = self.options.system.iter().map(|path| {
            let failed = |source| CreateError::System {
                path: path.clone(),
                source,
            };
            let stored_as = free_name(path, &mut taken)
                .ok_or_else(|| failed(std::io::ErrorKind::IsADirectory.into()))?;
            let content = std::fs::read(path).map_err(failed)?;
            Ok(RedactedFile {
                redacted: redact(&path.to_string_lossy(), &content),
                source: path.clone(),
                stored_as,
            })
        });
        files.collect()
    }

    /// Appends what whoever restores the package needs first: the script, and the steps to print.
    pub(super) fn append_guide(
        &mut self,
        snapshot: Option<&Snapshot>,
        settings: &[RedactedFile],
    ) -> Result<(), CreateError> {
        let facts = self.readme_facts(snapshot, settings);
        let texts = [
            (RESTORE_SCRIPT, restore_script(), 0o755),
            (README, readme(&facts), 0o644),
        ];
        for (path, text, mode) in texts {
            let path = ArchivePath::new(path).expect("a constant path");
            let metadata = Metadata {
                mode,
                ..own_metadata(self.manifest.created_at)
            };
            self.writer
                .append_bytes(&path, &metadata, text.into_bytes())?;
        }
        Ok(())
    }

    fn readme_facts(&self, snapshot: Option<&Snapshot>, settings: &[RedactedFile]) -> ReadmeFacts {
        let in_database = self.manifest.sanitized.iter().map(|change| {
            let column = change.column.as_ref().map(|column| format!(".{column}"));
            format!(
                "{}{}: {} ({})",
                change.table,
                column.unwrap_or_default(),
                change.change,
                change.reason
            )
        });
        let in_settings = settings
            .iter()
            .filter(|file| !file.redacted.changes.is_empty())
            .map(|file| format!("{}: values replaced by REDACTED", file.stored_as));
        let keys = settings.iter().flat_map(|file| {
            let named = move |key: &str| format!("{key} ({})", file.stored_as);
            file.keys().into_iter().map(named).collect::<Vec<_>>()
        });
        ReadmeFacts {
            created_at: self.manifest.created_at,
            program: self.manifest.program.clone(),
            database: snapshot.map(|snapshot| ReadmeDatabase {
                postgres: snapshot.server().major(),
                encoding: snapshot.server().encoding.clone(),
                tables: snapshot.tables().len(),
                extensions: snapshot
                    .server()
                    .extensions
                    .iter()
                    .map(|extension| extension.name.clone())
                    .filter(|name| name != "plpgsql")
                    .collect(),
            }),
            roots: self.options.files.keys().cloned().collect(),
            config: settings
                .iter()
                .filter(|file| !file.redacted.binary)
                .map(|file| file.stored_as.to_string())
                .collect(),
            changes: in_database.chain(in_settings).collect(),
            keys: keys.collect(),
        }
    }

    /// Appends the settings files as `config/…`. One that is no text may hold anything, so it stays behind, by name.
    pub(super) fn append_settings(
        &mut self,
        settings: Vec<RedactedFile>,
    ) -> Result<(), CreateError> {
        for file in settings {
            let path = file.stored_as.to_string();
            if file.redacted.binary {
                self.manifest.issues.push(Issue {
                    path,
                    reason: "left out: it is no text file, so nobody can tell what is secret in it"
                        .to_owned(),
                });
                continue;
            }
            if !file.redacted.changes.is_empty() {
                self.manifest.notes.push(Issue {
                    path: path.clone(),
                    reason: format!("redacted: {}", file.keys().join(", ")),
                });
            }
            let metadata = own_metadata(self.manifest.created_at);
            self.writer
                .append_bytes(&file.stored_as, &metadata, file.redacted.content)?;
            self.manifest.config.push(ConfigManifest {
                path,
                source: file.source.display().to_string(),
            });
        }
        Ok(())
    }
}
