//! The functions as C calls them.

mod support;

use std::ffi::{CString, c_char};
use std::fs;
use std::ptr;

use edms_backup::*;
use serde_json::{Value, json};
use support::{Job, run, take, text};

#[test]
fn versions() {
    assert_eq!(backup_abi_version(), BACKUP_ABI_VERSION);
    assert_eq!(text(backup_version()), env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_missing_repository_is_an_error_with_code_and_hint() {
    let command = CString::new("list").unwrap();
    let request = CString::new(r#"{"repository": "/nonexistent/backups"}"#).unwrap();
    let mut json = ptr::null_mut();
    let mut error = ptr::null_mut();
    // SAFETY: all pointers are valid; the error is freed once.
    unsafe {
        let status = backup_run(
            command.as_ptr(),
            request.as_ptr(),
            &raw mut json,
            &raw mut error,
        );
        assert_eq!(status, BackupStatus::BackupFailed);
        assert!(json.is_null(), "outputs are written only on success");
        assert_eq!(text(backup_error_code(error)), "no_repository");
        assert!(text(backup_error_message(error)).contains("/nonexistent/backups"));
        assert!(text(backup_error_hint(error)).contains("BACKUP_ROOT"));
        assert!(text(backup_error_json(error)).starts_with("{\"code\":\"no_repository\""));
        backup_error_free(error);
    }
}

#[test]
fn null_is_refused_and_freeing_null_is_fine() {
    let empty = CString::new("{}").unwrap();
    let none: *const c_char = ptr::null();
    // SAFETY: NULL is what is tested.
    unsafe {
        let mut json = ptr::null_mut();
        for (command, request, out) in [
            (none, empty.as_ptr(), &raw mut json),
            (empty.as_ptr(), none, &raw mut json),
            (empty.as_ptr(), empty.as_ptr(), ptr::null_mut()),
        ] {
            let status = backup_run(command, request, out, ptr::null_mut());
            assert_eq!(status, BackupStatus::BackupInvalidArgument);
        }
        let invalid = BackupStatus::BackupInvalidArgument;
        let no_error = ptr::null_mut();
        let status = backup_job_start(none, none, ptr::null_mut(), no_error);
        assert_eq!(status, invalid);
        let status = backup_job_progress(ptr::null(), &raw mut json, no_error);
        assert_eq!(status, invalid);
        let status = backup_job_result(ptr::null(), &raw mut json, no_error);
        assert_eq!(status, invalid);
        assert_eq!(backup_job_wait(ptr::null(), 0, no_error), invalid);
        assert_eq!(backup_job_cancel(ptr::null(), no_error), invalid);
        assert!(backup_error_code(ptr::null()).is_null());
        backup_error_free(ptr::null_mut());
        backup_string_free(ptr::null_mut());
        backup_job_free(ptr::null_mut());
    }
}

#[test]
fn a_request_that_makes_no_sense_is_refused_by_name() {
    for (command, request, part) in [
        ("creat", json!({}), "no command"),
        ("create", json!({"kind": "fll"}), "fll"),
        (
            "create",
            json!({"kind": "full", "compresion": "zstd"}),
            "compresion",
        ),
        ("list", json!({"repo": "/x"}), "repo"),
        ("verify", json!({}), "source"),
        ("list", json!([]), "object"),
        ("list", json!({"config": "/x", "settings": {}}), "settings"),
    ] {
        let (status, error) = run(command, &request).unwrap_err();
        assert_eq!(status, BackupStatus::BackupFailed, "{command} {request}");
        assert!(error["message"].as_str().unwrap().contains(part), "{error}");
        let (_, same) = Job::start(command, &request).unwrap_err();
        assert_eq!(same, error, "a job tells at once");
    }
}

#[test]
fn files_are_backed_up_listed_verified_and_restored() {
    let folder = tempfile::tempdir().unwrap();
    let (documents, target) = (folder.path().join("documents"), folder.path().join("out"));
    fs::create_dir(&documents).unwrap();
    fs::write(documents.join("a.txt"), "a").unwrap();
    let repository = folder.path().join("backups");
    let site = json!({"repository": repository, "files": {"documents": documents}});
    let with = |fields: Value| {
        let mut request = site.clone();
        let map = request.as_object_mut().unwrap();
        map.extend(fields.as_object().unwrap().clone());
        request
    };

    let job = Job::start(
        "create",
        &with(json!({"kind": "files", "compression": "zstd"})),
    )
    .unwrap();
    assert!(job.wait(-1));
    let record = job.result().unwrap();
    assert_eq!(record["status"], "COMPLETE");
    assert_eq!(record["files"], 1);
    let progress = job.progress();
    assert_eq!(progress["state"], "succeeded");
    assert_eq!(progress["cancelling"], false);
    assert_eq!(job.result().unwrap(), record, "as often as it is asked");

    let id = record["id"].as_str().unwrap();
    let listed = run("list", &with(json!({}))).unwrap();
    assert_eq!(listed[0]["id"], id);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let shown = run("show", &with(json!({"source": id, "entries": true}))).unwrap();
    assert_eq!(shown["files"]["documents"]["files"], 1);
    assert_eq!(shown["entries"][1]["path"], "files/documents/a.txt");
    let verified = run("verify", &with(json!({"source": id}))).unwrap();
    assert_eq!(verified["status"], "ok");

    let plan = with(json!({"source": id, "target": target, "dry_run": true}));
    let plan = run("restore", &plan).unwrap();
    assert_eq!(plan["problems"], json!([]));
    assert!(!target.exists(), "a dry run touches nothing");
    let restored = run("restore", &with(json!({"source": id, "target": target}))).unwrap();
    assert_eq!(restored["status"], "COMPLETE");
    assert_eq!(fs::read(target.join("documents/a.txt")).unwrap(), b"a");

    let (_, error) = run("restore", &with(json!({"source": id}))).unwrap_err();
    assert_eq!(
        error["code"], "not_confirmed",
        "the live folder is protected"
    );
}

#[test]
fn a_cancelled_job_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let documents = folder.path().join("documents");
    fs::create_dir(&documents).unwrap();
    fs::write(documents.join("large"), vec![7; 64 << 20]).unwrap();
    let repository = folder.path().join("backups");
    let request = json!({
        "kind": "files", "repository": repository, "files": {"documents": documents}, "level": 12, "jobs": 1,
    });
    let job = Job::start("create", &request).unwrap();
    while job.progress()["phase"] == "preparing" {
        assert!(!job.wait(1), "it has not ended");
    }
    let (status, _) = job.result().unwrap_err();
    assert_eq!(status, BackupStatus::BackupRunning);
    job.cancel();
    assert!(job.wait(60_000));
    let (status, error) = job.result().unwrap_err();
    assert_eq!(status, BackupStatus::BackupCancelled);
    assert_eq!(error["code"], "cancelled");
    assert_eq!(job.progress()["state"], "cancelled");
    let listed = run("list", &json!({"repository": repository})).unwrap();
    assert_eq!(listed, json!([]));
    let left = |name: &str| fs::read_dir(repository.join(name)).unwrap().count();
    assert_eq!((left("backups"), left("running")), (0, 0));

    // Freeing a job that runs does the same.
    drop(Job::start("create", &request).unwrap());
    assert_eq!((left("backups"), left("running")), (0, 0));
}

#[test]
fn many_threads_may_use_one_job() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a"), "a").unwrap();
    let output = tempfile::tempdir().unwrap();
    let request = json!({"kind": "files", "output": output.path(), "files": {"r": folder.path()}});
    let job = Job::start("create", &request).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                job.progress();
                assert!(job.wait(-1));
                assert_eq!(job.result().unwrap()["status"], "COMPLETE");
            });
        }
    });
}

