//! Archives that mean harm: nothing leaves the target, memory stays bounded, and the error names the entry.

mod attempt;
mod forged;
mod tar;

use std::io::Write;
use std::os::unix::ffi::OsStrExt;

use attempt::{Scene, assert_little_memory};
use backup_archive::Limits;
use tar::{Header, Tar};

/// The archive is refused as a whole, with an error that has each of `words` in it, and nothing is extracted.
#[track_caller]
fn refused(archive: Vec<u8>, words: &[&str]) {
    refused_in(&Scene::new(), archive, Limits::default(), words);
}

#[track_caller]
fn refused_in(scene: &Scene, archive: Vec<u8>, limits: Limits, words: &[&str]) {
    std::fs::write(scene.target().join("live"), b"untouched").unwrap();
    let error = scene
        .extract(archive, limits)
        .map(|stats| format!("{stats:?}"))
        .expect_err("was extracted");
    for word in words {
        assert!(error.contains(word), "no {word:?} in: {error}");
    }
    assert_eq!(scene.extracted(), ["live"]);
}

/// Also as a compressed stream, where there is no seeking back.
#[track_caller]
fn refused_everywhere(archive: &Tar, words: &[&str]) {
    let bytes = archive.clone().end();
    refused(gzip(&bytes), words);
    refused(zstd::encode_all(bytes.as_slice(), 1).unwrap(), words);
    refused(bytes, words);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn an_ordinary_foreign_archive_is_extracted() {
    let scene = Scene::new();
    let tar = Tar::new()
        .folder(b"a/")
        .file(b"a/b", b"content")
        .symlink(b"a/near", b"b")
        .hard_link(b"a/again", b"a/b")
        .pax(&[("path", b"a/long"), ("size", b"3")])
        .file(b"short", b"abc")
        .file(b"no/folder/entry", b"x")
        .end();
    let stats = scene.extract(gzip(&tar), Limits::default()).unwrap();
    assert_eq!((stats.files, stats.symlinks, stats.failed.len()), (4, 1, 0));
    assert_eq!(
        scene.extracted(),
        [
            "a",
            "a/again",
            "a/b",
            "a/long",
            "a/near",
            "no",
            "no/folder",
            "no/folder/entry"
        ]
    );
    assert_eq!(
        std::fs::read(scene.target().join("a/again")).unwrap(),
        b"content"
    );
}

#[test]
fn names_that_leave_the_target() {
    let outside = Scene::new().outside().join("evil");
    for name in [
        &b"../evil"[..],
        b"a/../../evil",
        b"..",
        b"/evil",
        outside.as_os_str().as_bytes(),
        b"./../evil",
    ] {
        refused_everywhere(
            &Tar::new().file(b"good", b"x").file(name, b"evil"),
            &["refused"],
        );
        refused_everywhere(
            &Tar::new().pax(&[("path", name)]).file(b"harmless", b"evil"),
            &["refused"],
        );
        let long_name = [name, b"\0"].concat();
        refused_everywhere(
            &Tar::new()
                .extended(b'L', &long_name)
                .file(b"harmless", b"evil"),
            &["refused"],
        );
    }
    let prefixed = Header::new(b"evil", b'0').field(345, b"../..").seal();
    refused_everywhere(&Tar::new().block(prefixed), &["evil"]);
}

#[test]
fn links_that_leave_the_target() {
    let outside = Scene::new().outside();
    let outside = outside.as_os_str().as_bytes();
    for target in [
        &b".."[..],
        b"../sentinel",
        b"/etc/passwd",
        outside,
        b"a/../../x",
    ] {
        refused_everywhere(&Tar::new().symlink(b"link", target), &["link", "leaves"]);
        refused_everywhere(&Tar::new().hard_link(b"hard", target), &["hard"]);
        refused_everywhere(
            &Tar::new()
                .pax(&[("linkpath", target)])
                .symlink(b"pax-link", b"x"),
            &["pax-link"],
        );
    }
}

#[test]
fn writing_through_links() {
    let through = |link: &[u8]| {
        Tar::new()
            .folder(b"d/")
            .symlink(b"x", link)
            .file(b"x/evil", b"evil")
    };
    for target in [&b".."[..], b"d", b"."] {
        refused_everywhere(&through(target), &["x"]);
    }
    // Each link for itself stays inside; together they would not.
    let chain = Tar::new()
        .folder(b"a/")
        .folder(b"a/b/")
        .symlink(b"a/b/up", b"..")
        .symlink(b"a/b/out", b"up/..")
        .file(b"a/b/out/x", b"x");
    refused_everywhere(&chain, &["a/b/out"]);
    let over = Tar::new().symlink(b"file", b"other").file(b"file", b"evil");
    refused_everywhere(&over, &["file", "same path"]);
    let hard = Tar::new()
        .symlink(b"s", b"nowhere")
        .hard_link(b"h", b"s")
        .file(b"h", b"evil");
    refused_everywhere(&hard, &["h"]);
}

#[test]
fn names_that_come_twice() {
    refused_everywhere(
        &Tar::new().file(b"a", b"1").file(b"a", b"2"),
        &["a", "same path"],
    );
    refused_everywhere(&Tar::new().file(b"a", b"1").folder(b"a/"), &["a"]);
    refused_everywhere(&Tar::new().folder(b"a/").file(b"a", b"2"), &["a"]);
    refused_everywhere(&Tar::new().file(b"a", b"1").file(b"./a", b"2"), &["a"]);
    refused_everywhere(&Tar::new().file(b"a", b"1").file(b"a/b", b"2"), &["a/b"]);
    refused_everywhere(&Tar::new().file(b"a/b", b"1").file(b"a", b"2"), &["a"]);
    refused_everywhere(&Tar::new().file(b"a", b"1").hard_link(b"a", b"a"), &["a"]);
}

#[test]
fn hard_links_to_nothing() {
    refused_everywhere(
        &Tar::new()
            .hard_link(b"first", b"later")
            .file(b"later", b"x"),
        &["first"],
    );
    refused_everywhere(&Tar::new().hard_link(b"self", b"self"), &["self"]);
    refused_everywhere(
        &Tar::new().folder(b"d/").hard_link(b"to-folder", b"d"),
        &["to-folder"],
    );
    refused_everywhere(&Tar::new().symlink(b"empty", b""), &["empty"]);
}

#[test]
fn sizes_that_lie() {
    let sized = |field: &[u8]| Tar::new().block(Header::new(b"big", b'0').field(124, field).seal());
    refused_everywhere(&sized(b"77777777777\0"), &[]);
    // Base-256: 2^62, negative, and more than 64 bits.
    refused_everywhere(&sized(&[0x80, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0]), &[]);
    refused_everywhere(&sized(&[0xff; 12]), &["big"]);
    refused_everywhere(&sized(&[0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), &["big"]);
    for garbage in [
        &b"99999999999\0"[..],
        b"-0000000001\0",
        b"0x000000010\0",
        b"1 2 3 4 5 6\0",
    ] {
        refused_everywhere(&sized(garbage), &["big"]);
    }
    for size in [
        &b"-1"[..],
        b"18446744073709551616",
        b"9223372036854775807",
        b"1e3",
        b"",
        b" 5",
        b"0x5",
        b"+5",
    ] {
        let tar = Tar::new()
            .pax(&[("size", size)])
            .file(b"pax-sized", b"12345");
        refused_everywhere(&tar, &[]);
    }
}

#[test]
fn headers_that_contradict_each_other() {
    // One reader would find the next header inside of the content, another one behind it.
    let hidden = Tar::new().file(b"hidden", b"x").0;
    let smuggler = Tar::new().pax(&[("size", b"0")]).file(b"smuggler", &hidden);
    refused_everywhere(&smuggler, &["smuggler"]);
    let smuggler = Tar::new()
        .pax(&[("size", b"1536")])
        .file(b"smuggler", b"x")
        .file(b"hidden", b"x");
    refused_everywhere(&smuggler, &["smuggler"]);
    refused_everywhere(
        &Tar::new()
            .pax(&[("path", b"a"), ("path", b"b")])
            .file(b"c", b"x"),
        &["path"],
    );
    refused_everywhere(
        &Tar::new()
            .pax(&[("path", b"a")])
            .pax(&[("path", b"b")])
            .file(b"c", b"x"),
        &[],
    );
    refused_everywhere(
        &Tar::new()
            .extended(b'L', b"long\0")
            .pax(&[("path", b"b")])
            .file(b"c", b"x"),
        &[],
    );
    refused_everywhere(
        &Tar::new()
            .extended(b'L', b"one\0")
            .extended(b'L', b"two\0")
            .file(b"c", b"x"),
        &[],
    );
    refused_everywhere(
        &Tar::new()
            .global(&[("path", b"everywhere")])
            .file(b"c", b"x"),
        &["path"],
    );
    refused_everywhere(
        &Tar::new().global(&[("size", b"0")]).file(b"c", b"x"),
        &["size"],
    );
    refused_everywhere(
        &Tar::new()
            .global(&[("linkpath", b"..")])
            .symlink(b"c", b"x"),
        &["linkpath"],
    );
}

#[test]
fn extended_headers_that_are_malformed() {
    for content in [
        &b"5 a=b"[..],
        b"9999999 path=a\n",
        b"0 path=a\n",
        b"path=a\n",
        b"-9 path=a\n",
        b"10 pathab\n",
        b"9 path=a\nx",
        b"99999999999999999999 a=b\n",
    ] {
        refused_everywhere(
            &Tar::new().extended(b'x', content).file(b"victim", b"x"),
            &["extended header"],
        );
    }
    refused_everywhere(
        &Tar::new()
            .pax(&[("path", b"with\0nul")])
            .file(b"victim", b"x"),
        &[],
    );
    refused_everywhere(&Tar::new().pax(&[("path", b"")]).file(b"victim", b"x"), &[]);
    // Nothing follows that it could belong to.
    refused_everywhere(&Tar::new().file(b"a", b"x").pax(&[("path", b"b")]), &[]);
}

#[test]
fn extended_headers_without_end() {
    let long = vec![b'n'; 1 << 20];
    refused_everywhere(
        &Tar::new().pax(&[("path", &long)]).file(b"victim", b"x"),
        &[],
    );
    refused_everywhere(&Tar::new().extended(b'L', &long).file(b"victim", b"x"), &[]);
    refused_everywhere(
        &Tar::new().block(Header::new(b"pax", b'x').size(0o7_7777_7777).seal()),
        &[],
    );
    let mut many = Tar::new();
    for number in 0..100_000 {
        many = many.pax(&[("comment", format!("{number}").as_bytes())]);
    }
    let many = gzip(&many.file(b"victim", b"x").end());
    assert_little_memory(&many);
    refused(many, &[]);
    // Many keys in one header, none of them known.
    let keys: Vec<(String, Vec<u8>)> = (0..20_000)
        .map(|number| (format!("X.{number}"), vec![b'v'; 40]))
        .collect();
    let keys: Vec<(&str, &[u8])> = keys
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_slice()))
        .collect();
    assert_little_memory(&Tar::new().pax(&keys).file(b"victim", b"x").end());
}

