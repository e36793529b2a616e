//! A file system of a test's own, so small that it can be filled.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Once;

/// Unmounted after the test.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where this user may not mount one, which is told.
    pub fn of_mib(size: u32) -> Option<Self> {
        static TOLD: Once = Once::new();
        let path = std::env::temp_dir().join(format!("calup-disk-{}", uuid::Uuid::now_v7()));
        std::fs::create_dir(&path).expect("a folder");
        let disk = Self(path);
        let size = format!("size={size}m");
        if disk.is_mounted_with(&["-t", "tmpfs", "-o", &size, "tmpfs"]) {
            return Some(disk);
        }
        // Not by `eprintln!`, which a test that passes keeps to itself.
        TOLD.call_once(|| {
            let said =
                b"\n*** SKIPPED: a full disk and a read-only one; mounting a tmpfs takes root\n\n";
            let _ = std::io::stderr().write_all(said);
        });
        None
    }

    fn is_mounted_with(&self, arguments: &[&str]) -> bool {
        let mut mount = Command::new("mount");
        let done = mount.args(arguments).arg(&self.0).output();
        done.is_ok_and(|out| out.status.success())
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Of a database there.
    pub fn url(&self) -> String {
        format!("sqlite://{}", self.file("calup.db").display())
    }

    pub fn fill(&self) {
        let block = vec![b'x'; 4 * 1024];
        let mut file = std::fs::File::create(self.file("filler")).expect("a file");
        while file.write_all(&block).is_ok() {}
    }

    pub fn make_room(&self) {
        std::fs::remove_file(self.file("filler")).expect("removed");
    }

    pub fn make_read_only(&self) {
        assert!(self.is_mounted_with(&["-o", "remount,ro"]));
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
        let _ = std::fs::remove_dir(&self.0);
    }
}
