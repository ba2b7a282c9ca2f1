//! `GRANT` and `REVOKE` from access control items.

use super::names::ident;
use super::sql::Sql;
use crate::model::{Acl, DefaultPrivileges};

/// One access control item: who gave what to whom.
#[derive(Debug, PartialEq, Eq)]
struct AclItem {
    /// Empty: everybody.
    grantee: String,
    grantor: String,
    /// Letter, and whether it may be passed on.
    privileges: Vec<(char, bool)>,
}

/// A letter and its word; the order is the server's.
const PRIVILEGES: &[(char, &str)] = &[
    ('a', "INSERT"),
    ('r', "SELECT"),
    ('w', "UPDATE"),
    ('d', "DELETE"),
    ('D', "TRUNCATE"),
    ('x', "REFERENCES"),
    ('t', "TRIGGER"),
    ('X', "EXECUTE"),
    ('U', "USAGE"),
    ('C', "CREATE"),
    ('c', "CONNECT"),
    ('T', "TEMPORARY"),
    ('s', "SET"),
    ('A', "ALTER SYSTEM"),
    ('m', "MAINTAIN"),
];

/// What privileges are granted on.
#[derive(Debug, Clone, Copy)]
pub(super) struct On<'a> {
    /// As after `GRANT … ON`.
    pub(super) target: &'a str,
    /// One column of it.
    pub(super) column: Option<&'a str>,
    /// `ALTER DEFAULT PRIVILEGES …`, with a space at the end.
    pub(super) prefix: Option<&'a Sql>,
    /// All privilege letters of the kind; whoever has them all gets `ALL`.
    pub(super) all: &'a str,
    pub(super) owner: &'a str,
}

/// Statements that turn the privileges that a new object has into `acl`; empty when these are they.
pub(super) fn statements(acl: &Acl, on: On<'_>) -> Sql {
    let default: &[String] = acl.acl_default.as_deref().unwrap_or_default();
    let base = acl.acl_initial.as_deref().unwrap_or(default);
    let wanted = acl.acl.as_deref().unwrap_or(default);
    let mut first = Sql::default();
    let mut second = Sql::default();
    for item in base
        .iter()
        .filter(|item| !wanted.contains(item))
        .filter_map(|item| parse(item))
    {
        let letters = item.privileges.iter().map(|(letter, _)| *letter);
        line(
            &mut first,
            &statement("REVOKE", letters, " FROM ", &item.grantee, ";", on),
        );
    }
    for item in wanted
        .iter()
        .filter(|item| !base.contains(item))
        .filter_map(|item| parse(item))
    {
        let statement = grants(&item, on);
        // The owner's own come first: others may depend on them.
        let part = if item.grantee == on.owner && item.grantor == on.owner {
            &mut first
        } else {
            &mut second
        };
        line(part, &statement);
    }
    line(&mut first, &second);
    first
}

fn line(sql: &mut Sql, statement: &Sql) {
    if !sql.is_empty() && !statement.is_empty() {
        sql.push("\n");
    }
    sql.append(statement);
}

fn grants(item: &AclItem, on: On<'_>) -> Sql {
    let mut sql = Sql::default();
    let other_grantor = item.grantor != on.owner;
    if other_grantor {
        sql.push("SET SESSION AUTHORIZATION ")
            .role(&item.grantor)
            .push(";\n");
    }
    let letters = |option: bool| {
        item.privileges
            .iter()
            .filter(move |(_, with)| *with == option)
            .map(|(letter, _)| *letter)
    };
    let mut granted = Sql::default();
    for (option, end) in [(false, ";"), (true, " WITH GRANT OPTION;")] {
        if letters(option).next().is_some() {
            line(
                &mut granted,
                &statement("GRANT", letters(option), " TO ", &item.grantee, end, on),
            );
        }
    }
    sql.append(&granted);
    if other_grantor {
        sql.push("\nRESET SESSION AUTHORIZATION;");
    }
    sql
}

fn statement(
    verb: &str,
    letters: impl Iterator<Item = char>,
    to: &str,
    grantee: &str,
    end: &str,
    on: On<'_>,
) -> Sql {
    let mut sql = on.prefix.cloned().unwrap_or_default();
    sql.push(&format!(
        "{verb} {} ON {}{to}",
        words(letters, on),
        on.target
    ));
    if grantee.is_empty() {
        sql.push("PUBLIC");
    } else {
        sql.role(grantee);
    }
    sql.push(end);
    sql
}

