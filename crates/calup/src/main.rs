use std::process::ExitCode;

fn main() -> ExitCode {
    calup::main()
}
