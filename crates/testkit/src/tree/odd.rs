//! One tree with every odd thing that a Linux file system can hold and a backup must keep.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{chown, lchown, symlink};
use std::path::Path;

use super::{noise, prose, set_mode, set_mtime, set_xattr, sparse_file};
use crate::user::{is_root, skipped};

/// Fills an existing folder with odd names, modes, times, links, holes, attributes and sizes.
///
/// What needs root (owners, files nobody may read, capabilities) is left out for other users, with a message.
///
/// # Panics
/// When the file system refuses something that every Linux file system can hold.
pub fn odd_tree(root: &Path) {
    names(&root.join("names"));
    sizes(&root.join("sizes"));
    modes(&root.join("modes"));
    times(&root.join("times"));
    links(&root.join("links"));
    attributes(&root.join("attributes"));
    depth(&root.join("depth"));
    owners(&root.join("owners"));
    set_mode(root, 0o2750);
    set_mtime(root, 1_234_567_890, 987_654_321);
}

fn names(folder: &Path) {
    fs::create_dir(folder).unwrap();
    let long = [b'n'; 255];
    let odd: [&[u8]; 22] = [
        b"\xff\xfe not utf-8 \x80",
        &long,
        b"new\nline",
        b"back\\slash",
        b"quotes '\"`$(x)",
        b"-rf",
        "\u{1f5c4}\u{fe0f} emoji".as_bytes(),
        "caf\u{e9}".as_bytes(),
        "cafe\u{301}".as_bytes(),
        b"Case",
        b"case",
        b" leading",
        b"trailing ",
        b"percent%2e%2e",
        b"tab\t\x1b[31m",
        b"*glob?[x]{y}",
        b"...",
        b"..hidden",
        b"~",
        b"#comment",
        b"a",
        b"a.b",
    ];
    for (index, name) in odd.iter().enumerate() {
        fs::write(
            folder.join(OsStr::from_bytes(name)),
            prose(index as u64, 100 + index),
        )
        .unwrap();
    }
    // Folders beside files whose names sort between "a" and "a/…" for a naive comparison of whole paths.
    let between = folder.join("a-folder");
    fs::create_dir(&between).unwrap();
    fs::write(between.join("inside"), b"inside").unwrap();
    fs::write(folder.join("a-folder.txt"), b"beside").unwrap();
    fs::create_dir(folder.join(OsStr::from_bytes(b"\xc3\x28 folder"))).unwrap();
    fs::write(
        folder.join(OsStr::from_bytes(b"\xc3\x28 folder/\xfe")),
        b"x",
    )
    .unwrap();
}

fn sizes(folder: &Path) {
    fs::create_dir(folder).unwrap();
    const MIB: usize = 1 << 20;
    for len in [
        0,
        1,
        511,
        512,
        513,
        4096,
        65_535,
        65_536,
        MIB - 1,
        MIB,
        MIB + 1,
        2 * MIB + 12_345,
    ] {
        fs::write(folder.join(format!("noise-{len}")), noise(len as u64, len)).unwrap();
        fs::write(folder.join(format!("prose-{len}")), prose(len as u64, len)).unwrap();
    }
    fs::write(folder.join("zeros"), vec![0; 3 * MIB]).unwrap();
    sparse_file(
        &folder.join("hole-then-data"),
        8 << 20,
        5 << 20,
        b"data in the middle of a hole",
    );
    sparse_file(&folder.join("only-a-hole"), 4 << 20, 0, b"");
    sparse_file(
        &folder.join("data-then-hole"),
        (2 << 20) + 77,
        0,
        &noise(7, 300_000),
    );
}

fn modes(folder: &Path) {
    fs::create_dir(folder).unwrap();
    for mode in [0o600, 0o400, 0o644, 0o755, 0o4755, 0o2755, 0o777] {
        let file = folder.join(format!("file-{mode:o}"));
        fs::write(&file, format!("{mode:o}")).unwrap();
        set_mode(&file, mode);
    }
    if is_root() {
        fs::write(folder.join("file-0"), b"nobody may read this").unwrap();
        set_mode(&folder.join("file-0"), 0);
    } else {
        skipped("a file of mode 0000", "only root can read it back");
    }
    for mode in [0o700, 0o500, 0o755, 0o1777, 0o2775] {
        let sub = folder.join(format!("folder-{mode:o}"));
        fs::create_dir(&sub).unwrap();
        fs::write(sub.join("inside"), b"x").unwrap();
        set_mode(&sub, mode);
    }
    fs::create_dir_all(folder.join("empty/also-empty")).unwrap();
}

fn times(folder: &Path) {
    fs::create_dir(folder).unwrap();
    const YEAR_2500: i64 = 16_725_225_600;
    let moments = [
        ("sub-second", 1_700_000_000, 1),
        ("last-nanosecond", 1_700_000_000, 999_999_999),
        ("epoch", 0, 0),
    ];
    let far = [
        ("before-1970", -12_345, 500_000_000),
        ("year-1910", -1_893_456_000, 1),
        ("year-2500", YEAR_2500, 123_456_789),
    ];
    for (name, seconds, nanoseconds) in moments.into_iter().chain(far) {
        fs::write(folder.join(name), name).unwrap();
        set_mtime(&folder.join(name), seconds, nanoseconds);
    }
    fs::create_dir(folder.join("folder")).unwrap();
    set_mtime(&folder.join("folder"), 1, 2);
    symlink("sub-second", folder.join("link")).unwrap();
    set_mtime(&folder.join("link"), 86_400, 3);
    set_mtime(folder, 1_000_000_000, 42);
}

