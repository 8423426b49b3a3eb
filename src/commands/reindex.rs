//! `xiangxun reindex`: the search index built anew beside the live one, then swapped in.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use crate::app::App;
use crate::config::Config;
use crate::search::follower;

pub async fn run() -> anyhow::Result<()> {
    let config = Config::load()?;
    super::log::start_quietly(&config);
    let app = App::open(config).await?;
    let started = Instant::now();
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
        "{bar:40} {human_pos} of {human_len} articles, {eta} left",
    )?);
    let volume = follower::rebuild(&app, |done, all| {
        bar.set_length(all);
        bar.set_position(done);
    })
    .await?;
    bar.finish_and_clear();
    follower::tidy(app.search.shelf().clone()).await;
    println!(
        "{} articles in {:.1} s; the index {} takes {:.1} MB",
        volume.count(),
        started.elapsed().as_secs_f64(),
        volume.name(),
        volume.size()? as f64 / 1e6,
    );
    app.db.clone().close().await?;
    Ok(())
}
