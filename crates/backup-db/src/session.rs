//! One connection with a blocking face: a runtime of its own drives it while a call waits.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, NoTls, Row, SimpleQueryMessage};

use crate::connect::{self, Connected, Tls, Wire};
use crate::{CancelToken, ConnectError, ConnectOptions, QueryError};

/// A connection to a server. Calls block; dropping it closes the connection.
pub struct Session {
    client: Client,
    tls: Tls,
    notices: Arc<Mutex<Vec<Notice>>>,
    cancel: Option<CancelToken>,
    runtime: Runtime,
}

/// A warning or notice that the server sent along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `WARNING`, `NOTICE`, …
    pub severity: String,
    /// SQLSTATE; `00000` and class 01 for what is no error.
    pub sqlstate: String,
    /// The text.
    pub message: String,
}

/// How often a waiting call looks whether it is cancelled.
const CANCEL_CHECK: Duration = Duration::from_millis(100);

/// Notices kept between two calls of [`Session::take_notices`]; the rest is dropped.
const MAX_NOTICES: usize = 1000;

impl Session {
    /// Opens a connection.
    ///
    /// # Errors
    /// See [`ConnectError`]; of several hosts, the error of the last.
    pub fn connect(options: &ConnectOptions) -> Result<Self, ConnectError> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(ConnectError::Runtime)?;
        let Connected {
            client,
            tls,
            connection,
        } = runtime.block_on(connect::connect(options))?;
        let notices = Arc::new(Mutex::new(Vec::new()));
        match connection {
            Wire::Plain(mut wire) => {
                drive(
                    &runtime,
                    futures_util::stream::poll_fn(move |context| wire.poll_message(context)),
                    &notices,
                );
            }
            Wire::Encrypted(mut wire) => {
                drive(
                    &runtime,
                    futures_util::stream::poll_fn(move |context| wire.poll_message(context)),
                    &notices,
                );
            }
        }
        Ok(Self {
            client,
            tls,
            notices,
            cancel: None,
            runtime,
        })
    }

    /// From now on, calls end with an error soon after `token` is cancelled: the statement is cancelled on the server too.
    pub fn cancel_with(&mut self, token: CancelToken) {
        self.cancel = Some(token);
    }

    /// Runs one statement with parameters `$1`, `$2`, … and returns its rows.
    ///
    /// # Errors
    /// [`QueryError`] with the statement and the server's answer, here and in all calls below.
    pub fn query(
        &mut self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, QueryError> {
        self.wait(sql, self.client.query(sql, parameters))
    }

    /// As [`Session::query`], for a statement that gives exactly one row.
    pub fn query_one(
        &mut self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Row, QueryError> {
        self.wait(sql, self.client.query_one(sql, parameters))
    }

    /// As [`Session::query`], for a statement that gives one row or none.
    pub fn query_opt(
        &mut self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<Row>, QueryError> {
        self.wait(sql, self.client.query_opt(sql, parameters))
    }

    /// Runs one statement with parameters and returns the number of rows it changed.
    pub fn execute(
        &mut self,
        sql: &str,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<u64, QueryError> {
        self.wait(sql, self.client.execute(sql, parameters))
    }

    /// Runs statements separated by semicolons, as one simple query: one transaction, unless they say otherwise.
    pub fn batch(&mut self, sql: &str) -> Result<(), QueryError> {
        self.wait(sql, self.client.batch_execute(sql))
    }

    /// As [`Session::batch`], and returns every row of every statement as text (`None` is NULL).
    pub fn query_text(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>, QueryError> {
        let messages = self.wait(sql, self.client.simple_query(sql))?;
        let row = |message: &SimpleQueryMessage| match message {
            SimpleQueryMessage::Row(row) => Some(
                (0..row.len())
                    .map(|column| row.get(column).map(str::to_owned))
                    .collect(),
            ),
            _ => None,
        };
        Ok(messages.iter().filter_map(row).collect())
    }

    /// Runs `COPY … TO STDOUT` and hands every row, with its line feed, to `take`.
    ///
    /// When `take` returns `false` the rest is not wanted: the statement is cancelled and the call returns `Ok(false)`. The connection's
    /// transaction has failed then.
    pub fn copy_out(
        &mut self,
        sql: &str,
        mut take: impl FnMut(&[u8]) -> bool,
    ) -> Result<bool, QueryError> {
        let client = &self.client;
        let copy = async {
            let stream = client.copy_out(sql).await?;
            let mut stream = pin!(stream);
            while let Some(row) = stream.next().await {
                if !take(&row?) {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        let complete = self.wait(sql, copy)?;
        if !complete {
            self.canceller().cancel();
        }
        Ok(complete)
    }

    /// Runs `COPY … FROM STDIN` with the pieces that `next` gives until it gives `None`, and returns the number of rows.
    ///
    /// Where the pieces are cut does not matter. An error of `next` aborts the statement: nothing is added to the table.
    pub fn copy_in<E>(
        &mut self,
        sql: &str,
        mut next: impl FnMut() -> Result<Option<Bytes>, E>,
    ) -> Result<u64, CopyInError<E>> {
        let client = &self.client;
        let mut given_up = None;
        let copy = async {
            let sink = client.copy_in(sql).await?;
            let mut sink = pin!(sink);
            loop {
                match next() {
                    Ok(Some(piece)) => {
                        if let Err(error) = sink.as_mut().feed(piece).await {
                            // The server refused a row: its answer says more than the closed channel does.
                            return Err(sink.finish().await.err().unwrap_or(error));
                        }
                    }
                    Ok(None) => return sink.finish().await,
                    Err(error) => {
                        given_up = Some(error);
                        return Ok(0);
                    }
                }
            }
        };
        let rows = self.wait(sql, copy);
        match given_up {
            Some(error) => Err(CopyInError::Source(error)),
            None => rows.map_err(CopyInError::Query),
        }
    }

    /// Process id of the server's side of this connection.
    pub fn backend_pid(&mut self) -> Result<i32, QueryError> {
        Ok(self
            .query_one("SELECT pg_catalog.pg_backend_pid()", &[])?
            .get(0))
    }

    /// What cancels this session's statement from another thread.
    pub fn canceller(&self) -> Canceller {
        Canceller {
            token: self.client.cancel_token(),
            tls: self.tls.clone(),
        }
    }

    /// Whether the connection is known to be gone.
    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// The notices since the last call.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn wait<T>(
        &self,
        sql: &str,
        work: impl Future<Output = Result<T, tokio_postgres::Error>>,
    ) -> Result<T, QueryError> {
        let outcome = match &self.cancel {
            None => self.runtime.block_on(work),
            Some(token) => self.runtime.block_on(self.until_cancelled(token, work)),
        };
        outcome.map_err(|error| QueryError::new(sql, error))
    }

    async fn until_cancelled<T>(&self, token: &CancelToken, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        while !token.is_cancelled() {
            if let Ok(outcome) = tokio::time::timeout(CANCEL_CHECK, work.as_mut()).await {
                return outcome;
            }
        }
        self.canceller().request().await;
        work.await
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Session")
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

/// Why [`Session::copy_in`] failed.
#[derive(Debug, thiserror::Error)]
pub enum CopyInError<E> {
    /// The server refused.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The pieces could not be read.
    #[error("cannot read the rows to copy")]
    Source(#[source] E),
}

/// Cancels the statement that a [`Session`] runs; can go to another thread.
#[derive(Clone)]
pub struct Canceller {
    token: tokio_postgres::CancelToken,
    tls: Tls,
}

impl Canceller {
    /// Asks the server to cancel. Whether it did shows in the outcome of the statement.
    pub fn cancel(&self) {
        if let Ok(runtime) = Builder::new_current_thread().enable_all().build() {
            runtime.block_on(self.request());
        }
    }

    async fn request(&self) {
        // When the request cannot be delivered, the statement just runs on to its end.
        let _ = match &self.tls {
            Tls::None => self.token.cancel_query(NoTls).await,
            Tls::Rustls(tls) => self.token.cancel_query(tls.clone()).await,
        };
    }
}

/// Moves the connection's bytes whenever the runtime runs, and keeps its notices.
fn drive<S>(runtime: &Runtime, messages: S, notices: &Arc<Mutex<Vec<Notice>>>)
where
    S: futures_util::Stream<Item = Result<AsyncMessage, tokio_postgres::Error>>
        + Send
        + Unpin
        + 'static,
{
    let notices = Arc::clone(notices);
    let mut messages = messages;
    runtime.spawn(async move {
        // An error ends the stream; the call that waits for an answer gets it as well.
        while let Some(Ok(message)) = messages.next().await {
            if let AsyncMessage::Notice(notice) = message {
                let mut notices = notices.lock().unwrap_or_else(PoisonError::into_inner);
                if notices.len() < MAX_NOTICES {
                    notices.push(Notice {
                        severity: notice.severity().to_owned(),
                        sqlstate: notice.code().code().to_owned(),
                        message: notice.message().to_owned(),
                    });
                }
            }
        }
    });
}
