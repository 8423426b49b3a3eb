//! Pictures: uploading, what is refused, serving, avatars.

use std::io::Cursor;

use axum::body::Body;
use axum::http::{Method, header};
use image::{ImageFormat, Rgb, RgbImage};
use sea_orm::{EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use xiangxun::auth::{Scope, api_tokens};
use xiangxun::db::entities::account;
use xiangxun::db::entities::article;
use xiangxun::db::entities::media;
use xiangxun::db::entities::member::Role;

use crate::both_databases;
use crate::support::TestApp;
use crate::support::app::Answer;

fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let image = RgbImage::from_fn(width, height, |x, y| Rgb([(x % 256) as u8, (y % 256) as u8, 90]));
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Posts a file with further fields as a browser does.
async fn upload(
    app: &TestApp,
    path: &str,
    name: &str,
    file: &[u8],
    fields: &[(&str, &str)],
    json: bool,
) -> Answer {
    let mut body = Vec::new();
    for (field, value) in fields {
        body.extend(
            format!("--XX\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n").bytes(),
        );
    }
    let head = format!(
        "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: image/png\r\n\r\n"
    );
    body.extend(head.bytes());
    body.extend(file);
    body.extend(b"\r\n--XX--\r\n");
    let mut request = app
        .request(Method::POST, path)
        .header(header::ORIGIN, "http://xiangxun.test")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=XX");
    if json {
        request = request.header(header::ACCEPT, "application/json");
    }
    app.send(request.body(Body::from(body)).unwrap()).await
}

both_databases! {
    async fn a_picture_is_kept_once_and_served_for_ever(app) {
        let (_, owner) = app.account("lundun").await;
        app.sign_in(owner.id).await;
        let bytes = picture(2000, 1000, ImageFormat::Jpeg);
        let kept = upload(app, "/studio/@lundun/media", "任意.exe", &bytes, &[], true).await.assert_status(201).json();
        assert_eq!((kept["width"].as_i64(), kept["height"].as_i64()), (Some(1600), Some(800)));
        let path = kept["path"].as_str().unwrap().to_owned();
        assert_eq!(kept["url"], format!("http://xiangxun.test{path}"));
        let again = upload(app, "/studio/@lundun/media", "b.jpg", &bytes, &[], true).await.assert_status(201).json();
        assert_eq!(again["path"], kept["path"]);
        assert_eq!(media::Entity::find().count(app.app.db.read()).await.unwrap(), 1);
        app.sign_out();
        let shown = app.get(&path).await.assert_status(200);
        assert_eq!(shown.header("content-type"), "image/jpeg");
        assert!(shown.header("cache-control").contains("immutable"));
        assert!(shown.header("content-security-policy").contains("sandbox"));
        assert_eq!(shown.header("x-content-type-options"), "nosniff");
        assert_eq!(image::load_from_memory(&shown.bytes).unwrap().width(), 1600);
        let request = app.request(Method::GET, &path).header(header::IF_NONE_MATCH, shown.header("etag"));
        app.send(request.body(Body::empty()).unwrap()).await.assert_status(304);
        app.work().await;
    }

    async fn a_browser_without_script_gets_the_list_with_the_pictures_address(app) {
        let (_, owner) = app.account("lundun").await;
        app.sign_in(owner.id).await;
        let mut shown = String::new();
        for format in [ImageFormat::Png, ImageFormat::Gif, ImageFormat::WebP, ImageFormat::Jpeg] {
            let answer = upload(app, "/studio/@lundun/media", "a", &picture(40, 30, format), &[], false).await;
            let place = answer.assert_status(303).location().to_owned();
            shown = app.get(&place).await.assert_status(200).text();
            let last = media::Entity::find().order_by_desc(media::COLUMN.id).one(app.app.db.read()).await.unwrap().unwrap();
            let address = format!("/media/{}", last.key);
            assert!(shown.contains(&format!("value=\"{address}\"")), "the address to copy: {shown}");
            assert!(shown.contains(&format!("value=\"![]({address})\"")), "the Markdown to copy: {shown}");
        }
        assert!(shown.contains("40 × 30"), "{shown}");
        assert!(!app.get("/studio/@lundun/media").await.assert_status(200).text().contains("kept-url"));
        // Another account's pictures are not shown by their number.
        let (_, stranger) = app.account("bali").await;
        app.sign_out();
        app.sign_in(stranger.id).await;
        let other = app.get("/studio/@bali/media?kept=1").await.assert_status(200).text();
        assert!(!other.contains("kept-url"), "{other}");
        app.work().await;
    }

    async fn an_uploaded_picture_stays_with_its_article_when_the_site_moves(app) {
        let (account, owner) = app.account("lundun").await;
        app.sign_in(owner.id).await;
        // Wide enough for a preview.
        let bytes = picture(640, 30, ImageFormat::Png);
        let told = upload(app, "/studio/@lundun/media", "a.png", &bytes, &[], true).await.assert_status(201).json();
        let path = told["path"].as_str().unwrap().to_owned();
        assert_eq!(told["url"], format!("http://xiangxun.test{path}"));
        let token = api_tokens::create(&app.app, owner.id, "t", &[Scope::ArticlesWrite]).await.unwrap();
        let article = serde_json::json!({
            "title": "有图", "body": format!("![一座桥]({path})"), "cover_url": path, "publish": true,
        });
        let made = app.api(Method::POST, "/api/v1/accounts/lundun/articles", &token, &[], article).await.assert_status(201).json();
        // In the database and on our pages without the site's name, so that another name changes nothing.
        let row = article::Entity::find().filter(article::COLUMN.account_id.eq(account.id)).one(app.app.db.read()).await.unwrap().unwrap();
        assert_eq!(row.cover_url.as_deref(), Some(path.as_str()));
        assert!(row.body_html.contains(&format!("<img src=\"{path}\" alt=\"一座桥\"")), "{}", row.body_html);
        let page = app.get(&format!("/@lundun/{}", row.slug)).await.assert_status(200).text();
        assert!(page.contains(&format!("<img src=\"{path}\" alt=\"一座桥\"")), "{page}");
        assert!(page.contains(&format!("property=\"og:image\" content=\"http://xiangxun.test{path}\"")), "{page}");
        // With it wherever the article leaves the site.
        assert_eq!(made["cover_url"], format!("http://xiangxun.test{path}"));
        assert!(made["body_html"].as_str().unwrap().contains(&format!("src=\"http://xiangxun.test{path}\"")), "{made}");
        for format in ["atom", "rss", "json"] {
            let feed = app.get(&format!("/@lundun/feed.{format}")).await.assert_status(200).text();
            assert!(feed.contains(&format!("http://xiangxun.test{path}")) && !feed.contains(&format!("\"{path}")), "{feed}");
        }
        app.subscriber(account.id, "reader@example.org").await;
        app.push(account.id, &[&row]).await;
        app.work().await;
        let letters = app.take_letters();
        assert!(letters[0].html.contains(&format!("src=\"http://xiangxun.test{path}\"")), "{}", letters[0].html);
    }

    async fn the_editor_has_a_form_for_pictures_that_works_without_script(app) {
        let (account, owner) = app.account("lundun").await;
        app.sign_in(owner.id).await;
        let page = app.get("/studio/@lundun/articles/new").await.assert_status(200).text();
        for part in [
            "<form id=\"upload\"", "action=\"/studio/@lundun/media\" enctype=\"multipart/form-data\"",
            "type=\"file\" name=\"file\" form=\"upload\"", "form=\"upload\" id=\"picture-send\"", "/static/pictures.js",
        ] {
            assert!(page.contains(part), "{part} is not in {page}");
        }
        let analyst = app.user("analyst@example.org").await;
        app.member(account.id, analyst.id, Role::Analyst).await;
        app.sign_out();
        app.sign_in(analyst.id).await;
        app.get("/studio/@lundun/articles/new").await.assert_status(403);
    }

    async fn what_is_no_picture_is_refused_and_nothing_is_kept(app) {
        let (_, owner) = app.account("lundun").await;
        app.sign_in(owner.id).await;
        let mut bomb = picture(1, 1, ImageFormat::Gif);
        bomb[6..10].copy_from_slice(&[0xff; 4]);
        let svg: &[u8] = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>";
        let cut = &picture(300, 300, ImageFormat::Png)[..200];
        let cases: [(&str, &[u8], &str); 6] = [
            ("empty.png", b"", "请选择"),
            ("page.png", b"<html><script>alert(1)</script>", "这不是"),
            ("drawing.svg", svg, "这不是"),
            ("bomb.gif", &bomb, "图片"),
            ("cut.png", cut, "已损坏"),
            ("text.jpg", b"\xff\xd8\xff\xe0 not really", "已损坏"),
        ];
        for (name, bytes, words) in cases {
            let answer = upload(app, "/studio/@lundun/media", name, bytes, &[], false).await.assert_status(422);
            assert!(answer.text().contains(words), "{name}: {}", answer.text());
            let answer = upload(app, "/studio/@lundun/media", name, bytes, &[], true).await.assert_status(422);
            assert!(answer.json()["detail"].as_str().unwrap().contains(words), "{name}");
        }
        assert_eq!(media::Entity::find().count(app.app.db.read()).await.unwrap(), 0);
        assert!(!app.app.config.data.join("media").exists());
    }

    async fn too_large_a_file_is_refused_with_words(app) {
        let (_, owner) = app.account("lundun").await;
        app.sign_in(owner.id).await;
        // More than a plain form may carry is fine in an upload.
        let mut large = picture(10, 10, ImageFormat::Jpeg);
        large.resize(6 * 1024 * 1024, 0);
        upload(app, "/studio/@lundun/media", "a.jpg", &large, &[], true).await.assert_status(201);
        large.resize(21 * 1024 * 1024, 0);
        let answer = upload(app, "/studio/@lundun/media", "a.jpg", &large, &[], true).await;
        assert!(answer.assert_status(422).text().contains("文件太大，最大 20 MB"));
        // So too where the length is told beforehand, and nothing is read.
        let request = app
            .request(Method::POST, "/studio/@lundun/media")
            .header(header::ORIGIN, "http://xiangxun.test")
            .header(header::CONTENT_LENGTH, 900 * 1024 * 1024)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=XX");
        let answer = app.send(request.body(Body::from("--XX")).unwrap()).await;
        assert!(answer.assert_status(422).text().contains("文件太大，最大 20 MB"));
        app.work().await;
    }

    async fn only_those_who_write_upload_and_only_owners_change_the_avatar(app) {
        let (account, _) = app.account("lundun").await;
        let bytes = picture(500, 300, ImageFormat::Png);
        let cases = [(Role::Owner, 201, 303), (Role::Editor, 201, 403), (Role::Author, 201, 403), (Role::Analyst, 403, 403)];
        for (role, media, avatar) in cases {
            let user = app.user(&format!("{role}@example.org")).await;
            app.member(account.id, user.id, role).await;
            app.sign_out();
            app.sign_in(user.id).await;
            upload(app, "/studio/@lundun/media", "a.png", &bytes, &[], true).await.assert_status(media);
            upload(app, "/studio/@lundun/avatar", "a.png", &bytes, &[], false).await.assert_status(avatar);
        }
        let saved = account::Entity::find_by_id(account.id).one(app.app.db.read()).await.unwrap().unwrap();
        let avatar = saved.avatar_url.unwrap();
        app.sign_out();
        let shown = image::load_from_memory(&app.get(&avatar).await.assert_status(200).bytes).unwrap();
        assert_eq!((shown.width(), shown.height()), (300, 300));
        assert!(app.get("/@lundun").await.text().contains(&avatar));
        let owner = xiangxun::auth::users::find(&app.app, &xiangxun::auth::Address::parse("owner@example.org").unwrap()).await.unwrap().unwrap();
        app.sign_in(owner.id).await;
        upload(app, "/studio/@lundun/avatar", "", b"", &[("remove", "1")], false).await.assert_status(303);
        let saved = account::Entity::find_by_id(account.id).one(app.app.db.read()).await.unwrap().unwrap();
        assert_eq!(saved.avatar_url, None);
        app.work().await;
    }

    async fn nothing_but_pictures_is_read_from_the_folder(app) {
        for path in [
            "/media/1/../../xiangxun.sqlite", "/media/..%2f..%2fxiangxun.sqlite/x", "/media/1/..%2f..%2fxiangxun.sqlite",
            "/media/1/0123456789abcdef0123456789abcdef.svg", "/media/1/0123456789abcdef0123456789abcdef.jpg", "/media/x/y",
        ] {
            let answer = app.get(path).await;
            assert_eq!(answer.status, 404, "{path}");
        }
    }
}
