//! A world in which people are asked: calup with a simulated Slack beside it.

use serde_json::Value;
use sim::cal::{Delivery, Person};
use sim::slack::{Click, Config as SlackConfig, Slack};

use crate::world::{Setup, World};

pub const CHANNEL: &str = "C0000SALES";
pub const START: &str = "2090-05-04T10:00:00Z";
pub const LATER: &str = "2090-05-05T10:00:00Z";
pub const ROBIN: &str = "U0000ROBIN";

pub struct Asked {
    pub world: World,
    pub slack: Slack,
}

impl Asked {
    /// With a Slack that clicks reach, and further settings.
    pub async fn with(env: Vec<(&'static str, String)>) -> Self {
        let slack = Slack::start(SlackConfig::default()).await;
        slack.add_channel(CHANNEL, "sales");
        let mut all = vec![
            ("SLACK_API_URL", slack.api_url()),
            ("SLACK_BOT_TOKEN", slack.bot_token()),
            ("SLACK_CHANNEL", CHANNEL.to_owned()),
            ("SLACK_SIGNING_SECRET", slack.signing_secret()),
        ];
        all.extend(env);
        let world = World::with(Setup {
            env: all,
            ..Setup::default()
        })
        .await;
        let url = format!("http://{}/api/slack/interactions", world.calup.address);
        slack.set_interactions_url(&url);
        Self { world, slack }
    }

    pub async fn start() -> Self {
        Self::with(Vec::new()).await
    }

    pub async fn question(&self) -> Value {
        self.world
            .until("a question is open", async || {
                let open = self.world.get("/api/questions?state=open").await;
                open["questions"].as_array().is_some_and(|q| q.len() == 1)
            })
            .await;
        self.world.get("/api/questions?state=open").await["questions"][0].clone()
    }

    /// The one that is asked once `before` is settled.
    pub async fn next_question(&self, before: &Value) -> Value {
        self.world
            .until("the other meeting is asked about", async || {
                let open = self.world.get("/api/questions?state=open").await;
                let next = &open["questions"][0];
                next["id"].is_string() && next["id"] != before["id"]
            })
            .await;
        self.question().await
    }

    /// The message that asks.
    pub async fn message(&self) -> sim::slack::MessageView {
        self.world
            .until("the question stands in Slack", async || {
                !self.slack.messages(CHANNEL).is_empty()
            })
            .await;
        self.slack.messages(CHANNEL).remove(0)
    }

    pub async fn click(&self, ts: &str, action: &str) -> sim::slack::Clicked {
        self.slack.click(&Click::new(ROBIN, ts, action)).await
    }

    pub async fn answers(&self, question: &Value, answer: Value) -> (u16, Value) {
        let id = question["id"].as_str().expect("an id");
        self.world
            .post(&format!("/api/questions/{id}"), answer)
            .await
    }

    /// Delivers, and waits for how it ends.
    pub async fn ends(&self, delivery: &Delivery) -> (String, String) {
        assert_eq!(self.world.deliver(delivery.body.clone()).await, 200);
        self.ended(delivery).await
    }

    pub async fn ended(&self, delivery: &Delivery) -> (String, String) {
        self.world
            .until("it has ended", async || {
                let (status, _) = self.world.ending(&delivery.body).await;
                ["done", "skipped", "dead", "ignored"].contains(&status.as_str())
            })
            .await;
        self.world.ending(&delivery.body).await
    }

    pub async fn is_held(&self, delivery: &Delivery) {
        assert_eq!(self.world.deliver(delivery.body.clone()).await, 200);
        self.world
            .until("it is held", async || {
                self.world.ending(&delivery.body).await.0 == "held"
            })
            .await;
    }
}

pub fn mike() -> Person {
    Person::new("Mike Ross", "mike@ross.example")
}
