//! Whether an act is still wanted when its turn has come: until then another one may take minutes, and who asked
//! for it may have stopped meanwhile.

use std::{fmt, sync::Arc};

/// Asked just before an act is done.
#[derive(Clone)]
pub struct Wanted(Arc<dyn Fn() -> bool + Send + Sync>);

impl Wanted {
    /// Wanted as long as this says so.
    pub fn as_long_as(is: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(is))
    }

    /// Whether it is wanted now.
    #[must_use]
    pub fn now(&self) -> bool {
        (self.0)()
    }
}

impl fmt::Debug for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.now() { "wanted" } else { "not wanted" })
    }
}
