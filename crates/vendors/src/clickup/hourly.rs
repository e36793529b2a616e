//! What changes rarely is looked up once an hour, by one caller while the others wait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::outcome::Failure;
use tokio::time::Instant;

const HOUR: Duration = Duration::from_secs(3600);
/// After a refresh that failed, the old value goes on for this long.
const AGAIN: Duration = Duration::from_secs(60);

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
    /// `fresh` wants a value that was read after this call began, or the failure. Otherwise an hourly refresh that
    /// merely gets no answer keeps the old value going.
    pub async fn get(
        &self,
        fresh: bool,
        load: impl Future<Output = Result<T, Failure>>,
    ) -> Result<Arc<T>, Failure> {
        let asked_at = Instant::now();
        if let Some(value) = self.usable(fresh, asked_at) {
            return Ok(value);
        }
        let _loading = self.loading.lock().await;
        if let Some(value) = self.usable(fresh, asked_at) {
            return Ok(value);
        }
        match load.await {
            Ok(value) => Ok(self.keep(value)),
            Err(failure @ (Failure::Transient { .. } | Failure::Limited { .. })) if !fresh => {
                self.go_on().ok_or(failure)
            }
            Err(failure) => Err(failure),
        }
    }

    fn usable(&self, fresh: bool, asked_at: Instant) -> Option<Arc<T>> {
        let kept = self.kept();
        let kept = kept.as_ref()?;
        let is_usable = if fresh {
            kept.read_at >= asked_at
        } else {
            Instant::now() < kept.due_at
        };
        is_usable.then(|| kept.value.clone())
    }

    fn keep(&self, value: T) -> Arc<T> {
        let value = Arc::new(value);
        let now = Instant::now();
        *self.kept() = Some(Kept {
            value: value.clone(),
            read_at: now,
            due_at: now + HOUR,
        });
        value
    }

    fn go_on(&self) -> Option<Arc<T>> {
        let mut kept = self.kept();
        let kept = kept.as_mut()?;
        kept.due_at = Instant::now() + AGAIN;
        Some(kept.value.clone())
    }

    /// Lets the next caller read it again; until it is answered, the old value stands.
    pub fn expire(&self) {
        if let Some(kept) = self.kept().as_mut() {
            kept.due_at = Instant::now();
        }
    }

    /// The same, once it is a minute old.
    pub fn expire_soon(&self) {
        if let Some(kept) = self.kept().as_mut() {
            kept.due_at = kept.due_at.min(kept.read_at + AGAIN);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Option<Kept<T>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
