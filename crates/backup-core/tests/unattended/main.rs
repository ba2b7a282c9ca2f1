//! A site that is looked after by nobody: records, removal, journal, schedule, notification, health.

mod catalogue;
mod journal;
mod model;
mod removal;
mod runs;
mod site;
mod sources;
