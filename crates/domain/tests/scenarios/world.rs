//! The world that a story happens in: leads, links and memory as the program would keep them, and nothing else.
//! It follows behaviour §2 (whose lead) and does what the plan says, without any of the ways to fail.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use domain::chain::{self, Fold};
use domain::change::{self, Change, Kind, Meaning};
use domain::facts::{Facts, Found, Known, Memory};
use domain::fence::{self, Fenced};
use domain::lead::{Lead, RichText, StatusKind};
use domain::matching;
use domain::plan::{Action, Plan, plan};
use domain::text::essence;
use jiff::Timestamp;

use crate::story::{Given, Human, INBOUND, Step, Story};

const MARKER: &str = "mmmmmmmmmmmmmmmm";

pub struct World<'a> {
    story: &'a Story,
    leads: Vec<Lead>,
    deleted: BTreeSet<String>,
    /// Chain tokens and people → lead.
    links: BTreeMap<String, String>,
    people: BTreeMap<String, String>,
    memory: BTreeMap<String, Memory>,
    known: Vec<Known>,
    /// Notes whose booking is not known yet.
    waiting: Vec<usize>,
    comments: BTreeMap<String, Vec<String>>,
    block_comments: BTreeMap<String, String>,
    ticks: i64,
    out: String,
}

impl<'a> World<'a> {
    pub fn new(story: &'a Story) -> Self {
        let mut world = Self {
            story,
            leads: Vec::new(),
            deleted: BTreeSet::new(),
            links: BTreeMap::new(),
            people: BTreeMap::new(),
            memory: BTreeMap::new(),
            known: Vec::new(),
            waiting: Vec::new(),
            comments: BTreeMap::new(),
            block_comments: BTreeMap::new(),
            ticks: 0,
            out: String::new(),
        };
        for given in &story.leads {
            world.make(given);
        }
        world
    }

    /// Lets it all happen, and tells what calup did.
    pub fn tell(&mut self, steps: &[Step]) -> String {
        self.out = self.story.title.clone();
        for step in steps {
            match step {
                Step::Delivery {
                    said,
                    event,
                    received_at,
                } => {
                    let _ = write!(self.out, "\n> {said}\n");
                    match change::understand(event, &self.story.profile, *received_at) {
                        Meaning::Skipped(why) => self.say(1, &format!("skipped: {why}")),
                        Meaning::Changes(changes) => self.deliver(changes),
                    }
                }
                Step::Human { said, does } => {
                    let _ = write!(self.out, "\n* {said}\n");
                    self.act(does);
                }
            }
        }
        self.out.push_str("\nIn the end\n");
        for lead in self.leads.clone() {
            self.tell_lead(&lead);
        }
        self.out.clone()
    }

    /// What must be the same whatever the order of arrival.
    pub fn settled(&self) -> Vec<[String; 4]> {
        let mut all: Vec<[String; 4]> = self
            .leads
            .iter()
            .map(|lead| {
                let block = match fence::find(&lead.description) {
                    Fenced::Present { block, .. } => block.trim().to_owned(),
                    Fenced::Absent | Fenced::Broken => self
                        .block_comments
                        .get(&lead.id)
                        .cloned()
                        .unwrap_or_default(),
                };
                [
                    lead.list_name.clone(),
                    lead.name.clone(),
                    lead.status.clone(),
                    block,
                ]
            })
            .collect();
        all.sort();
        all
    }

    fn deliver(&mut self, changes: Vec<Change>) {
        let known: Vec<Change> = self.known.iter().map(|k| k.change.clone()).collect();
        let of_uid = |c: &Change| -> Vec<Change> {
            let same = known.iter().filter(|k| k.booking.uid == c.booking.uid);
            same.cloned().collect()
        };
        let changes: Vec<Change> = changes
            .into_iter()
            .flat_map(|c| {
                let of_uid = of_uid(&c);
                change::for_seats(c, &of_uid)
            })
            .collect();
        for change in &changes {
            if changes.len() > 1 {
                self.say(1, &format!("for {}", change.person.name));
            }
            let known: Vec<Change> = self.known.iter().map(|k| k.change.clone()).collect();
            if let Some(at) = change::known_as(change, &known) {
                self.say(1, "duplicate");
                if let Some(better) = known[at].enriched_by(change) {
                    self.say(1, "then what it adds to, which is planned again");
                    self.known[at].change = better;
                    self.work(at);
                }
                continue;
            }
            self.known.push(Known {
                change: change.clone(),
                shown: chain::Shown::Nowhere,
                done: false,
                given_up: false,
                untold: false,
                tried_at: Some(change.received_at),
                said: None,
            });
            let at = self.known.len() - 1;
            if self.awaits_booking(change) {
                self.say(1, "waits for its booking");
                self.waiting.push(at);
                continue;
            }
            self.work(at);
            let due: Vec<usize> = self
                .waiting
                .iter()
                .copied()
                .filter(|&i| !self.awaits_booking(&self.known[i].change))
                .collect();
            self.waiting.retain(|i| !due.contains(i));
            for i in due {
                let name = self.known[i].change.trigger.name().to_owned();
                self.say(1, &format!("then {name}, which waited"));
                self.work(i);
            }
        }
    }

