//! Where a placement can be interrupted: tests stop the process at each of these points.

/// Is told of each step of a placement, after it took effect. The default does nothing.
pub trait Steps: Send + Sync {
    /// A step was taken: `journal` for a synced record, `rename` for one rename, `folder` for a folder made, removed or adjusted.
    fn reached(&self, step: &'static str) {
        let _ = step;
    }
}

impl Steps for () {}
