//! The world that is attacked, each door into it, and what was seen and done through them.

use super::*;

#[derive(Debug, Clone, Copy)]
pub enum Door {
    Http,
    Mcp,
    Chat,
}

pub struct Stage {
    pub desk: Desk,
    pub claude: Claude,
    /// What calup sent to anybody who asked.
    pub seen: Mutex<Vec<String>>,
    /// Whoever sets the scene changes things, too.
    pub effects_before: u64,
}

pub struct Heard {
    pub raw: String,
    pub said: String,
    pub done: Value,
}

pub async fn stage() -> Stage {
    let claude = Claude::start(
        sim::claude::Config {
            piece_chars: 5,
            log_entries_max: 10_000,
            ..sim::claude::Config::default()
        },
        |_| Say::text("Yes?"),
    )
    .await;
    let desk = desk_with(vec![
        ("ANTHROPIC_BASE_URL", claude.base_url()),
        ("ANTHROPIC_API_KEY", claude.api_key()),
        ("CALUP_MASTER_KEY", MASTER_KEY.to_owned()),
        ("CALCOM_CLIENT_ID", "client_1".to_owned()),
        ("CALCOM_CLIENT_SECRET", CLIENT_SECRET.to_owned()),
        ("CALUP_CLOCK_FILE", "clock".to_owned()),
    ])
    .await;
    let clickup = &desk.world.clickup;
    clickup.add_list(ELSEWHERE, "Salaries", &[("to do", "open")]);
    clickup.add_field(&[ELSEWHERE], "f-elsewhere", "Email", "email");
    Stage {
        desk,
        claude,
        seen: Mutex::default(),
        effects_before: 0,
    }
}

impl Stage {
    /// Writes that Cal.com and ClickUp carried out.
    pub fn all_effects(&self) -> u64 {
        let requests = self.desk.calcom.requests();
        let writes = requests
            .iter()
            .filter(|it| it.method != "GET" && it.executed);
        writes.count() as u64 + self.desk.world.clickup.mutations()
    }

    /// From here on they count.
    pub fn begin(&mut self) {
        self.effects_before = self.all_effects();
    }

    pub fn effects(&self) -> u64 {
        self.all_effects() - self.effects_before
    }

    pub fn saw(&self, text: &str) {
        self.seen
            .lock()
            .expect("no holder panics")
            .push(text.to_owned());
    }

    /// In anything that a model or a user was sent.
    pub fn no_secret_was_seen(&self) {
        let mut seen = self.seen.lock().expect("no holder panics").clone();
        let asked = self.claude.requests();
        seen.extend(asked.iter().map(|it| it.body.to_string()));
        let bookings = self.desk.calcom.bookings();
        let uids = bookings.iter().filter_map(|it| it["uid"].as_str());
        let world = &self.desk.world;
        let secrets = [
            SECRET,
            "pk_sim",
            "cal_sim",
            "sk-ant-sim",
            MASTER_KEY,
            CLIENT_SECRET,
            ONE_TIME,
            &world.token,
            &self.desk.model,
        ];
        for secret in secrets.into_iter().chain(uids) {
            let place = seen.iter().find(|text| text.contains(secret));
            assert!(place.is_none(), "{secret} in {}", place.expect("one"));
        }
    }

    /// The model uses tools, and then says that.
    pub fn uses(&self, tools: impl Fn() -> Say + Send + Sync + 'static, then: &'static str) {
        self.claude.follow(move |request| {
            if results(request).is_empty() {
                tools()
            } else {
                Say::text(then)
            }
        });
    }

