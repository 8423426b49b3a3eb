//! Renditions: smaller copies of a kept picture, in WebP for every browser of today and in AVIF for those that
//! read it. Slow: not for the async threads.
//!
//! Widths rise by a factor of two at first and less above, so that a screen never loads more than about twice what it
//! shows: 320 for lists, 640 and 960 for phones, the picture's own width (1600 at most) for dense and large screens.
//!
//! A browser never goes back to the picture itself once it has taken a format, and stretches the nearest width where
//! the right one is missing. So each format comes without gaps below the picture's own width, or not at all.

use image::{DynamicImage, ImageFormat};
use ravif::Img;

use super::colour::in_srgb;
use crate::db::entities::media::Renditions;

/// Widths of pictures in articles and lists; a picture's own width comes last.
const WIDTHS: [u32; 3] = [320, 640, 960];
/// Widths of avatars, which are shown small: for common and for dense screens.
pub const AVATAR_WIDTHS: [u32; 2] = [96, 192];
/// A picture this much wider than a rendition has one of that width.
const STEP: f32 = 1.15;
/// Qualities that look alike; each scale is its encoder's own.
const WEBP_QUALITY: f32 = 76.0;
const AVIF_QUALITY: f32 = 62.0;
/// How hard lossless WebP tries.
const LOSSLESS_EFFORT: f32 = 75.0;
/// The fastest: speed 8 takes three to four times as long, for a seventh of the bytes.
const AVIF_SPEED: u8 = 10;
/// Bytes of the largest rendition below which AVIF has nothing to save.
const SMALL: usize = 4_000;

/// A file that was made.
#[derive(Debug)]
pub struct Rendition {
    pub width: u32,
    /// `webp` or `avif`.
    pub extension: &'static str,
    pub bytes: Vec<u8>,
}

/// What was made of a picture.
#[derive(Debug, Default)]
pub struct Made {
    /// What pages offer, by format and rising width.
    pub offered: Vec<Rendition>,
    /// Both [`AVATAR_WIDTHS`] of a small square, which pages name without asking. One that is smaller still stands under
    /// their names as it is.
    pub avatars: Vec<Rendition>,
    pub tone: Option<String>,
}

impl Made {
    pub fn renditions(&self) -> Renditions {
        let widths = |extension: &str| {
            let of = self.offered.iter().filter(|file| file.extension == extension);
            of.map(|file| file.width).collect()
        };
        Renditions { webp: widths("webp"), avif: widths("avif") }
    }
}

/// Makes the renditions of a kept picture. Those that pages offer are not wider than it is, and smaller as a file.
///
/// # Errors
/// When the file is no picture any more.
pub fn make(bytes: &[u8]) -> anyhow::Result<Made> {
    let image = in_srgb(bytes)?;
    let is_drawing = image::guess_format(bytes).is_ok_and(|format| format == ImageFormat::Png);
    let to_webp = |image: &DynamicImage| webp(image, is_drawing);
    let mut made = Made { tone: (!image.color().has_alpha()).then(|| tone(&image)), ..Made::default() };
    made.offered = falling(&image, &widths(image.width()), bytes.len(), "webp", to_webp)?;
    if is_avatar(image.width(), image.height()) {
        for width in AVATAR_WIDTHS {
            let bytes = to_webp(&scaled(&image, width.min(image.width()))?)?;
            made.avatars.push(Rendition { width, extension: "webp", bytes });
        }
    } else if let Some(own) = made.offered.last().filter(|own| own.bytes.len() > SMALL) {
        let widths: Vec<u32> = made.offered.iter().map(|file| file.width).collect();
        let added = falling(&image, &widths, own.bytes.len(), "avif", avif)?;
        // A browser takes all widths from the first format that it reads: a list would load more if one were missing.
        if added.len() == widths.len() && total(&added) < total(&made.offered) {
            made.offered.extend(added);
        }
    }
    Ok(made)
}

fn total(files: &[Rendition]) -> usize {
    files.iter().map(|file| file.bytes.len()).sum()
}

