//! The binary: one match onto `commands/`.

use clap::{Parser, Subcommand};
use xiangxun::commands;

/// Xiangxun (乡讯): an official-accounts news platform that anyone can host.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Migrate the database, then serve the site and do its work.
    Serve,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    match Cli::parse().command {
        Command::Serve => commands::serve::run().await,
    }
}
