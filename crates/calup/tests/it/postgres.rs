//! A database of one's own on the server in `CALUP_TEST_POSTGRES`, and a way to it that can be cut.

use std::io::Write;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Once};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls};

pub const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// Dropped after the test.
pub struct Database {
    server: Config,
    name: String,
    way: watch::Sender<Way>,
    claims_unheard: Arc<AtomicU32>,
    port: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Open,
    /// As a server that was stopped: connections end, and none is taken.
    Closed,
    /// As a network that swallows everything.
    Silent,
}

fn server() -> Option<Config> {
    static TOLD: Once = Once::new();
    let Ok(address) = std::env::var("CALUP_TEST_POSTGRES") else {
        TOLD.call_once(|| {
            let said = b"\n*** SKIPPED: replicas on Postgres; set CALUP_TEST_POSTGRES=postgres://... to a server\n\n";
            let _ = std::io::stderr().write_all(said);
        });
        return None;
    };
    Some(address.parse().expect("an address in CALUP_TEST_POSTGRES"))
}

async fn connect(server: &Config) -> Client {
    let (client, connection) = server
        .connect(NoTls)
        .await
        .expect("the server in CALUP_TEST_POSTGRES answers");
    tokio::spawn(connection);
    client
}

impl Database {
    pub async fn made() -> Option<Self> {
        let server = server()?;
        let name = format!("calup_it_{}", uuid::Uuid::now_v7().simple());
        let made = connect(&server)
            .await
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .await;
        made.expect("a database for the test");
        let (way, ways) = watch::channel(Way::Open);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let claims_unheard = Arc::<AtomicU32>::default();
        let lost = claims_unheard.clone();
        tokio::spawn(pass_on(listener, Arc::new(server.clone()), ways, lost));
        Some(Self {
            server,
            name,
            way,
            claims_unheard,
            port,
        })
    }

    /// Past the way that can be cut.
    pub fn direct_url(&self) -> String {
        let address = std::env::var("CALUP_TEST_POSTGRES").expect("it named the server before");
        let (server, _) = address.rsplit_once('/').expect("a database in the address");
        format!("{server}/{}", self.name)
    }

    /// Through the way that can be cut.
    pub fn url(&self) -> String {
        let user = self.server.get_user().unwrap_or("postgres");
        let password = self.server.get_password().map_or(String::new(), |p| {
            format!(":{}", String::from_utf8_lossy(p))
        });
        format!(
            "postgres://{user}{password}@127.0.0.1:{}/{}",
            self.port, self.name
        )
    }

    pub fn make(&self, way: Way) {
        self.way.send_replace(way);
    }

    /// The next claims are committed, and the connection ends before their answers come.
    pub fn lose_claims(&self, next: u32) {
        self.claims_unheard.store(next, Ordering::Relaxed);
    }

    pub fn claims_to_lose(&self) -> u32 {
        self.claims_unheard.load(Ordering::Relaxed)
    }

    /// Past the way that can be cut.
    pub async fn direct(&self) -> Client {
        connect(self.server.clone().dbname(&self.name)).await
    }

    /// The process that holds the lease, and the epoch.
    pub async fn holder(&self) -> Option<(u32, i64)> {
        let sql = "SELECT owner, epoch FROM lease WHERE profile = 'default' AND expires_at > clock_timestamp()";
        let row = self.direct().await.query_opt(sql, &[]).await.ok()??;
        let owner: &str = row.get(0);
        let pid = owner.split(' ').nth(1)?.parse().ok()?;
        Some((pid, row.get(1)))
    }

    /// The profiles that somebody works for.
    pub async fn leased(&self) -> Vec<String> {
        let sql = "SELECT profile FROM lease WHERE expires_at > clock_timestamp() ORDER BY profile";
        let rows = self.direct().await.query(sql, &[]).await;
        let rows = rows.expect("the server answers");
        rows.iter().map(|row| row.get(0)).collect()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let server = self.server.clone();
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async { connect(&server).await.batch_execute(&sql).await })
        });
        // One left behind on a server for tests does no harm.
        let _ = dropping.join();
    }
}

async fn pass_on(
    listener: TcpListener,
    server: Arc<Config>,
    ways: watch::Receiver<Way>,
    lost: Arc<AtomicU32>,
) {
    while let Ok((near, _)) = listener.accept().await {
        let (server, mut ways, lost) = (server.clone(), ways.clone(), lost.clone());
        tokio::spawn(async move {
            let way = *ways.borrow();
            match way {
                Way::Open => {}
                Way::Closed => return,
                // Those that came meanwhile stay unanswered for good.
                Way::Silent => return std::future::pending().await,
            }
            let mut near = near;
            let passing = through(&mut near, &server, &lost);
            let cut = async { *ways.wait_for(|way| *way != Way::Open).await.expect("kept") };
            let way = tokio::select! {
                _ = passing => return,
                way = cut => way,
            };
            if way == Way::Silent {
                std::future::pending::<()>().await;
            }
        });
    }
}

async fn through(near: &mut TcpStream, server: &Config, lost: &AtomicU32) -> std::io::Result<()> {
    let port = server.get_ports().first().copied().unwrap_or(5432);
    match &server.get_hosts()[0] {
        Host::Tcp(name) => {
            let far = TcpStream::connect((name.as_str(), port)).await?;
            talk(near, far, lost).await
        }
        Host::Unix(folder) => {
            let far = UnixStream::connect(folder.join(format!(".s.PGSQL.{port}"))).await?;
            talk(near, far, lost).await
        }
    }
}

async fn talk(
    near: &mut TcpStream,
    mut far: impl AsyncRead + AsyncWrite + Unpin,
    lost: &AtomicU32,
) -> std::io::Result<()> {
    let (mut up, mut down) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut claims = Claims::default();
    loop {
        tokio::select! {
            read = near.read(&mut up) => match read? {
                0 => return Ok(()),
                n => {
                    far.write_all(&up[..n]).await?;
                    let less = |left: u32| left.checked_sub(1);
                    let all = Ordering::Relaxed;
                    if claims.commits(&up[..n]) && lost.fetch_update(all, all, less).is_ok() {
                        return far.read(&mut down).await.map(|_unheard| ());
                    }
                }
            },
            read = far.read(&mut down) => match read? {
                0 => return Ok(()),
                n => near.write_all(&down[..n]).await?,
            },
        }
    }
}

/// Sees in what goes to the server whether a transaction that claims is committed.
#[derive(Default)]
struct Claims {
    /// As the connection calls the prepared one, between two NULs in what binds it.
    statement: Option<Vec<u8>>,
    is_claiming: bool,
}

impl Claims {
    fn commits(&mut self, sent: &[u8]) -> bool {
        const CLAIMS: &[u8] = b"UPDATE change SET status = 'running'";
        let at = |part: &[u8]| sent.windows(part.len()).position(|w| w == part);
        if let Some(query) = at(CLAIMS) {
            let name = sent[..query - 1]
                .rsplit(|byte| !byte.is_ascii_alphanumeric())
                .next();
            self.statement = name.map(|name| [b"\0", name, b"\0"].concat());
        } else if self
            .statement
            .as_ref()
            .is_some_and(|name| at(name).is_some())
        {
            self.is_claiming = true;
        }
        self.is_claiming && at(b"COMMIT\0").is_some() && std::mem::take(&mut self.is_claiming)
    }
}
