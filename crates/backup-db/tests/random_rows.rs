//! Whatever rows there are: a restored database has the same, by our digests and by `pg_dump`.

use std::cell::Cell;

use backup_db::{RestoreOptions, restore_fresh};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use testkit::Server;

mod support;

use support::{assert_equal, connect, dump, options};

/// A type and values of it, as SQL expressions.
fn column() -> impl Strategy<Value = (&'static str, Vec<String>)> {
    let text = || {
        prop::collection::vec(any_character(), 0..40)
            .prop_map(|characters| characters.into_iter().collect::<String>())
    };
    let of = |name: &'static str, value: BoxedStrategy<String>| {
        prop::collection::vec(nullable(value), 8).prop_map(move |values| (name, values))
    };
    prop_oneof![
        of("text", text().prop_map(|text| literal(&text)).boxed()),
        of(
            "text[]",
            prop::collection::vec(text(), 0..4)
                .prop_map(|texts| format!(
                    "ARRAY[{}]::text[]",
                    texts
                        .iter()
                        .map(|text| literal(text))
                        .collect::<Vec<_>>()
                        .join(", ")
                ))
                .boxed()
        ),
        of(
            "jsonb",
            text()
                .prop_map(|text| format!("to_jsonb({}::text)", literal(&text)))
                .boxed()
        ),
        of(
            "bytea",
            prop::collection::vec(any::<u8>(), 0..60)
                .prop_map(|bytes| format!("'\\x{}'", hex(&bytes)))
                .boxed()
        ),
        of(
            "float8",
            any::<f64>()
                .prop_map(|number| format!("'{number:e}'"))
                .boxed()
        ),
        of(
            "float8",
            prop_oneof![
                Just("'NaN'"),
                Just("'-Infinity'"),
                Just("'-0'"),
                Just("'5e-324'")
            ]
            .prop_map(str::to_owned)
            .boxed()
        ),
        of(
            "float4",
            any::<f32>()
                .prop_map(|number| format!("'{number:e}'"))
                .boxed()
        ),
        of(
            "numeric",
            (any::<i128>(), 0..60_u32)
                .prop_map(|(digits, scale)| format!("{digits}::numeric / 10::numeric ^ {scale}"))
                .boxed()
        ),
        of(
            "int8",
            any::<i64>()
                .prop_map(|number| format!("'{number}'"))
                .boxed()
        ),
        of(
            "timestamptz",
            (-210_000_000_000_i64..9_000_000_000_000, 0..1_000_000)
                .prop_map(|(seconds, micros)| format!(
                    "to_timestamp({seconds}) + interval '{micros} us'"
                ))
                .boxed()
        ),
        of(
            "timestamptz",
            prop_oneof![Just("'infinity'"), Just("'-infinity'")]
                .prop_map(str::to_owned)
                .boxed()
        ),
        of(
            "interval",
            (any::<i32>(), any::<i32>(), any::<i64>())
                .prop_map(|(months, days, micros)| format!(
                    "make_interval(months => {}, days => {days}, secs => {} / 1e6)",
                    months / 2,
                    micros / 4
                ))
                .boxed()
        ),
        of(
            "uuid",
            any::<u128>()
                .prop_map(|bits| format!("'{bits:032x}'"))
                .boxed()
        ),
        of(
            "inet",
            any::<std::net::IpAddr>()
                .prop_map(|address| format!("'{address}'"))
                .boxed()
        ),
        of(
            "int4range",
            (any::<i32>(), 0..i32::MAX)
                .prop_map(|(from, length)| format!(
                    "int4range({from}, {})",
                    from.saturating_add(length).min(i32::MAX - 1).max(from)
                ))
                .boxed()
        ),
    ]
}

/// All that a text may hold (not NUL), with what COPY escapes more often than by chance.
fn any_character() -> impl Strategy<Value = char> {
    prop_oneof![
        prop::sample::select(vec![
            '\\',
            '\n',
            '\t',
            '\r',
            '\u{8}',
            '\u{b}',
            '\u{c}',
            'N',
            '.',
            '"',
            '\'',
            ',',
            '{',
            '}',
            '\u{7f}',
            '\u{feff}',
            '\u{10ffff}'
        ]),
        any::<char>().prop_filter("NUL is no character of a text", |character| *character
            != '\0'),
    ]
}

fn nullable(value: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    prop_oneof![1 => Just("NULL".to_owned()), 6 => value]
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn random_rows_survive() {
    let server = Server::shared();
    let source = server.create_db("random");
    let tables = Cell::new(0);
    // Many tables in one database: a database for each would take most of the time.
    let mut runner = TestRunner::new(Config {
        cases: 60,
        max_shrink_iters: 0,
        failure_persistence: None,
        ..Config::default()
    });
    runner
        .run(&prop::collection::vec(column(), 1..8), |columns| {
            let names: Vec<String> = columns
                .iter()
                .enumerate()
                .map(|(index, (kind, _))| format!("c{index} {kind}"))
                .collect();
            let rows: Vec<String> = (0..8)
                .map(|row| {
                    format!(
                        "({})",
                        columns
                            .iter()
                            .map(|(kind, values)| format!("({})::{kind}", values[row]))
                            .collect::<Vec<_>>()
                            .join(", ")
                    )
                })
                .collect();
            let table = tables.replace(tables.get() + 1);
            let sql = format!(
                "CREATE TABLE t{table} ({}); INSERT INTO t{table} VALUES {}",
                names.join(", "),
                rows.join(", ")
            );
            server
                .try_psql(&source, &sql)
                .map_err(|error| TestCaseError::fail(format!("{sql}: {error}")))?;
            Ok(())
        })
        .unwrap();
    let dump = dump(&connect(server, &source));
    let target = server.unique_name("random");
    let options = RestoreOptions {
        verify: true,
        ..options()
    };
    let stats = restore_fresh(&connect(server, &target), &dump, &options, &()).unwrap();
    assert_eq!((stats.tables, stats.rows), (60, 480));
    assert_equal(server, &source, &target, &[]);
}
