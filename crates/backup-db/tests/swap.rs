//! Restores beside a live database, exchanged with it and taken back.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use backup_db::{
    ConnectOptions, Problem, RestoreError, RestoreOptions, RestoreProgress, RestoreStep, Session,
    Strategy, SwapState, abandon_swap, choose_strategy, commit_swap, discard_swap, list_swaps,
    prepare_swap, swap_state, undo_swap,
};
use testkit::{Server, Stop};

mod support;

use support::{connect, connect_as, dump, options, sample};

/// A live database whose content differs from the sample's, and that has settings of its own.
fn live(server: &Server) -> String {
    let database = server.create_db("live");
    server.psql(
        &database,
        &format!(
            "CREATE TABLE current_rows AS SELECT 1 AS a; COMMENT ON DATABASE {database} IS 'live''s comment';
             ALTER DATABASE {database} SET work_mem = '7MB'; ALTER DATABASE {database} CONNECTION LIMIT 50;
             REVOKE ALL ON DATABASE {database} FROM PUBLIC"
        ),
    );
    database
}

fn databases(server: &Server, live: &str) -> String {
    server.psql("postgres", &format!("SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database WHERE datname LIKE '{live}%'"))
}

#[test]
fn swap_and_undo() {
    let server = Server::shared();
    let (source, live) = (sample(server), live(server));
    let owner = server.unique_name("owner");
    server.psql("postgres", &format!("CREATE ROLE {owner}; ALTER DATABASE {live} OWNER TO {owner}; GRANT CONNECT ON DATABASE {live} TO {owner} WITH GRANT OPTION"));
    let before = server.pg_dump(&live, &["--create"]);
    let connect = connect(server, &live);
    let dump = dump(&support::connect(server, &source));
    let mut application = Session::connect(&connect).unwrap();

    let stats = prepare_swap(&connect, &dump, &options(), "r1", &()).unwrap();
    assert!(stats.verified);
    assert_eq!(stats.warnings, Vec::<String>::new());
    assert_eq!(swap_state(&connect, "r1").unwrap(), SwapState::Ready);
    assert_eq!(
        application
            .query_text("SELECT a FROM current_rows")
            .unwrap(),
        [[Some("1".to_owned())]],
        "the live database still serves"
    );
    testkit::dump::assert_same_dump(&before, &server.pg_dump(&live, &["--create"]));

    let swapped = commit_swap(&connect, "r1").unwrap();
    assert!(swapped.window < Duration::from_secs(5), "{swapped:?}");
    assert!(
        application.batch("SELECT 1").is_err(),
        "sessions of the old database are ended"
    );
    support::assert_equal(server, &source, &live, &[]);
    let about = "SELECT pg_get_userbyid(datdba), datconnlimit, datacl, shobj_description(d.oid, 'pg_database'), setconfig FROM pg_database d LEFT JOIN pg_db_role_setting s ON s.setdatabase = d.oid WHERE datname = ";
    let of = |name: &str| server.psql("postgres", &format!("{about}'{name}'"));
    // Owner, privileges and settings are those of the live database, the comment is the dump's.
    assert_eq!(
        of(&live),
        format!("{owner}|50|{{{owner}=CTc*/{owner}}}|sample|{{work_mem=7MB}}")
    );
    assert_eq!(
        list_swaps(&connect).unwrap(),
        [("r1".to_owned(), SwapState::Swapped)]
    );

    undo_swap(&connect, "r1").unwrap();
    testkit::dump::assert_same_dump(&before, &server.pg_dump(&live, &["--create"]));
    assert_eq!(swap_state(&connect, "r1").unwrap(), SwapState::Undone);
    discard_swap(&connect, "r1").unwrap();
    assert_eq!(databases(server, &live), live);
    assert_eq!(list_swaps(&connect).unwrap(), []);
}

#[test]
fn steps_out_of_order_are_refused() {
    let server = Server::shared();
    let live = live(server);
    let connect = connect(server, &live);
    for outcome in [commit_swap(&connect, "none"), undo_swap(&connect, "none")] {
        assert!(
            matches!(
                outcome,
                Err(RestoreError::WrongState {
                    state: SwapState::Absent,
                    ..
                })
            ),
            "{outcome:?}"
        );
    }
    assert!(matches!(
        commit_swap(&connect, "no/id"),
        Err(RestoreError::InvalidId { .. })
    ));
    abandon_swap(&connect, "none").unwrap();
}

#[test]
fn sessions_that_come_all_the_time_do_not_prevent_it() {
    let server = Server::shared();
    let (source, live) = (sample(server), live(server));
    let connect = connect(server, &live);
    prepare_swap(
        &connect,
        &dump(&support::connect(server, &source)),
        &options(),
        "busy",
        &(),
    )
    .unwrap();
    let (stop, answers) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let Ok(mut session) = Session::connect(&connect) else { continue };
                    // Either database, whole: never one in between.
                    let Ok(rows) = session.query_text("SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relname IN ('current_rows', 'documents')") else { continue };
                    let tables = rows[0][0].clone().unwrap();
                    assert!(tables == "current_rows" || tables == "documents", "{tables}");
                    answers.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        std::thread::sleep(Duration::from_millis(300));
        let outcome = commit_swap(&connect, "busy");
        std::thread::sleep(Duration::from_millis(300));
        stop.store(true, Ordering::Relaxed);
        outcome.unwrap();
    });
    assert!(answers.load(Ordering::Relaxed) > 10);
    assert_eq!(
        server.psql(&live, "SELECT count(*) FROM app.documents"),
        "20000"
    );
}

/// Stops the server, as a crash would, when a step begins.
struct Crash<'a>(&'a Server, RestoreStep);

