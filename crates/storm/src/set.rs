//! The stage: ClickUp's lists and records at the start, calup's settings, and an empty database to copy.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use calup::config;
use domain::profile::Profile;
use secrecy::SecretString;
pub use sim::clickup::usual::{BROKERS, INBOUND, SELLERS};
use sim::clickup::{ClickUp, Config, TaskSeed};
use store::sealed::{Keys, place};

use crate::mortal::MASTER_KEY;
use crate::seen::Seen;
use crate::story::{Known, SECRET, Story};
use crate::weather::{INDEX_LAG_MS, LATE_APPLY_MS};
use crate::{dice, time};

pub const TOKEN: &str = "pk_storm_canary";

pub fn clickup(story: &Story, seen: &mut Seen) -> ClickUp {
    let clickup = ClickUp::unbound(Config {
        token: TOKEN.to_owned(),
        limit_per_minute: dice::one(&[60, 100, 1_000, 1_000, 1_000]),
        headers_on_success: dice::chance(0.7),
        log_entries_max: 1,
        wall_ms: time::vendor_ms,
        ..Config::default()
    });
    clickup.add_usual_lists();
    for (number, person) in story.people.iter().enumerate() {
        let list = match person.known {
            Known::InMatchList => dice::one(&[BROKERS, SELLERS]),
            Known::InInbound => INBOUND,
            Known::No | Known::ByPhone => continue,
        };
        let month_ms = 30 * 86_400_000;
        let task = clickup.add_task_with(TaskSeed {
            list: list.to_owned(),
            name: person.name.clone(),
            email: person
                .address
                .as_ref()
                .map(|address| address.to_lowercase()),
            status: Some(person.status.to_owned()),
            markdown: dice::chance(0.5).then(|| "Met at the fair.".to_owned()),
            date_created: Some(time::vendor_ms() - month_ms),
            ..TaskSeed::default()
        });
        seen.owners.insert(task, number);
    }
    clickup
}

pub fn config(database: &Path) -> config::Config {
    config::Config {
        database_url: database.display().to_string(),
        listen: ([127, 0, 0, 1], 0).into(),
        public_url: "http://127.0.0.1".to_owned(),
        is_public_url_set: false,
        master_key: None,
        webhook_secrets: vec![SecretString::from(SECRET)],
        clickup: config::ClickUp {
            token: Some(SecretString::from(TOKEN)),
            api_url: "http://127.0.0.1:1/api".to_owned(),
            team_id: Some("9011000000".to_owned()),
            email_field: "Email".to_owned(),
        },
        profile: Profile {
            match_list_ids: vec![BROKERS.to_owned(), SELLERS.to_owned()],
            inbound_list_id: INBOUND.to_owned(),
            ..Profile::default()
        },
        late_apply: Duration::from_millis(LATE_APPLY_MS),
        index_lag: Duration::from_millis(INDEX_LAG_MS),
        lease: Duration::from_secs(12),
        unknown_booking: Duration::from_secs(600),
        calcom: config::CalCom {
            api_key: None,
            api_url: String::new(),
            app_url: String::new(),
            client_id: None,
            client_secret: None,
        },
        claude: config::Claude {
            api_key: None,
            base_url: String::new(),
            model: String::new(),
        },
        slack: None,
        slack_signing_secret: None,
        question_patience: Duration::ZERO,
        index_every: Duration::from_secs(60),
        hooks_every: Duration::ZERO,
        sweep: Duration::from_secs(60),
        settings: config::Settings::default(),
    }
}

/// A database of this storm's own, in memory where the system has such a place.
pub fn database() -> PathBuf {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let empty = EMPTY.get_or_init(make_empty);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let path = folder().join(format!("{number}.db"));
    remove(&path);
    std::fs::copy(empty, &path).expect("a copy of an empty database");
    path
}

pub fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm", ".lock", ".generation", ".copy"] {
        // It may not be there.
        let _ = std::fs::remove_file(beside(path, suffix));
    }
}

pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

static EMPTY: OnceLock<PathBuf> = OnceLock::new();

fn folder() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    let folder = base.join(format!("calup-storm-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// The program's own schema, under keys that are the same each time: what is ordered by them must not change.
fn make_empty() -> PathBuf {
    let path = folder().join("empty.db");
    remove(&path);
    drop(store::open_inline(&path.display().to_string(), Some(MASTER_KEY)).expect("a database"));
    let keys = Keys::parse(MASTER_KEY, "the storm").expect("a key");
    let db = rusqlite::Connection::open(&path).expect("the database");
    for (name, value) in [("index key", [7; 32]), ("marker key", [9; 32])] {
        let sealed = keys.seal(&place("secret", "sealed", name), &value);
        db.execute(
            "UPDATE secret SET sealed = ?2 WHERE name = ?1",
            (name, sealed),
        )
        .expect("a known key");
    }
    db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .expect("one file");
    path
}

/// Taken with it when the program ends.
pub fn clean_up() {
    let _ = std::fs::remove_dir_all(folder());
}
