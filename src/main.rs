//! The program: arguments in, exit code out. Everything else is in the library, where tests can start it.

use std::process::ExitCode;

use tokio::runtime::Runtime;

fn main() -> ExitCode {
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("qqxmpp: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(qqxmpp::cli::main(std::env::args_os()));
    // What still blocks a thread, a name lookup for instance, must not hold up the end.
    runtime.shutdown_background();
    code
}
