//! Hooks and pings: what they get, and that nothing they do matters to the job.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use backup_core::notify::{EventLines, Hook, HookError, Notifier, NotifyOptions, Ping, PingEvent};
use backup_core::{Monitor, Phase, Status};
use serde_json::{Value, json};

fn shell(script: &str) -> Hook {
    Hook {
        program: "sh".into(),
        arguments: vec!["-c".into(), script.into()],
        timeout: Duration::from_secs(20),
    }
}

fn environment() -> Vec<(OsString, OsString)> {
    [
        ("PATH", "/usr/bin:/bin"),
        ("HOME", "/nowhere"),
        ("LANG", "C.UTF-8"),
        ("DB_PASSWORD", "canary-secret"),
        ("LD_PRELOAD", "/nowhere.so"),
    ]
    .map(|(name, value)| (name.into(), value.into()))
    .to_vec()
}

#[test]
fn a_hook_gets_its_input_and_nothing_of_our_environment() {
    let output = shell("cat; env | sort")
        .run(b"{\"a\":1}\n", &environment())
        .unwrap();
    let names: Vec<_> = output
        .lines()
        .map(|line| line.split('=').next().unwrap())
        .collect();
    // PWD, SHLVL, _ and OLDPWD are the shell's own.
    let foreign: Vec<_> = names[1..]
        .iter()
        .filter(|name| !["PWD", "SHLVL", "_", "OLDPWD"].contains(name))
        .collect();
    assert_eq!(names[0], "{\"a\":1}");
    assert_eq!(foreign, [&"HOME", &"LANG", &"PATH"]);
    assert!(!output.contains("canary"));
}

#[test]
fn no_shell_takes_part() {
    let hook = Hook {
        program: "printf".into(),
        arguments: vec!["%s".into(), "$(id) ; ls".into()],
        timeout: Duration::from_secs(20),
    };
    assert_eq!(hook.run(b"", &environment()).unwrap(), "$(id) ; ls");
    assert_eq!(Hook::from_list(&[]), None);
    assert_eq!(
        Hook::from_list(&["a b".into(), "c".into()])
            .unwrap()
            .program,
        "a b"
    );
}

#[test]
fn a_hook_that_fails_says_how() {
    let error = shell("echo; echo no way >&2; exit 7")
        .run(b"", &environment())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "sh ended with exit status: 7 and said \"no way\""
    );
    let error = Hook::from_list(&["/nowhere/alert".into()])
        .unwrap()
        .run(b"", &environment())
        .unwrap_err();
    assert!(matches!(error, HookError::Start { .. }));
    assert_eq!(error.to_string(), "cannot start /nowhere/alert");
}

#[test]
fn a_hook_that_hangs_is_killed_with_all_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("late");
    let mut hook = shell(&format!(
        "(sleep 3; touch {0}) & sleep 60",
        marker.display()
    ));
    hook.timeout = Duration::from_millis(300);
    let begun = Instant::now();
    let error = hook.run(b"", &environment()).unwrap_err();
    assert!(matches!(error, HookError::TimedOut { .. }), "{error}");
    assert!(begun.elapsed() < Duration::from_secs(10));
    std::thread::sleep(Duration::from_secs(4));
    assert!(!marker.exists(), "what it started goes on");
}

#[test]
fn a_hook_may_write_without_end_or_not_read_at_all() {
    let much = shell("head -c 5000000 /dev/zero | tr '\\0' x")
        .run(b"", &environment())
        .unwrap();
    assert_eq!(much.len(), 64 * 1024);
    shell("exit 0")
        .run(&vec![b'x'; 10_000_000], &environment())
        .unwrap();
    // A grandchild that keeps the output open is not waited for.
    let begun = Instant::now();
    shell("sleep 30 & exit 0").run(b"", &environment()).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(15));
}

