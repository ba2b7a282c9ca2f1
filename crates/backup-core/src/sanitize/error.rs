//! Why a package cannot be made free of secrets.

use std::fmt;

use backup_db::DumpError;

use crate::failure::Explain;

/// A column that looks as if it held secrets, and that no rule covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspect {
    /// `schema.table`.
    pub table: String,
    /// The column.
    pub column: String,
    /// Why it is suspected.
    pub reason: String,
}

impl fmt::Display for Suspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} ({})", self.table, self.column, self.reason)
    }
}

/// Why a package cannot be made free of secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SanitizeError {
    /// Columns look secret, and no rule says what to do with them.
    #[error("{} columns look as if they held secrets, and no rule covers them: {}", .suspects.len(), listed(.suspects))]
    Unresolved {
        /// The columns.
        suspects: Vec<Suspect>,
    },
    /// A rule is for a table or column that is not there.
    #[error("the sanitize rule for {name} fits nothing in this database")]
    NoSuchColumn {
        /// What the rule names.
        name: String,
    },
    /// A rule asks for something that has no meaning.
    #[error("the sanitize rule for {name} cannot be followed: {reason}")]
    Rule {
        /// What the rule names.
        name: String,
        /// Why not.
        reason: String,
    },
    /// A column cannot take the value that would replace its own.
    #[error("{name} cannot be {change}: {reason}")]
    Untreatable {
        /// The column.
        name: String,
        /// What should have been done.
        change: &'static str,
        /// Why it cannot be.
        reason: &'static str,
    },
    /// Rows that are left out are needed by others.
    #[error("{from} names rows of {to}, which are left out, and cannot be empty")]
    Reference {
        /// The column that names them.
        from: String,
        /// The table without rows.
        to: String,
    },
    /// The database cannot be read.
    #[error("the database cannot be searched for secrets")]
    Database(#[from] DumpError),
    /// The operating system has no random bytes.
    #[error("there are no random bytes to hash with")]
    Random(#[source] std::io::Error),
}

fn listed(suspects: &[Suspect]) -> String {
    let names: Vec<String> = suspects.iter().map(ToString::to_string).collect();
    names.join(", ")
}

impl Explain for SanitizeError {
    fn code(&self) -> &'static str {
        match self {
            Self::Unresolved { .. } => "secrets_unresolved",
            Self::NoSuchColumn { .. } | Self::Rule { .. } => "sanitize_rule",
            Self::Untreatable { .. } => "sanitize_impossible",
            Self::Reference { .. } => "sanitize_reference",
            Self::Database(error) => error.code(),
            Self::Random(_) => "no_random_bytes",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unresolved { suspects } => {
                let rules = suspects.iter().map(|suspect| {
                    format!(
                        "[[sanitize.rules]]\ntable = {:?}\ncolumn = {:?}\naction = \"blank\"  # or keep, hash, drop\n",
                        suspect.table, suspect.column
                    )
                });
                format!(
                    "Say in the configuration file what to do with each of them:\n{}",
                    rules.collect::<String>()
                )
            }
            Self::NoSuchColumn { .. } => {
                "Correct or remove the rule under [sanitize]; names are schema.table and column.".into()
            }
            Self::Rule { .. } => "Rules with a column take keep, blank, hash or drop (NULL); rules without one keep or drop (all rows).".into(),
            Self::Untreatable { .. } => "Give it another rule under [sanitize], or drop the rows of its table.".into(),
            Self::Reference { from, .. } => format!(
                "Drop the rows of {} as well, or keep those that it names, with a rule under [sanitize].",
                from.rsplit_once('.').map_or(from.as_str(), |(table, _)| table)
            ),
            Self::Database(error) => return Explain::hint(error),
            Self::Random(_) => return None,
        })
    }
}
