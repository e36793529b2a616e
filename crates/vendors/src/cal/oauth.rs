//! Cal.com's OAuth, our half: where people are sent for their consent, and what is got for a code and for a refresh token.
//! Plain form posts through the same door as every other call, so that a lost answer is told from one that never went out;
//! an OAuth library would bring its own dice and clock. Where states, verifiers and tokens are kept, and that only one
//! refresh is made at a time, is decided elsewhere.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::outcome::Failure;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use url::Url;
use url::form_urlencoded::Serializer;

use super::json::{self, Json};
use crate::http::{self, Answer, Call, Method, Outbound, Purpose, needs_operator};

const ANSWER_BYTES_MAX: usize = 256 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);
/// Where no answer says how long a token lasts.
const LIFE_S: i64 = 1_800;
const LIFE_S_MAX: i64 = 86_400;
const WORD_CHARS_MAX: usize = 80;

pub struct Config {
    /// Where people log in: `https://app.cal.com`.
    pub app_url: String,
    /// Without `/v2`: `https://api.cal.com`.
    pub api_url: String,
    pub client_id: String,
    /// A public client has none.
    pub client_secret: Option<SecretString>,
    /// To the letter as it is registered.
    pub redirect_uri: String,
    pub scopes: Vec<String>,
    /// For one call.
    pub timeout: Duration,
}

pub struct OAuth {
    out: Outbound,
    authorize: Url,
    token: Url,
    client_id: String,
    client_secret: Option<SecretString>,
    redirect_uri: String,
    scopes: String,
}

/// What only we know of a consent that is asked for (PKCE, RFC 7636).
#[derive(Debug, Clone)]
pub struct Verifier(SecretString);

#[derive(Debug, Clone)]
pub struct Tokens {
    pub access: SecretString,
    /// Takes the place of the one before, which is of no use any more: to be stored before the access token is used.
    pub refresh: SecretString,
    /// By our clock.
    pub expires_at: Timestamp,
    /// Blank where Cal.com does not tell.
    pub scopes: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grant {
    Code,
    Refresh,
}

impl Verifier {
    pub fn of(random: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(random).into())
    }

    /// One that was kept while its owner was away.
    pub fn kept(text: SecretString) -> Self {
        Self(text)
    }

    pub fn secret(&self) -> &SecretString {
        &self.0
    }

    fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.expose_secret()))
    }
}

impl OAuth {
    /// Calls nobody yet.
    pub fn new(config: Config) -> Result<Self, Failure> {
        let app = address(&config.app_url, "CALCOM_APP_URL", "https://app.cal.com")?;
        let api = address(&config.api_url, "CALCOM_API_URL", "https://api.cal.com")?;
        let out = Outbound::new(&api, config.timeout, Arc::default()).map_err(|why| {
            needs_operator(
                format!("use Cal.com: there is no HTTPS client ({why})"),
                "check that this system has root certificates",
            )
        })?;
        Ok(Self {
            out,
            authorize: under(&app, "/auth/oauth2/authorize"),
            token: under(&api, "/v2/auth/oauth2/token"),
            client_id: config.client_id.trim().to_owned(),
            client_secret: config.client_secret,
            redirect_uri: config.redirect_uri,
            scopes: config.scopes.join(" "),
        })
    }

    /// Where somebody consents. `state` comes back, and must be compared before the code is used.
    pub fn authorize_url(&self, state: &str, verifier: &Verifier) -> Url {
        let mut url = self.authorize.clone();
        let challenge = verifier.challenge();
        url.query_pairs_mut().extend_pairs([
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("response_type", "code"),
            ("state", state),
            ("scope", self.scopes.as_str()),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ]);
        url
    }

    /// A code lasts for ten minutes and one use. After a failure of any kind the consent is asked for anew.
    pub async fn exchange(&self, code: &str, verifier: &Verifier) -> Result<Tokens, Failure> {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.redirect_uri.as_str()),
            ("code_verifier", verifier.0.expose_secret()),
        ];
        self.ask(Grant::Code, &fields, None).await
    }

    /// `Gone`: Cal.com has ended what was granted. After an `Unknown` the old token may or may not be used up: it is tried
    /// again, and if it is, that is the answer.
    pub async fn refresh(&self, refresh: &SecretString) -> Result<Tokens, Failure> {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.expose_secret()),
        ];
        self.ask(Grant::Refresh, &fields, Some(refresh)).await
    }

    async fn ask(
        &self,
        grant: Grant,
        fields: &[(&str, &str)],
        refresh: Option<&SecretString>,
    ) -> Result<Tokens, Failure> {
        let mut asked_at = http::now();
        let began = Instant::now();
        let mut answer = self.send(grant, fields).await?;
        let soon = http::now() + PATIENCE;
        let is_early = began.elapsed() <= PATIENCE * 2;
        let ends_soon = answer.limited_until.is_some_and(|until| until <= soon);
        // What the limit refused used nothing up. Others wait meanwhile.
        if answer.status == 429 && ends_soon && is_early {
            asked_at = http::now();
            answer = self.send(grant, fields).await?;
        }
        grant.understand(&answer, asked_at, refresh)
    }

    async fn send(&self, grant: Grant, fields: &[(&str, &str)]) -> Result<Answer, Failure> {
        let call = Call {
            method: Method::POST,
            url: self.token.clone(),
            headers: HeaderMap::new(),
            json: None,
            answer_bytes_max: ANSWER_BYTES_MAX,
        };
        let answer = self.out.send_form(call, self.form(fields), PATIENCE).await;
        answer.map_err(|lost| grant.purpose().lost(lost))
    }

    fn form(&self, fields: &[(&str, &str)]) -> String {
        let mut form = Serializer::new(String::new());
        form.extend_pairs(fields);
        form.append_pair("client_id", &self.client_id);
        if let Some(secret) = &self.client_secret {
            form.append_pair("client_secret", secret.expose_secret().trim());
        }
        form.finish()
    }
}

