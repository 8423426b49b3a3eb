//! Draws a share image: the title in Song as headlines are, the account above it, the seal and the site below.

use std::path::Path;

use ab_glyph::{Font, FontRef, PxScale};

use super::canvas::{Canvas, Colour};
use super::font;
use super::lines::{gap, lines, lines_cut, width};
use super::seal;

pub const WIDTH: u32 = 1200;
pub const HEIGHT: u32 = 630;

const PAPER: Colour = [0xfd, 0xfd, 0xfb];
const INK: Colour = [0x1c, 0x1b, 0x19];
const SOFT: Colour = [0x60, 0x5d, 0x57];
const LINE: Colour = [0xe3, 0xe1, 0xd9];
const RED: Colour = [0xa8, 0x28, 0x1e];

const MARGIN: u32 = 84;
const INNER: f32 = (WIDTH - 2 * MARGIN) as f32;
/// Sizes of the title in pixels with the lines that it may take, largest first; at the last one it is cut.
const SIZES: [(f32, usize); 4] = [(96.0, 2), (76.0, 3), (62.0, 4), (54.0, 4)];
/// The distance of lines, in ems.
const LEADING: f32 = 1.32;
/// Where the title may stand.
const TITLE: std::ops::Range<f32> = 132.0..456.0;
const SMALL: f32 = 34.0;
const SEAL: u32 = 72;

/// What is on an image.
#[derive(Clone, Debug)]
pub struct Words {
    pub title: String,
    pub account: String,
    pub handle: String,
    pub site: String,
    /// The article's language.
    pub lang: String,
}

/// A PNG with the words that the font has; with the seal alone where it lacks too many of them.
pub fn draw(words: &Words, font_file: &Path) -> anyhow::Result<Vec<u8>> {
    let bytes = font::read(font_file)?;
    let font = font::of(&bytes, &words.lang)?;
    let mut canvas = Canvas::new(WIDTH, HEIGHT, PAPER);
    canvas.fill(0, 0, 14, HEIGHT, RED);
    match (readable(&words.title, &font), readable(&words.account, &font)) {
        (Some(title), account) if !title.is_empty() => {
            frame(&mut canvas, &font, words, &account.unwrap_or_default());
            draw_title(&mut canvas, &font, &title);
        }
        _ => seal::draw(&mut canvas, (WIDTH - 320) / 2, (HEIGHT - 320) / 2, 320),
    }
    canvas.png()
}

/// The account, a line, the seal with the site's name, and the account's handle.
fn frame(canvas: &mut Canvas, font: &FontRef<'_>, words: &Words, account: &str) {
    let pen = Pen { font, size: SMALL, colour: SOFT };
    let account = lines_cut(account, INNER / SMALL, 1, |c| pen.advance(c)).pop().unwrap_or_default();
    pen.write(canvas, &account, MARGIN as f32, 104.0);
    let base = HEIGHT - 62;
    canvas.fill(MARGIN, base - SEAL - 24, WIDTH - 2 * MARGIN, 2, LINE);
    seal::draw(canvas, MARGIN, base - SEAL + 14, SEAL);
    let site = readable(&words.site, font).unwrap_or_default();
    let handle = format!("@{}", words.handle);
    let handle_width = width(&handle, |c| pen.advance(c));
    let room = INNER / SMALL - handle_width - 4.0;
    let site = lines_cut(&site, room, 1, |c| pen.advance(c)).pop().unwrap_or_default();
    let ink = Pen { colour: INK, ..pen };
    let line = base as f32 - 10.0;
    ink.write(canvas, &site, (MARGIN + SEAL + 22) as f32, line);
    pen.write(canvas, &handle, (WIDTH - MARGIN) as f32 - handle_width * SMALL, line);
}

fn draw_title(canvas: &mut Canvas, font: &FontRef<'_>, title: &str) {
    let at = |size: f32| Pen { font, size, colour: INK };
    let fitting = SIZES.into_iter().find_map(|(size, rows)| {
        let pen = at(size);
        Some((pen, lines(title, INNER / size, rows, |c| pen.advance(c))?))
    });
    let (pen, lines) = fitting.unwrap_or_else(|| {
        let (size, rows) = SIZES[SIZES.len() - 1];
        let pen = at(size);
        (pen, lines_cut(title, INNER / size, rows, |c| pen.advance(c)))
    });
    let step = pen.size * LEADING;
    let block = step * lines.len() as f32;
    // A little above the middle, and its first baseline most of an em below its top.
    let top = TITLE.start + ((TITLE.end - TITLE.start - block) * 0.45).max(0.0);
    for (row, line) in lines.iter().enumerate() {
        pen.write(canvas, line, MARGIN as f32, top + step * row as f32 + pen.size * 1.02);
    }
}

