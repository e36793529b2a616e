//! A request's body, whole: of bounded size, and in bounded time, so that nobody holds a connection by sending slowly.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;

use super::Problem;

const COMES_WITHIN: Duration = Duration::from_secs(15);

/// Of at most so many bytes.
pub async fn whole(
    State(bytes_max): State<usize>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let body = tokio::time::timeout(COMES_WITHIN, to_bytes(body, bytes_max))
        .await
        .map_err(|_| {
            Problem::new(
                StatusCode::REQUEST_TIMEOUT,
                "the body did not come within 15 s",
                Some("send it at once"),
            )
        })?
        .map_err(|_| {
            Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                &format!(
                    "the body is longer than {} KiB, or broke off",
                    bytes_max / 1024
                ),
                Some("send less at once"),
            )
        })?;
    Ok(next.run(Request::from_parts(parts, Body::from(body))).await)
}
