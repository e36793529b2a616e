//! TLS to the server, by the same library as everything else here.

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client;

use crate::{Error, Result};

#[derive(Clone)]
pub struct Tls(Arc<ClientConfig>);

impl Tls {
    pub fn trusting(authority: Option<&Path>) -> Result<Self> {
        let unusable =
            |e: &dyn std::fmt::Display| Error::Unusable(format!("TLS cannot be set up ({e})"));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| unusable(&e))?;
        let config = match authority {
            None => builder
                .with_platform_verifier()
                .map_err(|e| unusable(&e))?
                .with_no_client_auth(),
            Some(file) => builder
                .with_root_certificates(roots(file)?)
                .with_no_client_auth(),
        };
        Ok(Self(Arc::new(config)))
    }
}

fn roots(file: &Path) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(file)
        .map(|all| all.flatten().collect::<Vec<_>>())
        .unwrap_or_default();
    let (added, _) = roots.add_parsable_certificates(certificates);
    if added == 0 {
        return Err(Error::Unusable(format!(
            "no certificate can be read from {} (sslrootcert in DATABASE_URL); name a PEM file that this user may read",
            file.display()
        )));
    }
    Ok(roots)
}

/// As tokio-postgres calls it.
const FAILED: &str = "error performing TLS handshake";
const NOT_SPOKEN: &str = "server does not support TLS";

/// What to do, when TLS is what a connection failed for.
pub fn advice(why: &str) -> Option<&'static str> {
    if !why.starts_with(FAILED) {
        return None;
    }
    Some(if why.contains(NOT_SPOKEN) {
        "turn ssl on at the server, or set sslmode=disable in DATABASE_URL where nobody else can listen"
    } else {
        "name the PEM file of the authority that signed the server's certificate as sslrootcert=/path/ca.pem in \
         DATABASE_URL, and the host as the certificate names it"
    })
}

pub struct ToHost {
    connector: TlsConnector,
    host: String,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> MakeTlsConnect<S> for Tls {
    type Stream = Stream<S>;
    type TlsConnect = ToHost;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<ToHost> {
        Ok(ToHost {
            connector: TlsConnector::from(self.0.clone()),
            host: host.to_owned(),
        })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for ToHost {
    type Stream = Stream<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let host = ServerName::try_from(self.host)
                .map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
            Ok(Stream(self.connector.connect(host, stream).await?))
        })
    }
}

pub struct Stream<S>(client::TlsStream<S>);

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Stream<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
