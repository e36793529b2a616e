//! Two people answer one question in the same instant, at two replicas: one decides, the other is told who has.

use serde_json::{Value, json};
use sim::cal::Person;
use sim::slack::{Click, Config as SlackConfig, Slack};

use crate::asked::{CHANNEL, ROBIN, START};
use crate::pair::Pair;
use crate::world::{BROKERS, INBOUND};

const SAM: &str = "U00000SAM";

/// More for a long night.
fn rounds() -> usize {
    let asked = std::env::var("CALUP_IT_TWO_CLICKS").ok();
    asked.and_then(|n| n.parse().ok()).unwrap_or(10)
}

struct Story {
    pair: Pair,
    slack: Slack,
}

impl Story {
    /// `None` where there is no Postgres.
    async fn start() -> Option<Self> {
        let slack = Slack::start(SlackConfig::default()).await;
        slack.add_channel(CHANNEL, "sales");
        slack.add_user(SAM, "sam");
        let env = vec![
            ("SLACK_API_URL", slack.api_url()),
            ("SLACK_BOT_TOKEN", slack.bot_token()),
            ("SLACK_CHANNEL", CHANNEL.to_owned()),
            ("SLACK_SIGNING_SECRET", slack.signing_secret()),
        ];
        let pair = Pair::with(env).await?;
        Some(Self { pair, slack })
    }

    /// Leads on the brokers' list whose addresses nobody knows, by their names. All at once: one that was made a moment ago
    /// may not be in the index yet.
    fn namesakes(&self, n: usize) -> Vec<(String, String)> {
        let names = (0..n).map(|n| {
            format!(
                "Mike {}",
                ["Ross", "Byrd", "Hill", "Falk"][n % 4].repeat(1 + n / 4)
            )
        });
        names
            .map(|name| {
                let lead = self.pair.clickup.add_task(BROKERS, &name, None);
                (name, lead)
            })
            .collect()
    }

    /// The message that asks about this person.
    async fn asks_about(&self, name: &str) -> String {
        let asking = || {
            let messages = self.slack.messages(CHANNEL);
            let mut asks = messages.into_iter().filter(|m| !m.buttons.is_empty());
            asks.find(|m| m.seen.text.contains(name)).map(|m| m.ts)
        };
        self.pair
            .until("the question stands in Slack", async || asking().is_some())
            .await;
        asking().expect("it stands")
    }

    async fn clicks(&self, address: &str, click: Click) {
        let signed = self.slack.signed(&click);
        let url = format!("http://{address}/api/slack/interactions");
        let mut request = self.pair.http.post(url).body(signed.body);
        for (name, value) in signed.headers {
            request = request.header(name, value);
        }
        assert_eq!(request.send().await.expect("answered").status(), 200);
    }

    async fn answered(&self, id: &Value) -> Value {
        let all = self
            .pair
            .get("/api/questions?state=answered&limit=500")
            .await;
        let all = all["questions"].as_array().expect("a list").clone();
        let it = all.into_iter().find(|q| q["id"] == *id);
        it.unwrap_or(Value::Null)
    }

    async fn is_told(&self, user: &str, winner: &str, times: usize) {
        self.pair
            .until("who came second is told", async || {
                let whispers = self.slack.whispers(CHANNEL, user);
                let told = format!("{winner} has decided");
                whispers
                    .iter()
                    .filter(|w| w.seen.text.contains(&told))
                    .count()
                    == times
            })
            .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_clicks_in_one_instant_at_two_replicas_one_decides() {
    let Some(story) = Story::start().await else {
        return;
    };
    let pair = &story.pair;
    let (one, two) = (pair.calup.address.clone(), pair.other.address.clone());
    let (mut by_robin, mut by_sam) = (0, 0);
    let namesakes = story.namesakes(rounds());
    for (round, (name, namesake)) in namesakes.into_iter().enumerate() {
        let email = format!("mike{round}@ross.example");
        let created = pair
            .cal()
            .book(&Person::new(&name, &email), START, 30)
            .created();
        assert_eq!(pair.deliver(created.body.clone()).await, 200);
        let ts = story.asks_about(&name).await;
        let open = pair.get("/api/questions?state=open").await;
        let id = open["questions"][0]["id"].clone();
        tokio::join!(
            story.clicks(&one, Click::new(ROBIN, &ts, "calup_person_0")),
            story.clicks(&two, Click::new(SAM, &ts, "calup_new")),
        );
        pair.until("it is done", async || {
            pair.ending(&created.body).await.0 == "done"
        })
        .await;
        let answered = story.answered(&id).await;
        let made = pair.clickup.tasks_by_email(&email);
        assert_eq!(made.len(), 1, "{made:#?}");
        match answered["answered_by"].as_str() {
            Some("robin") => {
                by_robin += 1;
                assert_eq!(made[0].id, namesake);
                assert_eq!(made[0].comments.len(), 1);
                story.is_told(SAM, "robin", by_robin).await;
            }
            Some("sam") => {
                by_sam += 1;
                assert_eq!(made[0].list_id, INBOUND);
                story.is_told(ROBIN, "sam", by_sam).await;
            }
            other => panic!("{other:?}: {answered}"),
        }
    }
    pair.settle().await;
    println!("robin decided {by_robin} times, sam {by_sam} times");
    assert_eq!(pair.clickup.tasks_in(INBOUND).len(), by_sam);
    let messages = story.slack.messages(CHANNEL);
    assert_eq!(messages.len(), rounds());
    pair.until("no message asks any more", async || {
        let messages = story.slack.messages(CHANNEL);
        messages.iter().all(|m| m.buttons.is_empty())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_click_and_the_api_in_one_instant_are_one_answer() {
    let Some(mut story) = Story::start().await else {
        return;
    };
    let namesakes = story.namesakes(rounds().div_ceil(2));
    for (round, (name, _)) in namesakes.into_iter().enumerate() {
        let pair = &story.pair;
        let email = format!("ada{round}@byrd.example");
        let created = pair
            .cal()
            .book(&Person::new(&name, &email), START, 30)
            .created();
        assert_eq!(pair.deliver(created.body.clone()).await, 200);
        let ts = story.asks_about(&name).await;
        let open = pair.get("/api/questions?state=open").await;
        let id = open["questions"][0]["id"].clone();
        let path = format!("/api/questions/{}", id.as_str().expect("an id"));
        let ((), (status, said)) = tokio::join!(
            story.clicks(
                &pair.other.address,
                Click::new(ROBIN, &ts, "calup_person_0")
            ),
            pair.post(&path, json!({"answer": "new"})),
        );
        pair.until("it is done", async || {
            pair.ending(&created.body).await.0 == "done"
        })
        .await;
        let answered = story.answered(&id).await;
        match status {
            200 => assert_eq!(answered["answered_by"], "test", "{answered}"),
            409 => assert!(
                said["error"].as_str().is_some_and(|e| e.contains("robin")),
                "{said}"
            ),
            other => panic!("{other}: {said}"),
        }
        assert_eq!(pair.clickup.tasks_by_email(&email).len(), 1);
        // The other way round: who works is clicked at.
        story.pair.swap();
    }
}
