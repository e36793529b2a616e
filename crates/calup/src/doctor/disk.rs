//! How much room there is where the database lives.

use std::path::Path;

use super::{Finding, fail, ok, warn};

const MIB: u64 = 1 << 20;
const WARN_BELOW: u64 = 1 << 30;
const FAIL_BELOW: u64 = 100 * MIB;

/// `folder` exists.
pub fn examine(folder: &Path) -> Finding {
    match rustix::fs::statvfs(folder) {
        Ok(stat) => judge(stat.f_bavail.saturating_mul(stat.f_frsize), folder),
        Err(error) => warn(
            "disk",
            format!(
                "the room on the disk of {} is not known ({error})",
                folder.display()
            ),
            "let this user read that folder",
        ),
    }
}

fn judge(free: u64, folder: &Path) -> Finding {
    let says = format!(
        "{} are free where the database is ({})",
        shown(free),
        folder.display()
    );
    let fix = "make room, or move the database to a larger disk; a full disk means 503 to Cal.com, which does not send again";
    if free >= WARN_BELOW {
        ok("disk", says)
    } else if free >= FAIL_BELOW {
        warn("disk", says, fix)
    } else {
        fail("disk", says, fix)
    }
}

fn shown(bytes: u64) -> String {
    if bytes >= WARN_BELOW {
        format!("{:.1} GiB", bytes as f64 / WARN_BELOW as f64)
    } else {
        format!("{} MiB", bytes / MIB)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn a_disk_is_short_below_a_gibibyte_and_too_short_below_a_hundred_mebibytes() {
        for (free, state, says) in [
            (5 * WARN_BELOW / 2, State::Ok, "2.5 GiB are free"),
            (WARN_BELOW, State::Ok, "1.0 GiB"),
            (WARN_BELOW - 1, State::Warn, "1023 MiB"),
            (FAIL_BELOW, State::Warn, "100 MiB"),
            (FAIL_BELOW - 1, State::Fail, "99 MiB"),
            (0, State::Fail, "0 MiB"),
        ] {
            let finding = judge(free, Path::new("/data"));
            assert_eq!(finding.state, state, "{free}");
            assert!(finding.says.contains(says), "{}", finding.says);
        }
    }

    #[test]
    fn the_room_of_a_folder_is_known() {
        let says = examine(Path::new("/")).says;
        assert!(says.contains("are free"), "{says}");
        assert_eq!(examine(Path::new("/no/such/folder")).state, State::Warn);
    }
}
