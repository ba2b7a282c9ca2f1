//! Text of one record while it is written.

use std::ops::Range;

use super::names::ident;

/// SQL that remembers where it names roles.
#[derive(Debug, Default, Clone)]
pub(crate) struct Sql {
    text: String,
    roles: Vec<Range<usize>>,
}

impl Sql {
    /// Text as it is.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            roles: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// A role's name, quoted as needed; it may be replaced by another one in a restore.
    pub(crate) fn role(&mut self, name: &str) -> &mut Self {
        let start = self.text.len();
        self.text.push_str(&ident(name));
        self.roles.push(start..self.text.len());
        self
    }

    /// Another piece of SQL after this one.
    pub(crate) fn append(&mut self, other: &Sql) -> &mut Self {
        let start = self.text.len();
        self.text.push_str(&other.text);
        self.roles.extend(
            other
                .roles
                .iter()
                .map(|range| range.start + start..range.end + start),
        );
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn roles(&self) -> &[Range<usize>] {
        &self.roles
    }
}

impl From<String> for Sql {
    fn from(text: String) -> Self {
        Sql::text(text)
    }
}
