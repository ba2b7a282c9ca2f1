//! `README.txt`: rescue steps for somebody who has nothing but the package.

use std::fmt::Write;

use chrono::{DateTime, Utc};

/// What there is to say about a package. Nothing in it names the machine that it comes from.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadmeFacts {
    /// When the package was begun.
    pub(crate) created_at: DateTime<Utc>,
    /// The program and its version.
    pub(crate) program: String,
    /// The database, if there is one.
    pub(crate) database: Option<ReadmeDatabase>,
    /// The names of the file roots.
    pub(crate) roots: Vec<String>,
    /// Paths of the configuration files inside the package.
    pub(crate) config: Vec<String>,
    /// What is other in the package than on the machine that it comes from, one line each.
    pub(crate) changes: Vec<String>,
    /// Names of keys and passwords that the operator must bring along: they are not in the package.
    pub(crate) keys: Vec<String>,
}

/// The database of a package.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadmeDatabase {
    /// Major version of the server that it comes from.
    pub(crate) postgres: u32,
    /// Its encoding, such as `UTF8`.
    pub(crate) encoding: String,
    /// Number of tables.
    pub(crate) tables: usize,
    /// Names of the extensions that the server needs, the procedural language of every database not among them.
    pub(crate) extensions: Vec<String>,
}

/// The text of `README.txt`.
pub(crate) fn readme(facts: &ReadmeFacts) -> String {
    let mut text = String::new();
    what_it_is(&mut text, facts);
    with_the_script(&mut text, facts);
    by_hand(&mut text, facts);
    afterwards(&mut text, facts);
    text
}

fn heading(text: &mut String, title: &str) {
    let _ = write!(text, "\n{title}\n{}\n\n", "-".repeat(title.len()));
}

/// A list, or what to say when there is nothing in it.
fn list(text: &mut String, items: &[String], otherwise: &str) {
    if items.is_empty() {
        let _ = writeln!(text, "  {otherwise}");
    }
    for item in items {
        let _ = writeln!(text, "  - {item}");
    }
}

fn what_it_is(text: &mut String, facts: &ReadmeFacts) {
    text.push_str("AN EDMS IN ONE FILE\n===================\n\n");
    let _ = writeln!(
        text,
        "Migration package of {} UTC, made by {}.\nThis file, restore.sh and everything below are in it; it needs no other program than tar, gzip and psql.",
        facts.created_at.format("%Y-%m-%d %H:%M"),
        facts.program
    );
    heading(text, "What is in it");
    if let Some(database) = &facts.database {
        let _ = writeln!(
            text,
            "  database/        {} tables of a PostgreSQL {} database, encoding {}",
            database.tables, database.postgres, database.encoding
        );
    }
    for root in &facts.roots {
        let _ = writeln!(text, "  files/{root}/");
    }
    if !facts.config.is_empty() {
        text.push_str("  config/          settings, with passwords and keys taken out\n");
    }
    text.push_str("  manifest.toml    what exactly, with checksums of tables\n");
    if let Some(database) = &facts.database {
        let _ = writeln!(
            text,
            "\nYou need a PostgreSQL server, version {} or newer{}, and a database user that may create things in its database.\nNo other user or role has to exist.",
            database.postgres,
            match database.extensions.as_slice() {
                [] => String::new(),
                names => format!(", with the extensions {}", names.join(", ")),
            }
        );
    }
}

/// `--files NAME=/…` for each root.
fn file_options(facts: &ReadmeFacts) -> String {
    facts
        .roots
        .iter()
        .map(|root| format!(" --files {root}=/srv/edms/{root}"))
        .collect()
}

fn with_the_script(text: &mut String, facts: &ReadmeFacts) {
    heading(text, "1. Restore with the script");
    text.push_str("Stop the application. Put your own names in, and run:\n\n    tar -xzf PACKAGE.tar.gz restore.sh\n");
    if facts.database.is_some() {
        text.push_str(
            "    export DB_HOST=localhost DB_PORT=5432 DB_NAME=edms DB_USER=edms\n    export DB_PASSWORD=...\n",
        );
    }
    let _ = writeln!(
        text,
        "    sh restore.sh{} PACKAGE.tar.gz",
        file_options(facts)
    );
    text.push_str(
        "\nIt checks the package, says what it will do, and asks. A database that is not empty is refused; --force replaces what is in it.\n\
         When anything fails, database and files are what they were. Old files are kept beside the new ones. --dry-run only looks.\n\
         Is psql not installed? Copy package and script into the container of the database (docker compose cp), and run it there.\n",
    );
}

