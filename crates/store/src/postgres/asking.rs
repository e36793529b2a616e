//! The verbs of asking, each lent a connection.

use jiff::Timestamp;

use super::pool::Loan;
use super::{Postgres, index};
use crate::index::{AT_ONCE, seal};
use crate::rows::{Indexed, Indexing};
use crate::{Asking, Result};

#[async_trait::async_trait]
impl Asking for Postgres {
    async fn index(&self, profile: &str, leads: Vec<Indexed>, seen_at: Timestamp) -> Result<()> {
        let mut sealed = seal(&self.vault, profile, leads);
        while !sealed.is_empty() {
            let rest = sealed.split_off(sealed.len().min(AT_ONCE));
            let (profile, part) = (profile.to_owned(), std::mem::replace(&mut sealed, rest));
            self.write(
                move |db, _| async move { index::index(&db, &profile, &part, seen_at).await },
            )
            .await?;
        }
        Ok(())
    }

    async fn unindex(&self, profile: &str, leads: &[String]) -> Result<()> {
        for part in leads.chunks(AT_ONCE) {
            let (profile, part) = (profile.to_owned(), part.to_vec());
            self.write(move |db, _| async move { index::unindex(&db, &profile, &part).await })
                .await?;
        }
        Ok(())
    }

    async fn sweep_index(&self, profile: &str, seen_before: Timestamp) -> Result<u64> {
        let mut swept = 0;
        loop {
            let profile = profile.to_owned();
            let part = self
                .write(move |db, _| async move { index::sweep(&db, &profile, seen_before).await })
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
        self.look(Loan::Single, move |db, vault| async move {
            index::resembling(&db, &vault, &profile, &tokens, limit).await
        })
        .await
    }

    async fn indexing(&self, profile: &str) -> Result<Indexing> {
        let profile = profile.to_owned();
        self.look(Loan::Single, move |db, _| async move {
            index::indexing(&db, &profile).await
        })
        .await
    }

    async fn set_indexing(&self, profile: &str, indexing: &Indexing) -> Result<()> {
        let (profile, indexing) = (profile.to_owned(), indexing.clone());
        self.write(move |db, _| async move { index::set_indexing(&db, &profile, &indexing).await })
            .await
    }
}
