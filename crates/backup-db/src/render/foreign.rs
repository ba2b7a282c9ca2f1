//! Foreign data wrappers, servers and user mappings.

use super::names::{ident, literal, options_clause};
use super::sql::Sql;
use crate::model::{ForeignDataWrapper, ForeignServer, UserMapping};

pub(super) fn wrapper(x: &ForeignDataWrapper) -> String {
    let mut sql = format!("CREATE FOREIGN DATA WRAPPER {}", ident(&x.head.name));
    for (key, function) in [("HANDLER", &x.handler), ("VALIDATOR", &x.validator)] {
        if let Some(function) = function {
            sql += &format!(" {key} {function}");
        }
    }
    sql + &options_clause(&x.options) + ";"
}

pub(super) fn server(x: &ForeignServer) -> String {
    let mut sql = format!("CREATE SERVER {}", ident(&x.head.name));
    for (key, value) in [("TYPE", &x.kind), ("VERSION", &x.version)] {
        if let Some(value) = value {
            sql += &format!(" {key} {}", literal(value));
        }
    }
    sql + &format!(" FOREIGN DATA WRAPPER {}", ident(&x.wrapper))
        + &options_clause(&x.options)
        + ";"
}

pub(super) fn user_mapping(x: &UserMapping) -> Sql {
    let mut sql = Sql::text("CREATE USER MAPPING FOR ");
    if x.public {
        sql.push("PUBLIC");
    } else {
        sql.role(&x.name);
    }
    sql.push(&format!(
        " SERVER {}{};",
        ident(&x.server),
        options_clause(&x.options)
    ));
    sql
}
