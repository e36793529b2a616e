//! Where the server is, and how it is spoken to. The password is in there and is never shown.

use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::{Error, Result};

const CONNECT: Duration = Duration::from_secs(1);
const KEEPALIVE: Duration = Duration::from_secs(10);

pub struct Address {
    pub config: Config,
    /// PEM file with the authority that signed the server's certificate; else the system's are asked.
    pub authority: Option<PathBuf>,
    /// `host:port/database`, for people.
    pub shown: String,
}

pub fn is_ours(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// As libpq takes it, but for two things: where TLS is spoken, the certificate is always verified, and who names an
/// authority asks for TLS.
pub fn parse(url: &str) -> Result<Address> {
    let (base, query) = url.split_once('?').unwrap_or((url, ""));
    let mut authority = None;
    let mut ssl_mode = None;
    let mut rest = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sslrootcert", file)) if file != "system" => {
                authority = Some(PathBuf::from(decoded(file)));
            }
            Some(("sslrootcert", _)) => {}
            Some((name @ ("sslcert" | "sslkey" | "sslpassword" | "sslcrl"), _)) => {
                return Err(Error::Unusable(format!(
                    "DATABASE_URL sets {name}, but calup shows no certificate of its own; let it log in with a password"
                )));
            }
            Some(("sslmode", mode)) => ssl_mode = Some(mode_named(mode)?),
            _ => rest.push(pair),
        }
    }
    let mut config: Config = format!("{base}?{}", rest.join("&"))
        .parse()
        .map_err(|_| {
            Error::Unusable(
                "the Postgres address in DATABASE_URL cannot be read; write it as \
                 postgres://user:password@host:5432/database (special characters in the password as %XX)"
                    .into(),
            )
        })?;
    let is_near = config.get_hosts().iter().all(is_near);
    config.ssl_mode(ssl_mode.unwrap_or(match (&authority, is_near) {
        (Some(_), _) => SslMode::Require,
        (None, true) => SslMode::Disable,
        (None, false) => SslMode::Prefer,
    }));
    // One of several may be a standby, which answers and takes no writes.
    if config.get_hosts().len() > 1 && !query.contains("target_session_attrs") {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    if config.get_application_name().is_none() {
        config.application_name("calup");
    }
    config
        .connect_timeout(CONNECT)
        .tcp_user_timeout(KEEPALIVE)
        .keepalives_idle(KEEPALIVE);
    let shown = shown(&config);
    Ok(Address {
        config,
        authority,
        shown,
    })
}

/// Each `%XX` as the byte it stands for.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let byte = part.get(..2).map(|hex| u8::from_str_radix(hex, 16));
        if let Some(Ok(byte)) = byte {
            bytes.push(byte);
            bytes.extend(&part.as_bytes()[2..]);
        } else {
            bytes.push(b'%');
            bytes.extend(part.as_bytes());
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn mode_named(name: &str) -> Result<SslMode> {
    match name {
        "disable" => Ok(SslMode::Disable),
        "allow" | "prefer" => Ok(SslMode::Prefer),
        "require" | "verify-ca" | "verify-full" => Ok(SslMode::Require),
        other => Err(Error::Unusable(format!(
            "DATABASE_URL asks for sslmode={other}, which does not exist; use disable, prefer or require"
        ))),
    }
}

/// On this machine.
fn is_near(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost"
                || name
                    .parse()
                    .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

fn shown(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts: Vec<String> = config
        .get_hosts()
        .iter()
        .enumerate()
        .map(|(at, host)| {
            let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
            match host {
                Host::Tcp(name) => format!("{name}:{port}"),
                #[cfg(unix)]
                Host::Unix(path) => format!("{}:{port}", path.display()),
            }
        })
        .collect();
    let database = config.get_dbname().or(config.get_user()).unwrap_or("");
    format!("Postgres at {}/{database}", hosts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password_and_user() {
        let at =
            parse("postgres://me:s3cret@db.example,db2.example:5433/calup?sslmode=verify-full")
                .expect("read");
        assert_eq!(
            at.shown,
            "Postgres at db.example:5432,db2.example:5433/calup"
        );
        assert_eq!(at.config.get_ssl_mode(), SslMode::Require);
    }

    #[test]
    fn of_several_servers_the_one_that_takes_writes_is_used() {
        let attrs = |url: &str| parse(url).expect("read").config.get_target_session_attrs();
        let several = "postgres://db.example,db2.example/calup";
        assert_eq!(attrs(several), TargetSessionAttrs::ReadWrite);
        let any = format!("{several}?target_session_attrs=any");
        assert_eq!(attrs(&any), TargetSessionAttrs::Any);
        assert_eq!(
            attrs("postgres://db.example/calup"),
            TargetSessionAttrs::Any
        );
    }

    #[test]
    fn what_cannot_be_read_is_told_without_showing_it() {
        for url in [
            "postgres://me:s3cret@host:port/db",
            "postgres://me:s3cret@host/db?sslmode=s3cretly",
            "postgres://me:s3cret@host/db?nonsense=1",
            "postgres://me:s3cret@host/db?sslcert=/me.pem",
        ] {
            let Err(Error::Unusable(said)) = parse(url) else {
                panic!("{url} was read")
            };
            assert!(
                said.contains("DATABASE_URL") && !said.contains("me:s3cret"),
                "{said}"
            );
        }
    }

    #[test]
    fn tls_is_left_out_on_this_machine_only() {
        let mode = |url| parse(url).expect("read").config.get_ssl_mode();
        assert_eq!(mode("postgres://localhost/calup"), SslMode::Disable);
        assert_eq!(
            mode("postgres://u@%2Fvar%2Frun%2Fpostgresql/calup"),
            SslMode::Disable
        );
        assert_eq!(mode("postgres://10.0.0.7/calup"), SslMode::Prefer);
        assert_eq!(
            mode("postgres://localhost/calup?sslmode=require"),
            SslMode::Require
        );
        assert_eq!(
            mode("postgres://localhost/calup?sslrootcert=/ca.pem"),
            SslMode::Require
        );
    }

    #[test]
    fn an_authority_s_file_may_be_written_with_escapes() {
        for (written, file) in [
            ("/etc/ca.pem", "/etc/ca.pem"),
            ("%2Fetc%2fmy%20ca.pem", "/etc/my ca.pem"),
            ("/100%/ca.pem", "/100%/ca.pem"),
        ] {
            let at = parse(&format!(
                "postgres://db.example/calup?sslrootcert={written}"
            ));
            assert_eq!(at.expect("read").authority, Some(PathBuf::from(file)));
        }
        let at = parse("postgres://db.example/calup?sslrootcert=system").expect("read");
        assert_eq!(at.authority, None);
    }
}