/// A text without what the font lacks, such as emoji; none where that is more than a fifth of it.
fn readable(text: &str, font: &FontRef<'_>) -> Option<String> {
    let (mut kept, mut lost) = (String::new(), 0);
    for c in text.chars() {
        match c {
            c if c.is_whitespace() => kept.push(' '),
            c if c.is_control() || is_mark(c) => {}
            c if font::has(font, c) => kept.push(c),
            _ => lost += 1,
        }
    }
    let kept = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    (lost * 4 <= kept.chars().count()).then_some(kept)
}

/// What is not seen by itself: joiners, variation selectors, direction marks.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

#[derive(Clone, Copy)]
struct Pen<'a> {
    font: &'a FontRef<'a>,
    /// Of an em, in pixels.
    size: f32,
    colour: Colour,
}

impl Pen<'_> {
    fn em(&self) -> f32 {
        self.font.units_per_em().unwrap_or(1_000.0)
    }

    /// In ems.
    fn advance(&self, c: char) -> f32 {
        self.font.h_advance_unscaled(self.font.glyph_id(c)) / self.em()
    }

    /// Writes a line from a place on its baseline.
    fn write(&self, canvas: &mut Canvas, line: &str, left: f32, baseline: f32) {
        let scale = PxScale::from(self.size * self.font.height_unscaled() / self.em());
        let (mut x, mut before) = (left, None);
        for c in line.chars() {
            x += gap(before, c) * self.size;
            let glyph = self.font.glyph_id(c).with_scale_and_position(scale, ab_glyph::point(x, baseline));
            if let Some(outline) = self.font.outline_glyph(glyph) {
                let bounds = outline.px_bounds();
                outline.draw(|dx, dy, coverage| {
                    let place = |from: f32, by: u32| (from as i64 + i64::from(by)).try_into().ok();
                    if let (Some(x), Some(y)) = (place(bounds.min.x, dx), place(bounds.min.y, dy)) {
                        canvas.blend(x, y, self.colour, coverage);
                    }
                });
            }
            x += self.advance(c) * self.size;
            before = Some(c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(title: &str, lang: &str) -> Words {
        let (account, site) = match lang {
            "zh-Hant" => ("倫敦華聞週報", "鄉訊"),
            "en" => ("The London Weekly", "Xiangxun"),
            _ => ("伦敦华闻周报", "乡讯"),
        };
        Words {
            title: title.into(),
            account: account.into(),
            handle: "lundun".into(),
            site: site.into(),
            lang: lang.into(),
        }
    }

    /// Dark pixels, as a sign that something is written.
    fn ink(png: &[u8]) -> usize {
        let image = image::load_from_memory(png).unwrap().to_rgb8();
        assert_eq!(image.dimensions(), (WIDTH, HEIGHT));
        image.pixels().filter(|pixel| pixel[0] < 60 && pixel[1] < 60).count()
    }

    #[test]
    fn titles_of_any_length_and_either_script_are_written() {
        let long = "本报记者走访唐人街三十七家餐馆、十二所周末中文学校与四座社区图书馆以后写下的一个非常非常长的标题：它必须能够换行，也不能把旁边的东西挤出去，读到这里应该已经放不下了，所以要用省略号结束";
        let cases = [
            ("short", "台风今晚登陆", "zh-Hans"),
            ("usual", "台风“海葵”今晚在福建沿海登陆，渔船全部回港，学校停课一天", "zh-Hans"),
            ("hant", "颱風「海葵」今晚登陸：臺北、新北、基隆停班停課，鐵路與航運全面停駛", "zh-Hant"),
            ("mixed", "用Rust写的Xiangxun在2026年11月上线，iPhone也能读 🎉", "zh-Hans"),
            ("english", "What the new visa rules mean for Chinese students in Britain", "en"),
            ("long", long, "zh-Hans"),
        ];
        for (name, title, lang) in cases {
            let png = draw(&words(title, lang), Path::new("")).unwrap();
            assert!(ink(&png) > 5_000, "{name}");
            assert!(png.len() < 150_000, "{name}: {}", png.len());
            // `XIANGXUN_TEST_LOOK=folder` keeps them to look at.
            if let Ok(folder) = std::env::var("XIANGXUN_TEST_LOOK") {
                std::fs::write(Path::new(&folder).join(format!("share-{name}.png")), &png).unwrap();
            }
        }
    }

    #[test]
    fn what_the_font_lacks_leaves_the_seal_alone() {
        let alone = draw(&words("", "zh-Hans"), Path::new("")).unwrap();
        assert_eq!(draw(&words("안녕하세요 여러분", "ko"), Path::new("")).unwrap(), alone);
        assert_eq!(draw(&words("🎉🎉🎉", "zh-Hans"), Path::new("")).unwrap(), alone);
        assert_eq!(ink(&alone), 0);
    }

    #[test]
    fn a_font_that_cannot_be_read_gives_way_to_the_one_built_in() {
        let words = words("台风今晚登陆", "zh-Hans");
        let usual = draw(&words, Path::new("")).unwrap();
        assert_eq!(draw(&words, Path::new("/nowhere/font.ttc")).unwrap(), usual);
        assert_eq!(
            draw(&words, Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))).unwrap(),
            usual
        );
    }
}