impl RestoreProgress for Crash<'_> {
    fn step(&self, step: RestoreStep, _total: u64) {
        if step == self.1 {
            self.0.stop(Stop::Immediate);
        }
    }
    fn advance(&self, _amount: u64) {}
}

#[test]
fn a_crash_at_any_step_leaves_the_live_database_and_something_to_clean() {
    let server = Server::start();
    let (source, live) = (sample(&server), live(&server));
    let connect = connect(&server, &live);
    let dump = dump(&support::connect(&server, &source));
    let before = server.pg_dump(&live, &["--create"]);
    for step in [
        RestoreStep::PreData,
        RestoreStep::Data,
        RestoreStep::PostData,
        RestoreStep::Analyze,
        RestoreStep::Verify,
    ] {
        let error =
            prepare_swap(&connect, &dump, &options(), "crash", &Crash(&server, step)).unwrap_err();
        assert!(
            matches!(error, RestoreError::LeftBehind { .. }),
            "{error:?}"
        );
        server.start_again();
        testkit::dump::assert_same_dump(&before, &server.pg_dump(&live, &["--create"]));
        assert_eq!(
            list_swaps(&connect).unwrap(),
            [("crash".to_owned(), SwapState::Unfinished)]
        );
        assert!(commit_swap(&connect, "crash").is_err());
        abandon_swap(&connect, "crash").unwrap();
        assert_eq!(databases(&server, &live), live);
    }
    prepare_swap(&connect, &dump, &options(), "crash", &()).unwrap();
    server.stop(Stop::Immediate);
    server.start_again();
    assert_eq!(swap_state(&connect, "crash").unwrap(), SwapState::Ready);
    commit_swap(&connect, "crash").unwrap();
    server.stop(Stop::Immediate);
    server.start_again();
    undo_swap(&connect, "crash").unwrap();
    testkit::dump::assert_same_dump(&before, &server.pg_dump(&live, &["--create"]));
}

#[test]
fn a_running_restore_is_not_cleaned_away() {
    struct Busy<'a>(&'a ConnectOptions);
    impl RestoreProgress for Busy<'_> {
        fn step(&self, step: RestoreStep, _total: u64) {
            if step == RestoreStep::Data {
                assert!(matches!(
                    abandon_swap(self.0, "run"),
                    Err(RestoreError::Busy { .. })
                ));
            }
        }
        fn advance(&self, _amount: u64) {}
    }
    let server = Server::shared();
    let (source, live) = (sample(server), live(server));
    let connect = connect(server, &live);
    prepare_swap(
        &connect,
        &dump(&support::connect(server, &source)),
        &options(),
        "run",
        &Busy(&connect),
    )
    .unwrap();
    abandon_swap(&connect, "run").unwrap();
    assert_eq!(databases(server, &live), live);
}

#[test]
fn without_superuser() {
    let server = Server::shared();
    let (role, other) = (server.unique_name("swapper"), server.unique_name("other"));
    server.psql(
        "postgres",
        &format!("CREATE ROLE {role} LOGIN CREATEDB; CREATE ROLE {other} LOGIN"),
    );
    let live = server.unique_name("live");
    server.psql(
        "postgres",
        &format!("CREATE DATABASE {live} OWNER {role} TEMPLATE template0"),
    );
    let source = sample(server);
    let dump = dump(&support::connect(server, &source));
    let options = RestoreOptions {
        owners: false,
        privileges: false,
        ..options()
    };
    let connect = connect_as(server, &role, &live);
    prepare_swap(&connect, &dump, &options, "plain", &()).unwrap();
    // Somebody else's session cannot be ended by this role: nothing changes.
    let mut foreign = Session::connect(&connect_as(server, &other, &live)).unwrap();
    let error = commit_swap(&connect, "plain").unwrap_err();
    assert!(matches!(error, RestoreError::InUse { .. }), "{error:?}");
    assert_eq!(swap_state(&connect, "plain").unwrap(), SwapState::Ready);
    foreign.batch("SELECT 1").unwrap();
    drop(foreign);
    commit_swap(&connect, "plain").unwrap();
    assert_eq!(
        server.psql(&live, "SELECT count(*) FROM app.documents"),
        "20000"
    );

    let error = prepare_swap(
        &connect_as(server, &other, &live),
        &dump,
        &options,
        "denied",
        &(),
    )
    .unwrap_err();
    let RestoreError::Preflight { problems } = &error else {
        panic!("{error:?}")
    };
    assert!(
        problems
            .iter()
            .any(|problem| matches!(problem, Problem::NotDatabaseOwner { .. })),
        "{problems:?}"
    );
}

#[test]
fn the_strategy_follows_from_the_database_and_the_role() {
    let server = Server::shared();
    let dump = dump(&connect(server, &sample(server)));
    let (maker, owner) = (server.unique_name("maker"), server.unique_name("owner"));
    server.psql(
        "postgres",
        &format!("CREATE ROLE {maker} LOGIN CREATEDB; CREATE ROLE {owner} LOGIN"),
    );
    let chosen = |connect: &ConnectOptions| choose_strategy(connect, &dump, &options()).unwrap();
    let live = live(server);
    assert_eq!(
        chosen(&connect(server, &server.unique_name("absent"))),
        Strategy::Fresh
    );
    assert_eq!(
        chosen(&connect(server, &server.create_db("empty"))),
        Strategy::Fresh
    );
    assert_eq!(chosen(&connect(server, &live)), Strategy::Swap);
    for (role, strategy) in [(&maker, Strategy::Swap), (&owner, Strategy::Replace)] {
        server.psql(
            "postgres",
            &format!("ALTER DATABASE {live} OWNER TO {role}"),
        );
        assert_eq!(chosen(&connect_as(server, role, &live)), strategy);
    }
}
