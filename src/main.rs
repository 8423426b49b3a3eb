//! `xiangxun <command>`: one match onto `commands/`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xiangxun::commands;

const ABOUT: &str = "Xiangxun (乡讯): an official-accounts (公众号) news platform that anyone can host";

#[derive(Parser)]
#[command(name = "xiangxun", version, about = ABOUT, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Migrate the database, then serve the site and do its work
    Serve,
    /// Check the settings, or print their documentation
    #[command(subcommand)]
    Config(commands::config::Command),
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve => commands::serve::run().await,
        Command::Config(command) => commands::config::run(&command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xiangxun: {error:#}");
            ExitCode::FAILURE
        }
    }
}
