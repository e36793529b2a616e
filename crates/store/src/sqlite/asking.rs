//! The verbs of asking, handed to the right connection.

use jiff::Timestamp;

use super::{Sqlite, aliases, hooks, index, questions};
use crate::index::{AT_ONCE, seal};
use crate::rows::{
    Alias, Answer, Answered, Claim, Closed, Hook, Indexed, Indexing, NewQuestion, Question,
    QuestionFilter, QuestionState,
};
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

    async fn hooks(&self, profile: &str) -> Result<Vec<Hook>> {
        self.glance(|db, vault| hooks::hooks(db, vault, profile))
    }

    async fn keep_hook(&self, profile: &str, hook: &Hook) -> Result<()> {
        let (profile, hook) = (profile.to_owned(), hook.clone());
        self.write(move |db, vault| hooks::keep(db, vault, &profile, &hook))
            .await
    }

    async fn forget_hook(&self, profile: &str, id: &str) -> Result<()> {
        let (profile, id) = (profile.to_owned(), id.to_owned());
        self.write(move |db, _| hooks::forget(db, &profile, &id))
            .await
    }

    async fn hold(&self, claim: &Claim, question: NewQuestion) -> Result<Option<String>> {
        self.settle(claim, move |db, vault, claim| {
            questions::hold(db, vault, claim, &question)
        })
        .await
    }

    async fn questions(&self, filter: &QuestionFilter) -> Result<Vec<Question>> {
        let filter = filter.clone();
        self.look(move |db, vault| questions::questions(db, vault, &filter))
            .await
    }

    async fn question(&self, id: &str) -> Result<Option<Question>> {
        self.glance(|db, vault| questions::question(db, vault, id))
    }

    async fn asked(&self, profile: &str, person: &str) -> Result<Vec<Question>> {
        self.glance(|db, vault| questions::asked(db, vault, profile, person))
    }

    async fn answer(&self, id: &str, answer: Answer, by: &str, now: Timestamp) -> Result<Answered> {
        let (id, by) = (id.to_owned(), by.to_owned());
        self.write(move |db, vault| questions::answer(db, vault, &id, &answer, &by, now))
            .await
    }

    async fn close(&self, id: &str, why: Closed, now: Timestamp) -> Result<bool> {
        let id = id.to_owned();
        self.write(move |db, _| questions::close(db, &id, why, now))
            .await
    }

    async fn questions_due(
        &self,
        profile: &str,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<String>> {
        self.glance(|db, _| questions::due(db, profile, now, limit))
    }

    async fn next_question_due(&self, profile: &str) -> Result<Option<Timestamp>> {
        self.glance(|db, _| questions::next_due(db, profile))
    }

    async fn begin_posting(&self, id: &str) -> Result<bool> {
        let id = id.to_owned();
        self.write(move |db, _| questions::begin_posting(db, &id))
            .await
    }

    async fn not_posted(&self, id: &str) -> Result<()> {
        let id = id.to_owned();
        self.write(move |db, _| questions::not_posted(db, &id))
            .await
    }

    async fn posted(&self, id: &str, channel: &str, ts: &str) -> Result<bool> {
        let (id, channel, ts) = (id.to_owned(), channel.to_owned(), ts.to_owned());
        self.write(move |db, _| questions::posted(db, &id, &channel, &ts))
            .await
    }

    async fn shown(&self, id: &str, state: QuestionState) -> Result<()> {
        let id = id.to_owned();
        self.write(move |db, _| questions::shown(db, &id, state))
            .await
    }

    async fn unposted(&self, profile: &str, limit: usize) -> Result<Vec<Question>> {
        self.glance(|db, vault| questions::unposted(db, vault, profile, limit))
    }

    async fn alias(&self, profile: &str, email: &str) -> Result<Option<Alias>> {
        self.glance(|db, vault| aliases::alias(db, vault, profile, email))
    }

    async fn aliases(&self, profile: &str) -> Result<Vec<Alias>> {
        let profile = profile.to_owned();
        self.look(move |db, vault| aliases::aliases(db, vault, &profile))
            .await
    }

    async fn learn_alias(&self, profile: &str, alias: &Alias) -> Result<()> {
        let (profile, alias) = (profile.to_owned(), alias.clone());
        self.write(move |db, vault| aliases::learn(db, vault, &profile, &alias))
            .await
    }

    async fn forget_alias(&self, profile: &str, email: &str) -> Result<bool> {
        let (profile, email) = (profile.to_owned(), email.to_owned());
        self.write(move |db, vault| aliases::forget(db, vault, &profile, &email))
            .await
    }
}