fn by_hand(text: &mut String, facts: &ReadmeFacts) {
    heading(text, "2. Restore by hand");
    text.push_str("The same, step by step, for an empty database. Check and unpack:\n\n");
    text.push_str("    sha256sum -c PACKAGE.tar.gz.sha256\n    mkdir package\n    tar -xpzf PACKAGE.tar.gz -C package\n    cd package\n");
    if let Some(database) = &facts.database {
        let _ = writeln!(
            text,
            "\nLoad the database, all or nothing (psql takes host, user and password from PGHOST, PGUSER, PGPASSWORD):\n\n    createdb -T template0 -E {} edms",
            database.encoding
        );
        text.push_str(LOAD);
    }
    if !facts.roots.is_empty() {
        text.push_str("\nPut the files in place, into empty folders:\n\n");
        for root in &facts.roots {
            let _ = writeln!(
                text,
                "    mkdir -p /srv/edms/{root}\n    cp -a files/{root}/. /srv/edms/{root}/"
            );
        }
    }
}

/// Commands that load the database from an unpacked package.
const LOAD: &str = r#"    {
        echo 'BEGIN;'
        cat database/pre-data.sql
        while IFS="$(printf '\t')" read -r folder copy; do
            [ -d "database/data/$folder" ] || continue
            printf '%s;\n' "${copy%;}"
            cat "database/data/$folder"/*.copy
            printf '%s\n' '\.'
        done <database/load.list
        for object in database/large-objects/*; do
            [ -d "$object" ] || continue
            offset=0
            for piece in "$object"/*; do
                printf '%s' "SELECT pg_catalog.lo_put('${object##*/}', $offset, '\x"
                od -An -v -tx1 "$piece" | tr -d ' \n'
                printf '%s\n' "');"
                offset=$((offset + $(wc -c <"$piece")))
            done
        done
        cat database/post-data.sql
        echo 'COMMIT;'
    } | psql -X -q -o /dev/null -v ON_ERROR_STOP=1 -d edms
"#;

fn afterwards(text: &mut String, facts: &ReadmeFacts) {
    heading(text, "What to do then");
    text.push_str(
        "  1. Give the application its settings and keys (the two lists below), and start it.\n\
         \x20 2. python manage.py migrate            if the application is newer than the package\n\
         \x20 3. python manage.py check --deploy\n\
         \x20 4. python manage.py changepassword USER   for yourself; the others ask for a new one by \"forgot password\".\n",
    );
    heading(text, "What was changed");
    list(text, &facts.changes, "Nothing.");
    heading(text, "Keys that you have to bring along");
    text.push_str("They are not in the package. Take them from the old machine, from its password store, or make new ones:\n\n");
    list(
        text,
        &facts.keys,
        "SECRET_KEY, the password of the database, and whatever else the application's settings ask for.",
    );
    text.push_str(
        "\nA new SECRET_KEY only ends sessions. A key that data is encrypted with (a master key, a field encryption key) cannot be made anew:\nwithout it that data is lost.\n",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_there_and_what_is_missing() {
        let facts = ReadmeFacts {
            created_at: DateTime::from_timestamp(1_790_000_000, 0).unwrap(),
            program: "edms-backup 1".to_owned(),
            database: Some(ReadmeDatabase {
                postgres: 15,
                encoding: "UTF8".to_owned(),
                tables: 42,
                extensions: vec!["pg_trgm".to_owned()],
            }),
            roots: vec!["documents".to_owned(), "media".to_owned()],
            config: vec!["config/.env".to_owned()],
            changes: vec!["public.auth_user.password: made unusable".to_owned()],
            keys: vec!["EDMS_MASTER_KEY (config/.env)".to_owned()],
        };
        let text = readme(&facts);
        for part in [
            "Migration package of 2026-09-21 14:13 UTC",
            "42 tables of a PostgreSQL 15",
            "with the extensions pg_trgm",
            "sh restore.sh --files documents=/srv/edms/documents --files media=/srv/edms/media PACKAGE.tar.gz",
            "  - public.auth_user.password: made unusable",
            "  - EDMS_MASTER_KEY (config/.env)",
            "settings, with passwords and keys taken out",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(text.is_ascii(), "any screen and printer can show it");
        let files_only = readme(&ReadmeFacts {
            database: None,
            ..facts
        });
        assert!(!files_only.contains("createdb") && !files_only.contains("DB_HOST"));
    }
}
