//! EPUB 3.3: one chapter an article, with a table of contents.

use std::io::{self, Cursor};

use sha2::{Digest, Sha256};

use super::xhtml;
use super::{Book, Piece};
use crate::articles::content::plain_text;
use crate::saved::marks::{self, Passage};
use crate::text::fold;
use crate::zip::Zip;

const CONTAINER: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <container version=\"1.0\" xmlns=\"urn:oasis:names:tc:opendocument:xmlns:container\"><rootfiles>\
    <rootfile full-path=\"book/package.opf\" media-type=\"application/oebps-package+xml\"/></rootfiles></container>\n";

const STYLE: &str = "body { line-height: 1.7; }\nh1 { line-height: 1.35; }\nimg { max-width: 100%; }\n\
    blockquote { margin-inline: 0; padding-inline-start: 1em; border-inline-start: 3px solid #a8281e; }\n\
    .facts, .source { color: #605d57; font-size: .875em; }\nmark { background: #fbe6a2; }\n\
    section.notes { border-top: 1px solid #b9b5aa; margin-top: 2em; }\n";

/// The whole book.
pub fn write(book: &Book) -> Vec<u8> {
    pack(book).expect("memory takes whatever is written to it")
}

fn pack(book: &Book) -> io::Result<Vec<u8>> {
    let mut pictures: Vec<&String> = book.pictures.keys().collect();
    pictures.sort();
    let file_of = |path: &str| {
        let at = pictures.iter().position(|known| known.as_str() == path)?;
        let ending = path.rsplit('.').next().filter(|ending| ending.len() <= 4).unwrap_or("bin");
        Some(format!("picture-{}.{ending}", at + 1))
    };
    let mut zip = Zip::new(Cursor::new(Vec::new()));
    // First, and as it is: this is how readers know the kind of the file.
    zip.store("mimetype", b"application/epub+zip")?;
    zip.deflate("META-INF/container.xml", CONTAINER.as_bytes())?;
    zip.deflate("book/package.opf", package(book, &pictures, &file_of).as_bytes())?;
    zip.deflate("book/contents.xhtml", contents(book).as_bytes())?;
    zip.deflate("book/style.css", STYLE.as_bytes())?;
    for (at, piece) in book.pieces.iter().enumerate() {
        zip.deflate(&format!("book/{}", chapter_file(at)), chapter(book, piece, &file_of).as_bytes())?;
    }
    for path in &pictures {
        if let (Some(file), Some(picture)) = (file_of(path), book.pictures.get(*path)) {
            zip.store(&format!("book/{file}"), &picture.bytes)?;
        }
    }
    Ok(zip.finish()?.into_inner())
}

fn chapter_file(at: usize) -> String {
    format!("article-{}.xhtml", at + 1)
}

/// What is in the book, and in which order it is read.
fn package(book: &Book, pictures: &[&String], file_of: &dyn Fn(&str) -> Option<String>) -> String {
    let mut hash = Sha256::new();
    for piece in &book.pieces {
        hash.update(format!(
            "{}{} {} {}\n",
            book.base_url, piece.saved.url, piece.saved.version, piece.saved.saved_at.0
        ));
    }
    let id = hex::encode(&hash.finalize()[..16]);
    let lang = book.pieces.first().map_or(book.locale.code(), |piece| piece.saved.lang.as_str());
    let mut items = String::new();
    let mut order = String::new();
    for at in 0..book.pieces.len() {
        let (number, file) = (at + 1, chapter_file(at));
        items.push_str(&format!(
            "<item id=\"article-{number}\" href=\"{file}\" media-type=\"application/xhtml+xml\"/>\n"
        ));
        order.push_str(&format!("<itemref idref=\"article-{number}\"/>\n"));
    }
    for (at, path) in pictures.iter().enumerate() {
        if let (Some(file), Some(picture)) = (file_of(path), book.pictures.get(*path)) {
            let kind = xhtml::text(&picture.content_type);
            items.push_str(&format!(
                "<item id=\"picture-{}\" href=\"{file}\" media-type=\"{kind}\"/>\n",
                at + 1
            ));
        }
    }
    let mut creators: Vec<&str> = book.pieces.iter().map(|piece| piece.saved.account_name.as_str()).collect();
    creators.sort_unstable();
    creators.dedup();
    let creators: String = creators
        .into_iter()
        .take(20)
        .map(|name| format!("<dc:creator>{}</dc:creator>\n", xhtml::text(name)))
        .collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <package xmlns=\"http://www.idpf.org/2007/opf\" version=\"3.0\" unique-identifier=\"id\" xml:lang=\"{lang}\">\n\
        <metadata xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n\
        <dc:identifier id=\"id\">urn:xiangxun:saved:{id}</dc:identifier>\n\
        <dc:title>{title}</dc:title>\n<dc:language>{lang}</dc:language>\n{creators}\
        <meta property=\"dcterms:modified\">{modified}</meta>\n</metadata>\n<manifest>\n\
        <item id=\"contents\" href=\"contents.xhtml\" media-type=\"application/xhtml+xml\" properties=\"nav\"/>\n\
        <item id=\"style\" href=\"style.css\" media-type=\"text/css\"/>\n{items}</manifest>\n\
        <spine>\n<itemref idref=\"contents\" linear=\"{linear}\"/>\n{order}</spine>\n</package>\n",
        lang = xhtml::text(lang),
        title = xhtml::text(&book.title),
        modified = book.made_at.rfc3339(),
        linear = if book.pieces.len() > 1 { "yes" } else { "no" },
    )
}