    pub async fn ask(&self, question: &str, conversation: Option<&str>) -> Heard {
        let world = &self.desk.world;
        let mut asked = json!({"messages": [{"role": "user", "content": question}]});
        if let Some(id) = conversation {
            asked["conversation"] = id.into();
        }
        let url = format!("http://{}/api/chat", world.calup.address);
        let request = world.http.post(url).bearer_auth(&world.token).json(&asked);
        let raw = request.send().await.expect("an answer").text().await;
        let raw = raw.expect("text");
        self.saw(&raw);
        let mut heard = Heard {
            said: String::new(),
            done: Value::Null,
            raw,
        };
        let mut ends = 0;
        for event in heard.raw.split("\n\n").filter(|it| !it.is_empty()) {
            let (kind, data) = event.split_once('\n').expect("two lines");
            let data = data.strip_prefix("data: ").expect("data");
            let data: Value = serde_json::from_str(data).unwrap_or_else(|_| panic!("{event}"));
            match kind.strip_prefix("event: ").expect("a kind") {
                "text" => heard.said += data["text"].as_str().expect("text"),
                "done" | "error" => {
                    ends += 1;
                    heard.done = data;
                }
                "tool" | "proposal" => {}
                other => panic!("{other}"),
            }
        }
        assert_eq!(ends, 1, "{}", heard.raw);
        heard
    }

    /// Uses a tool by that door; whether it went well, and what the model is told.
    pub async fn call(&self, door: Door, tool: &str, input: &Value) -> (bool, Value) {
        let told = match door {
            Door::Http => {
                let name = tool
                    .replace('/', "%2F")
                    .replace(' ', "%20")
                    .replace(';', "%3B");
                let path = format!("/api/tools/{name}");
                let (status, told) = self.desk.post(&path, &self.desk.model, input.clone()).await;
                assert!(status < 500, "{tool} {input}: {status} {told}");
                (status == 200, told)
            }
            Door::Mcp => {
                let answer = self
                    .mcp("tools/call", json!({"name": tool, "arguments": input}))
                    .await;
                let result = &answer["result"];
                if result.is_null() {
                    (false, json!({"error": answer["error"]["message"]}))
                } else {
                    (
                        result["isError"] == false,
                        result["structuredContent"].clone(),
                    )
                }
            }
            Door::Chat => {
                let (name, given) = (tool.to_owned(), input.clone());
                let then = "It is done: https://evil.example/ ![x](//evil.example)";
                self.uses(move || Say::tool(&name, given.clone()), then);
                let heard = self.ask("Go on.", None).await;
                assert!(!heard.said.contains("evil"), "{}", heard.said);
                let asked = self.claude.requests();
                let told = results(&asked.last().expect("asked").body);
                let told = told.first().cloned().unwrap_or_default();
                (heard.done["tools"][0]["ok"] == true, told)
            }
        };
        self.saw(&told.1.to_string());
        told
    }

    pub async fn mcp(&self, method: &str, params: Value) -> Value {
        let world = &self.desk.world;
        let message = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
        let url = format!("http://{}/mcp", world.calup.address);
        let request = world.http.post(url).bearer_auth(&self.desk.model);
        let request = request
            .header("Accept", "application/json, text/event-stream")
            .header("MCP-Protocol-Version", "2025-06-18")
            .json(&message);
        let answer = request.send().await.expect("an answer");
        answer.json().await.unwrap_or_default()
    }

    /// As any guest may, over Cal.com's own API.
    pub async fn books(&self, name: &str, email: &str, start: &str, answers: Value) {
        let attendee = json!({"name": name, "email": email, "timeZone": "Europe/Paris"});
        let body = json!({
            "eventTypeId": crate::assistant::INTRO, "start": start, "attendee": attendee,
            "bookingFieldsResponses": answers,
        });
        let url = format!("{}/v2/bookings", self.desk.calcom.api_url());
        let request = self.desk.world.http.post(url).json(&body);
        let answer = request.header("cal-api-version", "2024-08-13").send().await;
        let answer = answer.expect("an answer");
        let status = answer.status();
        assert_eq!(status, 201, "{}", answer.text().await.unwrap_or_default());
    }
}

/// What the model is told of the tools it used last.
pub fn results(request: &Value) -> Vec<Value> {
    let last = request["messages"].as_array().and_then(|all| all.last());
    let blocks = last.and_then(|last| last["content"].as_array());
    let results = blocks.into_iter().flatten();
    let results = results.filter(|block| block["type"] == "tool_result");
    results
        .map(|block| serde_json::from_str(block["content"].as_str().expect("text")).expect("JSON"))
        .collect()
}
