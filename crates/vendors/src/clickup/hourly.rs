//! What changes rarely is looked up once an hour, by one caller while the others wait.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::outcome::Failure;
use tokio::time::Instant;

const HOUR: Duration = Duration::from_secs(3600);
/// After a refresh that failed.
const AGAIN: Duration = Duration::from_secs(60);

/// A value and when it was read.
pub(super) struct Hourly<T> {
    loading: tokio::sync::Mutex<()>,
    kept: Mutex<Option<Kept<T>>>,
}

struct Kept<T> {
    value: Arc<T>,
    read_at: Instant,
    due_at: Instant,
}

impl<T> Default for Hourly<T> {
    fn default() -> Self {
        Self {
            loading: tokio::sync::Mutex::default(),
            kept: Mutex::default(),
        }
    }
}

impl<T> Hourly<T> {
    /// `fresh` wants a value that was read after this call began. When ClickUp merely does not answer an hourly
    /// refresh, the old value goes on.
    pub async fn get(
        &self,
        fresh: bool,
        load: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Arc<T>, Failure> {
        let asked_at = Instant::now();
        if !fresh && let Some(value) = self.current(asked_at) {
            return Ok(value);
        }
        let _loading = self.loading.lock().await;
        if let Some(value) = self.since(asked_at, fresh) {
            return Ok(value);
        }
        match load.await {
            Ok(value) => Ok(self.keep(value)),
            Err(Failure::Transient { .. } | Failure::Limited { .. }) if !fresh && self.postpone() => {
                self.since(asked_at, false).ok_or_else(|| unreachable())
            }
            Err(failure) => Err(failure),
        }
    }

    pub fn forget(&self) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