    /// Whether its booking is not known yet.
    fn awaits_booking(&self, change: &Change) -> bool {
        change
            .note
            .as_ref()
            .is_some_and(domain::note::Note::needs_booking)
            && !self
                .known
                .iter()
                .any(|k| k.change.kind != Kind::Note && k.change.booking.uid == change.booking.uid)
    }

    fn work(&mut self, at: usize) {
        let change = &self.known[at].change.clone();
        let facts = self.facts(change, self.known[at].done);
        let plan = plan(change, &facts, &self.story.profile);
        let lead = self.carry_out(&facts, &plan);
        let known = &mut self.known[at];
        known.done = lead.is_some() && !plan.ignored;
        known.untold = lead.is_none() && !plan.ignored;
        for action in &plan.actions {
            let said = match action {
                Action::Create(new) => new.description.clone(),
                Action::Comment(text) => text.iter().map(|run| run.text.as_str()).collect(),
                Action::Write(_) | Action::BlockComment(_) => continue,
            };
            known.said.get_or_insert_default().push_str(&said);
        }
        if let Some(id) = lead.filter(|_| !plan.ignored) {
            if !matches!(change.note, Some(domain::note::Note::Guest { .. })) {
                self.link(change, &id);
            }
            // What is observed is planned again until nothing is left; here one round must do.
            let again = domain::plan::plan(change, &self.facts(change, true), &self.story.profile);
            assert!(
                again.actions.is_empty(),
                "not settled after one round: {again:?}\n{}",
                self.out
            );
        }
    }

    fn facts(&self, change: &Change, told: bool) -> Facts {
        let known = self.related(change);
        let (found, tokens) = {
            let fold = chain::fold(known.iter().map(|k| &k.change));
            (self.find(change, &fold), fold.tokens(change))
        };
        assert!(
            !tokens.is_empty() || change.kind == Kind::Note,
            "every change is in a chain"
        );
        let (list, memory) = match &found {
            Found::Lead(lead, _) => (
                lead.list_name.clone(),
                self.memory.get(&lead.id).cloned().unwrap_or_default(),
            ),
            Found::Nobody | Found::Deleted => (INBOUND.to_owned(), Memory::default()),
        };
        Facts {
            known,
            found,
            is_said: false,
            asking: domain::question::Asking::default(),
            memory,
            statuses: self.statuses(&list),
            list_name: list,
            told,
            moved_status: told,
            dead: Vec::new(),
            comment_marker: MARKER.into(),
            create_marker: MARKER.into(),
            no_fields: false,
            no_status: false,
            plain_type: false,
        }
    }

    /// The person's changes, and all that names one of their bookings or is named by one, over and over.
    fn related(&self, change: &Change) -> Vec<Known> {
        let names = |c: &Change| -> BTreeSet<String> {
            let ical = c.booking.ical_uid.as_deref();
            [
                Some(c.booking.uid.as_str()),
                c.booking.reschedule_uid.as_deref(),
                c.seat.as_deref(),
                ical.and_then(|i| i.split_once('@')).map(|(uid, _)| uid),
            ]
            .into_iter()
            .flatten()
            .map(str::to_owned)
            .collect()
        };
        let mut all: BTreeSet<String> = names(change);
        let own = |k: &&Known| k.change.identity() == change.identity();
        all.extend(self.known.iter().filter(own).flat_map(|k| names(&k.change)));
        loop {
            let before = all.len();
            for known in &self.known {
                let of = names(&known.change);
                if of.iter().any(|n| all.contains(n)) {
                    all.extend(of);
                }
            }
            if all.len() == before {
                break;
            }
        }
        self.known
            .iter()
            .filter(|k| names(&k.change).iter().any(|n| all.contains(n)))
            .cloned()
            .collect()
    }

