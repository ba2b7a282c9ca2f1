//! Names and literals as SQL.

use super::keywords::KEYWORDS;
use crate::model::{Head, Setting};

/// A name, quoted unless it is a plain lower-case word that is no keyword.
pub(crate) fn ident(name: &str) -> String {
    let mut characters = name.chars();
    let plain = characters
        .next()
        .is_some_and(|first| first.is_ascii_lowercase() || first == '_')
        && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && KEYWORDS.binary_search(&name).is_err();
    if plain {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// A string constant, for `standard_conforming_strings = on`.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A text in dollar quotes that it does not contain.
pub(crate) fn dollar_quoted(text: &str) -> String {
    let tag = unused_tag("do", &[text]);
    format!("{tag}{text}{tag}")
}

/// A dollar quote, `word` in it, that none of the texts contains.
pub(crate) fn unused_tag(word: &str, texts: &[&str]) -> String {
    let mut tag = format!("${word}$");
    while texts.iter().any(|text| text.contains(&tag)) {
        tag.insert(1, '_');
    }
    tag
}

/// Schema and name.
pub(crate) fn qualified(head: &Head) -> String {
    match &head.schema {
        Some(schema) => format!("{}.{}", ident(schema), ident(&head.name)),
        None => ident(&head.name),
    }
}

/// Names, separated by commas.
pub(crate) fn idents<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names
        .into_iter()
        .map(|name| ident(name))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Storage parameters as inside `WITH (…)`: the catalogue keeps them as `name=value`.
pub(crate) fn storage_parameters(options: &[String], prefix: &str) -> Vec<String> {
    options
        .iter()
        .map(|option| match option.split_once('=') {
            Some((name, value)) => format!("{prefix}{}={}", ident(name), parameter_value(value)),
            None => format!("{prefix}{}", ident(option)),
        })
        .collect()
}

fn parameter_value(value: &str) -> String {
    let number = !value.is_empty() && value.chars().all(|c| c.is_ascii_digit());
    if number || matches!(value, "true" | "false") {
        value.to_owned()
    } else {
        literal(value)
    }
}

/// `OPTIONS (…)` of foreign objects, with a leading space; empty when there are none.
pub(crate) fn options_clause(options: &[Setting]) -> String {
    if options.is_empty() {
        return String::new();
    }
    let list: Vec<String> = options
        .iter()
        .map(|option| {
            format!(
                "{} {}",
                ident(&option.name),
                literal(option.value.as_deref().unwrap_or_default())
            )
        })
        .collect();
    format!(" OPTIONS (\n    {}\n)", list.join(",\n    "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_when_they_must_be() {
        for plain in ["a", "_x1", "documents", "abort"] {
            assert_eq!(ident(plain), plain);
        }
        for (name, quoted) in [
            ("", "\"\""),
            ("Order", "\"Order\""),
            ("order", "\"order\""),
            ("1a", "\"1a\""),
            ("a\"b", "\"a\"\"b\""),
            ("é", "\"é\""),
        ] {
            assert_eq!(ident(name), quoted);
        }
    }

    #[test]
    fn keywords_are_sorted() {
        assert!(KEYWORDS.is_sorted());
    }
}
