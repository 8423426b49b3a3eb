//! Colour spaces: telephones write wider ones than most screens show, and say so in a profile.

use image::{DynamicImage, ImageDecoder, ImageReader};
use moxcms::{ColorProfile, Layout, TransformOptions};

/// The pixels in the colour space of screens: renditions carry no profile.
pub fn in_srgb(bytes: &[u8]) -> anyhow::Result<DynamicImage> {
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

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage};

    use super::*;
    use crate::media::rendition::make;

    #[test]
    fn a_wide_colour_space_is_brought_into_that_of_screens() {
        use image::{ImageEncoder, codecs::jpeg::JpegEncoder};
        // Display P3, as telephones write it, and what the same colours are in sRGB.
        for (p3, srgb) in [([180, 120, 60], [190, 117, 45]), ([200, 60, 60], [217, 42, 52])] {
            let mut bytes = Vec::new();
            let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
            encoder.set_icc_profile(ColorProfile::new_display_p3().encode().unwrap()).unwrap();
            RgbImage::from_pixel(480, 360, Rgb(p3)).write_with_encoder(encoder).unwrap();
            let made = make(&bytes).unwrap();
            let own = made.offered.iter().rfind(|file| file.extension == "webp").unwrap();
            for image in [in_srgb(&bytes).unwrap(), image::load_from_memory(&own.bytes).unwrap()] {
                let pixel = image.to_rgb8().get_pixel(240, 180).0;
                let is_near = pixel.iter().zip(srgb).all(|(is, should)| is.abs_diff(should) <= 4);
                assert!(is_near, "{pixel:?} should be {srgb:?}");
            }
        }
        // A profile that is none leaves the numbers as they are.
        let mut bytes = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
        encoder.set_icc_profile(vec![7; 300]).unwrap();
        RgbImage::from_pixel(64, 64, Rgb([200, 60, 60])).write_with_encoder(encoder).unwrap();
        let pixel = in_srgb(&bytes).unwrap().to_rgb8().get_pixel(30, 30).0;
        assert!(pixel.iter().zip([200, 60, 60]).all(|(is, was)| is.abs_diff(was) <= 3), "{pixel:?}");
    }
}
