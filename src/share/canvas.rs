//! Pixels to draw on.

use image::{ImageEncoder, Rgb, RgbImage};

pub type Colour = [u8; 3];

pub struct Canvas(RgbImage);

impl Canvas {
    pub fn new(width: u32, height: u32, paper: Colour) -> Self {
        Self(RgbImage::from_pixel(width, height, Rgb(paper)))
    }

    /// Lays a colour over a pixel, as far as it covers it; beyond the edges nothing happens.
    pub fn blend(&mut self, x: u32, y: u32, colour: Colour, coverage: f32) {
        let Some(pixel) = self.0.get_pixel_mut_checked(x, y) else { return };
        let coverage = coverage.clamp(0.0, 1.0);
        for (under, over) in pixel.0.iter_mut().zip(colour) {
            let mixed = f32::from(*under) * (1.0 - coverage) + f32::from(over) * coverage;
            *under = mixed.round() as u8;
        }
    }

    pub fn fill(&mut self, left: u32, top: u32, width: u32, height: u32, colour: Colour) {
        for y in top..top + height {
            for x in left..left + width {
                self.blend(x, y, colour, 1.0);
            }
        }
    }

    pub fn png(&self) -> anyhow::Result<Vec<u8>> {
        use image::codecs::png::{CompressionType, FilterType, PngEncoder};
        let mut bytes = Vec::new();
        let encoder = PngEncoder::new_with_quality(&mut bytes, CompressionType::Default, FilterType::Sub);
        let (width, height) = self.0.dimensions();
        encoder.write_image(&self.0, width, height, image::ExtendedColorType::Rgb8)?;
        Ok(bytes)
    }

    #[cfg(test)]
    pub fn at(&self, x: u32, y: u32) -> Colour {
        self.0.get_pixel(x, y).0
    }
}
