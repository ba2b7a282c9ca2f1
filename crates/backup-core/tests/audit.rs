//! The audit journal: nothing in it can be changed unnoticed.

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use backup_core::audit::{
    Actor, AuditEvent, AuditHead, AuditJournal, AuditReport, AuditResult, ProblemKind, head_path,
    verify,
};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tempfile::TempDir;

fn event(action: &str, details: Value) -> AuditEvent {
    AuditEvent {
        who: Actor {
            user: "root".into(),
            host: "edms1".into(),
            face: "cli".into(),
        },
        action: action.into(),
        subject: "20260131T020000Z-full-1f9a03c2".into(),
        result: AuditResult::Success,
        details,
    }
}

fn now() -> DateTime<Utc> {
    "2026-01-31T02:00:07.123456Z".parse().unwrap()
}

struct Scratch {
    _folder: TempDir,
    journal: AuditJournal,
}

impl Scratch {
    fn new(entries: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = AuditJournal::new(folder.path().join("audit.jsonl"));
        for n in 1..=entries {
            let head = journal
                .append(
                    &event("create", json!({"n": n, "text": "ü\n\"x\""})),
                    now() + TimeDelta::seconds(n as i64),
                )
                .unwrap();
            assert_eq!(head.seq, n);
        }
        Self {
            _folder: folder,
            journal,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        fs::read(self.journal.path()).unwrap()
    }

    fn put(&self, bytes: &[u8]) {
        fs::write(self.journal.path(), bytes).unwrap();
    }

    fn lines(&self) -> Vec<String> {
        fs::read_to_string(self.journal.path())
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    fn put_lines(&self, lines: &[String]) {
        self.put(
            lines
                .iter()
                .map(|line| format!("{line}\n"))
                .collect::<String>()
                .as_bytes(),
        );
    }

    fn head(&self) -> PathBuf {
        head_path(self.journal.path())
    }

    fn verify(&self) -> AuditReport {
        verify(self.journal.path(), &[]).unwrap()
    }

    fn problems(&self) -> Vec<String> {
        self.verify()
            .problems
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    fn append(&self) -> AuditHead {
        self.journal
            .append(&event("verify", Value::Null), now())
            .unwrap()
    }
}

#[test]
fn what_is_written_reads_back_and_is_intact() {
    let scratch = Scratch::new(3);
    let report = scratch.verify();
    assert!(report.is_intact(), "{report:?}");
    assert_eq!((report.entries, report.head.unwrap().seq), (3, 3));
    let entries: Vec<_> = scratch.journal.entries().unwrap().collect();
    assert_eq!(
        entries.iter().map(|entry| entry.seq).collect::<Vec<_>>(),
        [1, 2, 3]
    );
    assert_eq!(entries[1].who.host, "edms1");
    assert_eq!(entries[1].details["text"], "ü\n\"x\"");
    assert_eq!(entries[0].previous, "0".repeat(64));
    assert!(scratch.lines()[0].starts_with(
        r#"{"seq":1,"time":"2026-01-31T02:00:08.123Z","who":{"user":"root","host":"edms1","face":"cli"},"action":"create","#
    ));
}

#[test]
fn the_hash_is_what_the_documentation_says() {
    let scratch = Scratch::new(2);
    let lines = scratch.lines();
    let (body, hash) = lines[0].split_once(",\"hash\":\"").unwrap();
    let expected = blake3::hash(format!("{body}}}").as_bytes()).to_string();
    assert_eq!(hash, format!("{expected}\"}}"));
    assert!(lines[1].contains(&format!("\"previous\":\"{expected}\"")));
}

#[test]
fn a_journal_that_was_never_written_is_intact_and_empty() {
    let scratch = Scratch::new(0);
    assert!(scratch.verify().is_intact());
    assert_eq!(scratch.journal.entries().unwrap().count(), 0);
}

#[test]
fn every_change_of_a_byte_is_found() {
    let scratch = Scratch::new(3);
    let good = scratch.bytes();
    for at in 0..good.len() {
        for change in [1, 0x20] {
            let mut bad = good.clone();
            bad[at] ^= change;
            scratch.put(&bad);
            let report = scratch.verify();
            assert!(!report.is_intact(), "byte {at} ^ {change:#x}");
            assert!(report.entries < 3, "byte {at} ^ {change:#x}");
        }
    }
}

#[test]
fn every_byte_removed_or_inserted_is_found() {
    let scratch = Scratch::new(2);
    let good = scratch.bytes();
    for at in 0..good.len() {
        let mut short = good.clone();
        short.remove(at);
        scratch.put(&short);
        assert!(!scratch.verify().is_intact(), "without byte {at}");
        for byte in *b"\n0" {
            let mut long = good.clone();
            long.insert(at, byte);
            scratch.put(&long);
            assert!(!scratch.verify().is_intact(), "{byte:#x} before byte {at}");
        }
    }
}

#[test]
fn every_cut_is_found() {
    let scratch = Scratch::new(3);
    let good = scratch.bytes();
    for length in 0..good.len() {
        scratch.put(&good[..length]);
        let report = scratch.verify();
        assert!(
            report
                .problems
                .iter()
                .any(|problem| matches!(problem.kind, ProblemKind::CutAtEnd { noted: 3, .. })),
            "{length}: {report:?}"
        );
    }
    fs::remove_file(scratch.journal.path()).unwrap();
    assert_eq!(
        scratch.problems(),
        ["the journal ends with entry 0, but there was an entry 3"]
    );
}

#[test]
fn every_line_removed_repeated_or_moved_is_found() {
    let scratch = Scratch::new(6);
    let good = scratch.lines();
    for at in 0..good.len() {
        let mut removed = good.clone();
        removed.remove(at);
        scratch.put_lines(&removed);
        assert!(!scratch.verify().is_intact(), "without line {at}");
        for other in 0..=good.len() {
            let mut repeated = good.clone();
            repeated.insert(other, good[at].clone());
            scratch.put_lines(&repeated);
            assert!(!scratch.verify().is_intact(), "line {at} again at {other}");
        }
        for other in (0..good.len()).filter(|other| *other != at) {
            let mut swapped = good.clone();
            swapped.swap(at, other);
            scratch.put_lines(&swapped);
            assert!(
                !scratch.verify().is_intact(),
                "lines {at} and {other} swapped"
            );
        }
    }
    scratch.put_lines(&good);
    assert!(scratch.verify().is_intact());
}

#[test]
fn problems_are_named() {
    let scratch = Scratch::new(5);
    let good = scratch.lines();
    scratch.put_lines(&[good[0].clone(), good[3].clone(), good[4].clone()]);
    assert_eq!(
        scratch.problems(),
        ["line 2: entries 2 to 3 before it are missing"]
    );
    scratch.put_lines(&[
        good[0].clone(),
        good[1].replace("create", "verify"),
        good[2].clone(),
        good[3].clone(),
        good[4].clone(),
    ]);
    assert_eq!(scratch.problems(), ["line 2: changed after it was written"]);
    scratch.put_lines(&[
        good[0].clone(),
        "{}".to_owned(),
        String::new(),
        good[3].clone(),
        good[4].clone(),
    ]);
    assert_eq!(
        scratch.problems(),
        ["line 2: not an entry", "line 3: not an entry"]
    );
    scratch.put_lines(&good[..4]);
    assert_eq!(
        scratch.problems(),
        ["the journal ends with entry 4, but there was an entry 5"]
    );
}

#[test]
fn a_line_that_was_forged_with_its_own_hash_breaks_the_chain() {
    let scratch = Scratch::new(3);
    let mut lines = scratch.lines();
    let (body, _) = lines[1].split_once(",\"hash\":\"").unwrap();
    let body = format!("{}}}", body.replace("root", "toor"));
    let hash = blake3::hash(body.as_bytes());
    lines[1] = format!("{},\"hash\":\"{hash}\"}}", body.strip_suffix('}').unwrap());
    scratch.put_lines(&lines);
    assert_eq!(
        scratch.problems(),
        ["line 3: does not follow the entry before it"]
    );
}

#[test]
fn a_journal_that_was_forged_as_a_whole_is_found_by_a_head_kept_elsewhere() {
    let scratch = Scratch::new(3);
    let kept = scratch.verify().head.unwrap();
    let forged = Scratch::new(0);
    for n in 0..5 {
        forged
            .journal
            .append(&event("create", json!(n)), now())
            .unwrap();
    }
    assert!(forged.verify().is_intact());
    let report = verify(forged.journal.path(), std::slice::from_ref(&kept)).unwrap();
    assert_eq!(
        report.problems[0].to_string(),
        "line 3: is not the entry 3 that was noted"
    );
    scratch.put_lines(&scratch.lines()[..2]);
    fs::remove_file(scratch.head()).unwrap();
    let report = verify(scratch.journal.path(), &[kept]).unwrap();
    assert!(
        report
            .problems
            .iter()
            .any(|problem| problem.kind == ProblemKind::CutAtEnd { noted: 3, found: 2 })
    );
}

#[test]
fn a_torn_last_line_is_repaired_and_that_is_recorded() {
    let scratch = Scratch::new(3);
    let good = scratch.bytes();
    let kept = fs::read(scratch.head()).unwrap();
    let head = scratch.append();
    assert_eq!(head.seq, 4);
    let whole = scratch.bytes();
    for length in good.len() + 1..whole.len() {
        // A crash in the middle of writing line 4: the file beside the journal still names line 3.
        scratch.put(&whole[..length]);
        fs::write(scratch.head(), &kept).unwrap();
        assert_eq!(scratch.problems(), ["line 4: the last entry is not whole"]);
        assert_eq!(scratch.append().seq, 5);
        let report = scratch.verify();
        assert!(report.is_intact(), "{report:?}");
        assert_eq!(report.repairs, [4]);
    }
    let repair = scratch.journal.entries().unwrap().nth(3).unwrap();
    assert_eq!(
        repair.details,
        json!([{"found": "torn last line", "bytes": whole.len() - good.len() - 1}])
    );
}

#[test]
fn a_crash_between_the_two_files_needs_no_repair() {
    let scratch = Scratch::new(3);
    let kept = fs::read(scratch.head()).unwrap();
    scratch.append();
    fs::write(scratch.head(), &kept).unwrap();
    assert!(scratch.verify().is_intact());
    scratch.append();
    let report = scratch.verify();
    assert!(
        report.is_intact() && report.repairs.is_empty(),
        "{report:?}"
    );

    let first = Scratch::new(1);
    fs::remove_file(first.head()).unwrap();
    first.append();
    assert!(first.verify().is_intact() && first.verify().repairs.is_empty());
}

#[test]
fn going_on_after_tampering_does_not_hide_it() {
    let cut = Scratch::new(5);
    cut.put_lines(&cut.lines()[..3]);
    assert_eq!(cut.append().seq, 7);
    assert_eq!(
        cut.problems(),
        ["line 4: entries 4 to 5 before it are missing"]
    );
    assert_eq!(cut.verify().repairs, [6]);

    let edited = Scratch::new(3);
    let mut lines = edited.lines();
    lines[2] = lines[2].replace("create", "verify");
    edited.put_lines(&lines);
    assert_eq!(edited.append().seq, 5);
    assert_eq!(edited.problems(), ["line 3: changed after it was written"]);

    let headless = Scratch::new(3);
    headless.put_lines(&headless.lines()[..2]);
    fs::remove_file(headless.head()).unwrap();
    assert_eq!(headless.append().seq, 4);
    assert_eq!(headless.verify().repairs, [3]);

    let removed = Scratch::new(3);
    fs::remove_file(removed.journal.path()).unwrap();
    assert_eq!(removed.append().seq, 5);
    assert_eq!(
        removed.problems(),
        ["line 1: entries 1 to 3 before it are missing"]
    );
}

#[test]
fn every_change_of_the_head_is_found() {
    let scratch = Scratch::new(3);
    let good = fs::read(scratch.head()).unwrap();
    for at in 0..good.len() {
        for change in [1, 2, 0x20, 0x80] {
            let mut bad = good.clone();
            bad[at] ^= change;
            fs::write(scratch.head(), &bad).unwrap();
            assert!(!scratch.verify().is_intact(), "byte {at} ^ {change:#x}");
        }
    }
    fs::remove_file(scratch.head()).unwrap();
    assert_eq!(
        scratch.problems(),
        ["the file that names the last entry is missing: a cut at the end would not be seen"]
    );
}

#[test]
fn long_lines_take_no_memory_and_are_found() {
    let scratch = Scratch::new(2);
    let mut file = fs::File::options()
        .append(true)
        .open(scratch.journal.path())
        .unwrap();
    file.write_all(&vec![b'x'; 3 << 20]).unwrap();
    assert_eq!(scratch.problems(), ["line 3: not an entry"]);
    file.write_all(b"\n").unwrap();
    assert_eq!(scratch.problems(), ["line 3: not an entry"]);
}

#[test]
fn long_details_are_left_out_and_said_to_be() {
    let scratch = Scratch::new(0);
    let mut long = event("create", json!("x".repeat(70_000)));
    long.subject = "\u{1}".repeat(5000);
    scratch.journal.append(&long, now()).unwrap();
    let entry = scratch.journal.entries().unwrap().next().unwrap();
    assert_eq!(entry.details, json!({"left_out_bytes": 70_002}));
    assert_eq!(entry.subject.chars().count(), 1001);
    assert!(scratch.verify().is_intact());
}

#[test]
fn several_writers_make_one_chain() {
    let scratch = Scratch::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..10).for_each(|_| drop(scratch.append())));
        }
    });
    let report = scratch.verify();
    assert!(report.is_intact(), "{report:?}");
    assert_eq!(report.entries, 40);
}

#[test]
fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new(1);
    for path in [scratch.journal.path().to_owned(), scratch.head()] {
        assert_eq!(
            fs::metadata(path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}
