//! Functions and what is made of them.

use serde::Deserialize;

use super::{Head, Oid};

/// A function, procedure or aggregate.
#[derive(Debug, Deserialize)]
pub(crate) struct Function {
    #[serde(flatten)]
    pub(crate) head: Head,
    /// `f`unction, `p`rocedure, `a`ggregate, `w`indow function.
    pub(crate) kind: char,
    /// Argument list that identifies it.
    pub(crate) arguments: String,
    /// The server's own `CREATE OR REPLACE`; none for aggregates.
    pub(crate) definition: Option<String>,
    pub(crate) aggregate: Option<Aggregate>,
}

/// What makes a function an aggregate.
#[derive(Debug, Deserialize)]
pub(crate) struct Aggregate {
    /// `n`ormal, `o`rdered set, `h`ypothetical set.
    pub(crate) kind: char,
    pub(crate) arguments: String,
    pub(crate) transition: String,
    pub(crate) state_type: String,
    pub(crate) state_space: i32,
    #[serde(rename = "final")]
    pub(crate) final_function: Option<String>,
    pub(crate) final_extra: bool,
    pub(crate) final_modify: char,
    pub(crate) combine: Option<String>,
    pub(crate) serial: Option<String>,
    pub(crate) deserial: Option<String>,
    pub(crate) initial: Option<String>,
    pub(crate) moving_transition: Option<String>,
    pub(crate) moving_inverse: Option<String>,
    pub(crate) moving_state_type: Option<String>,
    pub(crate) moving_state_space: i32,
    pub(crate) moving_final: Option<String>,
    pub(crate) moving_final_extra: bool,
    pub(crate) moving_final_modify: char,
    pub(crate) moving_initial: Option<String>,
    /// Schema (quoted) and operator.
    pub(crate) sort_operator: Option<String>,
    pub(crate) parallel: char,
}

/// A procedural language.
#[derive(Debug, Deserialize)]
pub(crate) struct Language {
    #[serde(flatten)]
    pub(crate) head: Head,
    pub(crate) trusted: bool,
    pub(crate) handler: Option<String>,
    pub(crate) inline: Option<String>,
    pub(crate) validator: Option<String>,
}

/// A cast. `name` is `source AS target`.
#[derive(Debug, Deserialize)]
pub(crate) struct Cast {
    pub(crate) oid: Oid,
    pub(crate) name: String,
    pub(crate) function: Option<String>,
    /// `e`xplicit, `a`ssignment, `i`mplicit.
    pub(crate) context: char,
    /// `f`unction, `i`nout, `b`inary.
    pub(crate) method: char,
}

/// A transform. `name` is `type LANGUAGE language`.
#[derive(Debug, Deserialize)]
pub(crate) struct Transform {
    pub(crate) oid: Oid,
    pub(crate) name: String,
    pub(crate) from_sql: Option<String>,
    pub(crate) to_sql: Option<String>,
}

/// An access method of tables (`t`) or indexes (`i`).
#[derive(Debug, Deserialize)]
pub(crate) struct AccessMethod {
    pub(crate) oid: Oid,
    pub(crate) name: String,
    pub(crate) kind: char,
    pub(crate) handler: String,
}

/// An encoding conversion.
#[derive(Debug, Deserialize)]
pub(crate) struct Conversion {
    #[serde(flatten)]
    pub(crate) head: Head,
    pub(crate) source: String,
    pub(crate) target: String,
    pub(crate) function: String,
    pub(crate) is_default: bool,
}