fn words(letters: impl Iterator<Item = char>, on: On<'_>) -> String {
    let letters: Vec<char> = letters.collect();
    let column = on
        .column
        .map(|column| format!("({})", ident(column)))
        .unwrap_or_default();
    if on.all.chars().all(|letter| letters.contains(&letter)) {
        return format!("ALL{column}");
    }
    let words: Vec<String> = PRIVILEGES
        .iter()
        .filter(|(letter, _)| letters.contains(letter))
        .map(|(_, word)| format!("{word}{column}"))
        .collect();
    words.join(",")
}

/// All privileges of a kind of object, by the letter that `acldefault` takes, on the newest server: `ALL` of an older one would come to include
/// what it did not have, such as `MAINTAIN`.
pub(super) fn all_of(kind: char) -> &'static str {
    match kind {
        'r' => "arwdDxtm",
        'c' => "arwx",
        's' => "rwU",
        'd' => "CTc",
        'f' => "X",
        'n' => "UC",
        'L' => "rw",
        _ => "U",
    }
}

/// `ALTER DEFAULT PRIVILEGES`.
pub(super) fn default_privileges(x: &DefaultPrivileges) -> Sql {
    let mut prefix = Sql::text("ALTER DEFAULT PRIVILEGES FOR ROLE ");
    prefix.role(&x.owner);
    if let Some(schema) = &x.in_schema {
        prefix.push(&format!(" IN SCHEMA {}", ident(schema)));
    }
    prefix.push(" ");
    let (target, all) = match x.kind {
        'r' => ("TABLES", 'r'),
        'S' => ("SEQUENCES", 's'),
        'f' => ("FUNCTIONS", 'f'),
        'T' => ("TYPES", 'T'),
        'n' => ("SCHEMAS", 'n'),
        _ => ("LARGE OBJECTS", 'L'),
    };
    statements(
        &x.acl,
        On {
            target,
            column: None,
            prefix: Some(&prefix),
            all: all_of(all),
            owner: &x.owner,
        },
    )
}

/// `grantee=letters/grantor`, names in double quotes where needed.
fn parse(item: &str) -> Option<AclItem> {
    let (grantee, rest) = name(item)?;
    let rest = rest.strip_prefix('=')?;
    let (letters, rest) = rest.split_at(rest.find('/')?);
    let (grantor, rest) = name(&rest[1..])?;
    if !rest.is_empty() {
        return None;
    }
    let mut privileges: Vec<(char, bool)> = Vec::new();
    for letter in letters.chars() {
        if letter == '*' {
            privileges.last_mut()?.1 = true;
        } else {
            privileges.push((letter, false));
        }
    }
    Some(AclItem {
        grantee,
        grantor,
        privileges,
    })
}

fn name(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find(['=', '/']).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut name = String::new();
    loop {
        let end = rest.find('"')?;
        name.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                name.push('"');
                rest = after;
            }
            None => return Some((name, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_parsed() {
        assert_eq!(
            parse("bob=r*w/alice"),
            Some(AclItem {
                grantee: "bob".into(),
                grantor: "alice".into(),
                privileges: vec![('r', true), ('w', false)]
            })
        );
        assert_eq!(
            parse("=X/\"a \"\"b\"\" c\"").map(|item| item.grantor),
            Some("a \"b\" c".to_owned())
        );
        assert_eq!(parse("nonsense"), None);
    }

    #[test]
    fn grants_are_the_difference_to_the_default() {
        let acl = Acl {
            acl: Some(vec!["alice=arwdDxtm/alice".into(), "bob=r*w/alice".into()]),
            acl_default: Some(vec!["alice=arwdDxtm/alice".into()]),
            acl_initial: None,
        };
        let on = On {
            target: "TABLE t",
            column: None,
            prefix: None,
            all: all_of('r'),
            owner: "alice",
        };
        let sql = statements(&acl, on);
        assert_eq!(
            sql.as_str(),
            "GRANT UPDATE ON TABLE t TO bob;\nGRANT SELECT ON TABLE t TO bob WITH GRANT OPTION;"
        );
        assert_eq!(sql.roles().len(), 2);
        let revoked = Acl {
            acl: Some(vec![]),
            ..acl
        };
        assert_eq!(
            statements(&revoked, on).as_str(),
            "REVOKE ALL ON TABLE t FROM alice;"
        );
    }
}
