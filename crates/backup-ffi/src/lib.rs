//! The C interface of edms-backup.
