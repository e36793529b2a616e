//! TLS to Postgres. The server in `CALUP_TEST_POSTGRES` is reached through something that speaks TLS as a server with
//! `ssl = on` does, with certificates that `openssl` makes.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Once};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use store::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio_postgres::config::Host;
use tokio_rustls::TlsAcceptor;

use crate::postgres::{Database, KEY};

/// How a client asks for TLS (PostgreSQL, "Message Formats", SSLRequest).
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// An authority, the certificate for `localhost` that it signed, and an authority that signed nothing.
struct Papers {
    dir: PathBuf,
}

impl Papers {
    fn made() -> Option<Self> {
        static TOLD: Once = Once::new();
        if Command::new("openssl").arg("version").output().is_err() {
            TOLD.call_once(|| {
                let said = b"\n*** SKIPPED: TLS to Postgres; openssl is not installed\n\n";
                let _ = std::io::stderr().write_all(said);
            });
            return None;
        }
        let dir = std::env::temp_dir().join(format!("calup-tls-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir_all(&dir).expect("a folder");
        let papers = Self { dir };
        let named = "subjectAltName=DNS:localhost\n";
        std::fs::write(papers.file("names"), named).expect("a file");
        for command in [
            "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ours -keyout ca.key -out ca.pem",
            "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other -keyout other.key -out other.pem",
            "req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr",
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
        ] {
            let made = Command::new("openssl")
                .args(command.split(' '))
                .current_dir(&papers.dir)
                .output()
                .expect("openssl runs");
            let said = String::from_utf8_lossy(&made.stderr);
            assert!(made.status.success(), "openssl {command}: {said}");
        }
        Some(papers)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn acceptor(&self) -> TlsAcceptor {
        let chain = CertificateDer::from_pem_file(self.file("server.pem")).expect("a certificate");
        let key = PrivateKeyDer::from_pem_file(self.file("server.key")).expect("its key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![chain], key)
            .expect("they fit");
        TlsAcceptor::from(Arc::new(config))
    }
}

impl Drop for Papers {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// A way to the database that is open to those who speak TLS.
struct Guarded {
    database: Database,
    papers: Papers,
    port: u16,
    handshakes: Arc<AtomicUsize>,
}

impl Guarded {
    async fn made() -> Option<Self> {
        let database = Database::made().await?;
        let papers = Papers::made()?;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let handshakes = Arc::new(AtomicUsize::new(0));
        let (acceptor, counted, url) = (papers.acceptor(), handshakes.clone(), database.url());
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (acceptor, counted, url) = (acceptor.clone(), counted.clone(), url.clone());
                tokio::spawn(async move {
                    // However it ends, the client hears of it.
                    let _ = pass_on(near, &acceptor, &counted, &url).await;
                });
            }
        });
        Some(Self {
            database,
            papers,
            port,
            handshakes,
        })
    }

    fn url(&self, host: &str, query: &str) -> String {
        let at: tokio_postgres::Config = self.database.url().parse().expect("an address");
        let user = at.get_user().expect("a user");
        let name = at.get_dbname().expect("a name");
        format!(
            "postgres://{user}:s3cret@{host}:{}/{name}?{query}",
            self.port
        )
    }

    /// Whether it was opened, and how often TLS was spoken for that.
    async fn opened(&self, host: &str, query: &str) -> (Result<(), String>, usize) {
        let before = self.handshakes.load(Ordering::Relaxed);
        let opened = match store::open(&self.url(host, query), Some(KEY)).await {
            Ok(_) => Ok(()),
            Err(Error::Unusable(said)) => Err(said),
            Err(other) => panic!("refused, but with {other:?}"),
        };
        let spoken = self.handshakes.load(Ordering::Relaxed) - before;
        (opened, spoken)
    }

    fn authority(&self, name: &str) -> String {
        format!("sslrootcert={}", shown(&self.papers.file(name)))
    }
}

fn shown(file: &Path) -> String {
    file.display().to_string()
}

async fn pass_on(
    mut near: TcpStream,
    acceptor: &TlsAcceptor,
    handshakes: &AtomicUsize,
    url: &str,
) -> std::io::Result<()> {
    let mut asked = [0; 8];
    near.read_exact(&mut asked).await?;
    // Who begins without TLS is not let in.
    if asked != SSL_REQUEST {
        return Ok(());
    }
    near.write_all(b"S").await?;
    let mut near = acceptor.accept(near).await?;
    handshakes.fetch_add(1, Ordering::Relaxed);
    let server: tokio_postgres::Config = url.parse().expect("an address");
    let port = server.get_ports().first().copied().unwrap_or(5432);
    match &server.get_hosts()[0] {
        Host::Tcp(name) => join(&mut near, TcpStream::connect((name.as_str(), port)).await?).await,
        Host::Unix(folder) => {
            let socket = folder.join(format!(".s.PGSQL.{port}"));
            join(&mut near, UnixStream::connect(socket).await?).await
        }
    }
}

async fn join(
    near: &mut (impl AsyncRead + AsyncWrite + Unpin),
    mut far: impl AsyncRead + AsyncWrite + Unpin,
) -> std::io::Result<()> {
    copy_bidirectional(near, &mut far).await.map(|_| ())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_spoken_to_in_tls_when_that_is_asked_for_and_it_is_known() {
    let Some(guarded) = Guarded::made().await else {
        return;
    };
    let ours = guarded.authority("ca.pem");
    for mode in [
        "sslmode=require&",
        "sslmode=verify-full&",
        "sslmode=prefer&",
        "",
    ] {
        let query = format!("{mode}{ours}");
        let (opened, spoken) = guarded.opened("localhost", &query).await;
        assert_eq!(opened, Ok(()), "{query}");
        assert!(spoken > 0, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_the_one_is_told_with_what_to_do() {
    let Some(guarded) = Guarded::made().await else {
        return;
    };
    let (ours, other) = (guarded.authority("ca.pem"), guarded.authority("other.pem"));
    for (host, query, says) in [
        ("localhost", other.as_str(), "UnknownIssuer"),
        ("localhost", "sslmode=require", "UnknownIssuer"),
        // Not read without TLS instead.
        ("localhost", "sslmode=prefer", "UnknownIssuer"),
        ("127.0.0.1", ours.as_str(), "not valid for name"),
    ] {
        let (refused, spoken) = guarded.opened(host, query).await;
        let said = refused.expect_err(query);
        assert!(said.contains(says), "{query}: {said}");
        assert!(said.contains("as sslrootcert=/path/ca.pem"), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
        assert_eq!(spoken, 0, "{query}");
    }
    let query = guarded.authority("names");
    let (refused, _) = guarded.opened("localhost", &query).await;
    let said = refused.expect_err("no certificate in there");
    assert!(said.contains("no certificate can be read"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_speaks_no_tls_is_told_where_it_is_asked_for() {
    let Some(database) = Database::made().await else {
        return;
    };
    let server = database.url();
    let join = if server.contains('?') { "&" } else { "?" };
    let said = crate::postgres::refused(&format!("{server}{join}sslmode=require"), Some(KEY)).await;
    assert!(
        said.contains("does not support TLS") && said.contains("turn ssl on at the server"),
        "{said}"
    );
}