/// Files of one format for the widths that rise to the picture's own: that one, if it takes fewer than `most` bytes,
/// and narrower ones for as long as each takes fewer than the last. Lines and letters often take more when they are
/// scaled down, since they become shades.
fn falling(
    image: &DynamicImage,
    widths: &[u32],
    mut most: usize,
    extension: &'static str,
    encode: impl Fn(&DynamicImage) -> anyhow::Result<Vec<u8>>,
) -> anyhow::Result<Vec<Rendition>> {
    let mut files = Vec::new();
    for width in widths.iter().rev() {
        let bytes = encode(&scaled(image, *width)?)?;
        if bytes.len() >= most {
            break;
        }
        most = bytes.len();
        files.push(Rendition { width: *width, extension, bytes });
    }
    files.reverse();
    Ok(files)
}

/// Averages areas: no ringing, and fast.
fn scaled(image: &DynamicImage, width: u32) -> anyhow::Result<DynamicImage> {
    if width == image.width() {
        return Ok(image.clone());
    }
    let height = (u64::from(image.height()) * u64::from(width)).div_ceil(u64::from(image.width()));
    Ok(image.thumbnail_exact(width, u32::try_from(height)?.max(1)))
}

/// A small square is an avatar, and is shown smaller than all others.
fn is_avatar(width: u32, height: u32) -> bool {
    width == height && width <= super::picture::AVATAR_SIDE
}

/// The widths of a picture's renditions, rising.
fn widths(own: u32) -> Vec<u32> {
    let narrow_enough = |step: &u32| own as f32 >= *step as f32 * STEP;
    WIDTHS.into_iter().filter(narrow_enough).chain([own]).collect()
}

/// Drawings are often smaller without loss, and then sharper too.
fn webp(image: &DynamicImage, is_drawing: bool) -> anyhow::Result<Vec<u8>> {
    let (width, height) = (image.width(), image.height());
    let encoder = match image {
        DynamicImage::ImageRgba8(_) => webp::Encoder::from_rgba(image.as_bytes(), width, height),
        _ => webp::Encoder::from_rgb(image.as_bytes(), width, height),
    };
    let encode = |lossless: bool, quality: f32| {
        let encoded = encoder.encode_simple(lossless, quality);
        encoded.map(|bytes| bytes.to_vec()).map_err(|error| anyhow::anyhow!("encoding WebP: {error:?}"))
    };
    let lossy = encode(false, WEBP_QUALITY)?;
    if !is_drawing {
        return Ok(lossy);
    }
    let lossless = encode(true, LOSSLESS_EFFORT)?;
    Ok(if lossless.len() <= lossy.len() { lossless } else { lossy })
}

fn avif(image: &DynamicImage) -> anyhow::Result<Vec<u8>> {
    let encoder = ravif::Encoder::new()
        .with_quality(AVIF_QUALITY)
        .with_alpha_quality(AVIF_QUALITY)
        .with_speed(AVIF_SPEED)
        .with_bit_depth(ravif::BitDepth::Eight)
        .with_num_threads(Some(1));
    let (width, height) = (image.width() as usize, image.height() as usize);
    let encoded = match image {
        DynamicImage::ImageRgba8(pixels) => {
            let pixels: Vec<_> = pixels.pixels().map(|p| ravif::RGBA8::new(p[0], p[1], p[2], p[3])).collect();
            encoder.encode_rgba(Img::new(&pixels, width, height))?
        }
        other => {
            let pixels = other.to_rgb8();
            let pixels: Vec<_> = pixels.pixels().map(|p| ravif::RGB8::new(p[0], p[1], p[2])).collect();
            encoder.encode_rgb(Img::new(&pixels, width, height))?
        }
    };
    Ok(encoded.avif_file)
}

/// The average colour as one of 64 classes of `app.css`, `tone-26a`: inline styles are not allowed.
fn tone(image: &DynamicImage) -> String {
    let [red, green, blue] = image.thumbnail_exact(1, 1).to_rgb8().get_pixel(0, 0).0;
    let level = |value: u8| ['2', '6', 'a', 'e'][usize::from(value / 64)];
    format!("tone-{}{}{}", level(red), level(green), level(blue))
}

