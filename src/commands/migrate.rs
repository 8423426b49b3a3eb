//! `xiangxun migrate`: the database's schema, up, down, or as it stands.

use migrations::{Migrator, MigratorTrait};

use crate::config::Config;
use crate::db::Db;

#[derive(clap::Args)]
pub struct Options {
    /// Take this many steps back; their tables and columns are lost with what is in them
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u32).range(1..))]
    down: Option<u32>,
    /// Only list the steps, and which of them are done
    #[arg(long, conflicts_with = "down")]
    status: bool,
}

pub async fn run(options: &Options) -> anyhow::Result<()> {
    let config = Config::load()?;
    super::log::start_quietly(&config);
    std::fs::create_dir_all(&config.data)?;
    let db = Db::connect(&config.database_url(), 1).await?;
    if let Some(steps) = options.down {
        let done: Vec<String> = names(&db, true).await?;
        Migrator::down(db.write(), Some(steps)).await?;
        for name in done.iter().rev().take(steps as usize) {
            println!("undone  {name}");
        }
    } else if options.status {
        for name in names(&db, true).await? {
            println!("done    {name}");
        }
        for name in names(&db, false).await? {
            println!("to do   {name}");
        }
    } else {
        let pending = names(&db, false).await?;
        db.migrate().await?;
        for name in &pending {
            println!("done    {name}");
        }
        if pending.is_empty() {
            println!("the schema is up to date");
        }
    }
    db.close().await?;
    Ok(())
}

/// Names of the steps that are done, or still to do, in order.
async fn names(db: &Db, done: bool) -> anyhow::Result<Vec<String>> {
    let steps = if done {
        Migrator::get_applied_migrations(db.write()).await?
    } else {
        Migrator::get_pending_migrations(db.write()).await?
    };
    Ok(steps.iter().map(|step| step.name().to_owned()).collect())
}
