//! `xiangxun <command>`: one match onto `commands/`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use xiangxun::{commands, config};

/// Gives memory back to the system; glibc's own keeps what many threads once needed, which made an
/// idle site a third larger.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EXAMPLES: &str = "\
Examples:
  xiangxun demo                                     look around in a throw-away instance
  xiangxun serve                                    run a site, on SQLite in ./data
  xiangxun import articles archive.jsonl.zst --account-by outlet
  xiangxun import feed https://example.org/feed.xml --account example
  xiangxun config docs                              every setting, its variable and its default

Settings come from xiangxun.toml in the working folder, or the file of --config, and from
XIANGXUN_* variables.";

const ABOUT: &str = "Xiangxun (乡讯): an official-accounts (公众号) news platform that anyone can host";

#[derive(Parser)]
#[command(name = "xiangxun", version, about = ABOUT, after_help = EXAMPLES, max_term_width = 100)]
struct Cli {
    /// The settings file; by default the one named by XIANGXUN_CONFIG, else ./xiangxun.toml
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the site: bring the database up to date, then start the web server and the workers
    ///
    /// Stops on SIGTERM or Ctrl-C: no new requests are taken, those under way are finished, and
    /// claimed jobs are given back. Several nodes may run on one PostgreSQL database.
    Serve(commands::serve::Options),
    /// Show the product at once: a throw-away instance with some 300 articles in 8 accounts
    ///
    /// Prints links that sign in a publisher and a reader. Mail is captured and can be read at
    /// /demo/mail. Everything is deleted when the program ends.
    Demo(commands::demo::Options),
    /// Bring in articles from a file, or an outlet's existing feed
    #[command(subcommand)]
    Import(Import),
    /// Bring the database's schema up to date, show it, or take steps back
    Migrate(commands::migrate::Options),
    /// Build the search index anew, beside the one in use, then swap
    ///
    /// May be run while the site is being served from the same data folder: searches are answered
    /// from the old index until the new one is complete.
    Reindex,
    /// Create users, make them operators, reset passwords
    #[command(subcommand)]
    User(commands::user::Command),
    /// Open, list, verify and suspend accounts
    #[command(subcommand)]
    Account(commands::account::Command),
    /// Make DKIM keys for outgoing mail, check its domain, print where bounces go
    #[command(subcommand)]
    Mail(commands::mail::Command),
    /// Send a test message through each configured mail server
    TestMail(commands::test_mail::Options),
    /// Check the settings, or print their documentation
    #[command(subcommand)]
    Config(commands::config::Command),
}

#[derive(Subcommand)]
enum Import {
    /// Connect a feed to an account and read it at once; or take in a feed document from a file
    ///
    /// A connected feed is read again at its own pace by `serve`. What is there already is not made
    /// twice, and nobody is told of imported articles.
    Feed(commands::import_feed::Options),
    /// Import published articles in bulk from a JSON Lines file
    ///
    /// One object a line with id, title and body (plain text, paragraphs parted by blank lines) and,
    /// if known, outlet, published_at, lang, author, tags and url. An article whose id is there
    /// already is left alone, so a broken-off import is finished by running it again. Nobody is told
    /// of imported articles.
    Articles(commands::import_articles::Options),
}

#[tokio::main]
async fn main() -> ExitCode {
    let asked = Cli::parse();
    if let Some(file) = asked.config {
        config::choose_file(file);
    }
    let done = match asked.command {
        Command::Serve(options) => commands::serve::run(&options).await,
        Command::Import(Import::Feed(options)) => commands::import_feed::run(options).await,
        Command::Demo(options) => commands::demo::run(&options).await,
        Command::Import(Import::Articles(options)) => commands::import_articles::run(options).await,
        Command::Migrate(options) => commands::migrate::run(&options).await,
        Command::Reindex => commands::reindex::run().await,
        Command::User(command) => commands::user::run(command).await,
        Command::Account(command) => commands::account::run(command).await,
        Command::Mail(command) => commands::mail::run(&command).await,
        Command::TestMail(options) => commands::test_mail::run(&options).await,
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
