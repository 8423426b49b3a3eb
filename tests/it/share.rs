//! Share images: what previews of links show, drawn once, and gone with the article.

use axum::body::Body;
use axum::http::Method;
use sea_orm::{ActiveModelTrait, ActiveValue::Set, IntoActiveModel};
use xiangxun::media::picture::Use;

use crate::both_databases;
use crate::renditions::photo;
use crate::support::TestApp;

/// The path of the picture that the page of an article names for previews.
async fn preview(app: &TestApp, path: &str) -> String {
    let page = app.get(path).await.assert_status(200).text();
    let (_, after) = page
        .split_once("property=\"og:image\" content=\"http://xiangxun.test")
        .unwrap_or_else(|| panic!("{page}"));
    after.split('"').next().unwrap().replace("&#38;", "&")
}

fn drawn(app: &TestApp) -> usize {
    std::fs::read_dir(app.app.config.data.join("share")).map_or(0, Iterator::count)
}

both_databases! {
    async fn an_article_without_a_cover_has_an_image_for_previews_that_is_drawn_once(app) {
        let (_, owner) = app.account("lundun").await;
        app.sign_in(owner.id).await;
        let id = app.publish_new("lundun", "台风今晚登陆，渔船回港", "正文。").await;
        app.sign_out();
        let path = format!("/@lundun/{}", app.article(id).await.slug);
        let image = preview(app, &path).await;
        assert!(image.starts_with(&format!("{path}/share.png?v=")), "{image}");
        let page = app.get(&path).await.text();
        for part in ["og:image:width\" content=\"1200\"", "og:image:height\" content=\"630\"", "summary_large_image"] {
            assert!(page.contains(part), "{part}");
        }
        assert_eq!(drawn(app), 0, "nothing is drawn before somebody asks");
        let answer = app.get(&image).await.assert_status(200);
        assert_eq!((answer.header("content-type"), answer.header("cache-control")), ("image/png", "public, max-age=86400"));
        let picture = image::load_from_memory(&answer.bytes).unwrap();
        assert_eq!((picture.width(), picture.height()), (1200, 630));
        // Whatever somebody makes of the address, it is the same image.
        for other in ["?v=0000", "?v=", "", "?x=1", &format!("?v={}", "9".repeat(500))] {
            let again = app.get(&format!("{path}/share.png{other}")).await.assert_status(200);
            assert!(again.bytes == answer.bytes && again.header("cache-control") == "public, max-age=300", "{other}");
        }
        assert_eq!(drawn(app), 1);
        // Who has it is told so, though it were drawn no more.
        let request = app.request(Method::GET, &image).header("if-none-match", answer.header("etag")).body(Body::empty());
        std::fs::remove_dir_all(app.app.config.data.join("share")).unwrap();
        assert!(app.send(request.unwrap()).await.assert_status(304).bytes.is_empty());
        assert_eq!(drawn(app), 0);
        app.get(&image).await.assert_status(200);
        // Another title is another image.
        let mut row = app.article(id).await.into_active_model();
        row.title = Set("更正：颱風改道".into());
        row.update(app.app.db.write()).await.unwrap();
        let second = app.get(&format!("{path}/share.png")).await.assert_status(200);
        assert_ne!(second.bytes, answer.bytes);
        assert_eq!(drawn(app), 2);
    }

    async fn an_image_is_seen_by_those_who_see_the_article(app) {
        let (_, owner) = app.account("lundun").await;
        app.sign_in(owner.id).await;
        let draft = app.write_draft("lundun", "草稿", "正文。").await;
        let slug = app.article(draft).await.slug;
        app.get(&format!("/@lundun/{slug}/share.png")).await.assert_status(404);
        app.get("/@lundun/nothing/share.png").await.assert_status(404);
        let id = app.publish_new("lundun", "要撤回的", "正文。").await;
        let image = preview(app, &format!("/@lundun/{}", app.article(id).await.slug)).await;
        app.get(&image).await.assert_status(200);
        app.post(&format!("/studio/@lundun/articles/{id}/withdraw"), &[("reason", "")]).await.assert_status(303);
        app.get(&image).await.assert_status(410);
        assert_eq!(app.send(app.request(Method::HEAD, &image).body(axum::body::Body::empty()).unwrap()).await.status, 410);
    }

    async fn a_cover_is_shown_where_it_is_large_enough(app) {
        let (account, owner) = app.account("lundun").await;
        app.sign_in(owner.id).await;
        let id = app.publish_new("lundun", "有封面的", "正文。").await;
        let path = format!("/@lundun/{}", app.article(id).await.slug);
        for (width, is_cover) in [(700, true), (300, false)] {
            let kept = xiangxun::media::keep(&app.app, owner.id, account.id, photo(width, 200), Use::Illustration).await.unwrap();
            let mut row = app.article(id).await.into_active_model();
            row.cover_url = Set(Some(xiangxun::media::url(&kept)));
            row.update(app.app.db.write()).await.unwrap();
            let image = preview(app, &path).await;
            assert_eq!(image == xiangxun::media::url(&kept), is_cover, "{image}");
            assert_eq!(image.contains("/share.png"), !is_cover, "{image}");
        }
        app.work().await;
    }
}