fn links(folder: &Path) {
    fs::create_dir_all(folder.join("target-folder")).unwrap();
    fs::write(folder.join("target"), b"linked to").unwrap();
    let long = "x/".repeat(150) + "end";
    let targets: [(&str, &[u8]); 7] = [
        ("to-file", b"target"),
        ("to-folder", b"target-folder"),
        ("to-nothing", b"does/not/exist"),
        ("to-root", b"/etc/hostname"),
        ("to-parent", b"../../.."),
        ("to-odd-name", b"\xff\n'"),
        ("to-long", long.as_bytes()),
    ];
    for (name, target) in targets {
        symlink(OsStr::from_bytes(target), folder.join(name)).unwrap();
    }
    fs::create_dir(folder.join("twins")).unwrap();
    fs::write(folder.join("twins/one"), noise(1, 5000)).unwrap();
    fs::hard_link(folder.join("twins/one"), folder.join("twins/two")).unwrap();
    fs::hard_link(folder.join("twins/one"), folder.join("another-one")).unwrap();
    fs::write(folder.join("twins/empty"), b"").unwrap();
    fs::hard_link(folder.join("twins/empty"), folder.join("twins/empty-too")).unwrap();
}

fn attributes(folder: &Path) {
    fs::create_dir(folder).unwrap();
    let file = folder.join("file");
    fs::write(&file, b"with attributes").unwrap();
    set_xattr(&file, "user.comment", "unterschrieben \u{2713}".as_bytes());
    set_xattr(&file, "user.bytes", b"\0\xff\n=\0");
    set_xattr(&file, "user.empty", b"");
    set_xattr(folder, "user.folder", b"yes");
    set_xattr(
        &file,
        "system.posix_acl_access",
        &acl(&[
            (0x01, 6, !0),
            (0x02, 4, 12_345),
            (0x04, 4, !0),
            (0x10, 4, !0),
            (0x20, 0, !0),
        ]),
    );
    let inherits = folder.join("inherits");
    fs::create_dir(&inherits).unwrap();
    set_xattr(
        &inherits,
        "system.posix_acl_default",
        &acl(&[
            (0x01, 7, !0),
            (0x02, 5, 12_345),
            (0x04, 5, !0),
            (0x10, 5, !0),
            (0x20, 0, !0),
        ]),
    );
    fs::write(inherits.join("made-below-a-default-acl"), b"x").unwrap();
    let read_only = folder.join("read-only");
    fs::write(&read_only, b"x").unwrap();
    set_xattr(
        &read_only,
        "user.comment",
        b"set before the mode forbids it",
    );
    set_mode(&read_only, 0o400);
    if is_root() {
        let tool = folder.join("tool");
        fs::write(&tool, b"#!/bin/sh\n").unwrap();
        let net_bind_service: &[u8] = &[1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        set_xattr(&tool, "security.capability", net_bind_service);
    }
}

/// The bytes of a POSIX ACL as the kernel takes them: entries of (tag, permissions, id).
fn acl(entries: &[(u16, u16, u32)]) -> Vec<u8> {
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        bytes.extend_from_slice(&tag.to_le_bytes());
        bytes.extend_from_slice(&permissions.to_le_bytes());
        bytes.extend_from_slice(&id.to_le_bytes());
    }
    bytes
}

fn depth(folder: &Path) {
    let mut deep = folder.to_path_buf();
    for level in 0..40 {
        deep.push(format!("a-folder-at-level-{level:02}-with-a-long-name"));
    }
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("bottom"), b"bottom").unwrap();
}

fn owners(folder: &Path) {
    fs::create_dir(folder).unwrap();
    fs::write(folder.join("mine"), b"mine").unwrap();
    if !is_root() {
        skipped("files of other owners", "only root can give files away");
        return;
    }
    for (name, uid, gid) in [
        ("nobody", 65_534, 65_534),
        ("large-ids", 3_000_000_000, 4_000_000_000),
        ("www-data", 33, 33),
    ] {
        let file = folder.join(name);
        fs::write(&file, name).unwrap();
        chown(&file, Some(uid), Some(gid)).unwrap();
    }
    let setuid = folder.join("setuid-of-another");
    fs::write(&setuid, b"x").unwrap();
    chown(&setuid, Some(12_345), Some(23_456)).unwrap();
    set_mode(&setuid, 0o6755);
    fs::create_dir(folder.join("folder")).unwrap();
    chown(folder.join("folder"), Some(12_345), Some(23_456)).unwrap();
    symlink("nowhere", folder.join("link")).unwrap();
    lchown(folder.join("link"), Some(12_345), Some(23_456)).unwrap();
}