/// What came back in place of a code: the consent was not given, or not asked for rightly.
pub fn denied(error: &str) -> Failure {
    match error {
        "access_denied" => Grant::Code.purpose().refuse("the consent was not given"),
        other => Grant::Code.word(other, None),
    }
}

impl Grant {
    // Either uses something up.
    fn purpose(self) -> Purpose<()> {
        Purpose::write((), self.what())
    }

    fn what(self) -> &'static str {
        match self {
            Self::Code => "connect Cal.com",
            Self::Refresh => "renew the connection to Cal.com",
        }
    }

    fn understand(
        self,
        answer: &Answer,
        asked_at: Timestamp,
        refresh: Option<&SecretString>,
    ) -> Result<Tokens, Failure> {
        let status = answer.status;
        if status == 429 {
            return Err(Failure::Limited {
                what: self.what().to_owned(),
                until: answer.limited_until.unwrap_or_default(),
            });
        }
        let read = json::read(&json::text_of(&answer.body)).ok();
        let read = read.filter(Json::is_object);
        let Some(read) = read.filter(|_| status < 500) else {
            return Err(match status {
                404 => no_route(self.what()),
                _ => self
                    .purpose()
                    .unknown(&format!("Cal.com answered {status}")),
            });
        };
        if (200..300).contains(&status) {
            let tokens = tokens(&read, asked_at, refresh);
            return tokens.ok_or_else(|| {
                self.purpose()
                    .unknown(&format!("Cal.com answered {status} with something else"))
            });
        }
        // The usual envelope has been seen around the words.
        let error = read.at("error");
        let word = error.text().or_else(|| error.at("message").text());
        let more = read.at("error_description").text();
        Err(self.word(&word.unwrap_or_default(), more.as_deref()))
    }

    fn word(self, word: &str, more: Option<&str>) -> Failure {
        let what = self.what();
        let said = [Some(word), more].into_iter().flatten();
        let said: Vec<&str> = said.filter(|it| is_word(it)).collect();
        let said = if said.is_empty() {
            "without a word".to_owned()
        } else {
            said.join(", ")
        };
        match word {
            "invalid_grant" if self == Self::Refresh => self.purpose().gone(),
            "invalid_grant" => self.purpose().refuse(&format!(
                "the code is used up, too old, or not for this address ({said})"
            )),
            "invalid_client" => needs_operator(
                format!("{what}: Cal.com does not know the client ({said})"),
                "check CALCOM_CLIENT_ID and CALCOM_CLIENT_SECRET (Cal.com: Settings → Developer → OAuth)",
            ),
            "unauthorized_client" => needs_operator(
                format!("{what}: Cal.com has not approved the client ({said})"),
                "wait for Cal.com's approval (Settings → Developer → OAuth), or use CALCOM_API_KEY meanwhile",
            ),
            "invalid_scope" => needs_operator(
                format!("{what}: the client may not ask for these rights ({said})"),
                "allow them for the client at Cal.com (Settings → Developer → OAuth)",
            ),
            "server_error" | "temporarily_unavailable" => {
                self.purpose().unknown(&format!("Cal.com answered {word}"))
            }
            _ if word.starts_with("Cannot POST") => no_route(what),
            _ => needs_operator(
                format!("{what}: Cal.com refuses the request ({said})"),
                "check that CALCOM_CLIENT_ID, CALCOM_CLIENT_SECRET and the redirect address are those at Cal.com (Settings → Developer → OAuth)",
            ),
        }
    }
}

/// Bare as OAuth has it, or in the envelope of the rest of the API, as some versions send it.
fn tokens(read: &Json, asked_at: Timestamp, refresh: Option<&SecretString>) -> Option<Tokens> {
    let told = if read.at("data").is_object() {
        read.at("data")
    } else {
        read
    };
    let token = |key: &str| told.at(key).text().map(SecretString::from);
    let life_s = told.at("expires_in").integer().filter(|it| *it > 0);
    let life_s = life_s.unwrap_or(LIFE_S).min(LIFE_S_MAX);
    let scopes = told.at("scope").text().unwrap_or_default();
    Some(Tokens {
        access: token("access_token")?,
        // A server that does not rotate lets the old one live.
        refresh: token("refresh_token").or_else(|| refresh.cloned())?,
        expires_at: asked_at + SignedDuration::from_secs(life_s),
        scopes: scopes
            .split([' ', ','])
            .filter(|it| !it.is_empty())
            .map(str::to_owned)
            .collect(),
    })
}

/// Only if it has the form of one: it is shown.
fn is_word(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b' ');
    !text.is_empty() && text.len() <= WORD_CHARS_MAX && text.bytes().all(is_plain)
}

fn no_route(what: &str) -> Failure {
    needs_operator(
        format!("{what}: Cal.com has no such address"),
        "check CALCOM_API_URL: the address without /v2, usually https://api.cal.com; an old self-hosted Cal.com has no OAuth",
    )
}

fn address(text: &str, setting: &str, usual: &str) -> Result<Url, Failure> {
    super::address(text).ok_or_else(|| {
        needs_operator(
            format!("use Cal.com: {setting} is not a web address"),
            &format!("leave it out, or set it to {usual}"),
        )
    })
}

fn under(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_is_the_one_of_rfc_7636() {
        let verifier = Verifier::kept("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".into());
        assert_eq!(
            verifier.challenge(),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
        let made = Verifier::of([7; 32]);
        assert_eq!(made.secret().expose_secret().len(), 43);
    }
}
