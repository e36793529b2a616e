//! What the profile was granted at Cal.com: its tokens, kept sealed, and renewed by one caller at a time, whatever the
//! replica. A refresh token is used up by its use, so the next one is written down before anybody uses the access token.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::outcome::Failure;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use store::Store;
use store::rows::{Paper, PaperKind};
use tokio::sync::Mutex;
use vendors::cal::api::{Bearer, Source};
use vendors::cal::oauth::{OAuth, Tokens};

use crate::app::App;
use crate::clock;

const ID: &str = "cal.com";
/// Before its end, but a tenth of its life at most.
const EARLY_MAX: SignedDuration = SignedDuration::from_secs(60);
/// Whoever renews is done within this, or has died.
const RENEWING: Duration = Duration::from_secs(45);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// A person waits for it.
const PATIENCE: Duration = Duration::from_secs(50);
const WRITE_TRIES: u32 = 5;
const CONNECT: &str = "connect Cal.com at the address that GET /api/calcom/auth-url gives";

#[derive(Serialize, Deserialize)]
struct Grant {
    access: String,
    refresh: String,
    expires_at: Timestamp,
    /// So that no call goes out with one that ends on its way.
    renew_at: Timestamp,
    is_being_renewed: bool,
    /// Cal.com takes the refresh token no more.
    has_ended: bool,
}

#[derive(Clone)]
pub struct Grants {
    store: Arc<dyn Store>,
    profile: String,
    oauth: Option<Arc<OAuth>>,
    /// Where nothing was granted.
    key: Option<SecretString>,
    /// Of this process, one caller at a time looks whether another one is done.
    turn: Arc<Mutex<()>>,
    /// It has ended, and the operator was not told.
    is_to_be_told: Arc<AtomicBool>,
}

impl Grants {
    pub fn new(
        store: Arc<dyn Store>,
        profile: &str,
        oauth: Option<OAuth>,
        key: Option<SecretString>,
    ) -> Self {
        Self {
            store,
            profile: profile.to_owned(),
            oauth: oauth.map(Arc::new),
            key,
            turn: Arc::default(),
            is_to_be_told: Arc::default(),
        }
    }

    /// `None` while no client is set; what was granted before counts for nothing then.
    pub fn oauth(&self) -> Option<Arc<OAuth>> {
        self.oauth.clone()
    }

    /// OAuth where it is connected, else the key.
    pub fn source(self) -> Box<Source> {
        Box::new(move |refused| {
            let grants = self.clone();
            Box::pin(async move { grants.bearer(refused).await })
        })
    }

    /// Whatever was granted before.
    pub async fn keep(&self, tokens: &Tokens) -> Result<(), store::Error> {
        loop {
            let (version, _) = self.read().await?;
            if self.write(version, &granted(tokens)).await?.is_some() {
                return Ok(());
            }
        }
    }

    async fn bearer(&self, refused: Option<Bearer>) -> Result<Bearer, Failure> {
        let Some(oauth) = &self.oauth else {
            return self.key();
        };
        let (_, grant) = self.read().await.map_err(unusable)?;
        match grant {
            None => return self.key(),
            Some(grant) if is_good(&grant, refused.as_ref()) => {
                return Ok(Bearer::Token(grant.access.into()));
            }
            Some(_) => {}
        }
        let began = clock::steady();
        let _turn = self.turn.lock().await;
        // Since when it has been seen to be renewed. By our own clock: those of two machines may differ.
        let mut seen: Option<(i64, Duration)> = None;
        loop {
            let (version, grant) = self.read().await.map_err(unusable)?;
            let Some(grant) = grant else {
                return self.key();
            };
            if grant.has_ended {
                self.is_to_be_told.store(true, Ordering::Relaxed);
                return Err(ended());
            }
            if is_good(&grant, refused.as_ref()) {
                return Ok(Bearer::Token(grant.access.into()));
            }
            let now = clock::steady();
            if now.saturating_sub(began) > PATIENCE {
                return Err(Failure::Transient {
                    what: "renew the connection to Cal.com: somebody else is still at it".into(),
                });
            }
            if grant.is_being_renewed {
                let (_, since) = *seen.insert(
                    seen.filter(|(before, _)| *before == version)
                        .unwrap_or((version, now)),
                );
                if now.saturating_sub(since) < RENEWING {
                    tokio::time::sleep(LOOK_AGAIN).await;
                    continue;
                }
            }
            let mine = Grant {
                is_being_renewed: true,
                ..grant
            };
            // Else somebody was first.
            if let Some(version) = self.write(version, &mine).await.map_err(unusable)? {
                let renewing = self.clone().renew(oauth.clone(), version, mine);
                // Not ended by whoever asks going away: the old refresh token is used up by then.
                let renewed = tokio::spawn(renewing).await;
                return renewed.unwrap_or_else(|error| Err(unusable(error)));
            }
        }
    }