#[cfg(test)]
mod tests {
    use image::{ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    fn file(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// Soft shapes with some grain, as photos have.
    fn photo(width: u32, height: u32) -> DynamicImage {
        let mut seed = 7_u32;
        DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |x, y| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let grain = (seed >> 28) as f32;
            let wave = (x as f32 / 37.0).sin() * 60.0 + (y as f32 / 23.0).cos() * 50.0;
            Rgb([120.0 + wave + grain, 100.0 + wave / 2.0 + grain, 60.0 + grain]
                .map(|v| v.clamp(0.0, 255.0) as u8))
        }))
    }

    /// Black words between thin lines on white, as tables have them: small as PNG, and large in any format with loss.
    fn table(width: u32, height: u32) -> DynamicImage {
        let mut image = RgbImage::from_pixel(width, height, Rgb([255; 3]));
        let mut seed = 11_u32;
        for (row, top) in (0..height).step_by(16).enumerate() {
            for left in (0..width).step_by(9) {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                // One of 128 letters of 7 by 9 dots.
                let letter = (seed >> 25).wrapping_mul(2_654_435_761).wrapping_add(row as u32 % 2);
                for dot in 0..63_u32 {
                    let (x, y) = (left + 1 + dot % 7, top + 4 + dot / 7);
                    let is_ink = letter.rotate_left(dot.wrapping_mul(11)).count_ones() % 3 == 0;
                    if is_ink && x < width && y < height {
                        image.put_pixel(x, y, Rgb([0; 3]));
                    }
                }
            }
            for x in 0..width {
                image.put_pixel(x, top, Rgb([90; 3]));
            }
        }
        DynamicImage::ImageRgb8(image)
    }

    /// What holds for all pictures: a format has the own width and no gap below it, and nothing is larger than what it
    /// stands for.
    fn check(made: &Made, own: u32, bytes: usize) {
        let Renditions { webp, avif } = made.renditions();
        let all = widths(own);
        assert!(all.ends_with(&webp), "{webp:?} of {all:?}");
        assert!(avif.is_empty() || avif == webp, "{avif:?} beside {webp:?}");
        for format in ["webp", "avif"] {
            let sizes = made.offered.iter().filter(|file| file.extension == format);
            let sizes: Vec<usize> = sizes.map(|file| file.bytes.len()).chain([bytes]).collect();
            assert!(sizes.is_sorted_by(|a, b| a < b), "{format}: {sizes:?}");
        }
    }

    #[test]
    fn a_picture_gets_smaller_ones_and_none_wider_than_itself() {
        assert_eq!(widths(1600), [320, 640, 960, 1600]);
        assert_eq!(widths(1000), [320, 640, 1000]);
        assert_eq!(widths(330), [330]);
        assert_eq!(widths(20), [20]);
        let bytes = file(&photo(700, 400), ImageFormat::Jpeg);
        let made = make(&bytes).unwrap();
        assert_eq!(made.renditions(), Renditions { webp: vec![320, 700], avif: vec![320, 700] });
        check(&made, 700, bytes.len());
        for one in &made.offered {
            if one.extension == "webp" {
                let shown = image::load_from_memory(&one.bytes).unwrap();
                assert_eq!((shown.width(), shown.height()), (one.width, (400 * one.width).div_ceil(700)));
            } else {
                assert_eq!(&one.bytes[4..12], b"ftypavif");
            }
        }
    }

    #[test]
    fn a_dense_table_is_offered_as_wide_as_it_is_and_as_sharp() {
        let image = table(1200, 800);
        let bytes = file(&image, ImageFormat::Png);
        let made = make(&bytes).unwrap();
        check(&made, 1200, bytes.len());
        let own = made.offered.iter().rfind(|file| file.extension == "webp").unwrap();
        assert_eq!(own.width, 1200);
        assert_eq!(
            image::load_from_memory(&own.bytes).unwrap().to_rgb8(),
            image.to_rgb8(),
            "it is without loss"
        );
        // As JPEG such a picture is larger than anything that is made of it.
        let bytes = file(&image, ImageFormat::Jpeg);
        check(&make(&bytes).unwrap(), 1200, bytes.len());
    }

    #[test]
    fn a_format_has_the_own_width_and_no_gap_or_nothing() {
        let image = DynamicImage::ImageRgb8(RgbImage::new(1200, 8));
        // Bytes of the files for 320, 640, 960 and 1200 pixels, of the picture itself, and the widths that stay.
        let cases: [([usize; 4], usize, &[u32]); 6] = [
            ([10, 20, 30, 40], 50, &[320, 640, 960, 1200]),
            ([18, 58, 100, 19], 39, &[1200]),
            ([18, 58, 100, 114], 39, &[]),
            ([10, 35, 30, 38], 39, &[960, 1200]),
            ([10, 20, 30, 39], 39, &[]),
            ([30, 30, 30, 30], 39, &[1200]),
        ];
        for (sizes, own, expected) in cases {
            let encode = |image: &DynamicImage| {
                let at = widths(1200).iter().position(|width| *width == image.width()).unwrap();
                Ok(vec![0; sizes[at]])
            };
            let files = falling(&image, &widths(1200), own, "webp", encode).unwrap();
            assert_eq!(files.iter().map(|file| file.width).collect::<Vec<_>>(), expected, "{sizes:?}");
        }
    }

    #[test]
    fn what_can_be_seen_through_stays_so_in_both_formats() {
        let solid = photo(700, 400).to_rgb8();
        let image = RgbaImage::from_fn(700, 400, |x, y| {
            let Rgb([red, green, blue]) = *solid.get_pixel(x, y);
            Rgba([red, green, blue, if x < 350 { 0 } else { 255 }])
        });
        let bytes = file(&DynamicImage::ImageRgba8(image), ImageFormat::Png);
        let made = make(&bytes).unwrap();
        check(&made, 700, bytes.len());
        assert_eq!(made.renditions(), Renditions { webp: vec![320, 700], avif: vec![320, 700] });
        assert_eq!(made.tone, None);
        for one in &made.offered {
            if one.extension == "webp" {
                let shown = image::load_from_memory(&one.bytes).unwrap().to_rgba8();
                let alpha = |part: u32| shown.get_pixel(one.width * part / 4, 50)[3];
                assert_eq!((alpha(1), alpha(3)), (0, 255));
            } else {
                // AVIF keeps it as a picture beside the picture.
                let name = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha";
                assert!(one.bytes.windows(name.len()).any(|run| run == name));
            }
        }
    }

    #[test]
    fn a_small_square_has_both_widths_of_avatars_whatever_they_take() {
        let flat = DynamicImage::ImageRgb8(RgbImage::from_pixel(50, 50, Rgb([200, 10, 90])));
        for (image, sides) in [(photo(400, 400), [96, 192]), (photo(150, 150), [96, 150]), (flat, [50, 50])] {
            let bytes = file(&image, ImageFormat::Png);
            let made = make(&bytes).unwrap();
            check(&made, image.width(), bytes.len());
            let named: Vec<u32> = made.avatars.iter().map(|file| file.width).collect();
            assert_eq!(named, AVATAR_WIDTHS);
            let real = made.avatars.iter().map(|file| image::load_from_memory(&file.bytes).unwrap().width());
            assert_eq!(real.collect::<Vec<_>>(), sides);
        }
        assert!(make(&file(&photo(400, 399), ImageFormat::Png)).unwrap().avatars.is_empty());
    }

    #[test]
    fn a_colour_of_64_stands_in_and_none_for_what_can_be_seen_through() {
        let css = include_str!("../../static/app.css");
        for pixel in [[0, 0, 0], [255, 255, 255], [63, 64, 128], [200, 10, 90]] {
            let image = DynamicImage::ImageRgb8(RgbImage::from_pixel(40, 30, Rgb(pixel)));
            let tone = make(&file(&image, ImageFormat::Png)).unwrap().tone.unwrap();
            assert!(css.contains(&format!(".{tone} {{")), "{tone} is not in app.css");
        }
        let image = DynamicImage::ImageRgba8(RgbaImage::from_pixel(40, 30, Rgba([1, 2, 3, 0])));
        assert_eq!(make(&file(&image, ImageFormat::Png)).unwrap().tone, None);
    }

    #[test]
    fn a_dot_and_what_is_no_picture_do_no_harm() {
        let image = DynamicImage::ImageRgb8(RgbImage::from_pixel(2, 2, Rgb([9, 9, 9])));
        let bytes = file(&image, ImageFormat::Png);
        check(&make(&bytes).unwrap(), 2, bytes.len());
        assert!(make(b"no picture").is_err());
    }
}
