//! Writes the seeds of a target into a folder, for the long run.

use std::path::Path;

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [target, folder] = arguments.as_slice() else {
        eprintln!("seeds TARGET FOLDER");
        std::process::exit(2);
    };
    std::fs::create_dir_all(folder)?;
    for (n, seed) in properties::seeds::of(target).iter().enumerate() {
        std::fs::write(Path::new(folder).join(format!("seed-{n:03}")), seed)?;
    }
    Ok(())
}
