//! Errors as every face shows them: a stable code, a message, the way out, and the chain of causes.

use std::error::Error;
use std::io;

use serde::Serialize;

/// An error that can tell its stable code and the way out.
pub trait Explain: Error {
    /// A stable, machine-readable name of the kind of error, in snake case.
    fn code(&self) -> &'static str;

    /// What the operator can do about it, as a full sentence.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// Whether an error, or one of its causes, is a want of space.
pub(crate) fn wants_space(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.downcast_ref().is_some_and(is_full) {
            return true;
        }
        next = error.source();
    }
    false
}

/// Whether an operation failed for want of space.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// An error with its causes on one line.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// An error, flattened for a face: the command line's and the C interface's JSON are exactly this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// Stable name of the kind of error.
    pub code: String,
    /// What went wrong, without its causes.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The causes, nearest first.
    pub causes: Vec<String>,
}

impl<E: Explain + ?Sized> From<&E> for Failure {
    fn from(error: &E) -> Self {
        let mut causes = Vec::new();
        let mut cause = error.source();
        while let Some(inner) = cause {
            let text = inner.to_string();
            // Transparent wrappers repeat the message of what they wrap.
            if causes.last() != Some(&text) {
                causes.push(text);
            }
            cause = inner.source();
        }
        Self {
            code: error.code().to_owned(),
            message: error.to_string(),
            hint: error.hint(),
            causes,
        }
    }
}
