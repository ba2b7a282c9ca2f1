//! Names of users and groups, stored beside their numbers so that a person can read them in a listing.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;

/// Names by number. A number without a name is stored without one.
#[derive(Debug, Clone, Default)]
pub struct OwnerNames {
    users: HashMap<u32, Vec<u8>>,
    groups: HashMap<u32, Vec<u8>>,
}

impl OwnerNames {
    /// The names of this machine: `/etc/passwd` and `/etc/group`, read once. Directory services are not asked.
    ///
    /// # Errors
    /// Only when a file is there and cannot be read.
    pub fn of_this_machine() -> io::Result<Self> {
        Ok(Self {
            users: names_in(Path::new("/etc/passwd"))?,
            groups: names_in(Path::new("/etc/group"))?,
        })
    }

    /// Name of a user, empty when unknown.
    pub fn user(&self, uid: u32) -> Vec<u8> {
        self.users.get(&uid).cloned().unwrap_or_default()
    }

    /// Name of a group, empty when unknown.
    pub fn group(&self, gid: u32) -> Vec<u8> {
        self.groups.get(&gid).cloned().unwrap_or_default()
    }
}

fn names_in(path: &Path) -> io::Result<HashMap<u32, Vec<u8>>> {
    match fs::read(path) {
        Ok(text) => Ok(parse(&text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(HashMap::new()),
        Err(error) => Err(error),
    }
}

/// `name:password:number:…` per line; as for the C library, the first name of a number counts.
fn parse(text: &[u8]) -> HashMap<u32, Vec<u8>> {
    let mut names = HashMap::new();
    for line in text.split(|byte| *byte == b'\n') {
        let mut fields = line.split(|byte| *byte == b':');
        let (Some(name), Some(number)) = (fields.next(), fields.nth(1)) else {
            continue;
        };
        if let Some(number) = std::str::from_utf8(number)
            .ok()
            .and_then(|number| number.parse().ok())
        {
            names.entry(number).or_insert_with(|| name.to_vec());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_name_of_a_number_counts_and_odd_lines_do_not() {
        let names = parse(b"root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\n# comment\n+::::::\nwww:x:33:\n\nbad:x:-1:");
        assert_eq!(names.get(&0).map(Vec::as_slice), Some(b"root".as_slice()));
        assert_eq!(names.get(&33).map(Vec::as_slice), Some(b"www".as_slice()));
        assert_eq!(names.len(), 2);
    }
}
