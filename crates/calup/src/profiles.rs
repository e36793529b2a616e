//! Whom this process serves: the environment's own profile, and each that has a row, as it was at the start. Secrets are
//! taken anew without a restart; so is a removal, from which on nothing comes in and nothing is written.

use std::sync::Arc;
use std::time::SystemTime;

use store::rows::ProfileRow;

use crate::app::App;
use crate::config::{self, Config};

pub struct Served {
    pub app: Arc<App>,
    pub watch: Watch,
}

/// The environment's own comes first. One that cannot be served is told, and is in nobody's way.
pub async fn all(own: &Arc<App>) -> Result<Vec<Served>, store::Error> {
    let mut all = vec![Served {
        app: own.clone(),
        watch: Watch::File(config::file_changed()),
    }];
    for (name, row) in own.store.profiles().await? {
        match row
            .map_err(|e| e.to_string())
            .and_then(|row| served(own, &row))
        {
            Ok(served) => all.push(served),
            Err(why) => {
                let text = format!("profile `{name}` is not served: {why}");
                let hint =
                    "its deliveries are refused until that is mended and calup started again";
                own.notify(&format!("profile:{name}"), &text, hint).await;
            }
        }
    }
    Ok(all)
}

fn served(own: &App, row: &ProfileRow) -> Result<Served, String> {
    let config = own.config.of_profile(row).map_err(|e| e.to_string())?;
    Ok(Served {
        app: own.beside(config).map_err(|e| e.to_string())?,
        watch: Watch::Row(Some(row.clone())),
    })
}

/// Where a profile's settings are.
pub fn source(app: &App) -> String {
    if app.config.is_default_profile() {
        config::FILE.to_owned()
    } else {
        format!("profile `{}`", app.profile())
    }
}

/// Notices that settings have changed.
pub enum Watch {
    File(Option<SystemTime>),
    /// As it was read, for one that is removed and added begins anew with its versions; `None` once it is gone.
    Row(Option<ProfileRow>),
}

impl Watch {
    /// As they are now, if they are not as they were when this was last asked.
    pub async fn changed(&mut self, app: &App) -> Option<Result<Config, String>> {
        match self {
            Self::File(seen) => {
                let changed = config::file_changed();
                if changed == *seen {
                    return None;
                }
                *seen = changed;
                Some(Config::load().map_err(|wrong| wrong.to_string()))
            }
            Self::Row(seen) => {
                // What cannot be read now is read at the next look.
                let row = app.store.profile(app.profile()).await.ok()?;
                if row == *seen {
                    return None;
                }
                seen.clone_from(&row);
                let row = row.unwrap_or_else(|| ProfileRow {
                    name: app.profile().to_owned(),
                    ..ProfileRow::default()
                });
                Some(
                    app.config
                        .of_profile(&row)
                        .map_err(|wrong| wrong.to_string()),
                )
            }
        }
    }
}
