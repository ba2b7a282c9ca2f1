//! libpq's password file: lines of `host:port:database:user:password`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::Secret;

/// What a password is looked up for.
pub(crate) struct Wanted<'a> {
    /// Host name, or `localhost` for a unix socket in the default folder, or the socket's folder.
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    pub(crate) database: &'a str,
    pub(crate) user: &'a str,
}

/// A password file that could be used.
pub(crate) struct PassFile {
    lines: Vec<[String; 5]>,
}

impl PassFile {
    /// Reads the file; `Err` holds a warning when it is there and must not be used, as others can read it.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, String> {
        let Ok(metadata) = fs::metadata(path) else {
            return Ok(None);
        };
        if !metadata.is_file() {
            return Err(format!(
                "the password file {} is not a plain file and is ignored",
                path.display()
            ));
        }
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(format!(
                "the password file {} is ignored: group or others can read it (chmod 0600 it)",
                path.display()
            ));
        }
        let text = fs::read(path).map_err(|error| {
            format!("cannot read the password file {}: {error}", path.display())
        })?;
        Ok(Some(Self {
            lines: String::from_utf8_lossy(&text)
                .lines()
                .filter_map(fields)
                .collect(),
        }))
    }

    /// The password on the first line that matches.
    pub(crate) fn find(&self, wanted: &Wanted<'_>) -> Option<Secret> {
        let port = wanted.port.to_string();
        let matches = |field: &str, value: &str| {
            field == "*" || field.strip_prefix('\0').unwrap_or(field) == value
        };
        self.lines
            .iter()
            .find(|[host, line_port, database, user, _]| {
                matches(host, wanted.host)
                    && matches(line_port, &port)
                    && matches(database, wanted.database)
                    && matches(user, wanted.user)
            })
            .map(|[.., password]| Secret::new(password.strip_prefix('\0').unwrap_or(password)))
    }
}

/// The five fields of a line, without their backslashes. An escaped `\*` is marked by a NUL in front: it is no wildcard.
fn fields(line: &str) -> Option<[String; 5]> {
    if line.starts_with('#') || line.trim().is_empty() {
        return None;
    }
    let mut fields: Vec<String> = vec![String::new()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        // After the fourth colon, everything is the password, colons included.
        let count = fields.len();
        let field = fields.last_mut()?;
        match character {
            '\\' => {
                let escaped = characters.next().unwrap_or('\\');
                if field.is_empty() && escaped == '*' {
                    field.push('\0');
                }
                field.push(escaped);
            }
            ':' if count < 5 => fields.push(String::new()),
            character => field.push(character),
        }
    }
    fields.try_into().ok()
}