#[test]
fn names_that_are_none() {
    refused_everywhere(&Tar::new().file(b"", b"x"), &[]);
    refused_everywhere(&Tar::new().file(b"/", b"x"), &[]);
    refused_everywhere(&Tar::new().folder(b"///"), &[]);
    refused_everywhere(&Tar::new().file(b"a//b", b"x"), &["a//b"]);
}

#[test]
fn things_that_are_no_files() {
    for (kind, name) in [
        (b'3', &b"character-device"[..]),
        (b'4', b"block-device"),
        (b'6', b"fifo"),
    ] {
        refused_everywhere(
            &Tar::new().block(Header::new(name, kind).seal()),
            &[std::str::from_utf8(name).unwrap()],
        );
    }
    for kind in [b'7', b'M', b'V', b'D', b'N', b'Z', b'!', 0xff] {
        refused_everywhere(
            &Tar::new().block(Header::new(b"odd-type", kind).seal()),
            &["odd-type"],
        );
    }
    refused_everywhere(
        &Tar::new()
            .block(Header::new(b"fat-folder", b'5').size(512).seal())
            .bytes(b"x"),
        &["fat-folder"],
    );
    refused_everywhere(
        &Tar::new()
            .block(Header::new(b"fat-link", b'2').link(b"x").size(512).seal())
            .bytes(b"x"),
        &["fat-link"],
    );
}

