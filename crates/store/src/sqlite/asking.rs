//! The verbs of asking, handed to the right connection.

use jiff::Timestamp;

use super::{Sqlite, index};
use crate::index::{AT_ONCE, seal};
use crate::rows::{Indexed, Indexing};
use crate::{Asking, Result};

#[async_trait::async_trait]
impl Asking for Sqlite {
    async fn index(&self, profile: &str, leads: Vec<Indexed>, seen_at: Timestamp) -> Result<()> {
        let mut sealed = seal(&self.vault, profile, leads);
        while !sealed.is_empty() {
            let rest = sealed.split_off(sealed.len().min(AT_ONCE));
            let (profile, part) = (profile.to_owned(), std::mem::replace(&mut sealed, rest));
            self.write(move |db, _| index::index(db, &profile, &part, seen_at))
                .await?;
        }
        Ok(())
    }

    async fn unindex(&self, profile: &str, leads: &[String]) -> Result<()> {
        for part in leads.chunks(AT_ONCE) {
            let (profile, part) = (profile.to_owned(), part.to_vec());
            self.write(move |db, _| index::unindex(db, &profile, &part))
                .await?;
        }
        Ok(())
    }

    async fn sweep_index(&self, profile: &str, seen_before: Timestamp) -> Result<u64> {
        let mut swept = 0;
        loop {
            let profile = profile.to_owned();
            let part = self
                .write(move |db, _| index::sweep(db, &profile, seen_before))
                .await?;
            swept += part as u64;
            if part < AT_ONCE {
                return Ok(swept);
            }
        }
    }

    async fn resembling(
        &self,
        profile: &str,
        tokens: &[String],
        limit: usize,
    ) -> Result<Vec<Indexed>> {
        let (profile, tokens) = (profile.to_owned(), tokens.to_vec());
        self.look(move |db, vault| index::resembling(db, vault, &profile, &tokens, limit))
            .await
    }

    async fn indexing(&self, profile: &str) -> Result<Indexing> {
        let profile = profile.to_owned();
        self.look(move |db, _| index::indexing(db, &profile)).await
    }

    async fn set_indexing(&self, profile: &str, indexing: &Indexing) -> Result<()> {
        let (profile, indexing) = (profile.to_owned(), indexing.clone());
        self.write(move |db, _| index::set_indexing(db, &profile, &indexing))
            .await
    }
}
