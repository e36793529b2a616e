//! What calls to Cal.com are made with. Where keys and tokens are kept, and how tokens are renewed, is somebody else's
//! business: calls ask for one each time.

use std::pin::Pin;

use domain::outcome::Failure;
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::http::needs_operator;

/// Both go over the wire alike; what is to be done when one is refused differs.
#[derive(Debug, Clone)]
pub enum Bearer {
    /// `cal_…`, by `CALCOM_API_KEY`.
    Key(SecretString),
    /// An OAuth access token.
    Token(SecretString),
}

/// Gives what the next call is to be made with; given what was refused just now, something newer. It is asked for every
/// call, so a profile may change from a key to OAuth and back without a new client.
pub type Source = dyn Fn(Option<Bearer>) -> Pin<Box<dyn Future<Output = Result<Bearer, Failure>> + Send>>
    + Send
    + Sync;

/// Always this one.
pub fn always(bearer: Bearer) -> Box<Source> {
    Box::new(move |_refused| Box::pin(std::future::ready(Ok(bearer.clone()))))
}

impl Bearer {
    pub(super) fn is_token(&self) -> bool {
        matches!(self, Self::Token(_))
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.secret().expose_secret() == other.secret().expose_secret()
    }

    pub(super) fn header(&self) -> Result<HeaderValue, Failure> {
        let text = format!("Bearer {}", self.secret().expose_secret().trim());
        let mut value = HeaderValue::from_str(&text).map_err(|_| match self {
            Self::Key(_) => needs_operator(
                "use Cal.com: CALCOM_API_KEY holds characters that no key has".to_owned(),
                "copy the key from Cal.com (Settings → Developer → API keys) once more",
            ),
            Self::Token(_) => needs_operator(
                "use Cal.com: the access token holds characters that no token has".to_owned(),
                "connect Cal.com again",
            ),
        })?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn secret(&self) -> &SecretString {
        match self {
            Self::Key(secret) | Self::Token(secret) => secret,
        }
    }
}
