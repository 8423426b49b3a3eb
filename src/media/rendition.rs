//! Renditions: smaller copies of a kept picture, in WebP for every browser of today and in AVIF for those that
//! read it. Slow: not for the async threads.
//!
//! Widths rise by a factor of two at first and less above, so that a screen never loads more than about twice what it
//! shows: 320 for lists, 640 and 960 for phones, the picture's own width (1600 at most) for dense and large screens.

use image::{DynamicImage, ImageDecoder, ImageReader};
use moxcms::{ColorProfile, Layout, TransformOptions};
use ravif::Img;

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
    pub files: Vec<Rendition>,
    pub tone: Option<String>,
}

impl Made {
    pub fn renditions(&self) -> Renditions {
        let widths = |extension: &str| {
            let of = self.files.iter().filter(|file| file.extension == extension);
            of.map(|file| file.width).collect()
        };
        Renditions { webp: widths("webp"), avif: widths("avif") }
    }
}

/// Makes the renditions of a kept picture, none of them wider than it is or larger as a file.
///
/// # Errors
/// When the file is no picture any more.
pub fn make(bytes: &[u8]) -> anyhow::Result<Made> {
    let image = in_srgb(bytes)?;
    let tone = (!image.color().has_alpha()).then(|| tone(&image));
    let mut files = Vec::new();
    for width in widths(image.width(), image.height()) {
        let bytes_of_webp = webp(&scaled(&image, width)?)?;
        if bytes_of_webp.len() < bytes.len() {
            files.push(Rendition { width, extension: "webp", bytes: bytes_of_webp });
        }
    }
    let has_much = files.last().is_some_and(|largest| largest.bytes.len() > SMALL);
    if has_much && !is_avatar(image.width(), image.height()) {
        add_avif(&mut files, &image)?;
    }
    Ok(Made { files, tone })
}

/// A browser takes all widths from the first format that it reads, so AVIF comes in all of them, if it saves bytes.
fn add_avif(files: &mut Vec<Rendition>, image: &DynamicImage) -> anyhow::Result<()> {
    let mut added = Vec::new();
    for file in files.iter() {
        let bytes = avif(&scaled(image, file.width)?)?;
        added.push(Rendition { width: file.width, extension: "avif", bytes });
    }
    let total = |files: &[Rendition]| files.iter().map(|file| file.bytes.len()).sum::<usize>();
    if total(&added) < total(files) {
        files.append(&mut added);
    }
    Ok(())
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

/// The widths of a picture's renditions.
fn widths(width: u32, height: u32) -> Vec<u32> {
    let avatar: &[u32] = if is_avatar(width, height) { &AVATAR_WIDTHS } else { &[] };
    let wide_enough = |step: &u32| width as f32 >= *step as f32 * STEP;
    avatar.iter().chain(&WIDTHS).copied().filter(wide_enough).chain([width]).collect()
}

/// The pixels in the colour space of screens: renditions carry no profile.
fn in_srgb(bytes: &[u8]) -> anyhow::Result<DynamicImage> {
    let reader = ImageReader::new(std::io::Cursor::new(bytes)).with_guessed_format()?;
    let mut decoder = reader.into_decoder()?;
    let profile = decoder.icc_profile().ok().flatten();
    let image = DynamicImage::from_decoder(decoder)?;
    let has_alpha = image.color().has_alpha();
    let image = if has_alpha {
        DynamicImage::ImageRgba8(image.into_rgba8())
    } else {
        DynamicImage::ImageRgb8(image.into_rgb8())
    };
    // A profile that cannot be read leaves the numbers as they are, as browsers do.
    Ok(profile.and_then(|profile| converted(&image, &profile)).unwrap_or(image))
}

fn converted(image: &DynamicImage, profile: &[u8]) -> Option<DynamicImage> {
    let from = ColorProfile::new_from_slice(profile).ok()?;
    let layout = if image.color().has_alpha() { Layout::Rgba } else { Layout::Rgb };
    let to = ColorProfile::new_srgb();
    let transform = from.create_transform_8bit(layout, &to, layout, TransformOptions::default()).ok()?;
    let mut pixels = vec![0; image.as_bytes().len()];
    transform.transform(image.as_bytes(), &mut pixels).ok()?;
    let (width, height) = (image.width(), image.height());
    match image {
        DynamicImage::ImageRgba8(_) => {
            image::RgbaImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgba8)
        }
        _ => image::RgbImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8),
    }
}

fn webp(image: &DynamicImage) -> anyhow::Result<Vec<u8>> {
    let (width, height) = (image.width(), image.height());
    let encoder = match image {
        DynamicImage::ImageRgba8(_) => webp::Encoder::from_rgba(image.as_bytes(), width, height),
        _ => webp::Encoder::from_rgb(image.as_bytes(), width, height),
    };
    let encoded = encoder.encode_simple(false, WEBP_QUALITY);
    Ok(encoded.map_err(|error| anyhow::anyhow!("encoding WebP: {error:?}"))?.to_vec())
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

    #[test]
    fn a_picture_gets_smaller_ones_and_none_wider_than_itself() {
        assert_eq!(widths(1600, 900), [320, 640, 960, 1600]);
        assert_eq!(widths(1000, 900), [320, 640, 1000]);
        assert_eq!(widths(330, 900), [330]);
        assert_eq!(widths(20, 10), [20]);
        assert_eq!(widths(400, 400), [96, 192, 320, 400]);
        let bytes = file(&photo(700, 400), ImageFormat::Jpeg);
        let made = make(&bytes).unwrap();
        assert_eq!(made.renditions(), Renditions { webp: vec![320, 700], avif: vec![320, 700] });
        for one in &made.files {
            assert!(one.bytes.len() < bytes.len());
            if one.extension == "webp" {
                let shown = image::load_from_memory(&one.bytes).unwrap();
                assert_eq!((shown.width(), shown.height()), (one.width, (400 * one.width).div_ceil(700)));
            } else {
                assert_eq!(&one.bytes[4..12], b"ftypavif");
            }
        }
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
    fn a_drawing_that_is_smaller_as_it_is_stays_alone() {
        let image = DynamicImage::ImageRgb8(RgbImage::from_pixel(2, 2, Rgb([9, 9, 9])));
        let bytes = file(&image, ImageFormat::Png);
        let made = make(&bytes).unwrap();
        assert!(made.files.iter().all(|file| file.bytes.len() < bytes.len()));
        assert!(make(b"no picture").is_err());
    }
}