#[test]
fn sparse_files_of_any_dialect() {
    let old_gnu = Header::new(b"sparse-old", b'S')
        .field(257, b"ustar  \0")
        .field(386, b"00000000000\x0000000001000\x00")
        .field(483, b"77777777777\0");
    refused_everywhere(&Tar::new().block(old_gnu.seal()), &["sparse-old"]);
    let dialects: [&[(&str, &[u8])]; 3] = [
        &[
            ("GNU.sparse.major", b"1"),
            ("GNU.sparse.minor", b"0"),
            ("GNU.sparse.name", b"../evil"),
            ("GNU.sparse.realsize", b"9999999999999"),
        ],
        &[
            ("GNU.sparse.size", b"9999999999999"),
            ("GNU.sparse.map", b"0,1,9999999999998,1"),
        ],
        &[
            ("GNU.sparse.realsize", b"9999999999999"),
            ("SCHILY.realsize", b"9999999999999"),
        ],
    ];
    for records in dialects {
        refused_everywhere(
            &Tar::new().pax(records).file(b"sparse-pax", b"x"),
            &["sparse"],
        );
    }
}

#[test]
fn broken_headers() {
    let mut flipped = Header::new(b"flipped", b'0').seal();
    flipped[0] ^= 1;
    refused_everywhere(&Tar::new().file(b"a", b"x").block(flipped), &["checksum"]);
    let unmarked = Header::new(b"unmarked", b'0')
        .field(257, b"\0\0\0\0\0\0\0\0")
        .seal();
    refused_everywhere(&Tar::new().file(b"a", b"x").block(unmarked), &[]);
    refused(
        Tar::new()
            .file(b"a", b"x")
            .end()
            .into_iter()
            .chain(*b"after the end")
            .collect(),
        &[],
    );
    refused(
        [
            Tar::new().file(b"a", b"x").end(),
            Tar::new().file(b"second", b"x").end(),
        ]
        .concat(),
        &[],
    );
    refused(
        gzip(
            &[
                Tar::new().file(b"a", b"x").end(),
                Tar::new().file(b"second", b"x").end(),
            ]
            .concat(),
        ),
        &[],
    );
}

