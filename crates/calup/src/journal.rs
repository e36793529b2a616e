//! What a change has done so far, while it is worked on: read once, kept here, and recorded together with the next
//! intent or with the change's end. What a crash loses of it was sent by an effect that is still `attempting`, which
//! is looked up.

use std::collections::HashMap;

use domain::effect::Effect;
use store::rows::{Link, Record, Register, Stored};

use crate::app::App;
use crate::crash;

pub struct Journal<'a> {
    app: &'a App,
    profile: &'a str,
    effects: Vec<Effect>,
    /// By token; `None` where there is none.
    links: HashMap<String, Option<Link>>,
    registers: HashMap<String, Register>,
    unrecorded: Record,
}

impl<'a> Journal<'a> {
    pub async fn of(app: &'a App, stored: &'a Stored) -> Result<Self, store::Error> {
        Ok(Self {
            app,
            profile: &stored.profile,
            effects: app.store.effects(&stored.profile, &stored.key).await?,
            links: HashMap::new(),
            registers: HashMap::new(),
            unrecorded: Record::default(),
        })
    }

    pub fn effects(&self) -> &[Effect] {
        &self.effects
    }

    pub fn set_effect(&mut self, effect: &Effect) {
        put(&mut self.effects, effect.clone(), |e| e.key == effect.key);
        put(&mut self.unrecorded.effects, effect.clone(), |e| {
            e.key == effect.key
        });
    }

    /// In the order of `tokens`; those that lead nowhere are left out.
    pub async fn links(&mut self, tokens: &[String]) -> Result<Vec<Link>, store::Error> {
        let unknown: Vec<String> = tokens
            .iter()
            .filter(|t| !self.links.contains_key(*t))
            .cloned()
            .collect();
        if !unknown.is_empty() {
            let found = self.app.store.links(self.profile, &unknown).await?;
            self.links.extend(unknown.into_iter().map(|t| (t, None)));
            for link in found {
                self.links.insert(link.token.clone(), Some(link));
            }
        }
        let known = tokens.iter().filter_map(|t| self.links.get(t)?.clone());
        Ok(known.collect())
    }

    pub fn set_links(&mut self, links: impl IntoIterator<Item = Link>) {
        for link in links {
            self.links.insert(link.token.clone(), Some(link.clone()));
            let token = link.token.clone();
            put(&mut self.unrecorded.links, link, |l| l.token == token);
        }
    }

    pub async fn register(&mut self, lead: &str) -> Result<Register, store::Error> {
        if let Some(register) = self.registers.get(lead) {
            return Ok(register.clone());
        }
        let register = self.app.store.register(self.profile, lead).await?;
        self.registers.insert(lead.to_owned(), register.clone());
        Ok(register)
    }

    pub fn set_register(&mut self, lead: &str, register: Register) {
        let before = self.registers.insert(lead.to_owned(), register.clone());
        if before.as_ref() != Some(&register) {
            put(
                &mut self.unrecorded.registers,
                (lead.to_owned(), register),
                |(l, _)| l == lead,
            );
        }
    }

    /// Others may have written links and registers: what was read of them is read anew, once our own are recorded.
    pub async fn forget_what_was_read(&mut self) -> Result<(), store::Error> {
        self.record().await?;
        self.links.clear();
        self.registers.clear();
        Ok(())
    }

    /// The same of registers alone: what was read of a lead before nobody else could be at it.
    pub async fn forget_registers(&mut self) -> Result<(), store::Error> {
        if !self.registers.is_empty() {
            self.record().await?;
            self.registers.clear();
        }
        Ok(())
    }

    pub fn is_recorded(&self) -> bool {
        self.unrecorded.is_empty()
    }

    /// Durable on return.
    pub async fn record(&mut self) -> Result<(), store::Error> {
        if self.is_recorded() {
            return Ok(());
        }
        let record = self.take_unrecorded();
        self.app.store.record(self.profile, record).await?;
        crash::at("recorded");
        Ok(())
    }

    /// For whoever records it together with something else.
    pub fn take_unrecorded(&mut self) -> Record {
        std::mem::take(&mut self.unrecorded)
    }
}

fn put<T>(all: &mut Vec<T>, new: T, is_it: impl Fn(&T) -> bool) {
    match all.iter_mut().find(|one| is_it(one)) {
        Some(old) => *old = new,
        None => all.push(new),
    }
}
