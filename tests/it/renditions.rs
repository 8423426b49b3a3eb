//! Smaller copies of pictures, and how pages show pictures: with those, with their size, or not at all.

use std::io::Cursor;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, header};
use image::{ImageFormat, Rgb, RgbImage};
use migrations::{Migrator, MigratorTrait};
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, PaginatorTrait};
use xiangxun::db::entities::media::Renditions;
use xiangxun::db::entities::{article, job, media};
use xiangxun::jobs::{self, Outcome};
use xiangxun::media::picture::Use;

use crate::both_databases;
use crate::support::TestApp;
use crate::support::app::Answer;

/// Soft shapes with some grain, as photos have.
pub fn photo(width: u32, height: u32) -> Vec<u8> {
    let mut seed = 7_u32;
    let image = RgbImage::from_fn(width, height, |x, y| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let grain = (seed >> 28) as f32;
        let wave = (x as f32 / 37.0).sin() * 60.0 + (y as f32 / 23.0).cos() * 50.0;
        Rgb([150.0 + wave + grain, 100.0 + wave / 2.0 + grain, 30.0 + grain]
            .map(|v| v.clamp(0.0, 255.0) as u8))
    });
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}

async fn get_saving(app: &TestApp, path: &str) -> Answer {
    let request = app.request(Method::GET, path).header("save-data", "on");
    app.send(request.body(Body::empty()).unwrap()).await
}

/// An article with a kept picture as its cover and within its text; returns its path and the picture's key.
async fn illustrated(app: &TestApp, width: u32, height: u32) -> (String, String) {
    let (account, owner) = app.account("lundun").await;
    app.sign_in(owner.id).await;
    let kept = xiangxun::media::keep(&app.app, owner.id, account.id, photo(width, height), Use::Illustration)
        .await
        .unwrap();
    let inside =
        xiangxun::media::keep(&app.app, owner.id, account.id, photo(width, height + 8), Use::Illustration)
            .await
            .unwrap();
    let body = format!("第一段。\n\n![伦敦桥的早晨](/media/{})\n\n第二段。", inside.key);
    let id = app.publish_new("lundun", "有图的文章", &body).await;
    let mut row = app.article(id).await.into_active_model();
    row.cover_url = Set(Some(format!("/media/{}", kept.key)));
    let row = row.update(app.app.db.write()).await.unwrap();
    app.sign_out();
    (format!("/@lundun/{}", row.slug), kept.key)
}

