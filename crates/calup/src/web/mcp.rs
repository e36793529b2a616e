//! `/mcp`: the assistant's tools over Streamable HTTP. Every request stands alone, so that any replica can answer it.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use url::{Host, Url};

use super::{Problem, TOOL_INPUT_BYTES_MAX};
use crate::app::App;
use crate::config::Config;
use crate::mcp::Server;

pub fn service(app: Arc<App>) -> StreamableHttpService<Server, NeverSessionManager> {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(TOOL_INPUT_BYTES_MAX)
        // Looked at before the token, below.
        .disable_allowed_hosts();
    let server = move || Ok(Server { app: app.clone() });
    StreamableHttpService::new(server, Arc::default(), config)
}

/// A page of somebody else's must not reach us through a browser, under its own name (DNS rebinding) or ours. Only browsers
/// send an origin; whoever sends none may call us by any name, and needs the token all the same.
pub async fn only_as_ourselves(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if is_as_ourselves(&app.config, request.headers()) {
        return Ok(next.run(request).await);
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "this address is not calup's, or another site's page asks",
        Some("set CALUP_PUBLIC_URL to the address under which calup is reached"),
    ))
}

fn is_as_ourselves(config: &Config, headers: &HeaderMap) -> bool {
    let text = |name| Some(headers.get(name)?.to_str().ok());
    let Some(origin) = text(header::ORIGIN) else {
        return true;
    };
    // A proxy may say either address; which scheme it was asked by does not show.
    let asked = text(header::HOST).flatten();
    let Some(asked) = asked.and_then(|host| Url::parse(&format!("http://{host}")).ok()) else {
        return false;
    };
    let public = Url::parse(&config.public_url).ok();
    let is_public = public
        .as_ref()
        .is_some_and(|url| url.host() == asked.host());
    let is_here = match asked.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback() || config.listen.ip() == ip,
        Some(Host::Ipv6(ip)) => ip.is_loopback() || config.listen.ip() == ip,
        None => false,
    };
    if !is_public && !is_here {
        return false;
    }
    let origin = origin.and_then(|origin| Url::parse(origin).ok());
    origin.is_some_and(|origin| {
        let is = |url: &Url| url.origin() == origin.origin();
        is(&asked) || public.as_ref().is_some_and(is)
    })
}
