use std::process::ExitCode;

// A delivery and a booking are many small pieces of memory that come and go on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    calup::main()
}
