//! One HTML page that needs nothing else: articles one after another, pictures where they are or beside it.

use super::epub::{notes, with_marks};
use super::xhtml;
use super::{Book, Piece};

/// Also of the list of an export.
pub const STYLE: &str = "body{max-width:40rem;margin:2rem auto;padding:0 1rem;font:1.0625rem/1.8 Georgia,serif;color-scheme:light dark}\
    h1,h2{line-height:1.35}img{max-width:100%;height:auto}article{border-top:1px solid;padding-top:1.5rem;margin-top:3rem}\
    blockquote{margin-inline:0;padding-inline-start:1em;border-inline-start:3px solid #a8281e}.facts,.source{opacity:.7;font-size:.875rem}";

pub fn write(book: &Book) -> String {
    let title = xhtml::text(&book.title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
        <title>{title}</title><style>{STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n",
        book.locale.code()
    );
    if book.pieces.len() > 1 {
        out.push_str("<ol>\n");
        for piece in &book.pieces {
            out.push_str(&format!(
                "<li><a href=\"#a{}\">{}</a></li>\n",
                piece.saved.id,
                xhtml::text(&piece.saved.title)
            ));
        }
        out.push_str("</ol>\n");
    }
    for piece in &book.pieces {
        push_article(&mut out, book, piece);
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn push_article(out: &mut String, book: &Book, piece: &Piece) {
    let saved = &piece.saved;
    let pictures = |source: &str| Some(book.picture(source));
    out.push_str(&format!("<article id=\"a{}\" lang=\"{}\">\n", saved.id, xhtml::text(&saved.lang)));
    out.push_str(&format!("<h2>{}</h2>\n", xhtml::text(&saved.title)));
    out.push_str(&format!("<p class=\"facts\">{}</p>\n", xhtml::text(&book.facts(piece))));
    if let Some(cover) = &saved.cover_url {
        out.push_str(&format!("<p><img src=\"{}\" alt=\"\"></p>\n", xhtml::text(&book.picture(cover))));
    }
    out.push_str(&xhtml::write(&with_marks(piece), &book.base_url, &pictures));
    let url = xhtml::text(&book.absolute(&saved.url));
    out.push_str(&format!("\n<p class=\"source\"><a href=\"{url}\">{url}</a></p>\n"));
    out.push_str(&notes(book, piece));
    out.push_str("</article>\n");
}