fn contents(book: &Book) -> String {
    let mut list = String::new();
    for (at, piece) in book.pieces.iter().enumerate() {
        let (file, title) = (chapter_file(at), xhtml::text(&piece.saved.title));
        list.push_str(&format!("<li><a href=\"{file}\">{title}</a></li>\n"));
    }
    let title = xhtml::text(&book.title);
    document(
        book.locale.code(),
        &title,
        &format!("<nav epub:type=\"toc\"><h1>{title}</h1>\n<ol>\n{list}</ol></nav>"),
    )
}

fn chapter(book: &Book, piece: &Piece, file_of: &dyn Fn(&str) -> Option<String>) -> String {
    let saved = &piece.saved;
    let mut body = format!("<article>\n<h1>{}</h1>\n", xhtml::text(&saved.title));
    body.push_str(&format!("<p class=\"facts\">{}</p>\n", xhtml::text(&book.facts(piece))));
    if let Some(file) = saved.cover_url.as_deref().and_then(file_of) {
        body.push_str(&format!("<p><img src=\"{file}\" alt=\"\"/></p>\n"));
    }
    body.push_str(&xhtml::write(&with_marks(piece), &book.base_url, file_of));
    let url = xhtml::text(&book.absolute(&saved.url));
    body.push_str(&format!("\n<p class=\"source\"><a href=\"{url}\">{url}</a></p>\n"));
    body.push_str(&notes(book, piece));
    body.push_str("</article>");
    document(&saved.lang, &xhtml::text(&saved.title), &body)
}

/// The body with its highlights.
pub fn with_marks(piece: &Piece) -> String {
    if piece.highlights.is_empty() {
        return piece.saved.body_html.clone();
    }
    let letters = fold::letters(&plain_text(&piece.saved.body_html));
    let place = |row: &crate::db::entities::highlight::Model| {
        let passage = Passage { quote: &row.quote, before: &row.before, after: &row.after };
        Some((row.id, marks::locate(&letters, passage)?))
    };
    let places: Vec<_> = piece.highlights.iter().filter_map(place).collect();
    marks::mark(&piece.saved.body_html, &places)
}

/// What was marked, with the notes, as XML.
pub fn notes(book: &Book, piece: &Piece) -> String {
    if piece.highlights.is_empty() {
        return String::new();
    }
    let mut out = format!(
        "<section class=\"notes\">\n<h2>{}</h2>\n",
        xhtml::text(&book.locale.text("highlight-title"))
    );
    for row in &piece.highlights {
        out.push_str(&format!("<blockquote><p>{}</p></blockquote>\n", xhtml::text(&row.quote)));
        for line in row.note.lines().filter(|line| !line.trim().is_empty()) {
            out.push_str(&format!("<p>{}</p>\n", xhtml::text(line)));
        }
    }
    out.push_str("</section>\n");
    out
}

fn document(lang: &str, title: &str, body: &str) -> String {
    let lang = xhtml::text(lang);
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE html>\n\
        <html xmlns=\"http://www.w3.org/1999/xhtml\" xmlns:epub=\"http://www.idpf.org/2007/ops\" lang=\"{lang}\" xml:lang=\"{lang}\">\n\
        <head><title>{title}</title><link rel=\"stylesheet\" type=\"text/css\" href=\"style.css\"/></head>\n\
        <body>\n{body}\n</body>\n</html>\n"
    )
}
