//! The seal, drawn from the same file as pages show (`static/seal.svg`).

use ab_glyph_rasterizer::{Point, Rasterizer, point};

use super::canvas::{Canvas, Colour};
use crate::statics;

/// The side of the drawing.
const SIDE: f32 = 64.0;

/// Draws it with its upper left corner at a place.
pub fn draw(canvas: &mut Canvas, left: u32, top: u32, side: u32) {
    let svg = statics::text("seal.svg").unwrap_or_default();
    for path in svg.split("<path ").skip(1) {
        let value = |name: &str| path.split_once(&format!("{name}=\""))?.1.split('"').next();
        let (Some(fill), Some(d)) = (value("fill").and_then(colour), value(" d")) else { continue };
        let mut rasterizer = Rasterizer::new(side as usize, side as usize);
        trace(d, side as f32 / SIDE, &mut rasterizer);
        rasterizer.for_each_pixel_2d(|x, y, coverage| canvas.blend(left + x, top + y, fill, coverage));
    }
}

fn colour(text: &str) -> Option<Colour> {
    let number = u32::from_str_radix(text.strip_prefix('#')?, 16).ok()?;
    let [_, red, green, blue] = number.to_be_bytes();
    Some([red, green, blue])
}

/// Follows a path of the commands that our drawing has: M, L, H, V, C and Z, with absolute places.
fn trace(d: &str, scale: f32, rasterizer: &mut Rasterizer) {
    let (mut start, mut at) = (point(0.0, 0.0), point(0.0, 0.0));
    let line = |rasterizer: &mut Rasterizer, from: Point, to: Point| rasterizer.draw_line(from, to);
    for (at_letter, letter) in d.match_indices(|c: char| c.is_ascii_alphabetic()) {
        let rest = &d[at_letter + 1..];
        let end = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let numbers: Vec<f32> =
            rest[..end].split([' ', ',']).filter_map(|n| n.parse::<f32>().ok()).map(|n| n * scale).collect();
        match letter {
            "M" | "L" => {
                for (index, pair) in numbers.chunks_exact(2).enumerate() {
                    let to = point(pair[0], pair[1]);
                    if letter == "M" && index == 0 {
                        start = to;
                    } else {
                        line(rasterizer, at, to);
                    }
                    at = to;
                }
            }
            "H" | "V" => {
                for number in numbers {
                    let to = if letter == "H" { point(number, at.y) } else { point(at.x, number) };
                    line(rasterizer, at, to);
                    at = to;
                }
            }
            "C" => {
                for six in numbers.chunks_exact(6) {
                    let to = point(six[4], six[5]);
                    rasterizer.draw_cubic(at, point(six[0], six[1]), point(six[2], six[3]), to);
                    at = to;
                }
            }
            _ => {
                line(rasterizer, at, start);
                at = start;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seal_is_red_with_light_characters() {
        let svg = statics::text("seal.svg").unwrap();
        assert!(svg.split(" d=\"").skip(1).all(|path| {
            path.split('"').next().unwrap().chars().all(|c| "MLHVCZz -.0123456789".contains(c))
        }));
        let mut canvas = Canvas::new(64, 64, [0, 0, 0]);
        draw(&mut canvas, 0, 0, 64);
        assert_eq!(canvas.at(4, 32), [0xa8, 0x28, 0x1e]);
        let light = (0..64 * 64).filter(|n| canvas.at(n % 64, n / 64)[1] > 0xe0).count();
        assert!((300..1_600).contains(&light), "{light}");
    }
}
