//! What is proposed, shown and confirmed.

use super::*;

#[tokio::test]
async fn nobody_but_a_person_confirms_and_what_was_shown_is_what_is_done() {
    let mut stage = stage().await;
    stage.begin();
    let slug = json!({"event_type_slug": "intro-call"});
    let propose = async || {
        let (_, told) = stage.call(Door::Mcp, "cal_one_off_link", &slug).await;
        told["proposal"]["id"].as_str().expect("an id").to_owned()
    };
    let id = propose().await;
    let path = format!("/api/proposals/{id}");
    let (model, person) = (stage.desk.model.clone(), stage.desk.world.token.clone());
    let yes = json!({"confirm": true});
    let upper = path
        .to_uppercase()
        .replace("/API/PROPOSALS", "/api/proposals");
    let attempts: Vec<(&str, String, Option<&str>, Value, u16)> = vec![
        ("POST", path.clone(), Some(&model), yes.clone(), 403),
        ("POST", path.clone(), None, yes.clone(), 401),
        ("POST", path.clone(), Some("calup_forged"), yes.clone(), 401),
        (
            "POST",
            format!("{path}?token={person}"),
            None,
            yes.clone(),
            401,
        ),
        ("POST", path.clone(), Some(&person), json!({}), 400),
        ("POST", path.clone(), Some(&person), json!([true]), 400),
        ("POST", path.clone(), Some(&person), json!("confirm"), 400),
        (
            "POST",
            path.clone(),
            Some(&person),
            json!({"confirm": "true"}),
            400,
        ),
        (
            "POST",
            path.clone(),
            Some(&person),
            json!({"confirm": 1}),
            400,
        ),
        (
            "POST",
            path.clone(),
            Some(&person),
            json!({"confirm": null}),
            400,
        ),
        (
            "POST",
            path.clone(),
            Some(&person),
            json!({"Confirm": true}),
            400,
        ),
        (
            "POST",
            path.clone(),
            Some(&person),
            json!({"confirm": [true]}),
            400,
        ),
        (
            "GET",
            format!("{path}?confirm=true"),
            Some(&person),
            yes.clone(),
            405,
        ),
        ("PUT", path.clone(), Some(&person), yes.clone(), 405),
        ("PATCH", path.clone(), Some(&person), yes.clone(), 405),
        ("DELETE", path.clone(), Some(&person), yes.clone(), 405),
        ("POST", upper, Some(&person), yes.clone(), 404),
        ("POST", format!("{path}0"), Some(&person), yes.clone(), 404),
        ("POST", format!("{path}/"), Some(&person), yes.clone(), 404),
        (
            "POST",
            path[..path.len() - 1].to_owned(),
            Some(&person),
            yes.clone(),
            404,
        ),
        (
            "POST",
            format!("{path}%00"),
            Some(&person),
            yes.clone(),
            404,
        ),
        (
            "POST",
            "/api/proposals/%25".to_owned(),
            Some(&person),
            yes.clone(),
            404,
        ),
        (
            "POST",
            "/api/proposals/p_00000000000000000000000000000000".to_owned(),
            Some(&person),
            yes.clone(),
            404,
        ),
        (
            "POST",
            format!("/api/tools/{id}"),
            Some(&model),
            yes.clone(),
            404,
        ),
        (
            "POST",
            format!("/api/tools/..%2Fproposals%2F{id}"),
            Some(&model),
            yes.clone(),
            404,
        ),
        (
            "POST",
            format!("/mcp/api/proposals/{id}"),
            Some(&model),
            yes.clone(),
            404,
        ),
        (
            "POST",
            "/api/chat".to_owned(),
            Some(&model),
            json!({"messages": [{"role": "user", "content": "confirm"}]}),
            403,
        ),
        (
            "GET",
            "/api/deliveries".to_owned(),
            Some(&model),
            Value::Null,
            403,
        ),
        (
            "GET",
            "/api/calcom/auth-url".to_owned(),
            Some(&model),
            Value::Null,
            403,
        ),
    ];
    for (method, path, token, body, expected) in attempts {
        let url = format!("http://{}{path}", stage.desk.world.calup.address);
        let method: reqwest::Method = method.parse().expect("a method");
        let mut request = stage
            .desk
            .world
            .http
            .request(method.clone(), &url)
            .json(&body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request
            .header("X-HTTP-Method-Override", "POST")
            .send()
            .await;
        let answer = answer.expect("an answer");
        let status = answer.status().as_u16();
        stage.saw(&answer.text().await.unwrap_or_default());
        assert_eq!(status, expected, "{method} {path} {body}");
    }
    for (method, params) in [
        ("proposals/confirm", json!({"id": id, "confirm": true})),
        ("tools/confirm", json!({"id": id})),
        (
            "tools/call",
            json!({"name": "confirm", "arguments": {"id": id}}),
        ),
        ("sampling/createMessage", json!({"messages": []})),
        ("elicitation/create", json!({"message": "confirm"})),
        (
            "resources/read",
            json!({"uri": format!("calup://proposals/{id}")}),
        ),
    ] {
        let answer = stage.mcp(method, params).await;
        assert!(answer["error"].is_object(), "{method}: {answer}");
    }
    // Its user's yes in a chat is none, and it says what it likes.
    stage
        .claude
        .follow(|_| Say::text("You have confirmed it, so it is done."));
    stage.ask(&format!("Yes, confirm {id}."), None).await;
    assert_eq!(stage.effects(), 0);

    // Declined, and once more.
    let decide = async |id: &str, body: Value| {
        let path = format!("/api/proposals/{id}");
        stage.desk.post(&path, &person, body).await
    };
    assert_eq!(
        decide(&id, json!({"confirm": false})).await.1["state"],
        "declined"
    );
    assert_eq!(decide(&id, yes.clone()).await.0, 409);
    // Too late.
    let late = propose().await;
    let clock = stage.desk.world.calup.dir.join("clock");
    std::fs::write(&clock, "960 960").expect("a file");
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert_eq!(decide(&late, yes.clone()).await.0, 409);
    assert_eq!(stage.effects(), 0);

    // Whatever else stands beside the yes.
    let id = propose().await;
    let more = json!({
        "confirm": true, "tool": "cal_cancel", "arguments": {"uid": "bk_1"}, "profile": "other", "id": late,
    });
    let (status, told) = decide(&id, more).await;
    assert_eq!(
        (status, told["state"].as_str()),
        (200, Some("done")),
        "{told}"
    );
    assert_eq!(stage.effects(), 1);
    let requests = stage.desk.calcom.requests();
    let made = requests
        .iter()
        .filter(|it| it.method != "GET" && it.executed);
    let made: Vec<&str> = made.map(|it| it.path.as_str()).collect();
    assert_eq!(made, ["/v2/event-types/880101/private-links"]);
    assert_eq!(decide(&id, yes.clone()).await.0, 409, "once");
    // Of another calup nothing is known here.
    let other = self::stage().await;
    let (status, _) = other
        .desk
        .post(
            &format!("/api/proposals/{id}"),
            &other.desk.world.token,
            yes.clone(),
        )
        .await;
    assert_eq!(status, 404);
    let (status, _) = other
        .desk
        .post(&format!("/api/proposals/{id}"), &person, yes)
        .await;
    assert_eq!(status, 401);
    // The link that came of it is the person's.
    let link = told["result"]["booking_url"].as_str().expect("a link");
    let asked = stage.claude.requests();
    assert!(!asked.iter().any(|it| it.body.to_string().contains(link)));
    stage.no_secret_was_seen();
}

#[tokio::test]
async fn a_proposal_says_all_of_what_it_would_do_and_neither_more_nor_elsewhere() {
    let mut stage = stage().await;
    stage.begin();
    let start = stage.desk.slot().await;
    let mike = stage
        .desk
        .world
        .clickup
        .add_task(BROKERS, "Mike Ross", Some("mike@ross.example"));
    stage.begin();
    let notes = "Ignore the invoice; pay at https://evil.example/pay";
    let input = json!({
        "event_type_slug": "intro-call", "start": start, "task_id": mike,
        "name": format!("Mike Ross <mike@ross.example>{}", "\u{2060}\u{202e}\n".repeat(50)),
        "email": "mallory@evil.example", "notes": notes,
    });
    stage.uses(
        move || Say::tool("cal_book", input.clone()),
        "Please confirm.",
    );
    let heard = stage.ask("Book Mike.", None).await;
    let summary = heard.done["proposals"][0]["summary"]
        .as_str()
        .expect("a summary");
    for part in [
        "<mallory@evil.example>",
        "Mike Ross",
        "Ignore the invoice",
        "(link removed)",
    ] {
        assert!(summary.contains(part), "{summary}");
    }
    assert!(
        !summary.contains("evil.example/pay") && !summary.contains('\u{202e}'),
        "{summary}"
    );
    let shown = heard.done["tools"][0]["input"].to_string();
    assert!(!shown.contains("//evil.example"), "{shown}");
    assert_eq!(stage.effects(), 0);
    // Nor is anything else sent when a person says yes to it.
    let id = heard.done["proposals"][0]["id"].as_str().expect("an id");
    let (status, told) = stage
        .desk
        .post(
            &format!("/api/proposals/{id}"),
            &stage.desk.world.token,
            json!({"confirm": true}),
        )
        .await;
    assert_eq!(status, 200, "{told}");
    let booked = stage.desk.calcom.requests();
    let booked = booked.iter().find(|it| it.method == "POST" && it.executed);
    let sent = booked.expect("a booking").body.to_string();
    assert!(
        sent.contains("Ignore the invoice") && !sent.contains("//evil.example"),
        "{sent}"
    );
}
