use std::process::ExitCode;

fn main() -> ExitCode {
    kinora::allocator::return_large_blocks();
    kinora::cli::run()
}
