//! PostgreSQL to a schema model and streams of COPY segments, and back.
