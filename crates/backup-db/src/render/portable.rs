//! A script for another machine: without roles, privileges, tablespaces, and without what connects to other servers.

use super::assemble::{header, push_statements};
use crate::{ObjectKind, Record, Script, Section};

impl Script {
    /// The script without anything that only its own server knows: owners, privileges, security labels and tablespaces. Left out by name, as the
    /// second value says: subscriptions and user mappings, which hold passwords, and what is for named roles only.
    pub fn portable(&self) -> (Script, Vec<String>) {
        let mut left_out = Vec::new();
        let mut new_index: Vec<Option<u32>> = Vec::with_capacity(self.records().len());
        let mut pre_data = header("before");
        let mut post_data = header("after");
        let mut records: Vec<Record> = Vec::new();
        for record in self.records() {
            let parent_is_left_out = record
                .parent
                .is_some_and(|parent| new_index[parent as usize].is_none());
            if parent_is_left_out || is_of_the_server(record.kind) {
                new_index.push(None);
                continue;
            }
            if connects_elsewhere(record.kind) || self.names_a_role(record) {
                // The name of a user mapping is that of a role.
                left_out.push(match record.kind {
                    ObjectKind::UserMapping => "a user mapping".to_owned(),
                    kind => format!("{} {}", kind.label(), record.name),
                });
                new_index.push(None);
                continue;
            }
            let sql = self.sql(record);
            let text = match record.section {
                Section::PreData => &mut pre_data,
                Section::PostData => &mut post_data,
            };
            let offset = push_statements(
                text,
                record.kind,
                record.schema.as_deref(),
                &record.name,
                None,
                sql,
            );
            let renumbered = |index: &u32| new_index[*index as usize];
            let record = Record {
                offset,
                dependencies: record.dependencies.iter().filter_map(renumbered).collect(),
                parent: record.parent.as_ref().and_then(renumbered),
                tablespace: None,
                ..record.clone()
            };
            new_index.push(Some(
                u32::try_from(records.len()).expect("fewer than before"),
            ));
            records.push(record);
        }
        (Script::new(pre_data, post_data, records), left_out)
    }

    /// Whether the record is for a role; `public` is everybody.
    fn names_a_role(&self, record: &Record) -> bool {
        self.roles(record).iter().any(|role| role != "public")
    }
}

/// What is left out without a word, as every migration package is without it.
fn is_of_the_server(kind: ObjectKind) -> bool {
    matches!(
        kind,
        ObjectKind::Owner
            | ObjectKind::Privileges
            | ObjectKind::DefaultPrivileges
            | ObjectKind::SecurityLabel
    )
}

/// What connects to another server, with a password in its definition.
fn connects_elsewhere(kind: ObjectKind) -> bool {
    matches!(kind, ObjectKind::Subscription | ObjectKind::UserMapping)
}
