//! Looks computed from words: the stand-in picture of an account that has none.

/// How many `.hue-N` colours `static/app.css` has.
const HUES: u32 = 6;

/// The character shown in place of a picture: the first letter or ideograph of a name.
pub fn initial(name: &str) -> String {
    name.chars()
        .find(|c| c.is_alphanumeric())
        .map(|c| c.to_uppercase().collect())
        .unwrap_or_else(|| "乡".to_owned())
}

/// Which of the stylesheet's colours a name gets: always the same one, spread evenly (FNV-1a).
pub fn hue(name: &str) -> u32 {
    let hash =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash >> 8) % HUES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_initial_skips_brackets_and_is_upper_case() {
        assert_eq!(initial("《读者》"), "读");
        assert_eq!(initial("lctt"), "L");
        assert_eq!(initial("——"), "乡");
    }

    #[test]
    fn a_name_keeps_its_colour() {
        assert_eq!(hue("华人周报"), hue("华人周报"));
        assert!(hue("") < HUES);
    }
}