    async fn renew(
        self,
        oauth: Arc<OAuth>,
        version: i64,
        mut grant: Grant,
    ) -> Result<Bearer, Failure> {
        let refresh = SecretString::from(grant.refresh.clone());
        grant.is_being_renewed = false;
        let answer = match oauth.refresh(&refresh).await {
            Ok(tokens) => {
                grant = granted(&tokens);
                Ok(Bearer::Token(tokens.access))
            }
            Err(Failure::Gone { .. }) => {
                grant.has_ended = true;
                self.is_to_be_told.store(true, Ordering::Relaxed);
                Err(ended())
            }
            // What the token was wanted for was certainly not done.
            Err(Failure::Unknown { what }) => Err(Failure::Transient { what }),
            Err(failure) => Err(failure),
        };
        let mut tries = 1;
        loop {
            match self.write(version, &grant).await {
                // Where it is not ours any more, somebody connected anew, or took us for dead: theirs is newer.
                Ok(_) => return answer,
                Err(error) if tries == WRITE_TRIES => {
                    tracing::error!(%error, "what Cal.com granted could not be kept");
                    return answer;
                }
                Err(_) => tokio::time::sleep(Duration::from_secs(1) * tries).await,
            }
            tries += 1;
        }
    }

    fn key(&self) -> Result<Bearer, Failure> {
        let key = self.key.clone().map(Bearer::Key);
        key.ok_or_else(|| Failure::NeedsOperator {
            what: "reach Cal.com: it is not connected".into(),
            hint: format!("{CONNECT}, or set CALCOM_API_KEY"),
        })
    }

    async fn read(&self) -> Result<(i64, Option<Grant>), store::Error> {
        let now = clock::now();
        let kept = self
            .store
            .paper(&self.profile, PaperKind::Grant, ID, now)
            .await?;
        Ok(kept.map_or((0, None), |paper| {
            (paper.version, serde_json::from_slice(&paper.body).ok())
        }))
    }

    /// The new version; `None` when somebody was first.
    async fn write(&self, version: i64, grant: &Grant) -> Result<Option<i64>, store::Error> {
        let paper = Paper {
            id: ID.to_owned(),
            version,
            body: serde_json::to_vec(grant).unwrap_or_default(),
            until: None,
        };
        self.store
            .write_paper(&self.profile, PaperKind::Grant, &paper, clock::now())
            .await
    }
}

/// Tells the operator of a consent that has ended, once it was noticed.
pub async fn tell(app: &App) {
    let Some(account) = app.calcom() else {
        return;
    };
    if account.grants.is_to_be_told.swap(false, Ordering::Relaxed) {
        let text = "the consent at Cal.com has ended: the assistant cannot reach Cal.com until it is given anew";
        app.notify("cal-consent-ended", text, CONNECT).await;
    }
}

fn is_good(grant: &Grant, refused: Option<&Bearer>) -> bool {
    let is_refused =
        matches!(refused, Some(Bearer::Token(token)) if token.expose_secret() == grant.access);
    !grant.has_ended && !is_refused && clock::now() < grant.renew_at
}

fn granted(tokens: &Tokens) -> Grant {
    let life = tokens.expires_at.duration_since(clock::now());
    let early = EARLY_MAX.min(life / 10).max(SignedDuration::ZERO);
    Grant {
        access: tokens.access.expose_secret().to_owned(),
        refresh: tokens.refresh.expose_secret().to_owned(),
        expires_at: tokens.expires_at,
        renew_at: tokens.expires_at - early,
        is_being_renewed: false,
        has_ended: false,
    }
}

fn unusable(error: impl std::fmt::Display) -> Failure {
    Failure::Transient {
        what: format!("use the connection to Cal.com: {error}"),
    }
}

fn ended() -> Failure {
    Failure::NeedsOperator {
        what: "reach Cal.com: the consent given there has ended".into(),
        hint: CONNECT.into(),
    }
}