/// A server that answers with the given status lines, one after the other, and keeps the request lines.
struct Answers {
    url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Answers {
    fn new(statuses: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&requests);
        std::thread::spawn(move || {
            for status in statuses {
                let (mut stream, _) = listener.accept().unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap())
                    .lines()
                    .map(Result::unwrap);
                kept.lock().unwrap().push(lines.next().unwrap_or_default());
                while lines.next().is_some_and(|line| !line.is_empty()) {}
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                );
            }
        });
        Self { url, requests }
    }

    fn ping(&self, path: &str) -> Ping {
        Ping::new(&format!("{}{path}", self.url), None)
            .unwrap()
            .with_attempts(3, Duration::from_millis(1))
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

#[test]
fn pings_tell_start_success_and_failure() {
    let server = Answers::new(&["200 OK"; 4]);
    let ping = server.ping("/secret-uuid?x=1");
    for event in [PingEvent::Start, PingEvent::Success, PingEvent::Failure] {
        ping.send(event).unwrap();
    }
    server
        .ping("/p?state={event}")
        .send(PingEvent::Failure)
        .unwrap();
    assert_eq!(
        server.requests(),
        [
            "GET /secret-uuid/start?x=1 HTTP/1.1",
            "GET /secret-uuid?x=1 HTTP/1.1",
            "GET /secret-uuid/fail?x=1 HTTP/1.1",
            "GET /p?state=failure HTTP/1.1",
        ]
    );
}

#[test]
fn pings_are_tried_again_when_that_may_help() {
    let server = Answers::new(&["503 Busy", "500 Oops", "200 OK"]);
    server.ping("/u").send(PingEvent::Success).unwrap();
    assert_eq!(server.requests().len(), 3);
    let server = Answers::new(&["404 Not Found", "200 OK"]);
    let error = server
        .ping("/secret-uuid")
        .send(PingEvent::Success)
        .unwrap_err()
        .to_string();
    assert_eq!(server.requests().len(), 1);
    assert!(
        error.ends_with("was not reached by a ping: it answered with status 404")
            && !error.contains("secret"),
        "{error}"
    );
    let server = Answers::new(&["503 Busy"; 3]);
    assert!(server.ping("/u").send(PingEvent::Failure).is_err());
    assert_eq!(server.requests().len(), 3);
    let server = Answers::new(&["503 Busy"; 3]);
    assert!(server.ping("/u").send(PingEvent::Start).is_err());
    assert_eq!(server.requests().len(), 1, "nothing waits for a start");
}

#[test]
fn a_ping_that_goes_nowhere_says_so_without_its_secret() {
    let ping = Ping::new("http://user:secret@127.0.0.1:1/secret-uuid", None)
        .unwrap()
        .with_attempts(2, Duration::from_millis(1));
    let error = ping.send(PingEvent::Success).unwrap_err().to_string();
    assert_eq!(
        error,
        "127.0.0.1:1 was not reached by a ping: connection refused"
    );
    assert!(!format!("{ping:?}").contains("secret"));
    for url in ["", "ftp://host/x", "https://", "host/x"] {
        assert!(Ping::new(url, None).is_err(), "{url}");
    }
    assert!(Ping::new("https://host/x", Some("::")).is_err());
}

/// A hook that writes its name and its input to a file of its own in `folder`.
fn recorder(folder: &tempfile::TempDir, name: &str) -> Option<Hook> {
    Some(shell(&format!("cat > {}/{name}", folder.path().display())))
}

#[test]
fn everybody_is_told_what_concerns_him() {
    let folder = tempfile::tempdir().unwrap();
    let server = Answers::new(&["200 OK"; 8]);
    let options = NotifyOptions {
        on_failure: recorder(&folder, "failure"),
        on_success: recorder(&folder, "success"),
        ping: Some(server.ping("/u")),
        environment: environment(),
        ..NotifyOptions::default()
    };
    let notifier = Notifier::new(options.clone());
    let told = || {
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                let content: Value =
                    serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
                fs::remove_file(&path).unwrap();
                format!(
                    "{} {}",
                    path.file_name().unwrap().to_str().unwrap(),
                    content["id"]
                )
            })
            .collect();
        names.sort();
        names
    };
    assert!(notifier.started().is_empty());
    assert!(told().is_empty());
    assert!(
        notifier
            .ended(Status::Complete, &json!({"id": 1}))
            .is_empty()
    );
    assert_eq!(told(), ["success 1"]);
    assert!(notifier.ended(Status::Failed, &json!({"id": 2})).is_empty());
    assert_eq!(told(), ["failure 2"]);
    assert!(
        notifier
            .ended(Status::Partial, &json!({"id": 3}))
            .is_empty()
    );
    assert_eq!(told(), ["failure 3"]);
    let notifier = Notifier::new(NotifyOptions {
        on_partial: recorder(&folder, "partial"),
        ..options
    });
    assert!(
        notifier
            .ended(Status::Partial, &json!({"id": 4}))
            .is_empty()
    );
    assert_eq!(told(), ["partial 4"]);
    let paths: Vec<_> = server
        .requests()
        .iter()
        .map(|line| line.split(' ').nth(1).unwrap().to_owned())
        .collect();
    assert_eq!(paths, ["/u/start", "/u", "/u/fail", "/u/fail", "/u/fail"]);
}

#[test]
fn what_goes_wrong_is_a_warning() {
    let notifier = Notifier::new(NotifyOptions {
        on_success: Hook::from_list(&["/nowhere/hook".into()]),
        ping: Some(
            Ping::new("http://127.0.0.1:1/uuid", None)
                .unwrap()
                .with_attempts(1, Duration::ZERO),
        ),
        ..NotifyOptions::default()
    });
    assert_eq!(
        notifier.ended(Status::Complete, &json!({})),
        [
            "127.0.0.1:1 was not reached by a ping: connection refused",
            "cannot start /nowhere/hook: No such file or directory (os error 2)",
        ]
    );
    assert!(
        Notifier::default()
            .ended(Status::Failed, &json!({}))
            .is_empty()
    );
}

/// A writer that several owners share.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn events_are_json_lines() {
    let written = Shared::default();
    let events = EventLines::new(written.clone());
    events.phase(Phase::Files, Some(100));
    for _ in 0..10 {
        events.advance(5);
    }
    std::thread::sleep(Duration::from_millis(1050));
    events.advance(10);
    events.warning("a\nb");
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert_eq!(
        (
            &lines[0]["event"],
            &lines[0]["phase"],
            &lines[0]["total_bytes"]
        ),
        (&json!("phase"), &json!("files"), &json!(100))
    );
    assert_eq!(
        (&lines[1]["event"], &lines[1]["bytes"]),
        (&json!("progress"), &json!(60))
    );
    assert_eq!(
        (&lines[2]["event"], &lines[2]["message"]),
        (&json!("warning"), &json!("a\nb"))
    );
    assert!(lines[1]["elapsed_ms"].as_u64().unwrap() >= 1000);
}
