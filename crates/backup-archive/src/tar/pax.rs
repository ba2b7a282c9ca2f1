//! Records of pax extended headers: `length key=value\n`.

use super::Refusal;

/// Prefix of the keys under which extended attributes are stored.
const XATTR_PREFIX: &[u8] = b"SCHILY.xattr.";

/// Appends one record. The length counts its own digits.
pub(super) fn push_record(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + 3; // space, '=', newline
    let mut len = rest + 1;
    while decimal_digits(len) + rest != len {
        len = decimal_digits(len) + rest;
    }
    out.extend_from_slice(len.to_string().as_bytes());
    out.push(b' ');
    out.extend_from_slice(key);
    out.push(b'=');
    out.extend_from_slice(value);
    out.push(b'\n');
}

fn decimal_digits(number: usize) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// Key of the record for an extended attribute. `=` would end the key, so it is escaped, as GNU tar does.
pub(super) fn xattr_key(name: &[u8]) -> Vec<u8> {
    let mut key = XATTR_PREFIX.to_vec();
    for &byte in name {
        match byte {
            b'%' => key.extend_from_slice(b"%25"),
            b'=' => key.extend_from_slice(b"%3D"),
            _ => key.push(byte),
        }
    }
    key
}

/// Name of the extended attribute that a key stands for, if it does.
pub(super) fn xattr_name(key: &[u8]) -> Option<Vec<u8>> {
    let mut rest = key.strip_prefix(XATTR_PREFIX)?;
    let mut name = Vec::with_capacity(rest.len());
    while let Some((&byte, tail)) = rest.split_first() {
        let (byte, tail) = match rest {
            [b'%', b'2', b'5', tail @ ..] => (b'%', tail),
            [b'%', b'3', b'D', tail @ ..] => (b'=', tail),
            _ => (byte, tail),
        };
        name.push(byte);
        rest = tail;
    }
    Some(name)
}

/// Iterates over the records of an extended header: key and value.
pub(super) struct Records<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Records<'a> {
    type Item = Result<(&'a [u8], &'a [u8]), Refusal>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let record = self.take_record();
        if record.is_none() {
            self.0 = &[];
        }
        Some(record.ok_or(Refusal::PaxMalformed))
    }
}

impl<'a> Records<'a> {
    fn take_record(&mut self) -> Option<(&'a [u8], &'a [u8])> {
        let bytes = self.0;
        let space = bytes.iter().take(20).position(|&byte| byte == b' ')?;
        let digits = &bytes[..space];
        if digits.is_empty() || digits[0] == b'0' || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let len: usize = std::str::from_utf8(digits).ok()?.parse().ok()?;
        let body = bytes.get(space + 1..len)?;
        let (&newline, body) = body.split_last()?;
        let equals = body.iter().position(|&byte| byte == b'=')?;
        if newline != b'\n' || equals == 0 {
            return None;
        }
        self.0 = &bytes[len..];
        Some((&body[..equals], &body[equals + 1..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_count_their_own_digits() {
        for value_len in [
            0, 1, 89, 90, 91, 92, 93, 983, 984, 985, 986, 987, 9980, 9981, 9982, 9983,
        ] {
            let value = vec![b'v'; value_len];
            let mut out = Vec::new();
            push_record(&mut out, b"key", &value);
            let prefix = format!("{} key=", out.len());
            assert!(out.starts_with(prefix.as_bytes()), "{value_len}");
            assert_eq!(
                Records(&out).collect::<Result<Vec<_>, _>>().unwrap(),
                [(&b"key"[..], &value[..])]
            );
        }
    }

    #[test]
    fn any_attribute_name_survives() {
        for name in [
            &b"user.plain"[..],
            b"user.a=b",
            b"user.100%",
            b"user.%3D",
            b"user.%25=%",
            b"=",
            b"%",
        ] {
            let key = xattr_key(name);
            assert!(!key.contains(&b'='));
            assert_eq!(xattr_name(&key).as_deref(), Some(name));
        }
        assert_eq!(xattr_name(b"comment"), None);
    }

    #[test]
    fn malformed_records_are_refused() {
        for bytes in [
            &b"5 a=b\n"[..],
            b"7 a=b\n",
            b"06 a=b\n",
            b"+6 a=b\n",
            b"6 a=bx",
            b"6  ab=\n",
            b"5 =b\n",
            b"99999999999999999999 a=b\n",
            b"18446744073709551615 a=b\n",
            b"\0\0",
            b"3 \n",
            b"6 a=b\n\0",
        ] {
            assert!(
                Records(bytes).any(|record| record == Err(Refusal::PaxMalformed)),
                "{bytes:?}"
            );
        }
    }
}
