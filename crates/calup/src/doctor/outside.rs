//! Whether Cal.com can reach us: the public address, what answers there, and the server on this machine.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use url::Url;

use super::{Finding, fail, ok, warn};
use crate::address::{has_public_host, is_public};
use crate::config::Config;
use crate::inbox;

const WEBHOOK: &str = "/api/webhooks/cal";
const PATIENCE: Duration = Duration::from_secs(5);

pub async fn examine(config: &Config) -> Vec<Finding> {
    let webhook = inbox::address(config);
    let mut findings = vec![public(&config.public_url, &webhook)];
    if is_public(&config.public_url) {
        findings.push(there(&webhook, &asked(&webhook, Proxy::IfSet).await));
    }
    // Port 0 is any free one: it cannot be known from here.
    if config.listen.port() != 0 {
        let here = here(config.listen);
        findings.push(server(
            here,
            &asked(&format!("http://{here}{WEBHOOK}"), Proxy::None).await,
        ));
    }
    findings
}

/// Who answers to a GET of the webhook's address, which only takes POST: it proves the way and stores nothing.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Calup,
    Redirect,
    Other(u16),
    Nobody(String),
}

/// The environment may name a proxy for what is outside.
enum Proxy {
    IfSet,
    None,
}

fn public(url: &str, webhook: &str) -> Finding {
    const CHECK: &str = "public-address";
    const HINT: &str = "set CALUP_PUBLIC_URL to the https address of the proxy before calup; a Cal.com of your own may send to this one";
    let Ok(parsed) = Url::parse(url) else {
        return fail(
            CHECK,
            format!("CALUP_PUBLIC_URL is `{url}`, which is no web address"),
            "set it to the address under which Cal.com reaches calup, such as https://calup.example.com",
        );
    };
    if !has_public_host(&parsed) {
        return warn(
            CHECK,
            format!(
                "{webhook} is reached from inside only; Cal.com's hosted service sends to public hosts"
            ),
            HINT,
        );
    }
    if parsed.scheme() != "https" {
        return warn(
            CHECK,
            format!("{webhook} is not https; Cal.com's hosted service sends to https only"),
            HINT,
        );
    }
    ok(CHECK, format!("the webhook's address is {webhook}"))
}

fn there(webhook: &str, answer: &Answer) -> Finding {
    const CHECK: &str = "public-answer";
    match answer {
        Answer::Calup => ok(CHECK, format!("calup answers at {webhook}")),
        Answer::Redirect => warn(
            CHECK,
            format!("{webhook} answers with a redirect, which Cal.com does not follow"),
            "set CALUP_PUBLIC_URL, and the webhook at Cal.com, to the address that is redirected to",
        ),
        Answer::Other(status) => warn(
            CHECK,
            format!("{webhook} is answered by something else than calup ({status})"),
            format!("let the proxy pass {WEBHOOK} on to calup, with the path as it is"),
        ),
        Answer::Nobody(why) => warn(
            CHECK,
            format!("nobody answers at {webhook} as seen from here ({why})"),
            "check the name, the proxy and `calup serve`; some networks do not let a machine reach its own public address",
        ),
    }
}

fn server(here: SocketAddr, answer: &Answer) -> Finding {
    const CHECK: &str = "server";
    match answer {
        Answer::Calup => ok(CHECK, format!("calup answers on {here}")),
        Answer::Redirect | Answer::Other(_) => warn(
            CHECK,
            format!("another program answers on {here}"),
            "stop it, or set CALUP_LISTEN to a free port",
        ),
        Answer::Nobody(_) => warn(
            CHECK,
            format!("no calup answers on {here}: deliveries are not taken"),
            "start `calup serve`",
        ),
    }
}

async fn asked(webhook: &str, proxy: Proxy) -> Answer {
    let client = reqwest::Client::builder()
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none());
    let client = match proxy {
        Proxy::IfSet => client,
        Proxy::None => client.no_proxy(),
    };
    let client = client.build();
    let sent = match client {
        Ok(client) => client.get(webhook).send().await,
        Err(error) => Err(error),
    };
    match sent.map(|response| response.status()) {
        Ok(status) if status == reqwest::StatusCode::METHOD_NOT_ALLOWED => Answer::Calup,
        Ok(status) if status.is_redirection() => Answer::Redirect,
        Ok(status) => Answer::Other(status.as_u16()),
        Err(error) if error.is_timeout() => Answer::Nobody("no answer in time".into()),
        Err(error) if error.is_connect() => Answer::Nobody("no connection".into()),
        Err(_) => Answer::Nobody("the connection broke".into()),
    }
}

fn here(listen: SocketAddr) -> SocketAddr {
    match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => ([127, 0, 0, 1], listen.port()).into(),
        IpAddr::V6(ip) if ip.is_unspecified() => {
            (std::net::Ipv6Addr::LOCALHOST, listen.port()).into()
        }
        IpAddr::V4(_) | IpAddr::V6(_) => listen,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn only_https_to_a_public_host_is_what_the_hosted_service_sends_to() {
        for (url, state, says) in [
            (
                "https://calup.example.com",
                State::Ok,
                "https://calup.example.com/api/webhooks/cal",
            ),
            (
                "https://203.0.113.7:8443",
                State::Ok,
                "8443/api/webhooks/cal",
            ),
            ("http://calup.example.com", State::Warn, "not https"),
            ("http://127.0.0.1:8787", State::Warn, "inside only"),
            ("https://localhost", State::Warn, "inside only"),
            ("https://crm", State::Warn, "inside only"),
            ("https://crm.internal", State::Warn, "inside only"),
            ("https://10.0.0.8", State::Warn, "inside only"),
            ("https://192.168.1.8", State::Warn, "inside only"),
            ("https://169.254.169.254", State::Warn, "inside only"),
            ("https://[::1]", State::Warn, "inside only"),
            ("https://[fd00::8]", State::Warn, "inside only"),
            ("calup.example.com", State::Fail, "no web address"),
        ] {
            let finding = public(url, &format!("{url}{WEBHOOK}"));
            assert_eq!(finding.state, state, "{url}");
            assert!(finding.says.contains(says), "{url}: {}", finding.says);
        }
    }

    #[test]
    fn who_answers_at_the_public_address_is_told() {
        for (answer, state, says) in [
            (Answer::Calup, State::Ok, "calup answers"),
            (Answer::Redirect, State::Warn, "redirect"),
            (Answer::Other(404), State::Warn, "(404)"),
            (
                Answer::Nobody("no connection".into()),
                State::Warn,
                "(no connection)",
            ),
        ] {
            let finding = there("https://x.example/api/webhooks/cal", &answer);
            assert_eq!(finding.state, state, "{answer:?}");
            assert!(finding.says.contains(says), "{}", finding.says);
        }
    }
}