#[test]
fn slots_are_told_for_schedules_of_the_caller() {
    let request = json!({
        "now": "2026-07-01T12:00:00Z",
        "schedule": [
            {"frequency": "DAILY", "schedule_time": "02:00:00", "time_zone": "Europe/Berlin"},
            {"frequency": "ON_DEMAND"},
        ],
    });
    let slots = run("slots", &request).unwrap();
    assert_eq!(slots[0]["previous"], "2026-07-01T00:00:00Z");
    assert_eq!(slots[0]["next"], "2026-07-02T00:00:00Z");
    assert_eq!(slots[1], json!({"previous": null, "next": null}));
    let request = json!({"now": "2026-07-01T12:00:00Z", "schedule": [{"frequency": "YEARLY"}]});
    let (_, error) = run("slots", &request).unwrap_err();
    assert_eq!(error["code"], "usage");

    let defaults = run("schedule-defaults", &json!({"time_zone": "Asia/Tokyo"})).unwrap();
    assert_eq!(defaults[0]["name"], "daily_full_backup");
    assert_eq!(defaults[0]["time_zone"], "Asia/Tokyo");
}

#[test]
fn rows_of_a_table_in_a_backup_are_read() {
    let server = testkit::Server::shared();
    let database = server.create_db("ffi");
    server.psql(
        &database,
        "CREATE TABLE note (id int, body text); INSERT INTO note VALUES (1, E'a\\tb\\\\'), (2, NULL)",
    );
    let folder = tempfile::tempdir().unwrap();
    let request =
        json!({"kind": "database", "output": folder.path(), "database_url": server.url(&database)});
    let record = run("create", &request).unwrap();
    let rows = run(
        "table",
        &json!({"source": record["path"], "table": "public.note"}),
    )
    .unwrap();
    assert_eq!(
        rows,
        json!({"columns": ["id", "body"], "rows": [["1", "a\tb\\"], ["2", null]]})
    );
    let wanted = json!({"source": record["path"], "table": "public.other"});
    let (_, error) = run("table", &wanted).unwrap_err();
    assert_eq!(error["code"], "no_such_table");
}

#[test]
fn a_string_out_may_be_freed() {
    let folder = tempfile::tempdir().unwrap();
    backup_core::Repository::open_or_create(folder.path()).unwrap();
    let request = CString::new(json!({"repository": folder.path()}).to_string()).unwrap();
    let command = CString::new("list").unwrap();
    let mut json = ptr::null_mut();
    // SAFETY: all pointers are valid; the string is freed once, in `take`.
    unsafe {
        let status = backup_run(
            command.as_ptr(),
            request.as_ptr(),
            &raw mut json,
            ptr::null_mut(),
        );
        assert_eq!(status, BackupStatus::BackupOk);
        assert_eq!(take(json), "[]");
    }
}