#[test]
fn cut_anywhere() {
    let whole = Tar::new()
        .pax(&[("mtime", b"1.5")])
        .file(b"first", b"content")
        .file(b"second", &[7; 700])
        .end();
    for cut in [100, 511, 512, 600, 1024, 1100, 1536, 1540, 2048, 2500, 3072] {
        let cut = whole[..cut].to_vec();
        let compressed = gzip(&whole);
        let compressed = compressed[..compressed.len() * cut.len() / whole.len()].to_vec();
        for archive in [gzip(&cut), compressed, cut] {
            let scene = Scene::new();
            if let Ok(stats) = scene.extract(archive, Limits::default()) {
                panic!("extracted {stats:?}");
            }
        }
    }
}

#[test]
fn bombs() {
    let limits = || Limits {
        content_bytes: 64 << 20,
        ..Limits::default()
    };
    let zeros = gzip(&vec![0; 16 << 20]);
    let ten_gib: Vec<u8> = std::iter::repeat_n(zeros, 640).flatten().collect();
    let huge = Header::new(b"bomb", b'0')
        .field(124, &[0x80, 0, 0, 0, 0, 0, 0, 2, 0x80, 0, 0, 0])
        .seal();
    let declared = [gzip(&huge), ten_gib.clone()].concat();
    assert_little_memory(&declared);
    refused_in(&Scene::new(), declared, limits(), &[]);
    // Behind the end, where nobody looks for content.
    let end = gzip(&Tar::new().file(b"a", b"x").end());
    let behind = [end, ten_gib.clone()].concat();
    assert_little_memory(&behind);
    refused_in(&Scene::new(), behind, limits(), &[]);
    // Without any header at all.
    refused_in(&Scene::new(), ten_gib, limits(), &[]);
    let zeros = zstd::encode_all(vec![0_u8; 16 << 20].as_slice(), 1).unwrap();
    let head = zstd::encode_all(huge.as_slice(), 1).unwrap();
    let bomb: Vec<u8> = head
        .into_iter()
        .chain(std::iter::repeat_n(zeros, 640).flatten())
        .collect();
    assert_little_memory(&bomb);
    refused_in(&Scene::new(), bomb, limits(), &[]);
    // Many small files instead of a large one.
    let mut many = Tar::new();
    for number in 0..3000 {
        many = many.file(format!("f{number}").as_bytes(), b"");
    }
    let few = Limits {
        entries: 1000,
        ..Limits::default()
    };
    refused_in(&Scene::new(), gzip(&many.end()), few, &["1000"]);
}

#[test]
fn ten_thousand_levels() {
    let path = [b"d/".repeat(10_000).as_slice(), b"bottom"].concat();
    let tar = Tar::new().pax(&[("path", &path)]).file(b"x", b"deep").end();
    let scene = Scene::new();
    let stats = scene.extract(tar, Limits::default()).unwrap();
    assert_eq!(stats.files + stats.failed.len() as u64, 1);
    scene.delete_target();
    let short = Limits {
        path_bytes: 4096,
        ..Limits::default()
    };
    let tar = Tar::new().pax(&[("path", &path)]).file(b"x", b"deep").end();
    refused_in(&Scene::new(), tar, short, &[]);
}