    fn find(&self, change: &Change, fold: &Fold) -> Found {
        let alive = |id: &String| self.leads.iter().find(|l| l.id == *id);
        let is_guest = matches!(change.note, Some(domain::note::Note::Guest { .. }));
        let linked: Vec<&String> = fold
            .tokens(change)
            .iter()
            .filter(|_| !is_guest)
            .filter_map(|t| self.links.get(t))
            .collect();
        if let Some(lead) = linked.iter().find_map(|id| alive(id)) {
            return Found::Lead(Box::new(lead.clone()), "the lead of this meeting".into());
        }
        let by_email = change
            .person
            .email
            .as_deref()
            .and_then(|e| matching::choose(&self.leads, e, &self.story.profile));
        if let Some(lead) = by_email {
            return Found::Lead(Box::new(lead.clone()), "the e-mail is the lead's".into());
        }
        if linked.iter().any(|id| self.deleted.contains(*id)) {
            return Found::Deleted;
        }
        let own = self.people.get(&change.identity()).and_then(alive);
        own.map_or(Found::Nobody, |lead| {
            Found::Lead(
                Box::new(lead.clone()),
                "the lead made for this person".into(),
            )
        })
    }

    fn link(&mut self, change: &Change, id: &str) {
        let related = self.related(change);
        let fold = chain::fold(related.iter().map(|k| &k.change));
        for token in fold.tokens(change) {
            self.links.insert(token, id.to_owned());
        }
        self.people.insert(change.identity(), id.to_owned());
    }

    fn statuses(&self, list: &str) -> Vec<(String, StatusKind)> {
        let list = self.story.lists.iter().find(|l| l.name == list);
        list.expect("a story's leads are on its lists")
            .statuses
            .clone()
    }

    /// Does what is planned. Gives the lead, unless the change ends without one.
    fn carry_out(&mut self, facts: &Facts, plan: &Plan) -> Option<String> {
        match plan.skip {
            _ if plan.ignored => self.say(1, "ignored"),
            Some(why) => self.say(1, &format!("skipped: {why}")),
            None => self.say(1, "done"),
        }
        for reason in &plan.reasons {
            self.say(1, &format!("- {reason}"));
        }
        for (_, text, hint) in &plan.notices {
            self.say(1, &format!("! {text}; {hint}"));
        }
        let mut id = match &facts.found {
            Found::Lead(lead, _) => Some(lead.id.clone()),
            Found::Nobody | Found::Deleted => None,
        };
        for action in &plan.actions {
            match action {
                Action::Create(new) => {
                    self.say(1, &format!("makes the lead {}", new.name));
                    let given = Given {
                        name: new.name.clone(),
                        list: INBOUND.into(),
                        status: new.status.clone().unwrap_or_else(|| "To do".into()),
                        emails: new.email.clone().into_iter().collect(),
                        description: self.rendered(&new.description),
                    };
                    let contact = [new.email.as_deref(), new.phone.as_deref()];
                    for what in contact.into_iter().flatten() {
                        self.say(2, what);
                    }
                    for (field, value) in new.answers.chunks(2).filter_map(|c| c.first()) {
                        self.say(2, &format!("field {field}: {value}"));
                    }
                    self.say(2, &format!("status {}", given.status));
                    self.quote(&given.description.clone());
                    let made = self.make(&given);
                    let memory = self.memory.entry(made.clone()).or_default();
                    memory.status_set.clone_from(&new.status);
                    memory.block_written = fence::find(&given.description) != Fenced::Absent;
                    id = Some(made);
                }
                Action::Write(write) => {
                    let id = id.clone().expect("a write has a lead");
                    if let Some(status) = &write.status {
                        self.set_status(&id, status);
                        self.memory.entry(id.clone()).or_default().status_set =
                            Some(status.clone());
                    }
                    if let Some(description) = &write.description {
                        let Fenced::Present { block, .. } = fence::find(description) else {
                            panic!("what is written holds a block: {description}");
                        };
                        self.say(1, "block");
                        self.quote(block.trim());
                        let rendered = self.rendered(description);
                        self.lead(&id).description = rendered;
                        self.memory.entry(id.clone()).or_default().block_written = true;
                    }
                }
                Action::Comment(text) => {
                    let id = id.clone().expect("a comment has a lead");
                    let plain = plain(text);
                    self.say(1, "comment");
                    self.quote(&plain);
                    self.comments.entry(id).or_default().push(plain);
                }
                Action::BlockComment(text) => {
                    let id = id.clone().expect("a comment has a lead");
                    let plain = plain(text);
                    self.say(1, "block, in a comment");
                    self.quote(&plain);
                    let memory = self.memory.entry(id.clone()).or_default();
                    memory.block_comment = true;
                    memory.block_comment_text = Some(plain.clone());
                    self.block_comments.insert(id, plain);
                }
            }
        }
        if let (Some(status), Some(id)) = (&plan.status_taken, &id) {
            self.memory.entry(id.clone()).or_default().status_set = Some(status.clone());
        }
        if plan.block_removed
            && let Some(id) = &id
        {
            self.memory.entry(id.clone()).or_default().block_removed = true;
        }
        id
    }