both_databases! {
    async fn a_picture_is_shown_as_it_is_until_its_renditions_are_made(app) {
        let (path, key) = illustrated(app, 700, 400).await;
        let stem = key.trim_end_matches(".jpg").to_owned();
        let early = app.get(&path).await.assert_status(200).text();
        assert!(early.contains(&format!("<img src=\"/media/{key}\" alt=\"\" width=\"700\" height=\"400\" fetchpriority=\"high\">")), "{early}");
        assert!(!early.contains("<source"), "{early}");
        // Whoever asks for a rendition meanwhile gets the picture, and not for long.
        let answer = app.get(&format!("/media/{stem}-320.webp")).await.assert_status(200);
        assert_eq!((answer.header("content-type"), answer.header("cache-control")), ("image/jpeg", "public, max-age=300"));
        assert_eq!(answer.header("etag"), format!("\"{key}\"").replace("\"1/", "\""));
        let request = app.request(Method::GET, &format!("/media/{stem}-320.webp")).header(header::IF_NONE_MATCH, answer.header("etag"));
        let same = app.send(request.body(Body::empty()).unwrap()).await.assert_status(304);
        assert!(same.bytes.is_empty() && same.header("cache-control") == "public, max-age=300");
        app.work().await;
        // What the browser has meanwhile is not taken for the rendition.
        let request = app.request(Method::GET, &format!("/media/{stem}-320.webp")).header(header::IF_NONE_MATCH, answer.header("etag"));
        app.send(request.body(Body::empty()).unwrap()).await.assert_status(200);
        let page = app.get(&path).await.assert_status(200);
        // The header names what the page will ask for, and no other file.
        let link = format!(
            "</media/{key}>; rel=preload; as=image; fetchpriority=high; type=\"image/avif\"; \
             imagesrcset=\"/media/{stem}-320.avif 320w, /media/{stem}-700.avif 700w\"; imagesizes=\"(min-width: 42rem) 40rem, 100vw\""
        );
        assert!(page.headers.get_all("link").iter().any(|one| *one == link), "{:?}", page.headers);
        let page = page.text();
        let sources = format!(
            "<source type=\"image/avif\" srcset=\"/media/{stem}-320.avif 320w, /media/{stem}-700.avif 700w\" sizes=\"(min-width: 42rem) 40rem, 100vw\">\
             <source type=\"image/webp\" srcset=\"/media/{stem}-320.webp 320w, /media/{stem}-700.webp 700w\" sizes=\"(min-width: 42rem) 40rem, 100vw\">"
        );
        assert!(page.contains(&sources), "{page}");
        let tone = media::Entity::find().one(app.app.db.read()).await.unwrap().unwrap().tone.unwrap();
        assert!(page.contains(&format!("<img class=\"{tone}\" src=\"/media/{key}\"")), "{page}");
        // The one in the text waits until it is near, keeps its words, and has its size.
        assert!(page.contains("alt=\"伦敦桥的早晨\" loading=\"lazy\" decoding=\"async\" width=\"700\" height=\"408\""), "{page}");
        assert_eq!(page.matches("<picture>").count(), 2, "{page}");
        assert_eq!(page.matches("fetchpriority").count(), 1, "{page}");
        // What is kept of the article is as it was written.
        let row = article::Entity::find().one(app.app.db.read()).await.unwrap().unwrap();
        assert!(!row.body_html.contains("picture>") && !row.body_html.contains("width"), "{}", row.body_html);
        for (kind, head) in [("webp", &b"RIFF"[..]), ("avif", &b"\0\0\0"[..])] {
            let answer = app.get(&format!("/media/{stem}-320.{kind}")).await.assert_status(200);
            assert_eq!(answer.header("content-type"), format!("image/{kind}"));
            assert!(answer.header("cache-control").contains("immutable") && answer.bytes.starts_with(head));
            assert!(answer.bytes.len() < 20_000, "{kind}: {}", answer.bytes.len());
        }
        // In a list it is small, and waits too.
        let list = app.get("/@lundun").await.assert_status(200).text();
        assert!(list.contains(&format!("<img class=\"thumb {tone}\" src=\"/media/{key}\" alt=\"\" width=\"160\" height=\"112\" loading=\"lazy\"")), "{list}");
        assert!(list.contains(&format!("/media/{stem}-320.avif 320w")), "{list}");
    }

    async fn renditions_are_made_once_however_often_the_job_comes(app) {
        let (account, owner) = app.account("lundun").await;
        let kept = xiangxun::media::keep(&app.app, owner.id, account.id, photo(400, 300), Use::Illustration).await.unwrap();
        assert_eq!(job::Entity::find().count(app.app.db.read()).await.unwrap(), 1);
        // The same picture again asks for nothing more.
        xiangxun::media::keep(&app.app, owner.id, account.id, photo(400, 300), Use::Illustration).await.unwrap();
        assert_eq!(job::Entity::find().count(app.app.db.read()).await.unwrap(), 1);
        // Killed after the files and before the row: the job comes again and writes the same.
        app.work().await;
        let done = media::Entity::find_by_id(kept.id).one(app.app.db.read()).await.unwrap().unwrap();
        let mut row = done.clone().into_active_model();
        row.renditions = Set(None);
        row.update(app.app.db.write()).await.unwrap();
        xiangxun::media::render::run(&app.app, kept.id).await.unwrap();
        let again = media::Entity::find_by_id(kept.id).one(app.app.db.read()).await.unwrap().unwrap();
        assert_eq!(again, done);
        xiangxun::media::render::run(&app.app, kept.id).await.unwrap();
        xiangxun::media::render::run(&app.app, 4711).await.unwrap();
    }

    async fn pictures_of_a_site_that_was_brought_up_to_date_get_theirs_one_after_the_other(app) {
        let (account, owner) = app.account("lundun").await;
        for height in [30, 31, 32] {
            xiangxun::media::keep(&app.app, owner.id, account.id, photo(360, height), Use::Illustration).await.unwrap();
        }
        job::Entity::delete_many().exec(app.app.db.write()).await.unwrap();
        // One of them is gone from the disk: the others do not wait for it.
        let lost = media::Entity::find().one(app.app.db.read()).await.unwrap().unwrap();
        std::fs::remove_file(app.app.config.data.join("media").join(&lost.key)).unwrap();
        jobs::upkeep::run_once(&app.app).await.unwrap();
        assert_eq!(job::Entity::find().count(app.app.db.read()).await.unwrap(), 0, "they have jobs of their own at first");
        app.app.clock.advance(Duration::from_secs(3_600));
        jobs::upkeep::run_once(&app.app).await.unwrap();
        for _ in 0..4 {
            app.work().await;
            app.app.clock.advance(Duration::from_secs(3));
        }
        let rows = media::Entity::find().all(app.app.db.read()).await.unwrap();
        let made = rows.iter().filter(|row| row.renditions.is_some()).count();
        assert_eq!(made, 2, "{rows:?}");
    }

    async fn pictures_that_come_together_are_made_in_one_turn(app) {
        use xiangxun::media::render::run;
        let (account, owner) = app.account("lundun").await;
        let mut ids = Vec::new();
        for height in 30..42 {
            let kept = xiangxun::media::keep(&app.app, owner.id, account.id, photo(360, height), Use::Illustration).await.unwrap();
            ids.push(kept.id);
        }
        let (one, other) = tokio::join!(run(&app.app, ids[0]), run(&app.app, ids[1]));
        let (one, other) = (one.unwrap(), other.unwrap());
        // Whose turn it is not comes back when it is mostly done.
        let waits: Vec<_> = [&one, &other]
            .into_iter()
            .filter_map(|outcome| match outcome {
                Outcome::Done => None,
                Outcome::Again { run_at, .. } => Some(run_at.0 - app.app.clock.now().0),
            })
            .collect();
        assert!(matches!(waits[..], [19_000..=60_000]), "{waits:?}");
        let rows = media::Entity::find().all(app.app.db.read()).await.unwrap();
        assert!(rows.iter().all(|row| row.renditions.is_some()), "{rows:?}");
        // The others' jobs have gone with it.
        assert_eq!(job::Entity::find().count(app.app.db.read()).await.unwrap(), 1);
        app.work().await;
    }

    async fn a_reader_who_saves_data_sees_words_and_loads_what_they_ask_for(app) {
        let (path, key) = illustrated(app, 700, 400).await;
        app.work().await;
        let stem = key.trim_end_matches(".jpg").to_owned();
        let with = app.get(&path).await.assert_status(200);
        assert!(with.header("vary").to_ascii_lowercase().contains("save-data"));
        // The browser asks for it, beside others who do not.
        let page = get_saving(app, &path).await.assert_status(200).text();
        for image in ["<img src=\"/media", "<img class=\"tone", "<source", "fetchpriority", "class=\"thumb"] {
            assert!(!page.contains(image), "{image} in {page}");
        }
        assert!(page.contains(&format!("<a class=\"unseen\" href=\"/media/{stem}-320.webp\" data-width=\"700\" data-height=\"400\" data-alt=\"\"")), "{page}");
        assert!(page.contains("data-alt=\"伦敦桥的早晨\" rel=\"noreferrer\"><span>伦敦桥的早晨</span>"), "{page}");
        assert!(page.contains("/static/light.js"), "{page}");
        assert!(app.get(&path).await.text().contains("<picture>"));
        assert!(!get_saving(app, "/@lundun").await.text().contains("/media/"));
        // Or the reader chooses, either way.
        let back = app.post("/look", &[("pictures", "never"), ("back", &path)]).await.assert_status(303);
        assert_eq!(back.location(), path);
        assert!(app.get(&path).await.text().contains("class=\"unseen\""));
        app.post("/look", &[("pictures", "always"), ("back", &path)]).await.assert_status(303);
        assert!(get_saving(app, &path).await.text().contains("<picture>"));
    }

    async fn a_linked_picture_keeps_its_link_where_data_is_saved(app) {
        let (_, owner) = app.account("lundun").await;
        app.sign_in(owner.id).await;
        let body = "[![地图](https://e.example/a.png)](https://e.example/map)\n\n文字。";
        let id = app.publish_new("lundun", "地图", body).await;
        let page = get_saving(app, &format!("/@lundun/{}", app.article(id).await.slug)).await.text();
        let (_, after) = page.split_once("<a href=\"https://e.example/map\"").unwrap();
        let (inside, after) = after.split_once("</a>").unwrap();
        assert!(inside.ends_with(">地图"), "{inside}");
        assert!(after.starts_with("<a class=\"unseen\" href=\"https://e.example/a.png\" data-alt=\"地图\""), "{after}");
    }

    async fn an_avatar_is_small(app) {
        let (account, owner) = app.account("lundun").await;
        let kept = xiangxun::media::keep(&app.app, owner.id, account.id, photo(500, 500), Use::Avatar).await.unwrap();
        let url = xiangxun::media::url(&kept);
        xiangxun::accounts::change_avatar(&app.app, owner.id, account.id, Some(url.clone())).await.unwrap();
        app.work().await;
        let page = app.get("/@lundun").await.assert_status(200).text();
        let stem = url.trim_end_matches(".jpg");
        let source = format!("<source type=\"image/webp\" srcset=\"{stem}-96.webp 96w, {stem}-192.webp 192w\" sizes=\"4.5rem\">");
        assert!(page.contains(&source), "{page}");
        let small = app.get(&format!("{stem}-96.webp")).await.assert_status(200);
        assert_eq!(image::load_from_memory(&small.bytes).unwrap().width(), 96);
        assert!(!get_saving(app, "/@lundun").await.text().contains("<img class=\"avatar"));
    }

    async fn an_avatar_that_is_small_already_and_one_that_is_an_illustration_are_shown(app) {
        let (account, owner) = app.account("lundun").await;
        let small = xiangxun::media::keep(&app.app, owner.id, account.id, photo(150, 170), Use::Avatar).await.unwrap();
        let wide = xiangxun::media::keep(&app.app, owner.id, account.id, photo(480, 300), Use::Illustration).await.unwrap();
        app.work().await;
        assert_eq!((small.width, small.height), (150, 150));
        for (row, widths, lasts) in [(small, [96, 150], true), (wide, [480, 480], false)] {
            let url = xiangxun::media::url(&row);
            xiangxun::accounts::change_avatar(&app.app, owner.id, account.id, Some(url.clone())).await.unwrap();
            let page = app.get("/@lundun").await.assert_status(200).text();
            let stem = url.trim_end_matches(".jpg");
            assert!(page.contains(&format!("srcset=\"{stem}-96.webp 96w, {stem}-192.webp 192w\"")), "{page}");
            for (name, width) in [96, 192].into_iter().zip(widths) {
                let address = format!("{stem}-{name}.webp");
                let shown = app.get(&address).await.assert_status(200);
                assert_eq!(image::load_from_memory(&shown.bytes).unwrap().width(), width, "{address}");
                assert_eq!(shown.header("cache-control").contains("immutable"), lasts, "{address}");
                let request = app.request(Method::GET, &address).header(header::IF_NONE_MATCH, shown.header("etag"));
                app.send(request.body(Body::empty()).unwrap()).await.assert_status(304);
            }
        }
    }

    async fn renditions_that_were_made_with_gaps_are_made_anew_after_an_upgrade(app) {
        let (account, owner) = app.account("lundun").await;
        let cases = [
            ((700, 400), Renditions { webp: vec![320], avif: vec![320] }, true),
            ((700, 401), Renditions { webp: vec![320, 700], avif: vec![] }, false),
            ((1170, 401), Renditions { webp: vec![320, 640], avif: vec![] }, true),
            ((300, 300), Renditions { webp: vec![96, 300], avif: vec![] }, true),
        ];
        let mut ids = Vec::new();
        for ((width, height), renditions, _) in &cases {
            let kept = xiangxun::media::keep(&app.app, owner.id, account.id, photo(*width, *height), Use::Illustration).await.unwrap();
            let mut row = kept.into_active_model();
            row.renditions = Set(Some(renditions.clone()));
            ids.push(row.update(app.app.db.write()).await.unwrap().id);
        }
        job::Entity::delete_many().exec(app.app.db.write()).await.unwrap();
        let steps = Migrator::migrations();
        let after = steps.iter().rev().position(|step| step.name() == "m20261123_000103_make_renditions_anew").unwrap();
        Migrator::down(app.app.db.write(), Some(after as u32 + 1)).await.unwrap();
        Migrator::up(app.app.db.write(), None).await.unwrap();
        for (id, (_, before, anew)) in ids.into_iter().zip(cases) {
            let row = media::Entity::find_by_id(id).one(app.app.db.read()).await.unwrap().unwrap();
            assert_eq!(row.renditions, (!anew).then_some(before), "{row:?}");
        }
    }

    async fn a_body_that_begins_with_its_cover_shows_it_once(app) {
        let (path, key) = illustrated(app, 360, 200).await;
        article::Entity::update_many()
            .col_expr(article::Column::BodyHtml, Expr::value(format!("<p><img src=\"/media/{key}\" alt=\"桥\" width=\"300\" loading=\"lazy\"></p><p>字</p>")))
            .exec(app.app.db.write())
            .await
            .unwrap();
        app.work().await;
        let page = app.get(&path).await.assert_status(200).text();
        assert!(!page.contains("<figure class=\"cover\">"), "{page}");
        // It is the first thing to see, and keeps the size that its author gave.
        assert!(page.contains("alt=\"桥\" width=\"300\" height=\"166\" fetchpriority=\"high\""), "{page}");
        assert!(page.contains("360w\" sizes=\"300px\">") && !page.contains("100vw"), "{page}");
        assert_eq!(app.get(&path).await.assert_status(200).header("etag"), app.get(&path).await.header("etag"));
        let request = app.request(Method::GET, &path).header(header::ACCEPT_LANGUAGE, "zh-TW");
        let hant = app.send(request.body(Body::empty()).unwrap()).await.text();
        assert!(hant.contains("alt=\"橋\" width=\"300\""), "{hant}");
    }
}
