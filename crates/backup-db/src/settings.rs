//! What every session is set to, so that texts mean the same on both sides.

use crate::{QueryError, ServerInfo, Session};

/// For reading and for writing alike.
const COMMON: &str = "
SET search_path = '';
SET standard_conforming_strings = on;
SET datestyle = ISO;
SET intervalstyle = postgres;
SET timezone = 'UTC';
SET lc_monetary = 'C';
SET extra_float_digits = 3;
SET bytea_output = hex;
SET xmloption = content;
SET quote_all_identifiers = off;
SET row_security = off;
SET statement_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
";

/// Rows in the order of the table, also when others scan it.
const READING: &str = "SET synchronize_seqscans = off; SET default_transaction_read_only = on;";

/// Nothing that a crash could lose is needed: a restore that breaks off is thrown away.
const WRITING: &str = "
SET default_transaction_read_only = off;
SET synchronous_commit = off;
SET check_function_bodies = off;
SET default_tablespace = '';
SET default_table_access_method = heap;
SET client_min_messages = warning;
";

/// Prepares a session that reads a database.
pub(crate) fn for_reading(session: &mut Session, server: &ServerInfo) -> Result<(), QueryError> {
    session.batch(COMMON)?;
    session.batch(READING)?;
    for_version(session, server)
}

/// Prepares a session that writes into a database.
pub(crate) fn for_writing(session: &mut Session, server: &ServerInfo) -> Result<(), QueryError> {
    session.batch(COMMON)?;
    session.batch(WRITING)?;
    for_version(session, server)
}

/// Rows as the bytes that they are: a database without an encoding holds any, which nothing may check or convert.
pub(crate) fn for_rows(session: &mut Session, encoding: &str) -> Result<(), QueryError> {
    if encoding == "SQL_ASCII" {
        session.batch("SET client_encoding = 'SQL_ASCII'")
    } else {
        Ok(())
    }
}

fn for_version(session: &mut Session, server: &ServerInfo) -> Result<(), QueryError> {
    // `lock_timeout` is set where locks are taken.
    session.batch("SET lock_timeout = 0")?;
    if server.major() >= 17 {
        session.batch("SET transaction_timeout = 0")
    } else {
        Ok(())
    }
}