    fn act(&mut self, does: &Human) {
        let id = |name: &String| {
            let lead = self.leads.iter().find(|l| l.name == *name);
            lead.unwrap_or_else(|| panic!("no lead {name}")).id.clone()
        };
        match does {
            Human::Makes(given) => {
                self.make(given);
            }
            Human::Sets { lead, status } => {
                let id = id(lead);
                self.set_status(&id, status);
            }
            Human::Deletes { lead } => {
                let id = id(lead);
                self.leads.retain(|l| l.id != id);
                self.deleted.insert(id);
            }
            Human::TakesBlockOut { lead } => {
                let id = id(lead);
                let lead = self.lead(&id);
                if let Fenced::Present { before, after, .. } = fence::find(&lead.description) {
                    lead.description = format!("{before}{}", after.trim_start());
                }
            }
            Human::Adds { lead, text } => {
                let id = id(lead);
                let lead = self.lead(&id);
                lead.description = format!("{}\n\n{text}", lead.description);
            }
            Human::ClearsDescription { lead } => {
                let id = id(lead);
                self.lead(&id).description.clear();
            }
            Human::DropsLastFence { lead } => {
                let id = id(lead);
                let lead = self.lead(&id);
                lead.description = lead.description.replace(fence::END, "");
            }
            Human::Moves { lead, list } => {
                let id = id(lead);
                let lead = self.lead(&id);
                lead.list_id.clone_from(list);
                lead.list_name.clone_from(list);
            }
        }
    }

    fn make(&mut self, given: &Given) -> String {
        self.ticks += 1;
        let id = format!("lead{}", self.ticks);
        let at = Timestamp::from_second(self.ticks).expect("few leads");
        let statuses = self.statuses(&given.list);
        let kind = statuses.iter().find(|(n, _)| *n == given.status);
        self.leads.push(Lead {
            id: id.clone(),
            list_id: given.list.clone(),
            list_name: given.list.clone(),
            name: given.name.clone(),
            status: given.status.clone(),
            status_kind: kind
                .unwrap_or_else(|| panic!("no status {}", given.status))
                .1,
            description: given.description.clone(),
            description_is_plain: false,
            emails: given.emails.clone(),
            created_at: at,
            updated_at: at,
            url: None,
            ours: false,
        });
        id
    }

    fn set_status(&mut self, id: &str, status: &str) {
        let list = self.lead(id).list_name.clone();
        let among = self.statuses(&list);
        let found = among.into_iter().find(|(name, _)| name == status);
        let lead = self.lead(id);
        (lead.status, lead.status_kind) = found.unwrap_or_else(|| panic!("{list} has no {status}"));
    }

    fn lead(&mut self, id: &str) -> &mut Lead {
        let lead = self.leads.iter_mut().find(|l| l.id == id);
        lead.expect("leads of the story stay in it")
    }

    /// What the CRM's editor makes of markdown.
    fn rendered(&self, markdown: &str) -> String {
        if !self.story.renders_its_own_way {
            return markdown.to_owned();
        }
        let lines = markdown.lines().map(|line| {
            let line = match line.strip_prefix("- ") {
                Some(item) => format!("*   {item}"),
                None => line.to_owned(),
            };
            match (line.find("<http"), line.find('>')) {
                (Some(open), Some(close)) if open < close => {
                    let link = &line[open + 1..close];
                    format!("{}[{link}]({link}){}", &line[..open], &line[close + 1..])
                }
                _ => line,
            }
        });
        let rendered = lines.collect::<Vec<_>>().join("\n") + "\n";
        assert_eq!(essence(&rendered), essence(markdown));
        rendered
    }

    fn tell_lead(&mut self, lead: &Lead) {
        self.say(
            1,
            &format!("{} on {}: {}", lead.name, lead.list_name, lead.status),
        );
        if lead.description.is_empty() {
            self.say(2, "no description");
        } else {
            self.quote(&lead.description);
        }
        if let Some(text) = self.block_comments.get(&lead.id).cloned() {
            self.say(2, "its block, in a comment:");
            self.quote(&text);
        }
        for comment in self.comments.get(&lead.id).cloned().unwrap_or_default() {
            let first = comment.lines().next().unwrap_or_default().to_owned();
            self.say(2, &format!("comment: {first}"));
        }
    }

    fn say(&mut self, depth: usize, what: &str) {
        let _ = writeln!(self.out, "{}{what}", "  ".repeat(depth));
    }

    fn quote(&mut self, text: &str) {
        for line in text.lines() {
            // What cannot be seen is shown.
            let line = line.replace('\u{2060}', "<WJ>");
            let _ = writeln!(self.out, "{}", format!("    | {line}").trim_end());
        }
    }
}

fn plain(text: &RichText) -> String {
    text.iter().map(|run| run.text.as_str()).collect()
}
